// Sizes, costs and licences of models, as they are read.
import { html } from "../lib/ui.js";

export function millions(count) {
  if (count === null) return "–";
  if (count === 0) return "none";
  return count >= 1e9 ? `${(count / 1e9).toPrecision(3)} bn` : `${Number((count / 1e6).toPrecision(3))} M`;
}

export const gmacs = (value) => (value === null ? "–" : Number(value.toPrecision(3)).toLocaleString("en"));

const USES = new Map([[true, "yes"], [false, "no"], [null, "not stated"]]);

// Whether a licence allows commercial use, in a word and not by colour alone.
export function Commercial({ use }) {
  return html`<span class=${`use ${use === true ? "is-free" : "is-bound"}`}>${USES.get(use)}</span>`;
}
