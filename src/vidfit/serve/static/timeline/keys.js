// The keys of the time line. Those of classes are held while the video plays.
import { SPEEDS, toggle } from "../lib/playing.js";
import { useEffect, useRef } from "../lib/ui.js";

export const HELP = [
  ["Space K", "play or pause"],
  ["J L", "slower, faster"],
  [", .", "one frame back, on"],
  ["← →", "a second back, on; with Shift five"],
  ["↑ ↓", "to the segment before, after"],
  ["[ ]", "the span here starts, ends at the frame on screen"],
  ["1 … 9", "hold while playing: what goes by gets that class; a short press gives it to the span here"],
  ["Enter", "take over a segment of the model as a label"],
  ["Delete", "remove the span"],
  ["U", "take the last change back"],
  ["Esc", "choose nothing"],
];

// `edits` is null where nothing can be changed.
export function useEditorKeys(given) {
  const latest = useRef(given);
  latest.current = given;
  useEffect(() => {
    const isElsewhere = (event) => {
      const on = event.target.closest?.("input:not([type=range]), select, textarea, summary");
      const isPress = event.key === "Enter" || event.key === " ";
      return Boolean(on) || (isPress && Boolean(event.target.closest?.("button, a")));
    };
    const down = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isElsewhere(event)) return;
      if (pressed(event, latest.current)) event.preventDefault();
    };
    const up = (event) => {
      const { holding, edits } = latest.current;
      if (holding && event.key === holding.key) edits?.letGo();
    };
    const lost = () => latest.current.holding && latest.current.edits?.letGo();
    addEventListener("keydown", down);
    addEventListener("keyup", up);
    addEventListener("blur", lost);
    return () => {
      removeEventListener("keydown", down);
      removeEventListener("keyup", up);
      removeEventListener("blur", lost);
    };
  }, []);
}

function pressed(event, { video, shown, classes, edits, holding, speed, setSpeed, step, letGoOfChosen }) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const faster = (by) => {
    const place = Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(speed) + by));
    setSpeed(SPEEDS[place]);
  };
  const jump = (seconds) => shown.seek(Math.max(0, shown.seconds + seconds));
  const always = {
    " ": () => toggle(video.current), k: () => toggle(video.current),
    j: () => faster(-1), l: () => faster(1),
    ",": () => shown.seekFrame(shown.frame - 1), ".": () => shown.seekFrame(shown.frame + 1),
    ArrowLeft: () => jump(event.shiftKey ? -5 : -1), ArrowRight: () => jump(event.shiftKey ? 5 : 1),
    ArrowUp: () => step(-1), ArrowDown: () => step(1), Escape: letGoOfChosen,
  };
  if (event.target.type === "range" && key.startsWith("Arrow")) return false;
  if (always[key]) {
    always[key]();
    return true;
  }
  if (!edits) return false;
  const place = "123456789".indexOf(key);
  if (key.length === 1 && place >= 0 && place < classes.length) {
    if (!event.repeat && !holding) edits.hold(classes[place], event.key);
    return true;
  }
  const changes = { "[": edits.moveStart, "]": edits.moveEnd, Enter: edits.accept, u: edits.undo,
    Delete: edits.drop, Backspace: edits.drop };
  if (!changes[key] || event.repeat) return Boolean(changes[key]);
  changes[key]();
  return true;
}
