// Which classes are taken for which; each cell leads to its clips.
import { addressOf } from "../lib/address.js";
import { figure, interval, metricOf } from "../lib/scores.js";
import { html } from "../lib/ui.js";
import { counted, percent } from "../lib/wording.js";
import { Word } from "../lib/words.js";
import { Interval } from "./interval.js";

const MOST_CELLS = 20;
const LISTED = 30;
const SHARE = { percent: true, higher: true };

export function Confusion({ report, library }) {
  const counts = report.confusion_KK ?? [];
  if (counts.length === 0) return null;
  const to = (k, l) => addressOf("/wall",
    { library: library.id, label: report.classes[k], predicted: report.classes[l] });
  const mistakes = counts.flatMap((row, k) => row.map((count, l) => ({ k, l, count })))
    .filter(({ k, l, count }) => k !== l && count > 0).sort((one, other) => other.count - one.count);
  return html`<section aria-labelledby="errs"><h2 id="errs">Where it errs</h2>
    <p class="lead">${mistakes.length === 0 ? "No class was taken for another."
      : html`Most often, <b>${report.classes[mistakes[0].k]}</b> is answered as
        ${" "}<b>${report.classes[mistakes[0].l]}</b>: ${counted(mistakes[0].count, "clip")}. Each
        ${" "}number leads to its clips.`}</p>
    ${counts.length <= MOST_CELLS
      ? html`<${Matrix} counts=${counts} classes=${report.classes} to=${to} />`
      : html`<ul class="mistakes">${mistakes.slice(0, LISTED).map(({ k, l, count }) => html`
          <li key=${`${k} ${l}`}><a href=${to(k, l)}>${report.classes[k]} answered as ${
          report.classes[l]}</a> <span class="num">${count}</span></li>`)}</ul>
        ${mistakes.length > LISTED && html`<p class="soft small">The ${LISTED} most frequent of ${
          counted(mistakes.length, "kind")} of mistake.</p>`}`}
  </section>`;
}

function Matrix({ counts, classes, to }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix, scrolls sideways">
    <table class="confusion"><caption>Clips; rows are true classes, columns answers</caption>
    <thead><tr><td></td>${classes.map((name) => html`<th scope="col" key=${name}>${name}</th>`)}</tr></thead>
    <tbody>${counts.map((row, k) => {
      const total = row.reduce((sum, count) => sum + count, 0) || 1;
      return html`<tr key=${classes[k]}><th scope="row">${classes[k]}</th>${row.map((count, l) => {
        const share = count / total;
        const isStrong = share > 0.55; // its number is read on the full colour
        const kind = `${k === l ? "right" : "wrong"}${isStrong ? " strong" : ""}`;
        const depth = isStrong ? 84 + 16 * share : 100 * share;
        const says = `${classes[k]} answered as ${classes[l]}: ${count} of ${total}`;
        return html`<td key=${l} class=${kind} style=${{ "--share": `${depth.toFixed(0)}%` }}>${
          count ? html`<a href=${to(k, l)} aria-label=${says} title=${says}>${count}</a>`
            : html`<span class="soft">0</span>`}</td>`;
      })}</tr>`;
    })}</tbody></table></div>`;
}

export function Classes({ report }) {
  const rows = [...(report.by_class ?? [])].sort((one, other) => (one.f1.value ?? -1) - (other.f1.value ?? -1));
  if (rows.length === 0) return null;
  const cell = (name, estimate) => html`<td class="num" data-label=${name}><b>${
    figure(SHARE, estimate.value)}</b> <span class="soft n">${interval(SHARE, estimate)}</span></td>`;
  return html`<section aria-labelledby="each"><h2 id="each">How well each class is told</h2>
    <p class="lead">The weakest first.</p>
    <table class="board"><caption class="sr">Scores of each class</caption><thead><tr>
      <th scope="col">class</th><th scope="col" class="plotted"><${Word} of="F1" />, 0 to 100 %</th>
      <th scope="col" class="num">F1</th><th scope="col" class="num"><${Word} of="precision" /></th>
      <th scope="col" class="num"><${Word} of="recall" /></th><th scope="col" class="num">clips</th>
    </tr></thead><tbody>${rows.map((one) => html`<tr key=${one.label}>
      <th scope="row"><b>${one.label}</b></th>
      <td class="plotted"><${Interval} estimate=${one.f1} axis=${[0, 1]} /></td>
      ${cell("F1", one.f1)}${cell("precision", one.precision)}${cell("recall", one.recall)}
      <td class="num" data-label="clips">${one.clips} <span class="soft n">of ${
        counted(one.recordings, "recording")}</span></td></tr>`)}</tbody></table></section>`;
}

// Of several labels and of numbers: all figures of that kind.
export function Figures({ report }) {
  if (!report.figures?.length) return null;
  return html`<section aria-labelledby="figures"><h2 id="figures">All figures</h2>
    <table class="board"><caption class="sr">All figures</caption><thead><tr><th scope="col">figure</th>
      <th scope="col" class="num">chosen</th><th scope="col" class="num">${report.baseline}</th></tr></thead>
    <tbody>${report.figures.map((one) => {
      const metric = metricOf(one);
      return html`<tr key=${one.metric}><th scope="row"><b>${metric.name}</b>
        <span class="kind">${metric.meaning}${metric.higher ? "" : "; less is better"}</span></th>
        <td class="num" data-label="chosen"><b>${figure(metric, one.score.value)}</b>
          ${" "}<span class="soft n">${interval(metric, one.score)}</span></td>
        <td class="num" data-label=${report.baseline}>${figure(metric, one.baseline.value)}</td></tr>`;
    })}</tbody></table>
    ${report.thresholds?.length > 0 && html`<p class="soft small">A class is said above its
      ${" "}threshold: ${report.classes.map((name, k) =>
        `${name} ${percent(report.thresholds[k])}`).join(", ")}.</p>`}</section>`;
}
