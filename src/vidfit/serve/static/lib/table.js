// The clips of a library by columns, with the labels that were given here over those of the list.
//
// Everything of a clip is at its place i; what is looked at for 100,000 clips at once is in typed
// arrays, and texts that recur are codes.
import { get } from "./api.js";

export const NONE = -1;
const CANNOT_TELL = -2;

export class Table {
  constructor(sent, library) {
    this.library = library;
    this.count = sent.count;
    this.ids = sent.id;
    this.names = sent.name;
    this.recording = codes(sent.recording);
    this.start = sent.start_seconds;
    this.end = sent.end_seconds;
    this.duplicate = Int32Array.from(sent.duplicate_set);
    this.failed = codes(sent.failed);
    this.hasAnswers = sent.probability.length === sent.count && sent.count > 0;
    this.predicted = this.hasAnswers ? codes(sent.predicted) : null;
    this.probability = this.hasAnswers ? Float32Array.from(sent.probability, orNaN) : null;
    this.ofLabel = this.hasAnswers ? Float32Array.from(sent.probability_of_label, orNaN) : null;
    this.declined = this.hasAnswers ? Uint8Array.from(sent.declined) : null;
    this.listed = codes(sent.label);
    this.labels = { values: [...this.listed.values], codes: this.listed.codes.slice() };
    this.given = new Map(); // place -> row of /v1/labels
    this.version = 0;
    this.lower = null;
    this.place = null;
  }

  // Takes rows of /v1/labels; returns whether any is of a clip of this library.
  take(rows) {
    let isChanged = false;
    for (const row of rows) {
      const i = this.placeOf(row.clip);
      if (i === undefined) continue;
      isChanged = true;
      if (row.kind === "none") this.given.delete(i);
      else this.given.set(i, row);
      this.labels.codes[i] = this.codeOf(row, i);
    }
    if (isChanged) this.version += 1;
    return isChanged;
  }

  codeOf(row, i) {
    if (row.kind === "label") return this.codeOfText(row.label);
    if (row.kind === "unsure") return CANNOT_TELL;
    return row.kind === "cleared" ? NONE : this.listed.codes[i];
  }

  codeOfText(text) {
    const found = this.labels.values.indexOf(text);
    return found >= 0 ? found : this.labels.values.push(text) - 1;
  }

  placeOf(id) {
    this.place ??= new Map(this.ids.map((one, i) => [one, i]));
    return this.place.get(id);
  }

  labelOf(i) {
    const code = this.labels.codes[i];
    return code >= 0 ? this.labels.values[code] : null;
  }

  cannotTell(i) {
    return this.labels.codes[i] === CANNOT_TELL;
  }

  predictedOf(i) {
    const code = this.predicted ? this.predicted.codes[i] : NONE;
    return code >= 0 ? this.predicted.values[code] : null;
  }

  failureOf(i) {
    const code = this.failed.codes[i];
    return code >= 0 ? this.failed.values[code] : "";
  }

  // Classes that clips can be labelled with: those of the library, then others that were given.
  classes() {
    const known = new Set(this.library.classes);
    for (const value of this.labels.values) {
      for (const name of this.classesOf(value)) known.add(name);
    }
    return [...known];
  }

  classesOf(text) {
    if (text === null || text === "") return [];
    return this.library.labels === "several" ? text.split("|") : [text];
  }

  lowerNames() {
    this.lower ??= this.names.map((name) => name.toLowerCase());
    return this.lower;
  }

  // Tells for each place whether the model's answer is another than the label; not of numbers.
  wrong() {
    const found = new Uint8Array(this.count);
    if (!this.predicted || this.library.labels === "number") return found;
    const sets = (values) => values.map((text) => this.classesOf(text).sort().join("|"));
    const labels = sets(this.labels.values);
    const answers = sets(this.predicted.values);
    for (let i = 0; i < this.count; i += 1) {
      const label = this.labels.codes[i];
      const answer = this.predicted.codes[i];
      found[i] = label >= 0 && answer >= 0 && labels[label] !== answers[answer] ? 1 : 0;
    }
    return found;
  }
}

const orNaN = (value) => (value === null ? NaN : value);
const codes = (column) => ({ values: column.values, codes: Int32Array.from(column.codes) });

const pathOf = (id) => `/v1/libraries/${id}/clips`;
let early = null; // { id, sent }

// Asks for the clips of a library while it is not yet known what else the server has.
export function beginTable(id) {
  if (!id) return;
  early = { id, sent: get(pathOf(id)) };
  early.sent.catch(() => {});
}

export async function loadTable(library) {
  const sent = early?.id === library.id ? early.sent : get(pathOf(library.id));
  early = null;
  return new Table(await sent, library);
}
