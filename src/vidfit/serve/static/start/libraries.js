// A library: what it holds, and the pages about it.
import { addressOf } from "../lib/address.js";
import { get } from "../lib/api.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { counted } from "../lib/wording.js";
import { headline } from "../lib/scores.js";

const SHOWN_CLASSES = 8;

export function LibraryCard({ library, readOnly, onFit }) {
  const isRun = library.kind === "run";
  const to = (path) => addressOf(path, { library: library.id });
  return html`<article class="card library-card" aria-label=${library.name}>
    <h2><a href=${to("/wall")}>${library.name}</a></h2>
    <p class="soft small">${kindOf(library)} ·
      ${" "}${counted(library.clip_count, "clip")} · ${holds(library)}</p>
    ${library.documents.includes("report") && html`<${Score} library=${library} />`}
    ${library.classes.length > 0 && html`<p class="classes">
      ${library.classes.slice(0, SHOWN_CLASSES).map((name) => library.frames
        ? html`<span class="tag" key=${name}>${name}</span>` : html`
        <a class="tag" key=${name} href=${addressOf("/wall", { library: library.id, label: name })}
          >${name}</a>`)}
      ${library.classes.length > SHOWN_CLASSES && html`
        <span class="soft small">and ${library.classes.length - SHOWN_CLASSES} more</span>`}</p>`}
    ${library.unreachable_count > 0 && html`<p class="warning">
      ${counted(library.unreachable_count, "clip")} cannot be shown: give the folder they lie in
      when you start <span class="code">vidfit serve</span>.</p>`}
    ${library.warnings.map((text) => html`<p class="warning" key=${text}>${text}</p>`)}
    <p class="row actions">
      <a class="button" href=${to("/wall")}>Clips</a>
      ${library.frames ? html`<a class="button" href=${to("/boxes")}>${
        { boxes: "Boxes", masks: "Masks", faces: "Faces" }[library.frames]}</a>`
        : html`<a class="button" href=${to("/label")}>Label</a>`}
      ${library.searchable && html`<a class="button" href=${to("/search")}>Search</a>`}
      ${library.documents.includes("report") && html`
        <a class="button" href=${to("/report")}>Report</a>
        <a class="button" href=${addressOf("/models", { run: library.id })}>Model</a>`}
      ${!isRun && !readOnly && library.frames !== "masks" && html`
        <button type="button" onClick=${onFit}>Fit a model</button>`}
    </p></article>`;
}

function kindOf({ kind, documents, searchable, frames }) {
  if (kind !== "run") return "videos";
  if (documents.length > 0) return "a model and what it answered";
  return frames ? "what a model found" : searchable ? "an index of shots" : "a run";
}

function holds({ labels, classes, frames }) {
  if (frames && classes.length === 0) return `${frames} in frames`;
  if (frames) return `${frames} of ${counted(classes.length, "class", "classes")}`;
  if (labels === "number") return "labelled with a number";
  if (classes.length === 0) return "not labelled";
  return `${counted(classes.length, "class", "classes")}${
    labels === "several" ? ", several at a time" : ""}`;
}

// The score of a run stands before anything else that is said of it.
function Score({ library }) {
  const [said, setSaid] = useState(null);
  useEffect(() => {
    get(`/v1/libraries/${library.id}/documents/report`)
      .then((report) => setSaid(headline(report)))
      .catch(() => setSaid(null));
  }, [library.id]);
  if (!said) return html`<p class="score" aria-busy="true">\u00a0</p>`;
  return html`<p class="score"><b class="num">${said.value}</b>
    <span class="soft">${said.name}</span>
    ${said.interval && html`<span class="soft num n">95 % interval ${said.interval}</span>`}</p>`;
}
