// One clip on the wall: a poster, what it is labelled and what the model says of it.
import { ClipVideo, isMotionReduced } from "../lib/playing.js";
import { stillOf, whyOf } from "../lib/previews.js";
import { html, useEffect, useRef, useState } from "../lib/ui.js";
import { fileName, percent } from "../lib/wording.js";

const STRIP_FRAMES = 10;

export function Tile({ table, i, place, count, shape, isShown, isSelected, isActive, isHovered }) {
  const id = table.ids[i];
  const classes = ["tile", isSelected && "selected", isActive && "active"].filter(Boolean).join(" ");
  return html`<div class=${classes} id=${`tile-${place}`} data-place=${place} role="option"
    aria-selected=${isSelected ? "true" : "false"} aria-posinset=${place + 1}
    aria-setsize=${count} aria-label=${spoken(table, i)} style=${{ width: `${shape.tile}px` }}>
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
  return html`<div class="caption" aria-hidden="true">
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
    title=${`The model says ${answer}${table.declined[i] ? ", and declines" : ""}`}>${
    isWrong || table.labelOf(i) === null ? `${answer} ` : ""}<span class="num">${probability}</span>${
    table.declined[i] ? " ?" : ""}</span>`;
}

function spoken(table, i) {
  const label = table.cannotTell(i) ? "can't tell" : table.labelOf(i) ?? "no label";
  const answer = table.predictedOf(i);
  return [fileName(table.names[i]), label, table.failureOf(i),
    answer !== null && `the model says ${answer} ${percent(table.probability[i])}`,
    table.isWrong[i] === 1 && "wrong"].filter(Boolean).join(", ");
}

// Under the pointer: ten frames, the one that the pointer is at, and the video once it plays.
function Preview({ id, shape, start, end }) {
  const [frame, setFrame] = useState(-1);
  const [strip, setStrip] = useState(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const [why, setWhy] = useState("");
  const box = useRef(null);
  useEffect(() => {
    const picture = new Image();
    picture.onload = () => setStrip({ url: picture.src,
      aspect: picture.naturalWidth / STRIP_FRAMES / picture.naturalHeight });
    picture.src = `/v1/clips/${id}/strip`;
    return () => {
      picture.onload = null;
    };
  }, [id]);
  useEffect(() => {
    const tile = box.current.parentElement;
    const move = (event) => {
      const edges = tile.getBoundingClientRect();
      const share = (event.clientX - edges.left) / edges.width;
      setFrame(Math.max(0, Math.min(STRIP_FRAMES - 1, Math.floor(share * STRIP_FRAMES))));
    };
    tile.addEventListener("pointermove", move);
    return () => tile.removeEventListener("pointermove", move);
  }, []);
  return html`<div class="preview" ref=${box}>
    ${!isMotionReduced() && html`<${ClipVideo} id=${id} start=${start} end=${end} loop autoplay
      preload="auto" tabindex="-1" aria-hidden="true" class=${isPlaying ? "playing" : ""}
      onPlaying=${() => setIsPlaying(true)} onWhy=${setWhy} />`}
    ${strip && frame >= 0 && !isPlaying && html`<div class="strip"
      style=${stripStyle(strip, frame, shape)}></div>`}
    ${why && html`<span class="why">${why}</span>`}
    ${strip && frame >= 0 && !isPlaying && html`<i class="at"
      style=${{ left: `${frame * 10}%` }}></i>`}
  </div>`;
}

function stripStyle({ url, aspect }, frame, { tile, poster }) {
  const width = Math.min(tile, poster * aspect);
  return {
    backgroundImage: `url("${url}")`, backgroundSize: `${100 * STRIP_FRAMES}% 100%`,
    backgroundPosition: `${(100 * frame) / (STRIP_FRAMES - 1)}% 0`,
    width: `${width}px`, height: `${width / aspect}px`,
  };
}
