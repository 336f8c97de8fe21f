// Asks a model for its answers over the whole of the video.
import { post } from "../lib/api.js";
import { askForJobs, isUnderWay, useJobs } from "../lib/jobs.js";
import { tried } from "../lib/notices.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { about } from "../lib/wording.js";

export function Ask({ libraries, home, clip, onAnswer }) {
  const models = libraries.filter((one) => one.kind === "run" && one.documents.includes("report"));
  const [model, setModel] = useState(models[0]?.id ?? "");
  const { jobs, problem } = useJobs();
  const mine = jobs.filter((job) => job.command === "predict" && job.clip === clip);
  const running = mine.find(isUnderWay);
  const last = mine[0];
  useEffect(() => {
    if (last?.state === "done") onAnswer();
  }, [last?.id, last?.state]);
  if (models.length === 0 || problem?.status === 404 || !home) return null;
  const ask = () => tried(async () => {
    await post("/v1/jobs", { command: "predict", library: home.id, clip, model });
    askForJobs();
  });
  return html`<section class="row ask" aria-label="Ask a model">
    <label class="inline">Model <select onChange=${(event) => setModel(event.currentTarget.value)}>
      ${models.map((one) => html`<option value=${one.id} key=${one.id}>${one.name}</option>`)}</select></label>
    <button type="button" onClick=${ask} disabled=${Boolean(running)}>Ask it about this video</button>
    <span role="status" class="soft">${running ? `It looks at the video: ${running.stage || "begins"}${
      running.total ? `, ${running.done} of ${running.total}` : ""}${
      Number.isFinite(running.pace?.left) ? `, ${about(running.pace.left)} left` : ""}.`
      : last?.state === "failed" ? `It failed: ${last.said}` : ""}</span>
  </section>`;
}
