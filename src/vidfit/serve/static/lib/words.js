// Words of the field, explained where they stand: a click shows what is meant, in place.
import { html, useState } from "./ui.js";

const MEANINGS = {
  "95 % interval": "If the work were done again with other recordings of the same kind, about 95 of 100 such intervals would hold the true figure. Clips of one recording count as one.",
  recording: "What clips were cut from: one camera running once, one film, one person. All its clips are either learned from or tested on, never both.",
  "majority class": "A baseline without a model: it always answers the most frequent class.",
  backbone: "A pretrained network that turns frames into numbers. A small classifier on top of them learns your classes.",
  fusion: "Several models that answer together.",
  baseline: "What is answered without a model worth the name; a model must beat it to be of use.",
  GMACs: "10⁹ multiply-accumulates for one clip, all its views together: the work of a network, on any machine.",
  "time a clip": "Decoding and inference of one clip on one thread of the machine that ran the fit.",
  views: "What a network gets of a clip: some frames, some time apart; of several views the answers are averaged.",
  precision: "Of the clips that were answered with the class, the share that are of it.",
  recall: "Of the clips of the class, the share that were answered with it.",
  F1: "The harmonic mean of precision and recall: high only where both are.",
  "calibration error": "How far probabilities are from the share that is right, on average: with 0 %, answers given with 80 % are right 80 times in 100.",
  declines: "The model gives no class where its best probability is too low, or the clip is unlike those it learned from.",
  leakage: "Clips of one recording on both sides of a split: the model is tested on what it has all but seen, and the score promises too much.",
  "near-duplicates": "Clips of two recordings that show the same footage.",
};

export function Word({ of, children }) {
  const [isOpen, setIsOpen] = useState(false);
  const meaning = MEANINGS[of];
  const shown = children ?? of;
  if (!meaning) return html`<span>${shown}</span>`;
  return html`<span class="word"><button type="button" aria-expanded=${isOpen ? "true" : "false"}
    onClick=${() => setIsOpen(!isOpen)} onKeyDown=${(event) => event.key === "Escape" && setIsOpen(false)}
    onBlur=${() => setIsOpen(false)}>${shown}</button>${isOpen
    && html`<span class="meaning" role="note">${meaning}</span>`}</span>`;
}

// Says in words how frames are taken: "3x0.133sx8" and "1xevenx8" are names for programs.
export function samplingInWords(sampling) {
  if (!sampling || sampling === "-") return "";
  if (sampling === "as its members") return "frames as its members take them";
  const said = sampling.split(", ").map((one) => {
    const found = /^(\d+)x(even|([\d.]+)s)x(\d+)$/.exec(one);
    if (!found) return one;
    const [, length, , apart, views] = found;
    if (views === "1" && length === "1") return "one frame";
    const of = length === "1" ? "single frames" : `views of ${length} frames`;
    if (views === "1" && length !== "1") {
      return `one view of ${length} frames${apart ? `, ${apart} s apart` : ""}`;
    }
    return apart && length !== "1" ? `${views} ${of}, ${apart} s apart` : `${views} ${of}`;
  });
  return said.join("; ");
}
