// Runs of jobs: how far each is, its log, and what stops and resumes it.
import { addressOf } from "../lib/address.js";
import { get, post, remove, send } from "../lib/api.js";
import { askForJobs, isUnderWay } from "../lib/jobs.js";
import { tried } from "../lib/notices.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { about, bytes, moment } from "../lib/wording.js";

const STATES = {
  waiting: "waits for its turn", running: "runs", done: "done", failed: "failed",
  stopped: "stopped",
};
const SHOWN = 5;

export function JobList({ jobs, known, problem, readOnly }) {
  const [all, setAll] = useState(false);
  const shown = all ? jobs : jobs.filter((job, place) => isUnderWay(job) || place < SHOWN);
  return html`<section aria-labelledby="jobs"><h2 id="jobs">Runs</h2>
    ${problem && html`<p class="warning" role="alert">${problem.message}</p>`}
    ${jobs.length === 0 && !problem && html`<p class="card empty">Nothing runs, and nothing
      did.</p>`}
    <ul class="jobs">${shown.map((job) => html`
      <${JobRow} key=${job.id} job=${job} known=${known} readOnly=${readOnly} />`)}</ul>
    ${shown.length < jobs.length && html`<button type="button" class="plain"
      onClick=${() => setAll(true)}>Show ${jobs.length - shown.length} more</button>`}
  </section>`;
}

function JobRow({ job, known, readOnly }) {
  const [isOpen, setIsOpen] = useState(false);
  const name = known.get(job.library)?.name ?? "a library that is not open";
  const under = isUnderWay(job);
  const act = async (work) => {
    await tried(work);
    askForJobs();
  };
  return html`<li class="card job">
    <div class="row job-head">
      <span class=${`dot ${job.state}`} aria-hidden="true"></span>
      <b>${job.command}</b><span class="soft">on ${name}</span>
      <span class=${job.state === "failed" ? "caution" : "soft"}>${STATES[job.state]}</span>
      <span class="soft small job-time">${times(job)}</span>
    </div>
    ${under && html`<${Progress} job=${job} />`}
    ${job.said && !under && !job.result_library && html`<p class=${job.state === "failed" ? "caution" : "soft"}
      >${job.said}</p>`}
    <div class="row">
      ${job.result_library && html`<${Result} id=${job.result_library} known=${known}
        command=${job.command} />`}
      ${under && !readOnly && html`<button type="button"
        onClick=${() => act(() => remove(`/v1/jobs/${job.id}`))}>Stop</button>`}
      ${(job.state === "stopped" || job.state === "failed") && !readOnly && html`
        <button type="button" onClick=${() => act(() => post(`/v1/jobs/${job.id}/resume`))}
          >Resume</button>`}
      <button type="button" class="plain" aria-expanded=${isOpen ? "true" : "false"}
        onClick=${() => setIsOpen(!isOpen)}>${isOpen ? "Hide log and files" : "Log and files"}</button>
    </div>
    ${isOpen && html`<${Log} job=${job} /><${Files} job=${job} />`}
  </li>`;
}

function times({ at, begun, ended }) {
  if (ended && begun) return `${moment(ended)}, took ${about(ended - begun).replace("about ", "")}`;
  return begun ? `since ${moment(begun)}` : `asked at ${moment(at)}`;
}

function Progress({ job }) {
  const share = job.total > 0 ? Math.min(1, job.done / job.total) : 0;
  const left = job.pace ? about(job.pace.left) : "";
  const [said, setSaid] = useState("");
  useEffect(() => {
    setSaid(job.stage); // a new stage is announced; each step of it would be too much
  }, [job.stage]);
  return html`<div class="progress">
    <p class="row small"><span>${job.stage || (job.state === "waiting" ? "" : "begins")}</span>
      ${job.total > 0 && html`<span class="soft num">${job.done} of ${job.total}</span>`}
      ${left && html`<span class="soft">${left} left of this stage</span>`}</p>
    <div class="bar" role="progressbar" aria-label=${job.stage || "progress"} aria-valuemin="0"
      aria-valuemax="100" aria-valuenow=${Math.round(100 * share)}>
      <i style=${{ width: `${100 * share}%` }}></i></div>
    <span class="sr" role="status">${said}</span>
    ${job.notes?.length > 0 && job.notes.at(-1) !== job.stage && html`<p class="soft small">${job.notes.at(-1)}</p>`}
  </div>`;
}

// A library that was made since this page was opened is known to the server alone.
function Result({ id, known, command }) {
  const library = known.get(id);
  const isReport = command === "fit" && (!library || library.documents.includes("report"));
  const path = isReport ? "/report" : command === "predict" ? "/boxes" : "/wall"; // of others, in time
  return html`<a class="button primary" href=${addressOf(path, { library: id })}>${
    isReport ? "Its report" : "What it found"}</a>`;
}

function Log({ job }) {
  const [text, setText] = useState("");
  useEffect(() => {
    let isGone = false;
    tried(async () => (await send("GET", `/v1/jobs/${job.id}/log`)).text())
      .then((found) => isGone || setText(found ?? ""));
    return () => {
      isGone = true;
    };
  }, [job.id, job.state, job.stage]);
  return html`<pre class="code log" tabindex="0" aria-label=${`Log of ${job.command}`}
    >${text || "empty"}</pre>`;
}

function Files({ job }) {
  const [files, setFiles] = useState([]);
  useEffect(() => {
    get(`/v1/jobs/${job.id}/results`).then((found) => setFiles(found.results), () => {});
  }, [job.id, job.state]);
  if (files.length === 0) return null;
  return html`<ul class="files">${files.map(({ name, bytes: size }) => html`<li key=${name}>
    <a href=${`/v1/jobs/${job.id}/results/${encodeURIComponent(name)}`} download>${name}</a>
    ${" "}<span class="soft num">${bytes(size)}</span></li>`)}</ul>`;
}
