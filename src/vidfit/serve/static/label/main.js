// Labels one clip after another, by keys: what is answered is on disk before the next is shown.
import { addressOf, useAddress } from "../lib/address.js";
import { get, post } from "../lib/api.js";
import { show } from "../lib/frame.js";
import { LabelButtons, givenBy } from "../lib/giving.js";
import { complain, note, tried } from "../lib/notices.js";
import { toggle } from "../lib/playing.js";
import { html, useEffect, useRef, useState } from "../lib/ui.js";
import { percent } from "../lib/wording.js";
import { Fits } from "./fits.js";
import { useQueue } from "./queue.js";
import { Stage } from "./stage.js";

const ORDERS = [
  ["active", "most to learn from", "Labels that the model doubts, and clips that it is least sure of, come first."],
  ["random", "random", "Any clip without a label may come."],
  ["test", "random test set", "A random set of its own, to measure with: what is labelled here is not shown by the other orders."],
];

function LabelPage({ library, readOnly }) {
  const [asked, change] = useAddress();
  const order = ORDERS.some(([name]) => name === asked.order) ? asked.order : "active";
  const queue = useQueue(library, order);
  const [classes, learn] = useClasses(library);
  const [chosen, setChosen] = useState([]); // of several labels, those that are marked
  const [isSaving, setIsSaving] = useState(false);
  const video = useRef(null);
  const item = queue.items[0];
  const isSeveral = library.labels === "several";
  useEffect(() => setChosen([]), [item?.clip]);

  const save = async (what) => {
    if (!item || isSaving || readOnly) return;
    setIsSaving(true);
    const rows = await tried(() => post("/v1/labels", { library: library.id, clips: [item.clip],
      kind: "label", accepted: false, sample: order, ...what, label: what.label || null }));
    setIsSaving(false);
    if (!rows) return; // not on disk: the clip stays
    if (what.label) learn(what.label);
    queue.advance(true);
  };
  const give = (what) => {
    if (!isSeveral || what.kind !== "label") return save(what);
    setChosen((all) => (all.includes(what.label) ? all.filter((name) => name !== what.label)
      : [...all, what.label]));
    return undefined;
  };
  const accept = () => {
    if (isSeveral && chosen.length > 0) return save({ label: chosen.join("|") });
    if (!item?.predicted) return note("There is no answer of a model to accept.");
    return save({ label: item.predicted, accepted: true });
  };
  const undo = async () => {
    try {
      const { rows } = await post("/v1/labels/undo", { library: library.id });
      if (rows.length) queue.comeBack(rows[0].clip, "You took its label back.");
    } catch (error) {
      if (error.status === 404) note("There is nothing of yours to take back.");
      else complain(error);
    }
  };
  useKeys((key) => {
    const what = givenBy(key, classes);
    if (what && library.labels !== "number") give(what);
    else if (what?.kind === "unsure") save(what);
    else if (key === "Enter") accept();
    else if (key === "u") undo();
    else if (key === "s" && item) queue.skip(item.clip);
    else if (key === " ") toggle(video.current);
    else return false;
    return true;
  });

  return html`<h1 class="sr">Label clips of ${library.name}</h1>
    <div class="label-head row">
      <fieldset class="orders"><legend class="soft">Order</legend>
        ${ORDERS.map(([name, word, tells]) => html`<label key=${name} title=${tells}>
          <input type="radio" name="order" checked=${name === order}
            onChange=${() => change({ order: name === "active" ? "" : name })} /> ${word}</label>`)}
      </fieldset>
      <${Remaining} left=${queue.left + queue.items.length} done=${queue.done} />
    </div>
    <p class="soft small order-tells">${ORDERS.find(([name]) => name === order)[2]}</p>
    ${queue.problem && html`<p class="warning" role="alert">${queue.problem.message}</p>`}
    ${readOnly && html`<p class="warning">This server was started to be read only.</p>`}
    ${item ? html`<div class="desk">
      <div class="screens">${queue.items.map((one, place) => html`<${Stage} key=${one.clip}
        clip=${one.clip} isShown=${place === 0} video=${place === 0 ? video : null} />`)}</div>
      <div class="answers" aria-busy=${isSaving ? "true" : "false"}>
        <${Why} item=${item} />
        ${item.predicted && html`<button type="button" class="primary accept" onClick=${accept}
          disabled=${isSaving || readOnly}><kbd>Enter</kbd>${item.predicted}: that is right</button>`}
        ${isSeveral && chosen.length > 0 && html`<button type="button" class="primary accept"
          onClick=${accept}><kbd>Enter</kbd>${chosen.join(", ")}</button>`}
        <${LabelButtons} classes=${classes} kind=${library.labels} marked=${chosen}
          onGive=${give} canClear=${false} />
        <div class="row others">
          <button type="button" onClick=${() => queue.skip(item.clip)}><kbd>S</kbd>Skip</button>
          <button type="button" onClick=${undo}><kbd>U</kbd>Undo</button>
          <button type="button" onClick=${() => toggle(video.current)}><kbd>Space</kbd>Play or
            pause</button></div>
      </div></div>`
    : queue.isReady && !queue.problem && html`<div class="card empty">
      <p><b>Nothing is left to label in this order.</b></p>
      <p><a href=${addressOf("/wall", { library: library.id })}>See all clips</a></p>
      <button type="button" onClick=${undo}><kbd>U</kbd>Undo the last</button></div>`}
    <${Fits} library=${library} readOnly=${readOnly} />`;
}

function Why({ item }) {
  const answer = item.predicted && item.probability !== null
    ? ` The model says ${item.predicted}, ${percent(item.probability)}.` : "";
  return html`<p class="why-clip" role="status"><b>Why this clip?</b> ${item.why || "It is next."}${
    item.why?.includes(item.predicted || "\0") ? "" : answer}</p>`;
}

function Remaining({ left, done }) {
  const all = left + done;
  const share = all ? done / all : 0;
  return html`<div class="remaining"><span class="small"><b class="num">${
    left.toLocaleString("en")}</b> left, <span class="num">${done.toLocaleString("en")}</span> done</span>
    <div class="bar" role="progressbar" aria-label="Labelled" aria-valuemin="0" aria-valuemax="100"
      aria-valuenow=${Math.round(100 * share)}><i style=${{ width: `${100 * share}%` }}></i></div></div>`;
}

// Keys count everywhere on the page, but not where something is typed or a button has them.
function useKeys(act) {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const on = event.target.closest?.("input:not([type=radio]), select, textarea");
      const isPress = event.key === "Enter" || event.key === " ";
      if (on || (isPress && event.target.closest?.("button, a, summary, input, video"))) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (latest.current(key)) event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

// The classes of the library, and those that were given here.
function useClasses(library) {
  const [classes, setClasses] = useState(library.classes);
  const add = (names) => setClasses((all) => [...new Set([...all, ...names])]);
  const split = (text) => (library.labels === "several" ? text.split("|") : [text]);
  useEffect(() => {
    if (library.labels === "number") return;
    get(`/v1/labels?library=${library.id}&since=0`).then(({ rows }) =>
      add(rows.filter((row) => row.kind === "label").flatMap((row) => split(row.label))), () => {});
  }, [library.id]);
  return [classes, (text) => library.labels !== "number" && add(split(text))];
}

show(LabelPage, { title: "Label", of: "library" });
