// Which clips are shown, in which order, and what says so. All of it stands in the address.
import { html, useEffect, useRef, useState } from "../lib/ui.js";

export const UNSURE = 0.6; // below this probability, or declined, an answer counts as unsure

export const KINDS = [
  { name: "wrong", word: "Wrong", tells: "The model's answer is another than the label.",
    answers: true, of: ({ isWrong }, i) => isWrong[i] === 1 },
  { name: "unsure", word: "Unsure",
    tells: "The model gives its answer less than 60 %, or declines to answer.", answers: true,
    of: ({ probability, declined }, i) => probability[i] < UNSURE || declined[i] === 1 },
  { name: "copies", word: "Near-duplicates",
    tells: "The same footage is in another recording, too: it leaks from one part into another.",
    of: ({ duplicate }, i) => duplicate[i] >= 0 },
  { name: "failed", word: "Failed", tells: "The video could not be read.",
    of: ({ failed }, i) => failed.codes[i] >= 0 },
  { name: "unlabelled", word: "Unlabelled", tells: "No label, and no “can't tell”.",
    of: ({ labels }, i) => labels.codes[i] === -1 },
];

export const ORDERS = [
  { name: "", word: "as listed" },
  { name: "unsure", word: "least sure first", answers: true, by: ({ probability }) => probability },
  { name: "label", word: "label least believed first", answers: true,
    by: ({ ofLabel }) => ofLabel },
  { name: "copies", word: "near-duplicates together",
    by: ({ duplicate }) => duplicate.map((set) => (set < 0 ? 2 ** 30 : set)) },
];

// Returns how many clips each kind and each class has.
export function countAll(table) {
  const kinds = {};
  for (const { name, of, answers } of KINDS) {
    let count = 0;
    if (!answers || table.hasAnswers) {
      for (let i = 0; i < table.count; i += 1) if (of(table, i)) count += 1;
    }
    kinds[name] = count;
  }
  return { kinds, labels: tally(table, table.labels), predicted: tally(table, table.predicted) };
}

function tally(table, column) {
  const found = new Map();
  if (!column) return found;
  const counts = new Int32Array(column.values.length);
  for (const code of column.codes) if (code >= 0) counts[code] += 1;
  column.values.forEach((value, code) => {
    for (const name of table.classesOf(value)) found.set(name, (found.get(name) ?? 0) + counts[code]);
  });
  return found;
}

// Returns the places of the clips that are asked for, in the order that is.
export function choose(table, asked) {
  const tests = KINDS.filter(({ name, answers }) => asked[name] && (!answers || table.hasAnswers));
  const label = asked.label ? allowed(table, table.labels, asked.label) : null;
  const predicted = asked.predicted && table.predicted
    ? allowed(table, table.predicted, asked.predicted) : null;
  const text = (asked.text ?? "").toLowerCase();
  const names = text ? table.lowerNames() : null;
  const found = new Int32Array(table.count);
  let count = 0;
  for (let i = 0; i < table.count; i += 1) {
    if (label && !label[table.labels.codes[i]]) continue;
    if (predicted && !predicted[table.predicted.codes[i]]) continue;
    if (!tests.every(({ of }) => of(table, i))) continue;
    if (text && !names[i].includes(text)) continue;
    found[count] = i;
    count += 1;
  }
  return sorted(table, found.subarray(0, count), asked.order);
}

const allowed = (table, column, name) =>
  column.values.map((value) => table.classesOf(value).includes(name));

function sorted(table, places, name) {
  const order = ORDERS.find((one) => one.name === name);
  if (!order?.by || (order.answers && !table.hasAnswers)) return places;
  const keys = order.by(table);
  const last = (key) => (Number.isNaN(key) ? Infinity : key);
  return places.sort((i, k) => last(keys[i]) - last(keys[k]) || i - k);
}

export function FilterBar({ table, counts, asked, change, shownCount }) {
  const [isOpen, setIsOpen] = useState(false);
  const kinds = KINDS.filter(({ name, answers }) =>
    (!answers || table.hasAnswers) && (counts.kinds[name] > 0 || asked[name] || name === "wrong"));
  const orders = ORDERS.filter(({ answers }) => !answers || table.hasAnswers);
  const active = ["label", "predicted", "text", ...KINDS.map(({ name }) => name)]
    .filter((name) => asked[name]);
  return html`<div class=${isOpen ? "filters open" : "filters"} role="search"
    aria-label="Filters">
    <button type="button" class="filters-toggle" aria-expanded=${isOpen ? "true" : "false"}
      onClick=${() => setIsOpen(!isOpen)}>Filters${active.length ? ` (${active.length})` : ""}</button>
    <div class="filters-all">
      <${TextFilter} value=${asked.text ?? ""} onChange=${(text) => change({ text })} />
      <${ClassFilter} word="Label" name="label" counts=${counts.labels} asked=${asked}
        change=${change} />
      ${table.hasAnswers && html`<${ClassFilter} word="Model says" name="predicted"
        counts=${counts.predicted} asked=${asked} change=${change} />`}
      ${kinds.map(({ name, word, tells }) => html`<button type="button" key=${name} title=${tells}
        class=${asked[name] ? "chip chosen" : "chip"} aria-pressed=${asked[name] ? "true" : "false"}
        onClick=${() => change({ [name]: asked[name] ? "" : "1" })}>${word}
        <span class="soft num">${counts.kinds[name].toLocaleString("en")}</span></button>`)}
      <label class="inline">Order <select
        onChange=${(event) => change({ order: event.currentTarget.value })}>
        ${orders.map(({ name, word }) => html`<option value=${name} key=${name}
          selected=${name === (asked.order ?? "")}>${word}</option>`)}</select></label>
    </div>
    <p class="found" role="status"><b class="num">${shownCount.toLocaleString("en")}</b>
      ${shownCount === table.count ? (shownCount === 1 ? " clip" : " clips") : ` of ${table.count.toLocaleString("en")} clips`}
      ${active.length > 0 && html` <button type="button" class="plain" onClick=${() =>
        change(Object.fromEntries(active.map((name) => [name, ""])))}>Show all</button>`}</p>
  </div>`;
}

function ClassFilter({ word, name, counts, asked, change }) {
  const classes = [...counts.entries()].filter(([, count]) => count > 0);
  if (asked[name] && !counts.get(asked[name])) classes.push([asked[name], 0]);
  if (classes.length === 0) return null;
  return html`<label class="inline">${word} <select
    onChange=${(event) => change({ [name]: event.currentTarget.value })}>
    <option value="" selected=${!asked[name]}>any</option>
    ${classes.map(([text, count]) => html`<option value=${text} key=${text}
      selected=${text === asked[name]}>${text} (${count.toLocaleString("en")})</option>`)}
  </select></label>`;
}

function TextFilter({ value, onChange }) {
  const [text, setText] = useState(value);
  const timer = useRef(0);
  useEffect(() => setText(value), [value]);
  const typed = (event) => {
    const now = event.currentTarget.value;
    setText(now);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(now), 120);
  };
  return html`<input type="search" class="text-filter" aria-label="Name contains"
    placeholder="Name contains" value=${text} onInput=${typed} />`;
}
