// The catalogue: what is ready here first, what nothing here can load folded away.
import { html } from "../lib/ui.js";
import { bytes, counted } from "../lib/wording.js";
import { Word } from "../lib/words.js";
import { Commercial, gmacs, millions } from "./facts.js";

const HERE = { ready: "ready", file: "a file of yours", fetch: "to be fetched", no: "not here" };

export function Catalogue({ models, asked, change }) {
  const kinds = [...new Set(models.map((one) => one.modality))].sort();
  const gives = [...new Set(models.map((one) => one.gives).filter(Boolean))].sort();
  const found = models.filter((one) => fits(one, asked));
  const shown = found.filter((one) => one.here !== "no");
  const others = found.filter((one) => one.here === "no");
  const choice = (name, word, values) => html`<label class="field">${word}
    <select onChange=${(event) => change({ [name]: event.currentTarget.value })}>
      <option value="" selected=${!asked[name]}>any</option>${values.map((one) => html`
      <option value=${one} key=${one} selected=${asked[name] === one}>${one}</option>`)}</select></label>`;
  const only = (name, word) => html`<label class="only"><input type="checkbox" checked=${asked[name] === "1"}
    onChange=${(event) => change({ [name]: event.currentTarget.checked })} /> ${word}</label>`;
  return html`<section aria-labelledby="catalogue"><h2 id="catalogue">Pretrained models</h2>
    <p class="lead">The catalogue of <span class="code">vidfit models</span>: facts as they were published
      or counted; nothing is fetched by this page.</p>
    <div class="row pickers catalogue-filters">
      <label class="field">Name <input type="search" value=${asked.text ?? ""}
        onInput=${(event) => change({ text: event.currentTarget.value })} /></label>
      ${choice("modality", "Takes", kinds)}${choice("gives", "Gives", gives)}
      ${only("commercial", "commercial use allowed")}${only("ready", "ready here")}</div>
    <p class="soft small" role="status">${counted(found.length, "model")} of ${models.length}</p>
    ${shown.length > 0 && html`<${Rows} models=${shown} caption="Models that run here, or can be fetched" />`}
    ${others.length > 0 && html`<details open=${shown.length === 0}><summary>${counted(others.length, "more model")
      } that nothing here loads</summary><${Rows} models=${others} caption="Models that nothing here loads" />
    </details>`}</section>`;
}

function fits(model, { text = "", modality, gives, commercial, ready }) {
  const words = text.trim().toLowerCase();
  return (!words || `${model.name} ${model.family} ${model.licence}`.toLowerCase().includes(words))
    && (!modality || model.modality === modality) && (!gives || model.gives === gives)
    && (!commercial || model.commercial_use === true) && (!ready || model.here === "ready");
}

function Rows({ models, caption }) {
  return html`<table class="board models"><caption class="sr">${caption}</caption>
    <thead><tr><th scope="col">model</th><th scope="col">here</th><th scope="col">commercial use</th>
      <th scope="col">licence</th><th scope="col" class="num">parameters</th>
      <th scope="col" class="num"><${Word} of="GMACs">GMACs a clip<//></th>
      <th scope="col" class="num">size</th></tr></thead>
    <tbody>${models.map((one) => html`<tr key=${one.name}>
      <th scope="row"><${Named} model=${one} /></th>
      <td data-label="here">${HERE[one.here]}</td>
      <td data-label="commercial use"><${Commercial} use=${one.commercial_use} /></td>
      <td class="licence" data-label="licence">${one.licence || "not stated"}</td>
      <td class="num" data-label="parameters">${millions(one.parameters)}</td>
      <td class="num" data-label="GMACs a clip">${gmacs(one.gmacs_per_clip)}</td>
      <td class="num n" data-label="size">${one.size_bytes === null ? "–" : bytes(one.size_bytes)}</td></tr>`)}</tbody></table>`;
}

// A name that opens its card.
function Named({ model }) {
  const figures = Object.entries(model.figures);
  const rows = [
    ["family", `${model.family} (${model.architecture})`],
    ["made for", model.tasks.join(", ")],
    ["pretrained on", model.pretraining_data || "not known"],
    ...figures.map(([name, value]) => [name, value.toLocaleString("en")]),
    ["facts from", model.source],
    ["notes", model.notes],
    ["here", model.why || "ready"],
  ].filter(([, text]) => text);
  return html`<details class="model-card"><summary><b>${model.name}</b>
    <span class="kind">${model.modality}${model.gives ? ` → ${model.gives}` : ""}</span></summary>
    <dl>${rows.map(([name, text]) => html`<div key=${name}><dt>${name}</dt><dd>${text}</dd></div>`)}</dl></details>`;
}
