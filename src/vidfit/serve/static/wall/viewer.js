// One clip, large: its video, what is known of it, and its label.
import { addressOf } from "../lib/address.js";
import { get, getWhenMade } from "../lib/api.js";
import { LabelButtons, givenBy } from "../lib/giving.js";
import { tried } from "../lib/notices.js";
import { ClipVideo } from "../lib/playing.js";
import { look, stillOf, watchPreviews } from "../lib/previews.js";
import { html, useEffect, useReducer, useRef, useState } from "../lib/ui.js";
import { clock, percent } from "../lib/wording.js";

const SHOWN_COPIES = 6;
const SHOWN_ALIKE = 12;

export function Viewer({
  table, i, place, count, classes, index, readOnly, onMove, onOpen, onClose, onGive, onUndo,
}) {
  const dialog = useRef(null);
  const [why, setWhy] = useState("");
  const id = table.ids[i];
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  useEffect(() => setWhy(""), [id]);
  const step = (by) => {
    if (place + by >= 0 && place + by < count) onMove(place + by);
  };
  const onKey = (event) => {
    if (event.target.closest("input, select") || event.ctrlKey || event.metaKey) return;
    const what = givenBy(event.key, classes);
    if (event.key === "ArrowRight") step(1);
    else if (event.key === "ArrowLeft") step(-1);
    else if (event.key.toLowerCase() === "u") onUndo();
    else if (what && !readOnly) onGive(what);
    else return;
    event.preventDefault();
  };
  return html`<dialog ref=${dialog} class="viewer" aria-label=${table.names[i]} onClose=${onClose}
    onKeyDown=${onKey} onClick=${(event) => event.target === dialog.current && dialog.current.close()}>
    <div class="viewer-head row">
      <span class="soft num">${(place + 1).toLocaleString("en")} of ${count.toLocaleString("en")}</span>
      <button type="button" onClick=${() => step(-1)} disabled=${place === 0}
        aria-label="Clip before">←</button>
      <button type="button" onClick=${() => step(1)} disabled=${place === count - 1}
        aria-label="Next clip">→</button>
      <button type="button" class="viewer-close" onClick=${() => dialog.current.close()}>Close</button>
    </div>
    <div class="viewer-video">
      <${ClipVideo} key=${id} id=${id} start=${table.start[i]} end=${table.end[i]} autoplay loop
        controls poster=${`/v1/clips/${id}/poster`} onWhy=${setWhy} />
      ${why && html`<p class="why" role="status">${why}</p>`}</div>
    <div class="viewer-said">
      <h2>${table.names[i]}</h2>
      <${Facts} table=${table} i=${i} />
      ${!readOnly && html`<${LabelButtons} classes=${classes} kind=${table.library.labels}
        marked=${table.classesOf(table.labelOf(i))} onGive=${onGive} />`}
      <${Copies} table=${table} i=${i} />
      <${Alike} key=${id} table=${table} i=${i} onOpen=${onOpen} />
      <p><a href=${addressOf("/timeline", { library: table.library.id, clip: id })}>Open on the time
        line</a>${index && html` · <a href=${addressOf("/search", { library: index.id, clip: id })}>Shots
        like this</a>`}</p>
    </div>
  </dialog>`;
}

function Facts({ table, i }) {
  const answer = table.predictedOf(i);
  const end = table.end[i];
  const given = table.given.get(i);
  const facts = [
    ["label", table.cannotTell(i) ? "can't tell" : table.labelOf(i) ?? "none"],
    given && ["given by", given.person],
    answer !== null && ["the model says", html`<span class=${table.isWrong[i] ? "said-wrong" : ""}
      >${answer}</span> ${percent(table.probability[i])}${table.declined[i] ? ", declines" : ""}`],
    answer !== null && table.isWrong[i] === 1 && Number.isFinite(table.ofLabel[i])
      && ["gives the label", percent(table.ofLabel[i])],
    ["recording", table.recording.values[table.recording.codes[i]]],
    (table.start[i] > 0 || end !== null)
      && ["part", `${clock(table.start[i], 2)} to ${end === null ? "the end" : clock(end, 2)}`],
    table.failureOf(i) && ["could not be read", table.failureOf(i)],
  ].filter(Boolean);
  return html`<dl class="pairs">${facts.map(([name, value]) => html`
    <div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
    <${Technical} id=${table.ids[i]} /></dl>`;
}

function Technical({ id }) {
  const [facts, setFacts] = useState(null);
  useEffect(() => {
    setFacts(null);
    get(`/v1/clips/${id}/facts`).then((found) => found.codec && setFacts(found), () => {});
  }, [id]);
  if (!facts) return null;
  const rate = facts.average_fps ? `, ${facts.average_fps.toFixed(1)} frames a second` : "";
  const size = `${facts.width_pixels} × ${facts.height_pixels}`;
  return html`<div><dt>video</dt><dd class="num">${
    `${size}, ${clock(facts.duration_seconds, 1)}${rate}, ${facts.codec}`}</dd></div>`;
}

function Copies({ table, i }) {
  const set = table.duplicate[i];
  if (set < 0) return null;
  const others = [];
  for (let k = 0; k < table.count && others.length < SHOWN_COPIES; k += 1) {
    if (k !== i && table.duplicate[k] === set) others.push(k);
  }
  return html`<h3>Looks the same</h3><${Others} table=${table} places=${others} />`;
}

// By the features that the run's models learned from.
function Alike({ table, i, onOpen }) {
  const [places, setPlaces] = useState(null);
  const [isLooking, setIsLooking] = useState(false);
  if (!table.hasAnswers) return null;
  const find = () => tried(async () => {
    setIsLooking(true);
    const answer = await getWhenMade(addressOf(`/v1/clips/${table.ids[i]}/similar`,
      { library: table.library.id, count: SHOWN_ALIKE })).finally(() => setIsLooking(false));
    const found = await answer.json();
    setPlaces(found.clips.map((one) => table.placeOf(one.clip)).filter((k) => k !== undefined));
  });
  if (!places) {
    return html`<p><button type="button" onClick=${find} disabled=${isLooking}>${
      isLooking ? "Looking…" : "More like this"}</button></p>`;
  }
  return html`<h3>Most like it</h3>${places.length === 0 && html`<p class="soft">None was found.</p>`}
    <${Others} table=${table} places=${places} onOpen=${onOpen} />`;
}

function Others({ table, places, onOpen }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  useEffect(() => watchPreviews(redraw), []);
  useEffect(() => {
    look(places.map((k) => table.ids[k]), redraw);
    return () => look([], redraw);
  }, [places.join()]);
  return html`<ul class="copies">${places.map((k) => {
    const said = `${table.names[k]}: ${table.labelOf(k) ?? "no label"}`;
    const picture = html`<span class="picture">${stillOf(table.ids[k]) === "ready"
      && html`<img src=${`/v1/clips/${table.ids[k]}/poster`} alt="" />`}</span>
      <span class="small">${said}</span>`;
    return html`<li key=${k}>${onOpen
      ? html`<button type="button" class="other" onClick=${() => onOpen(k)}>${picture}</button>`
      : picture}</li>`;
  })}</ul>`;
}
