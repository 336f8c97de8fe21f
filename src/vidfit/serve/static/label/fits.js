// What labels are worth: the score of the last fit beside that of the one before.
import { addressOf } from "../lib/address.js";
import { get, post } from "../lib/api.js";
import { Export } from "../lib/exporting.js";
import { askForJobs, isUnderWay, useJobs } from "../lib/jobs.js";
import { note, tried } from "../lib/notices.js";
import { figure, gain, gainInterval, interval, metricOf } from "../lib/scores.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { about, moment } from "../lib/wording.js";

const MINUTES = 15; // where no fit was begun here before

export function Fits({ library, readOnly }) {
  const { jobs, problem } = useJobs();
  if (problem?.status === 404) return null;
  // A run of a fit is followed to the clips that it was over, where they are open.
  const home = jobs.find((job) => job.result_library === library.id)?.library ?? library.id;
  const fits = jobs.filter((job) => job.command === "fit"
    && (job.library === home || job.library === library.id));
  const running = fits.find(isUnderWay);
  const runs = fits.filter((job) => job.state === "done" && job.result_library)
    .map((job) => ({ id: job.result_library, ended: job.ended }));
  if (library.documents.includes("report") && !runs.some((run) => run.id === library.id)) {
    runs.push({ id: library.id, ended: null });
  }
  // The next fit is given what the one before was, so that the two can be compared.
  const options = fits[0]?.options ?? { minutes: MINUTES };
  const begin = () => tried(async () => {
    await post("/v1/jobs", { command: "fit", library: home, options });
    note("A fit has begun, with the labels that were given until now.");
    askForJobs();
  });
  return html`<section aria-labelledby="fits"><h2 id="fits">What the labels are worth</h2>
    ${runs.length < 2 && html`<p class="lead">Fit a model with the labels of now, label on, and fit
      again: here stands how the score changed.</p>`}
    ${runs.length > 0 && html`<${Change} last=${runs[0]} before=${runs[1]} />`}
    ${running
      ? html`<p role="status">A fit runs: ${running.stage || "begins"}${running.total
          ? `, ${running.done} of ${running.total}` : ""}${Number.isFinite(running.pace?.left)
          ? `, ${about(running.pace.left)} left of this stage` : ""}. <a href="/">See it</a></p>`
      : !readOnly && html`<button type="button" onClick=${begin}>${
          runs.length ? "Fit again" : "Fit a model"} with these labels</button>`}
    <${Export} library=${library} what="labels" />
  </section>`;
}

function Change({ last, before }) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    const report = (run) => get(`/v1/libraries/${run.id}/documents/report`);
    const compare = before && get(addressOf("/v1/compare",
      { first: before.id, second: last.id })).catch(() => null);
    Promise.all([report(last), before ? report(before) : null, compare])
      .then(([now, then, difference]) => setFound({ now, then, difference }), () => setFound(null));
  }, [last.id, before?.id]);
  if (!found) return null;
  const { now, then, difference } = found;
  const metric = metricOf(now);
  const isAlike = then && then.metric === now.metric;
  return html`<p class="change"><b class="num">${figure(metric, now.score.value)}</b> ${metric.name}
      ${" "}<span class="soft num">(95 % interval ${interval(metric, now.score)})</span>${
      last.ended ? `, fitted ${moment(last.ended)}` : ""}${isAlike && html`; before that ${figure(metric, then.score.value)}
      ${" "}<span class="soft num">(${interval(metric, then.score)})</span>`}.</p>
    ${difference && html`<p>On the clips that are in both, the share answered rightly changed by
      ${" "}<b class="num">${gain({ percent: true }, difference.difference.value)}</b>
      ${" "}<span class="soft num">(${gainInterval({ percent: true }, difference.difference)})</span>:
      ${" "}${difference.won.length} won, ${difference.lost.length} lost.
      ${" "}${difference.won.length + difference.lost.length > 0 && html`<a
        href=${addressOf("/compare", { first: before.id, second: last.id })}>Watch them</a>`}</p>`}`;
}
