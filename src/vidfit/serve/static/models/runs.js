// The model of a run: what it answers, how well, what is in it, and what its licences allow.
import { addressOf } from "../lib/address.js";
import { headline } from "../lib/scores.js";
import { html } from "../lib/ui.js";
import { bytes, counted } from "../lib/wording.js";
import { Word } from "../lib/words.js";
import { Commercial, gmacs, millions } from "./facts.js";

const SHOWN_CLASSES = 12;

export function RunCard({ model, isAsked }) {
  const said = model.score && headline(model);
  const { classes } = model;
  return html`<article class=${isAsked ? "card run-model is-asked" : "card run-model"} id=${model.library}
    aria-label=${model.name}>
    <h2><a href=${addressOf("/report", { library: model.library })}>${model.name}</a></h2>
    <p class="soft small">${model.asked || model.task}${model.clip_count !== null && html` · learned from
      ${" "}${counted(model.clip_count, "clip")} of ${counted(model.recording_count ?? 0, "recording")}`}</p>
    ${said && html`<p class="score"><b class="num">${said.value}</b> <span class="soft">${said.name}</span>
      ${" "}${said.interval && html`<span class="soft num n">95 % interval ${said.interval}</span>`}</p>`}
    <dl class="model-facts">
      <div><dt>commercial use</dt><dd><${Commercial} use=${model.commercial_use} /></dd></div>
      <div><dt>parameters</dt><dd class="num">${millions(model.parameters)}</dd></div>
      <div><dt><${Word} of="GMACs">GMACs a clip<//></dt><dd class="num">${gmacs(model.gmacs_per_clip)}</dd></div>
      <div><dt>on disk</dt><dd class="num">${bytes(model.size_bytes)}</dd></div>
    </dl>
    <h3>Made of</h3>
    <ul class="parts">${model.parts.map((part) => html`<li key=${part.name}><b>${part.name}</b>
      <span class="soft">${part.licence || "licence not stated"} · ${millions(part.parameters)} parameters ·
      ${" "}${gmacs(part.gmacs_per_clip)} GMACs</span></li>`)}</ul>
    ${classes.length > 0 && html`<p class="small"><span class="soft">Answers with</span> ${
      classes.slice(0, SHOWN_CLASSES).join(", ")}${classes.length > SHOWN_CLASSES
      ? ` and ${classes.length - SHOWN_CLASSES} more` : ""}.</p>`}
    <details><summary>How it was measured, and where it holds</summary>
      ${model.protocol && html`<p class="small">${model.protocol}.</p>`}
      ${model.limits && html`<p class="small">${model.limits}</p>`}
      <p class="small">It is the folder <span class="code">model</span> that the run wrote:
        ${" "}<span class="code">vidfit predict MODEL video.mp4</span></p></details>
  </article>`;
}
