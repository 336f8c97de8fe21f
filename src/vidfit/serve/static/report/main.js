// What a fit found out: the score first, then what it is worth, and every clip that was wrong.
import { get } from "../lib/api.js";
import { show } from "../lib/frame.js";
import { complain } from "../lib/notices.js";
import { figure, interval, metricOf } from "../lib/scores.js";
import { loadTable } from "../lib/table.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { counted, percent } from "../lib/wording.js";
import { Word } from "../lib/words.js";
import { Board } from "./board.js";
import { Classes, Confusion, Figures } from "./classes.js";
import { Interval, axisOf } from "./interval.js";
import { Trust } from "./trust.js";
import { Wrong } from "./wrong.js";

function ReportPage({ library }) {
  const [report, setReport] = useState(null);
  const [table, setTable] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    get(`/v1/libraries/${library.id}/documents/report`).then(setReport, setProblem);
    loadTable(library).then((found) => {
      found.isWrong = found.wrong();
      setTable(found);
    }, complain);
  }, [library.id]);
  if (problem) {
    return html`<h1>No report</h1><p>${library.name} is no run of a fit: ${problem.message}</p>`;
  }
  if (!report) return html`<p class="empty" role="status">Reading the report…</p>`;
  const metric = metricOf(report);
  return html`<${Answer} report=${report} metric=${metric} table=${table} library=${library} />
    <${Board} report=${report} metric=${metric} />
    <${Confusion} report=${report} library=${library} />
    <${Figures} report=${report} />
    <${Wrong} report=${report} table=${table} library=${library} />
    <${Classes} report=${report} />
    <${Trust} report=${report} metric=${metric} library=${library} table=${table} />`;
}

function Answer({ report, metric, table, library }) {
  const { score, majority } = report;
  const estimates = [score, majority];
  const axis = axisOf(estimates, metric);
  const range = interval(metric, score);
  const isProven = metric.higher ? score.low > majority.value : score.high < majority.value;
  return html`<h1><em class="num">${figure(metric, score.value)}</em> ${metric.name}
      ${" "}<span class="interval n">${range && html`between ${range.replace(" to ", " and ")}`}</span></h1>
    <p class="verdict">Best is <b>${report.chosen}</b>: ${metric.meaning || metric.name}, on
      recordings it never saw. ${report.verdict}</p>
    ${!isProven && html`<p class="warning">It is not proven better than ${report.baseline}
      ${" "}(${figure(metric, majority.value)}): label more recordings, or other ones.</p>`}
    <div class="card scale" role="img" aria-label=${`${metric.name}: ${figure(metric, score.value)}, 95 % interval ${range}; ${report.baseline}: ${figure(metric, majority.value)}`}>
      <div class="scale-row"><b>${report.chosen}</b>
        <${Interval} estimate=${score} axis=${axis} kind="backbone" /><span class="num n">${
        figure(metric, score.value)}</span></div>
      <div class="scale-row"><span>${report.baseline}</span>
        <${Interval} estimate=${majority} axis=${axis} kind="baseline" /><span class="num n">${
        figure(metric, majority.value)}</span></div>
    </div>
    <p class="soft small">The line is the <${Word} of="95 % interval" />.
      ${" "}<${Word} of=${report.baseline}>What is “${report.baseline}”?<//></p>
    <dl class="facts">
      <div><dt>${report.row ?? "clip"}s</dt><dd class="num">${report.clip_count.toLocaleString("en")}</dd></div>
      <div><dt><${Word} of="recording">recordings<//></dt>
        <dd class="num">${report.group_count.toLocaleString("en")}</dd></div>
      <div><dt>classes</dt><dd class="num">${report.classes.length || "–"}</dd></div>
      <div><dt>wrong</dt><dd class="num">${wrongCount(table, library)}</dd></div>
    </dl>
    ${report.warnings?.map((text) => html`<p class="warning" key=${text}>${text}</p>`)}`;
}

function wrongCount(table, library) {
  if (!table) return "…";
  if (library.labels === "number" || !table.hasAnswers) return "–";
  const count = table.isWrong.reduce((sum, one) => sum + one, 0);
  const answered = table.predicted.codes.reduce((sum, code) => sum + (code >= 0 ? 1 : 0), 0);
  return html`${count.toLocaleString("en")} <small>${percent(count / Math.max(1, answered))} of ${
    counted(answered, "answer")}</small>`;
}

show(ReportPage, { title: "Report", of: "library" });
