// How far the figures can be believed, and what they were made of.
import { addressOf } from "../lib/address.js";
import { figure, gain, gainInterval } from "../lib/scores.js";
import { html } from "../lib/ui.js";
import { about, counted, percent } from "../lib/wording.js";
import { Word } from "../lib/words.js";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

export function Trust({ report, metric, library, table }) {
  const to = (kind) => addressOf("/wall", { library: library.id, [kind]: "1" });
  const count = (of) => (table ? of.reduce((sum, code) => sum + (code >= 0 ? 1 : 0), 0) : 0);
  const failed = count(table?.failed.codes ?? []);
  const copies = count(table?.duplicate ?? []);
  return html`<section aria-labelledby="trust"><h2 id="trust">What the figures are worth</h2>
    <dl class="trust">
      <div><dt>How it was measured</dt><dd>${report.protocol}. Recordings: ${report.grouping}.</dd></div>
      ${isNumber(report.leak?.value) && html`<div><dt><${Word} of="leakage">Leakage<//></dt>
        <dd>A random split of the same clips would have claimed ${figure(metric,
          report.random_split.value)} in place of ${figure(metric, report.grouped_split.value)}: ${
          gain(metric, report.leak.value)} <span class="soft n">(${gainInterval(metric, report.leak)})</span>.</dd></div>`}
      <div><dt><${Word} of="near-duplicates">Near-duplicates<//></dt><dd>${copies
        ? html`<a href=${to("copies")}>${counted(copies, report.row)}</a> ${copies === 1 ? "looks" : "look"} like
          ${" "}one of another recording. Where two are one recording, give both the same.`
        : "No two clips of different recordings look the same."}</dd></div>
      <div><dt>Could not be used</dt><dd>${failed
        ? html`<a href=${to("failed")}>${counted(failed, report.row)}</a>, which ${failed === 1
          ? "is" : "are"} missing from every figure.` : `None: every ${report.row} could be read.`}</dd></div>
      ${isNumber(report.calibration_error) && html`<div><dt><${Word} of="calibration error">Probabilities<//></dt>
        <dd>are ${percent(report.calibration_error, 1)} off, on average.</dd></div>`}
      ${report.declines && html`<div><dt><${Word} of="declines">Declines<//></dt>
        <dd>${percent(report.declines.known.value, 1)} of clips of known classes${isNumber(report.declines.new?.value)
          ? `, and ${percent(report.declines.new.value, 1)} of those of a class it never saw` : ""}${
          report.declines.why ? `; of new classes it is not known, for ${report.declines.why}` : ""}.</dd></div>`}
      ${report.notes?.length > 0 && html`<div><dt>Notes</dt><dd><details><summary>${
        counted(report.notes.length, report.row)} used with a note</summary><ul>${report.notes.map((one) =>
        html`<li key=${one.name}>${one.name}: ${one.text}</li>`)}</ul></details></dd></div>`}
      <div><dt>Time</dt><dd>${about(report.stages.reduce((sum, one) => sum + one.measured_seconds, 0))}:
        ${" "}${report.stages.map((one) => `${one.name} ${seconds(one.measured_seconds)}`).join(", ")}.</dd></div>
      <div><dt>Machine</dt><dd>${Object.entries(report.machine).map(([name, value]) =>
        `${name} ${value}`).join("; ")}</dd></div>
    </dl>
    <h3>Use it</h3>
    <pre class="code" tabindex="0">vidfit predict MODEL video.mp4</pre>
    <p class="soft small">MODEL is the folder <span class="code">model</span> that the fit wrote; what is
      ${" "}in it, and what its licences allow, stands <a href=${addressOf("/models", { run: library.id })}
      >with the models</a>. Other
      cameras, places, people or seasons than in these clips were not measured.</p>
    <details><summary>What was used</summary><ul class="used">${Object.entries(report.provenance).map(
      ([name, value]) => html`<li key=${name}><span class="soft">${name}</span> ${value}</li>`)}</ul></details>
  </section>`;
}

const seconds = (value) => (value < 90 ? `${value.toFixed(0)} s` : `${(value / 60).toFixed(0)} min`);
