// Two models on the same clips: the difference first, then the clips that it is made of.
import { addressOf, useAddress } from "../lib/address.js";
import { get } from "../lib/api.js";
import { ClipCards } from "../lib/cards.js";
import { show } from "../lib/frame.js";
import { gain, gainInterval } from "../lib/scores.js";
import { loadTable } from "../lib/table.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { counted, fileName, percent } from "../lib/wording.js";
import { Word } from "../lib/words.js";

const SHARE = { percent: true, higher: true };

function ComparePage({ libraries }) {
  const [asked, change] = useAddress();
  const runs = libraries.filter((one) => one.kind === "run" && one.documents.includes("report"));
  const second = runs.find((one) => one.id === asked.second) ?? runs.at(-1);
  const first = runs.find((one) => one.id === asked.first && one !== second)
    ?? runs.find((one) => one !== second);
  if (!first) {
    return html`<h1>Compare two models</h1><p class="lead">This needs two runs of a fit over the same
      clips; ${counted(runs.length, "run")} ${runs.length === 1 ? "is" : "are"} open.
      ${" "}<a href="/">Begin a fit</a></p>`;
  }
  const choice = (name, value, other) => html`<label class="field">${name}
    <select onChange=${(event) => change({ [name]: event.currentTarget.value })}>${runs.map((one) => html`
      <option value=${one.id} key=${one.id} selected=${one === value} disabled=${one === other}>${
      one.name}</option>`)}</select></label>`;
  return html`<${Difference} key=${`${first.id} ${second.id}`} first=${first} second=${second} />
    <div class="row pickers">${choice("first", first, second)}${choice("second", second, first)}
      <button type="button" onClick=${() => change({ first: second.id, second: first.id })}>Swap</button></div>`;
}

function Difference({ first, second }) {
  const [found, setFound] = useState(null);
  const [tables, setTables] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    get(addressOf("/v1/compare", { first: first.id, second: second.id })).then(setFound, setProblem);
    Promise.all([loadTable(first), loadTable(second)]).then(setTables, setProblem);
  }, []);
  if (problem) {
    return html`<h1>${first.name} and ${second.name}</h1>
      <p class="warning" role="alert">${problem.message}</p>`;
  }
  if (!found) return html`<h1>${first.name} and ${second.name}</h1><p role="status">Comparing…</p>`;
  const { value, low, high } = found.difference;
  const isTold = low !== null && high !== null && (low > 0 || high < 0);
  const range = gainInterval(SHARE, found.difference);
  return html`<h1><em class="num">${gain(SHARE, value)}</em> from ${first.name} to ${second.name}
      ${" "}<span class="interval n">${range && html`between ${range.replace(" to ", " and ")}`}</span></h1>
    <p class="verdict">Of ${counted(found.clip_count, "clip")} of ${counted(found.recording_count,
      "recording")} that both answered, ${first.name} has ${percent(found.first_accuracy, 1)} right and
      ${" "}${second.name} ${percent(found.second_accuracy, 1)}; ${second.name} won ${counted(found.won.length, "clip")} and lost
      ${" "}${found.lost.length.toLocaleString("en")}. ${isTold
        ? `It is the ${value > 0 ? "better" : "worse"} of the two.`
        : range ? "That may be chance: the interval holds zero." : "That may be chance."}</p>
    <p class="soft small">Points of the share answered rightly; <${Word} of="95 % interval" /> by
      ${" "}drawing <${Word} of="recording">recordings<//> again.</p>
    ${tables && html`
      <${Side} id="won" title="Won" lead=${`${second.name} is right, ${first.name} was wrong.`}
        clips=${found.won} tables=${tables} names=${[first.name, second.name]} />
      <${Side} id="lost" title="Lost" lead=${`${first.name} was right, ${second.name} is wrong.`}
        clips=${found.lost} tables=${tables} names=${[first.name, second.name]} />`}`;
}

function Side({ id, title, lead, clips, tables, names }) {
  const [before, after] = tables;
  const places = clips.map((clip) => after.placeOf(clip)).filter((i) => i !== undefined);
  const said = ({ i }) => {
    const k = before.placeOf(after.ids[i]);
    const line = (name, table, at) => html`<span>${name}: ${table.predictedOf(at) ?? "no answer"}
      ${" "}<span class="num soft">${percent(table.probability?.[at])}</span></span>`;
    return html`<span class="card-said"><span>is <b>${after.labelOf(i) ?? "not labelled"}</b></span>
      ${k !== undefined && line(names[0], before, k)}${line(names[1], after, i)}
      <span class="soft code" title=${after.names[i]}>${fileName(after.names[i])}</span></span>`;
  };
  return html`<section aria-labelledby=${id}><h2 id=${id}>${title}: ${
    counted(places.length, "clip")}</h2><p class="lead">${lead}</p>
    ${places.length > 0 && html`<${ClipCards} table=${after} places=${places} said=${said} />`}</section>`;
}

show(ComparePage, { title: "Compare" });
