// What is open, what runs, and what can be begun.
import { show } from "../lib/frame.js";
import { useJobs } from "../lib/jobs.js";
import { html, useState } from "../lib/ui.js";
import { FitForm } from "./fit.js";
import { JobList } from "./jobs.js";
import { LibraryCard } from "./libraries.js";
import { Uploads } from "./uploads.js";

function Start({ libraries, readOnly }) {
  const { jobs, problem } = useJobs();
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
    ${!readOnly && html`<${Uploads} />`}`;
}

show(Start, { title: "Start" });
