// Masks over a picture, half transparent: what is true, what the model says, and where they differ.
import { html, useEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { percent } from "../lib/wording.js";
import { colourOf, rgbOf } from "./colours.js";

const VOID = 255;
const KINDS = [["objects", "Labelled"], ["found", "Model"], ["differ", "Where they differ"]];
const STRIPE = 3;

function unpacked(runs, count) {
  const found = new Uint8Array(count).fill(VOID);
  let at = 0;
  for (let i = 0; i + 1 < runs.length; i += 2) {
    found.fill(runs[i + 1], at, at + runs[i]);
    at += runs[i];
  }
  return found;
}

// Returns the masks of a frame, unpacked: { rows, columns, objects, found }; null without any.
export function useMask(facts) {
  return useMemo(() => {
    if (!facts?.mask) return null;
    const { rows, columns } = facts.mask;
    const count = rows * columns;
    return { rows, columns, objects: unpacked(facts.mask.objects, count),
      found: unpacked(facts.mask.found, count) };
  }, [facts]);
}

export function MaskLayer({ mask, kind, opacity }) {
  const canvas = useRef(null);
  useEffect(() => {
    const context = canvas.current.getContext("2d");
    const image = context.createImageData(mask.columns, mask.rows);
    for (let i = 0; i < mask.objects.length; i += 1) {
      const shown = pixelOf(mask, i, kind);
      if (shown) image.data.set([...shown, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  }, [mask, kind]);
  return html`<canvas class="mask" ref=${canvas} width=${mask.columns} height=${mask.rows}
    style=${{ opacity }} aria-hidden="true"></canvas>`;
}

// Where the two differ there are stripes, in the model's colour and white.
function pixelOf({ objects, found, columns }, i, kind) {
  if (kind !== "differ") {
    const one = (kind === "objects" ? objects : found)[i];
    return one === VOID ? null : rgbOf(one);
  }
  if (objects[i] === VOID || objects[i] === found[i]) return null;
  const isStripe = ((i % columns) + Math.floor(i / columns)) % (2 * STRIPE) < STRIPE;
  return isStripe ? [255, 255, 255] : rgbOf(found[i]);
}

export function MaskControls({ mask, classes, kind, setKind, opacity, setOpacity, pointed }) {
  const shares = useMemo(() => sharesOf(mask, classes), [mask, classes]);
  const nameOf = (number) => (number === VOID ? "not labelled" : classes[number] ?? `class ${number}`);
  return html`<fieldset class="kinds"><legend>Shown</legend>${KINDS.map(([name, word]) => html`
      <label key=${name}><input type="radio" name="kind" checked=${kind === name}
        onChange=${() => setKind(name)} /> ${word}</label>`)}</fieldset>
    <label class="inline">Strength <input type="range" min="0" max="1" step="0.05" value=${opacity}
      onInput=${(event) => setOpacity(Number(event.currentTarget.value))} /></label>
    <p class="small pointed" role="status">${pointed >= 0 ? html`Labelled <b>${nameOf(mask.objects[pointed])}</b>,
      the model says <b>${nameOf(mask.found[pointed])}</b>.`
      : html`<span class="soft">Point at a place to read its class.</span>`}</p>
    <table class="shares"><caption class="sr">Classes in this picture</caption>
      <thead><tr><th scope="col">class</th><th scope="col" class="num">labelled</th>
        <th scope="col" class="num">model</th><th scope="col" class="num">IoU</th></tr></thead>
      <tbody>${shares.map((one) => html`<tr key=${one.name}>
        <th scope="row"><i class="swatch" style=${{ "--hue": colourOf(one.name, classes) }}></i>${one.name}</th>
        <td class="num">${percent(one.objects, 1)}</td><td class="num">${percent(one.found, 1)}</td>
        <td class="num">${one.iou === null ? "–" : percent(one.iou)}</td></tr>`)}</tbody></table>
    <p class="soft small">Of the places that are labelled. Masks are shown here and not changed.</p>`;
}

function sharesOf(mask, classes) {
  const counts = classes.map(() => ({ objects: 0, found: 0, both: 0 }));
  let known = 0;
  for (let i = 0; i < mask.objects.length; i += 1) {
    const [is, said] = [mask.objects[i], mask.found[i]];
    if (is === VOID || !counts[is] || !counts[said]) continue;
    known += 1;
    counts[is].objects += 1;
    counts[said].found += 1;
    if (is === said) counts[is].both += 1;
  }
  return counts.map(({ objects, found, both }, place) => ({ name: classes[place],
    objects: objects / known, found: found / known,
    iou: objects ? both / (objects + found - both) : null }))
    .filter((one) => one.objects > 0 || one.found > 0)
    .sort((one, other) => other.objects - one.objects);
}

// Follows the pointer over the picture: the place of the mask below it, or -1.
export function usePointed(mask) {
  const [pointed, setPointed] = useState(-1);
  const onMove = (event) => {
    if (!mask) return;
    const stage = event.currentTarget.querySelector(".mask")?.getBoundingClientRect();
    if (!stage) return;
    const column = Math.floor(((event.clientX - stage.left) / stage.width) * mask.columns);
    const row = Math.floor(((event.clientY - stage.top) / stage.height) * mask.rows);
    const isIn = column >= 0 && column < mask.columns && row >= 0 && row < mask.rows;
    setPointed(isIn ? row * mask.columns + column : -1);
  };
  return { pointed, onMove, onLeave: () => setPointed(-1) };
}
