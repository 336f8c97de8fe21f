// The models that are open, and the pretrained ones that there are to begin with.
import { useAddress } from "../lib/address.js";
import { get } from "../lib/api.js";
import { show } from "../lib/frame.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { counted } from "../lib/wording.js";
import { Catalogue } from "./catalogue.js";
import { RunCard } from "./runs.js";

function ModelsPage() {
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState(null);
  const [asked, change] = useAddress();
  useEffect(() => {
    get("/v1/models").then(setFound, setProblem);
  }, []);
  useEffect(() => { // a run that the address names is looked at first
    if (found && asked.run) document.getElementById(asked.run)?.scrollIntoView({ block: "center" });
  }, [found]);
  if (problem) return html`<h1>No answer</h1><p class="warning" role="alert">${problem.message}</p>`;
  if (!found) return html`<h1>Models</h1><p class="empty" role="status">Looking at what is there…</p>`;
  const { fitted, offered } = found;
  return html`<h1>${fitted.length ? `${counted(fitted.length, "model")} from your clips` : "Models"}</h1>
    <p class="lead">${fitted.length
      ? "What runs have fitted: a head over pretrained networks, with what it may be used for."
      : "No run is open that has fitted a model. These are the pretrained ones to begin with."}</p>
    ${fitted.length > 0 && html`<div class="fitted">${fitted.map((model) => html`
      <${RunCard} key=${model.library} model=${model} isAsked=${model.library === asked.run} />`)}</div>`}
    <${Catalogue} models=${offered} asked=${asked} change=${change} />`;
}

show(ModelsPage, { title: "Models" });
