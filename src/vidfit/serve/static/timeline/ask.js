// Asks a model for its answers over the whole of the video.
import { addressOf } from "../lib/address.js";
import { get, post } from "../lib/api.js";
import { askForJobs, isUnderWay, useJobs } from "../lib/jobs.js";
import { tried } from "../lib/notices.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { about } from "../lib/wording.js";

const CONSENT = "i-have-consent";
const LEAST_AGREED = 3;

// Returns the task of the model of each run: one that names people asks for their consent.
function useTasks(isAsked) {
  const [tasks, setTasks] = useState(new Map());
  useEffect(() => {
    if (!isAsked) return;
    get("/v1/models").then(({ fitted }) => setTasks(new Map(fitted.map((one) => [one.library, one.task]))),
      () => {});
  }, [isAsked]);
  return tasks;
}

export function Ask({ libraries, home, clip, onAnswer }) {
  const models = libraries.filter((one) => one.kind === "run" && one.documents.includes("report"));
  const [model, setModel] = useState(models[0]?.id ?? "");
  const [agreed, setAgreed] = useState("");
  const isOfPeople = useTasks(models.length > 0).get(model) === "faces";
  const { jobs, problem } = useJobs();
  const mine = jobs.filter((job) => job.command === "predict" && job.clip === clip);
  const running = mine.find(isUnderWay);
  const last = mine[0];
  useEffect(() => {
    if (last?.state === "done") onAnswer();
  }, [last?.id, last?.state]);
  if (models.length === 0 || problem?.status === 404 || !home) return null;
  const ask = () => tried(async () => {
    const options = isOfPeople ? { [CONSENT]: agreed.trim() } : {};
    await post("/v1/jobs", { command: "predict", library: home.id, clip, model, options });
    askForJobs();
  });
  return html`<section class="row ask" aria-label="Ask a model">
    <label class="inline">Model <select onChange=${(event) => setModel(event.currentTarget.value)}>
      ${models.map((one) => html`<option value=${one.id} key=${one.id}>${one.name}</option>`)}</select></label>
    ${isOfPeople && html`<label class="inline agreed">To what these people agreed <input value=${agreed}
      maxlength="500" onInput=${(event) => setAgreed(event.currentTarget.value)} /></label>`}
    <button type="button" onClick=${ask} disabled=${Boolean(running)
      || (isOfPeople && agreed.trim().length < LEAST_AGREED)}>Ask it about this video</button>
    <span role="status" class="soft">${running ? `It looks at the video: ${running.stage || "begins"}${
      running.total ? `, ${running.done} of ${running.total}` : ""}${
      Number.isFinite(running.pace?.left) ? `, ${about(running.pace.left)} left` : ""}.`
      : last?.state === "failed" ? `It failed: ${last.said}` : ""}</span>
    ${last?.state === "done" && last.result_library && html`<a href=${addressOf("/boxes",
      { library: last.result_library })}>What it found, frame by frame</a>`}
  </section>`;
}
