// Buttons that give a label: the classes with their keys, one to type, "can't tell".
import { html, useState } from "./ui.js";

const MOST_BUTTONS = 9;

// The key of the n-th class: 1 to 9, then none.
export const keyOf = (place) => (place < MOST_BUTTONS ? String(place + 1) : "");

// Returns what a key stands for: { kind, label }, or null. "?" is can't tell.
export function givenBy(key, classes) {
  if (key === "?") return { kind: "unsure", label: "" };
  const place = "123456789".indexOf(key);
  return key.length === 1 && place >= 0 && place < classes.length
    ? { kind: "label", label: classes[place] } : null;
}

// `marked` are classes shown as chosen. `onGive` gets { kind, label }.
export function LabelButtons({
  classes, kind, marked = [], onGive, canClear = true, canBeUnsure = true,
}) {
  const shown = kind === "number" ? [] : classes.slice(0, MOST_BUTTONS);
  return html`<div class="giving">
    ${shown.map((name, place) => html`<button type="button" key=${name}
      class=${marked.includes(name) ? "chosen" : ""}
      aria-pressed=${marked.length ? String(marked.includes(name)) : null}
      onClick=${() => onGive({ kind: "label", label: name })}><kbd>${keyOf(place)}</kbd>${name}</button>`)}
    <${Typed} classes=${classes} kind=${kind} onGive=${onGive} />
    ${canBeUnsure && html`<button type="button"
      onClick=${() => onGive({ kind: "unsure", label: "" })}><kbd>?</kbd>can't tell</button>`}
    ${canClear && html`<button type="button"
      onClick=${() => onGive({ kind: "cleared", label: "" })}>No label</button>`}
  </div>`;
}

function Typed({ classes, kind, onGive }) {
  const [text, setText] = useState("");
  const isNumber = kind === "number";
  const give = (event) => {
    event.preventDefault();
    const label = text.trim();
    if (!label || (isNumber && !Number.isFinite(Number(label)))) return;
    onGive({ kind: "label", label });
    setText("");
  };
  return html`<form class="typed" onSubmit=${give}>
    <input list="classes" aria-label=${isNumber ? "Number" : "Other class"} value=${text}
      placeholder=${isNumber ? "Number" : "Other class"} inputmode=${isNumber ? "decimal" : "text"}
      onInput=${(event) => setText(event.currentTarget.value)} />
    ${!isNumber && html`<datalist id="classes">${classes.map((name) => html`
      <option value=${name} key=${name}></option>`)}</datalist>`}
    ${text.trim() && html`<button>Give</button>`}</form>`;
}
