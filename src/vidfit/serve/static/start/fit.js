// Begins a fit of a model on a library.
import { post } from "../lib/api.js";
import { askForJobs } from "../lib/jobs.js";
import { note, tried } from "../lib/notices.js";
import { html, useEffect, useRef, useState } from "../lib/ui.js";
import { counted } from "../lib/wording.js";

const MOVEMENT = "movement";
const BUDGETS = [
  [MOVEMENT, "as little as can be: how things move, alone", { backbone: ["motion"] }],
  ["2", "2 minutes: a first answer", { minutes: 2 }],
  ["15", "15 minutes", { minutes: 15 }],
  ["60", "an hour", { minutes: 60 }],
  ["480", "eight hours: all that can be compared", { minutes: 480 }],
];

export function FitForm({ libraries, chosen, onChoose }) {
  const [budget, setBudget] = useState("2");
  const [isSending, setIsSending] = useState(false);
  const select = useRef(null);
  const folders = libraries.filter((one) => one.kind === "videos" && one.frames !== "masks");
  useEffect(() => {
    if (!chosen) return;
    select.current?.scrollIntoView({ block: "center" });
    select.current?.focus({ preventScroll: true });
  }, [chosen]);
  if (folders.length === 0) return null;
  const library = folders.find((one) => one.id === chosen) ?? folders[0];
  const isOfBoxes = library.frames === "boxes"; // of which movement says nothing
  const budgets = BUDGETS.filter(([name]) => !(isOfBoxes && name === MOVEMENT));
  const given = budgets.find(([name]) => name === budget) ?? budgets[0];
  const begin = async (event) => {
    event.preventDefault();
    setIsSending(true);
    const options = isOfBoxes ? { ...given[2], task: "detect" } : given[2];
    const job = await tried(() => post("/v1/jobs",
      { command: "fit", library: library.id, options },
      { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` }));
    setIsSending(false);
    if (!job) return;
    note(`The fit on ${library.name} has begun. This page may be closed meanwhile.`);
    askForJobs();
  };
  return html`<section aria-labelledby="fit"><h2 id="fit">Fit a model</h2>
    <p class="lead">Compares pretrained models on labelled clips, or on boxes in frames, keeps the best,
      and says how good it is on recordings it never saw. Labels that were given here are used.</p>
    <form class="card row fit-form" onSubmit=${begin}>
      <label class="field">Clips
        <select ref=${select} onChange=${(event) => onChoose(event.currentTarget.value)}>
          ${folders.map((one) => html`<option value=${one.id} key=${one.id}
            selected=${one.id === library.id}>${one.name} (${one.frames ? `${one.frames} of ` : ""}${
            counted(one.clip_count, one.frames ? "file" : "clip")})</option>`)}
        </select></label>
      <label class="field">Longest time
        <select onChange=${(event) => setBudget(event.currentTarget.value)}>
          ${budgets.map(([name, words]) => html`<option value=${name} key=${name}
            selected=${name === given[0]}>${words}</option>`)}
        </select></label>
      <button class="primary" disabled=${isSending}>Begin</button>
    </form></section>`;
}
