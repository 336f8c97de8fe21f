// The lanes under the player: what the model says, its scores, and what people say.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/ui.js";
import { clock, percent } from "../lib/wording.js";
import { curvesOf } from "./segments.js";

const COLOURS = 8;
const TICKS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
const TICK_PIXELS = 70;

export const colourOf = (label, classes) => {
  const place = classes.indexOf(label);
  return place < 0 ? "c-none" : `c-${place % COLOURS}`;
};

// `lanes` are { name, items, tells } with items of start_seconds, end_seconds and label.
export function Lanes({
  from, to, zoom, lanes, curves, classes, at, chosen, holding, onSeek, onChoose,
}) {
  const scroller = useRef(null);
  const length = Math.max(1e-3, to - from);
  const share = (seconds) => (100 * (seconds - from)) / length;
  useEffect(() => {
    const box = scroller.current;
    const x = (share(at) / 100) * box.scrollWidth;
    if (x < box.scrollLeft || x > box.scrollLeft + box.clientWidth - 40) {
      box.scrollLeft = x - box.clientWidth / 4;
    }
  }, [at, zoom]);
  const seek = (event) => {
    if (event.target.closest("button")) return;
    const box = event.currentTarget.getBoundingClientRect();
    onSeek(from + ((event.clientX - box.left) / box.width) * length);
  };
  const [seen, setSeen] = useState(900);
  useLayoutEffect(() => {
    const watcher = new ResizeObserver(() => setSeen(scroller.current.clientWidth));
    watcher.observe(scroller.current);
    return () => watcher.disconnect();
  }, []);
  const width = seen * zoom;
  return html`<div class="lanes">
    <div class="lane-names" aria-hidden="true"><div class="ruler"></div>
      ${curves && html`<div class="curve-name">probability</div>`}
      ${lanes.map((lane) => html`<div class="lane-name" key=${lane.name}
        title=${lane.tells}>${lane.name}</div>`)}</div>
    <div class="lane-scroll" ref=${scroller} tabindex="-1"><div class="lane-all"
      style=${{ width: `${100 * zoom}%` }} onClick=${seek}>
      <${Ruler} from=${from} to=${to} width=${width} share=${share} />
      ${curves && html`<${Curves} ...${curves} classes=${classes} from=${from} to=${to} />`}
      ${lanes.map((lane) => html`<${Lane} key=${lane.name} lane=${lane} share=${share}
        classes=${classes} chosen=${chosen} onChoose=${onChoose} />`)}
      ${holding && html`<i class=${`holding ${colourOf(holding.label, classes)}`}
        style=${{ left: `${share(holding.from)}%`, width: `${Math.max(0, share(at) - share(holding.from))}%` }}></i>`}
      <i class="playhead" style=${{ left: `${share(at)}%` }}></i>
    </div></div></div>`;
}

function Lane({ lane, share, classes, chosen, onChoose }) {
  return html`<div class=${lane.isOurs ? "lane ours" : "lane"} role="group" aria-label=${lane.name}>
    ${lane.items.map((item) => {
      const isChosen = chosen && (item.id ? chosen.id === item.id : chosen === item);
      const spoken = `${item.label}, ${clock(item.start_seconds, 2)} to ${
        clock(item.end_seconds, 2)}${item.probability ? `, ${percent(item.probability)}` : ""}`;
      // ↑ and ↓ go from segment to segment: hundreds of stops of the Tab key would be too many.
      return html`<button type="button" tabindex="-1" key=${item.id ?? `${item.start_seconds} ${item.label}`}
        class=${`segment ${colourOf(item.label, classes)}${isChosen ? " is-chosen" : ""}`}
        aria-pressed=${isChosen ? "true" : "false"} aria-label=${spoken} title=${spoken}
        style=${{ left: `${share(item.start_seconds)}%`,
          width: `${share(item.end_seconds) - share(item.start_seconds)}%` }}
        onClick=${() => onChoose(item, lane)}>${item.label}</button>`;
    })}</div>`;
}

function Ruler({ from, to, width, share }) {
  const length = to - from;
  const step = TICKS.find((one) => (one / length) * width >= TICK_PIXELS) ?? 7200;
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) ticks.push(at);
  return html`<div class="ruler" aria-hidden="true">${ticks.map((at) => html`
    <span key=${at} style=${{ left: `${share(at)}%` }}>${clock(at, step < 1 ? 1 : 0)}</span>`)}</div>`;
}

function Curves({ windows, threshold, classes, from, to, modelClasses }) {
  return html`<svg class="curves" viewBox="0 0 1000 100" preserveAspectRatio="none" role="img"
    aria-label="Probabilities over time">
    <line class="threshold" x1="0" x2="1000" y1=${100 - 100 * threshold} y2=${100 - 100 * threshold} />
    ${curvesOf(windows, modelClasses, from, to).map(({ name, points }) => html`<polyline key=${name}
      class=${`curve ${colourOf(name, classes)}`} points=${points} />`)}
  </svg>`;
}
