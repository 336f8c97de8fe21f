// What is open, what runs, and what can be begun.
import { get } from "../lib/api.js";
import { show } from "../lib/frame.js";
import { useJobs } from "../lib/jobs.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { FitForm } from "./fit.js";
import { JobList } from "./jobs.js";
import { LibraryCard } from "./libraries.js";
import { Uploads } from "./uploads.js";

function Start({ libraries: found, readOnly }) {
  const { jobs, problem } = useJobs();
  const [libraries, setLibraries] = useState(found);
  const readAgain = () => get("/v1/libraries").then((now) => setLibraries(now.libraries), () => {});
  // What a job wrote is open as soon as the job is done.
  const made = jobs.map((job) => job.result_library).filter(Boolean);
  const isNew = made.some((id) => !libraries.some((one) => one.id === id));
  useEffect(() => {
    if (isNew) readAgain();
  }, [made.join()]);
  const [fitted, setFitted] = useState("");
  const known = new Map(libraries.map((one) => [one.id, one]));
  return html`
    <h1>${libraries.length ? "What is open here" : "Nothing is open yet"}</h1>
    <p class="lead">Folders and lists of videos, and what models found in them. Videos stay where
      they lie.</p>
    <div class="libraries">${libraries.map((library) => html`
      <${LibraryCard} key=${library.id} library=${library} readOnly=${readOnly}
        onFit=${() => setFitted(library.id)} />`)}</div>
    ${!readOnly && html`<${FitForm} libraries=${libraries} chosen=${fitted}
      onChoose=${setFitted} />`}
    ${!(problem?.status === 404) && html`<${JobList} jobs=${jobs} known=${known}
      problem=${problem} readOnly=${readOnly} />`}
    ${!readOnly && html`<${Uploads} onReady=${readAgain} />`}`;
}

show(Start, { title: "Start" });
