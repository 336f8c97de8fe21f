// What is in a frame, as a list, and what can be done to it.
import { LabelButtons } from "../lib/giving.js";
import { html } from "../lib/ui.js";
import { percent } from "../lib/wording.js";
import { colourOf } from "./colours.js";
import { EDGE_WORDS } from "./keys.js";
import { trackOf } from "./stage.js";

const STATES = { "": "", saving: "Saving…", saved: "Saved." };

export function Panel({ facts, boxes, isOfFaces, hasTruth, answers, hasAnswers, classes, chosen, box, answer, label, edge,
  isDrawing, hidden, toggle, least, change, state, edits, free, onChoose }) {
  if (!facts) return html`<p class="soft" role="status">Reading the boxes…</p>`;
  if (isOfFaces) return html`<${Faces} answers=${answers} classes=${classes} chosen=${chosen} onChoose=${onChoose} />`;
  return html`<div class="boxes-head row"><h2>Labelled</h2>
      <label class="only"><input type="checkbox" checked=${!hidden.objects}
        onChange=${() => toggle("objects")} /> <i class="line whole"></i> shown</label>
      <span class="soft small" role="status">${STATES[state]}</span></div>
    <p class="soft small by">${facts.by ? `Looked at by ${facts.by}.` : hasTruth
      ? "As it is listed; nobody has looked here." : "Nobody has looked here."}</p>
    ${boxes.length ? html`<ul class="box-list">${boxes.map((one) => html`<li key=${one.id}>
      <${Named} box=${one} classes=${classes} isChosen=${chosen === one.id} kind="whole"
        onChoose=${() => onChoose(one.id)} /></li>`)}</ul>`
      : html`<p class="soft">Nothing is labelled in this frame.</p>`}
    ${edits && html`<${Acts} box=${box} answer=${answer} edge=${edge} isDrawing=${isDrawing} edits=${edits}
      label=${label} classes=${classes} />`}
    ${hasAnswers && html`<div class="boxes-head row"><h2>The model says</h2>
        <label class="only"><input type="checkbox" checked=${!hidden.found}
          onChange=${() => toggle("found")} /> <i class="line dashed"></i> shown</label></div>
      <label class="inline">Threshold <input type="range" min="0.05" max="1" step="0.01" value=${least}
        onInput=${(event) => change({ least: event.currentTarget.value })} />
        <output class="num">${least.toFixed(2)}</output></label>
      ${answers.length ? html`<ul class="box-list">${answers.map((one, n) => html`<li key=${n}>
        <${Named} box=${one} classes=${classes} isChosen=${chosen === n} kind="dashed"
          onChoose=${() => onChoose(n)} /></li>`)}</ul>`
        : html`<p class="soft">Nothing with that score.</p>`}
      ${edits && free > 0 && html`<button type="button" onClick=${edits.acceptAll}><kbd>A</kbd>Take over ${
        free === 1 ? "the one that is new" : `the ${free} that are new`}</button>`}`}`;
}

// Faces are shown and not changed: who is known is a matter of the pictures that a model learned.
function Faces({ answers, classes, chosen, onChoose }) {
  return html`<div class="boxes-head row"><h2>Faces</h2></div>
    ${answers.length ? html`<ul class="box-list">${answers.map((one, n) => html`<li key=${n}>
      <${Named} box=${one} classes=${classes} isChosen=${chosen === n} kind="dashed" isOfFaces
        onChoose=${() => onChoose(n)} /></li>`)}</ul>`
      : html`<p class="soft">No face was found in this frame.</p>`}
    <p class="soft small">The number is that of the track, which a face keeps while it is in sight. “Alike” is how
      like it is to the most alike person, from 0 to 1; a name may be wrong.</p>`;
}

function Named({ box, classes, isChosen, kind, isOfFaces = false, onChoose }) {
  const size = `${Math.round(box.right - box.left)} × ${Math.round(box.bottom - box.top)}`;
  return html`<button type="button" class=${isChosen ? "chosen" : ""} aria-pressed=${String(isChosen)}
    onClick=${onChoose}><i class=${`line ${kind}`} style=${{ "--hue": colourOf(box.label, classes) }}></i>
    <b>${box.label}${trackOf(box)}</b>${box.score !== undefined && html` <span class="num">${isOfFaces
      ? `alike ${box.score.toFixed(2)}` : percent(box.score)}</span>`}
    <span class="soft num small">${size}${box.ignored ? " · to be ignored" : ""}${
      box.person ? ` · ${box.person}` : ""}</span></button>`;
}

function Acts({ box, answer, edge, isDrawing, edits, label, classes }) {
  return html`<div class="acts">
    ${box && html`<p class="small soft">Arrows ${EDGE_WORDS[edge]}.</p>`}
    <div class="row">
      ${answer && html`<button type="button" class="primary" onClick=${edits.accept}><kbd>Enter</kbd>Take over</button>`}
      ${!answer && !box && html`<button type="button" class="primary" onClick=${edits.confirm}
        ><kbd>Enter</kbd>Right as it is</button>`}
      ${box && html`<button type="button" onClick=${edits.remove}><kbd>Del</kbd>Remove</button>
        <button type="button" onClick=${edits.nextEdge}><kbd>E</kbd>Edges</button>
        <button type="button" aria-pressed=${String(box.ignored)} class=${box.ignored ? "chosen" : ""}
          onClick=${edits.ignore}>To be ignored</button>`}
      <button type="button" aria-pressed=${String(isDrawing)} class=${isDrawing ? "chosen" : ""}
        onClick=${edits.toggleDrawing}><kbd>D</kbd>Draw</button>
      <button type="button" onClick=${edits.fresh}><kbd>N</kbd>New box</button>
      <button type="button" onClick=${edits.undo}><kbd>U</kbd>Undo</button>
    </div>
    <p class="small soft">${box ? "Class of the chosen box:" : "Class of the next box that is drawn:"}</p>
    <${LabelButtons} classes=${classes} kind="one" canClear=${false} canBeUnsure=${false}
      marked=${[box ? box.label : label]} onGive=${({ label: name }) => edits.give(name)} /></div>`;
}
