// The best few candidates first, the others folded.
import { figure, interval } from "../lib/scores.js";
import { html } from "../lib/ui.js";
import { counted } from "../lib/wording.js";
import { Word, samplingInWords } from "../lib/words.js";
import { Interval, axisOf } from "./interval.js";

const SHOWN = 4;

export function Board({ report, metric }) {
  const merit = ({ score }) => (score.value === null ? -Infinity
    : metric.higher ? score.value : -score.value);
  const ranked = [...report.candidates].sort((one, other) => merit(other) - merit(one)
    || (one.seconds_per_clip ?? Infinity) - (other.seconds_per_clip ?? Infinity));
  if (ranked.length === 0) return null;
  const baseline = ranked.find((one) => one.kind === "baseline");
  const shown = ranked.filter((one, place) => place < SHOWN || one.chosen || one === baseline);
  const others = ranked.filter((one) => !shown.includes(one));
  const axis = axisOf(ranked.map((one) => one.score), metric);
  return html`<section aria-labelledby="board"><h2 id="board">What was compared</h2>
    <p class="lead">Each mark is the ${metric.name} on recordings not seen in training. Cheapest that
      is hardly worse wins, unless you asked for the best. The score above is measured apart from the
      choice among them, so it can differ from the row of the chosen one.</p>
    <${Rows} candidates=${shown} axis=${axis} metric=${metric} caption="The best candidates" />
    ${others.length > 0 && html`<details><summary>${counted(others.length, "more candidate")}</summary>
      <${Rows} candidates=${others} axis=${axis} metric=${metric} caption="The other candidates" />
    </details>`}
    ${report.dropped.length > 0 && html`<details><summary>${counted(report.dropped.length, "candidate")}
      ${" "}dropped before the end</summary><ul>${report.dropped.map((one) => html`
      <li key=${one.name}>${one.name}: ${one.reason}</li>`)}</ul></details>`}
  </section>`;
}

function Rows({ candidates, axis, metric, caption }) {
  return html`<table class="board"><caption class="sr">${caption}</caption>
    <thead><tr><th scope="col">candidate</th><th scope="col" class="plotted">${metric.name}</th>
      <th scope="col" class="num">95 % interval</th>
      <th scope="col" class="num"><${Word} of="time a clip" /></th>
      <th scope="col" class="num"><${Word} of="GMACs" /></th><th scope="col">licence</th></tr></thead>
    <tbody>${candidates.map((one) => html`<tr key=${one.name} class=${one.chosen ? "chosen" : ""}>
      <th scope="row"><b>${one.name}</b>${one.chosen && html` <span class="badge">chosen</span>`}
        <span class="kind"><${Word} of=${one.kind} />${detail(one)}</span></th>
      <td class="plotted"><${Interval} estimate=${one.score} axis=${axis} kind=${one.kind} /></td>
      <td class="num" data-label=${metric.name}><b>${figure(metric, one.score.value)}</b>
        ${" "}<span class="soft n">${interval(metric, one.score)}</span></td>
      <td class="num n" data-label="time a clip">${milliseconds(one.seconds_per_clip)}</td>
      <td class="num" data-label="GMACs">${one.gmacs_per_clip ? one.gmacs_per_clip.toPrecision(3) : "–"}</td>
      <td class="licence" data-label="licence">${one.licence.replace(/^-$/, "–")}${one.commercial_use === false
        && html` <span class="caution">not for commercial use</span>`}</td></tr>`)}</tbody></table>`;
}

function detail({ kind, members, sampling, note }) {
  const parts = [];
  if (kind === "fusion" && members.length) parts.push(`of ${members.join(", ")}`);
  const words = samplingInWords(sampling);
  if (words) parts.push(words);
  if (note) parts.push(note);
  return parts.length ? ` · ${parts.join(" · ")}` : "";
}

function milliseconds(seconds) {
  if (!seconds) return "–";
  return seconds < 1 ? `${(1000 * seconds).toFixed(0)} ms` : `${seconds.toFixed(1)} s`;
}
