// One clip on the wall: a poster, what it is labelled and what the model says of it.
import { Preview } from "../lib/preview.js";
import { stillOf, whyOf } from "../lib/previews.js";
import { html } from "../lib/ui.js";
import { fileName, percent } from "../lib/wording.js";

export function Tile({ table, i, place, count, shape, isShown, isSelected, isActive, isHovered }) {
  const id = table.ids[i];
  const classes = ["tile", isSelected && "selected", isActive && "active"].filter(Boolean).join(" ");
  return html`<div class=${classes} id=${`tile-${place}`} data-place=${place} role="option"
    aria-selected=${isSelected ? "true" : "false"} aria-posinset=${place + 1}
    aria-setsize=${count} style=${{ width: `${shape.tile}px` }}>
    <div class="picture" style=${{ height: `${shape.poster}px` }}>
      ${isShown && html`<img src=${`/v1/clips/${id}/poster`} alt="" draggable=${false}
        decoding="async" fetchpriority="low" />`}
      ${!isShown && stillOf(id) === "failed" && html`<span class="why">${whyOf(id)}</span>`}
      ${isHovered && html`<${Preview} id=${id} shape=${shape} start=${table.start[i]}
        end=${table.end[i]} />`}
      <span class="check" data-check="1" aria-hidden="true">${isSelected ? "✓" : ""}</span>
      ${table.duplicate[i] >= 0 && html`<span class="mark">copy</span>`}
    </div>
    <${Caption} table=${table} i=${i} />
  </div>`;
}

function Caption({ table, i }) {
  const failure = table.failureOf(i);
  return html`<div class="caption">
    <div class="line"><${Label} table=${table} i=${i} /><${Answer} table=${table} i=${i} /></div>
    ${failure
      ? html`<div class="name caution" title=${failure}>${failure}</div>`
      : html`<div class="name soft" title=${table.names[i]}>${fileName(table.names[i])}</div>`}
  </div>`;
}

function Label({ table, i }) {
  const label = table.labelOf(i);
  const isGiven = table.given.has(i);
  if (table.cannotTell(i)) return html`<span class="soft given">can't tell</span>`;
  return label === null ? html`<span class="soft">no label</span>`
    : html`<b class=${isGiven ? "given" : ""} title=${isGiven ? "given here" : label}>${label}</b>`;
}

function Answer({ table, i }) {
  const answer = table.predictedOf(i);
  if (answer === null) return null;
  const isWrong = table.isWrong[i] === 1;
  const probability = percent(table.probability[i]);
  return html`<span class=${isWrong ? "answer said-wrong" : "answer soft"}
    title=${`The model says ${answer}${table.declined[i] ? ", and declines" : ""}`}>
    <span class="sr">, the model says </span>${
    isWrong || table.labelOf(i) === null ? `${answer} ` : ""}<span class="num">${probability}</span>${
    table.declined[i] ? html` ?<span class="sr"> and declines</span>` : ""}</span>`;
}
