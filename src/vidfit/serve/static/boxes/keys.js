// The keys of the page of boxes: all that the pointer does, they do.
import { useEffect, useRef } from "../lib/ui.js";

export const EDGE_STEPS = ["", "se", "nw"];
export const EDGE_WORDS = { "": "move the box", se: "move its right and lower edge",
  nw: "move its left and upper edge" };

export const HELP = [
  [", .", "the frame before, after"],
  ["B", "the next box; with Shift the one before"],
  ["← → ↑ ↓", "move the chosen box by a pixel; with Shift by ten"],
  ["E", "let the arrows move the box, its right and lower edge, its left and upper edge"],
  ["1 … 9", "the class of the chosen box, or of the next one that is drawn"],
  ["N", "a new box in the middle"],
  ["D", "let a drag draw, also on boxes"],
  ["Enter", "take over a box of the model; with none chosen: the frame is right as it is"],
  ["A", "take over all boxes of the model that are shown and lie on none"],
  ["Delete", "remove the box"],
  ["U", "take your last change of the frame back"],
  ["T M", "show or hide what is labelled, what the model says"],
  ["Esc", "choose nothing"],
];

const STEP = 1;
const STRIDE = 10;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// `edits` is null where nothing can be changed.
export function useBoxKeys(given) {
  const latest = useRef(given);
  latest.current = given;
  useEffect(() => {
    const down = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isElsewhere(event)) return;
      if (pressed(event, latest.current)) event.preventDefault();
    };
    addEventListener("keydown", down);
    return () => removeEventListener("keydown", down);
  }, []);
}

function isElsewhere(event) {
  const on = event.target.closest?.("input:not([type=range], [type=checkbox]), select, textarea, summary");
  const isRange = event.target.type === "range" && event.key.startsWith("Arrow");
  const isPress = event.key === "Enter" || event.key === " ";
  return Boolean(on) || isRange || (isPress && Boolean(event.target.closest?.("button, a, input")));
}

function pressed(event, { go, step, edits, hasChosen, choose, toggle, classes }) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const always = { ",": () => go(-1), ".": () => go(1), b: () => step(event.shiftKey ? -1 : 1),
    Escape: () => choose(null), t: () => toggle("objects"), m: () => toggle("found") };
  if (always[key]) {
    always[key]();
    return true;
  }
  if (!edits) return false;
  if (ARROWS[key]) {
    if (!hasChosen) return false;
    const by = event.shiftKey ? STRIDE : STEP;
    edits.nudge(ARROWS[key][0] * by, ARROWS[key][1] * by);
    return true;
  }
  const place = "123456789".indexOf(key);
  if (key.length === 1 && place >= 0 && place < classes.length) {
    edits.give(classes[place]);
    return true;
  }
  const changes = { e: edits.nextEdge, n: edits.fresh, d: edits.toggleDrawing, Enter: edits.enter,
    a: edits.acceptAll, u: edits.undo, Delete: edits.remove, Backspace: edits.remove };
  if (!changes[key]) return false;
  if (!event.repeat) changes[key]();
  return true;
}
