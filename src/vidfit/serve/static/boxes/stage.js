// The picture with its boxes: those of people and lists in whole lines, those of a model in dashes.
import { html, useRef, useState } from "../lib/ui.js";
import { percent } from "../lib/wording.js";
import { colourOf } from "./colours.js";

const EDGES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const LEAST_PIXELS = 2;
const CLICK_PIXELS = 4;
const CROWD = 6; // boxes of a model beyond which the names of all would hide the picture

// `edits` is null where nothing can be changed; `drawing` is whether a drag draws, also on boxes.
export function Stage({ source, size, onSize, boxes, found, chosen, classes, drawing, zoom, edits,
  onChoose, isOfFaces, children }) {
  const frame = useRef(null);
  const drag = useRef(null);
  const [drawn, setDrawn] = useState(null);
  const at = (event) => {
    const box = frame.current.getBoundingClientRect();
    const [wide, high] = size;
    return [clamp(((event.clientX - box.left) / box.width) * wide, wide),
      clamp(((event.clientY - box.top) / box.height) * high, high)];
  };
  const down = (event) => {
    if (event.button !== 0 || !size) return;
    const target = event.target.closest("[data-box]");
    const box = target && !drawing ? boxes.find((one) => one.id === target.dataset.box) : null;
    const answer = target && !drawing ? found[Number(target.dataset.found ?? -1)] : null;
    const isDrawing = edits && !box && !answer && (drawing || event.pointerType !== "touch");
    if (!edits || answer || (!box && !isDrawing)) {
      onChoose(box ? box.id : answer ? Number(target.dataset.found) : null);
      return;
    }
    event.preventDefault();
    frame.current.setPointerCapture(event.pointerId);
    drag.current = { from: at(event), x: event.clientX, y: event.clientY, box,
      edge: event.target.dataset.edge ?? "", isMoved: false };
    if (box) onChoose(box.id);
    edits.begin().then((isOurs) => {
      if (!isOurs) drag.current = null;
    });
  };
  const move = (event) => {
    const of = drag.current;
    if (!of) return;
    of.isMoved ||= Math.hypot(event.clientX - of.x, event.clientY - of.y) > CLICK_PIXELS;
    if (!of.isMoved) return;
    if (of.box) edits.move(dragged(of, at(event), size));
    else setDrawn(spanned(of.from, at(event)));
  };
  const up = (event) => {
    const of = drag.current;
    drag.current = null;
    setDrawn(null);
    if (!of) return;
    if (of.box && of.isMoved) edits.move(dragged(of, at(event), size), true);
    if (of.box) return;
    const box = spanned(of.from, at(event));
    const isBox = box.right - box.left >= LEAST_PIXELS && box.bottom - box.top >= LEAST_PIXELS;
    if (of.isMoved && isBox) edits.draw(box);
    else onChoose(null);
  };
  const cancel = () => {
    drag.current = null;
    setDrawn(null);
    edits?.drop();
  };
  return html`<div class="stage-scroll" tabindex="0" aria-label="Picture" role="group">
    <div class=${`stage${drawing ? " drawing" : ""}${found.length > CROWD ? " crowded" : ""}`} ref=${frame} style=${{ width: `${100 * zoom}%` }}
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${cancel}>
      ${source && html`<img src=${source} alt="" draggable=${false} onLoad=${(event) =>
        onSize([event.currentTarget.naturalWidth, event.currentTarget.naturalHeight])} />`}
      ${children}
      ${size && found.map((box, n) => html`<${Drawn} key=${`found ${n}`} box=${box} size=${size}
        kind="found" name=${n} isOfFaces=${isOfFaces} isChosen=${chosen === n} colour=${colourOf(box.label, classes)} />`)}
      ${size && boxes.map((box) => html`<${Drawn} key=${box.id} box=${box} size=${size} kind="object"
        name=${box.id} isChosen=${chosen === box.id} colour=${colourOf(box.label, classes)}
        canEdit=${Boolean(edits)} />`)}
      ${drawn && html`<div class="box object is-chosen" style=${placed(drawn, size)}></div>`}
    </div></div>`;
}

function Drawn({ box, size, kind, name, isChosen, colour, canEdit, isOfFaces }) {
  const isLow = box.top / size[1] > 0.07; // there is room for its name above it
  const isSmall = box.right - box.left < 0.12 * size[0] || box.bottom - box.top < 0.12 * size[1];
  return html`<div class=${`box ${kind}${isChosen ? " is-chosen" : ""}${box.ignored ? " ignored" : ""}`}
    style=${{ ...placed(box, size), "--hue": colour }} data-box=${name}
    data-found=${kind === "found" ? name : null}>
    <span class=${isLow ? "tag above" : "tag"}>${box.label}${trackOf(box)}${kind === "found"
      && !isOfFaces ? ` ${percent(box.score)}` : ""}${box.ignored ? " (to be ignored)" : ""}</span>
    ${isChosen && canEdit && EDGES.filter((edge) => edge.length === 2 || !isSmall).map((edge) => html`<i class=${`edge ${edge}`} key=${edge}
      data-edge=${edge}></i>`)}</div>`;
}

// The number of a track; a name that is known needs none.
export const trackOf = ({ track = null }) => (track === null ? "" : ` #${track}`);

const clamp = (value, most) => Math.max(0, Math.min(most, value));
const share = (part, whole) => `${(100 * part) / whole}%`;

function placed(box, [wide, high]) {
  return { left: share(box.left, wide), top: share(box.top, high),
    width: share(box.right - box.left, wide), height: share(box.bottom - box.top, high) };
}

const spanned = ([x, y], [u, v]) => ({ left: Math.min(x, u), top: Math.min(y, v),
  right: Math.max(x, u), bottom: Math.max(y, v) });

function dragged({ box, edge, from }, to, size) {
  return shifted(box, edge, to[0] - from[0], to[1] - from[1], size);
}

// Returns a box with some of its edges ("n", "se", ...) shifted, or all of it ("").
export function shifted(box, edge, x, y, [wide, high]) {
  if (!edge) {
    const right = clamp(box.left + x, wide - (box.right - box.left));
    const down = clamp(box.top + y, high - (box.bottom - box.top));
    return { ...box, left: right, right: right + box.right - box.left, top: down,
      bottom: down + box.bottom - box.top };
  }
  const found = { ...box };
  if (edge.includes("w")) found.left = Math.min(clamp(box.left + x, wide), box.right - 1);
  if (edge.includes("e")) found.right = Math.max(clamp(box.right + x, wide), box.left + 1);
  if (edge.includes("n")) found.top = Math.min(clamp(box.top + y, high), box.bottom - 1);
  if (edge.includes("s")) found.bottom = Math.max(clamp(box.bottom + y, high), box.top + 1);
  return found;
}
