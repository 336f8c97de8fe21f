// The frames of a library: which there are, which of them are looked at, and in which order.
import { NONE } from "../lib/table.js";

export class FrameList {
  constructor(sent) {
    this.classes = sent.classes;
    this.hasAnswers = sent.has_answers;
    this.hasMasks = sent.has_masks;
    this.hasTruth = sent.has_truth;
    this.consent = sent.consent;
    this.count = sent.frame.length;
    this.clip = sent.clip;
    this.name = sent.name;
    this.number = sent.frame;
    this.seconds = sent.seconds;
    this.objects = [...sent.objects];
    this.found = sent.found;
    this.missed = sent.missed;
    this.falseAlarms = sent.false_alarms;
    this.by = { values: [...sent.by.values], codes: [...sent.by.codes] };
  }

  clipOf(i) {
    return this.clip.values[this.clip.codes[i]];
  }

  nameOf(i) {
    return this.name.values[this.name.codes[i]];
  }

  byOf(i) {
    return this.by.codes[i] === NONE ? "" : this.by.values[this.by.codes[i]];
  }

  mistakes(i) {
    return this.missed[i] + this.falseAlarms[i];
  }

  placeOf(clip, number) {
    const code = this.clip.values.indexOf(clip);
    return this.number.findIndex((one, i) => one === number && this.clip.codes[i] === code);
  }

  // Keeps up with a change that was made on this page.
  take(i, facts) {
    if (i < 0) return;
    this.objects[i] = facts.boxes.length;
    let code = facts.by ? this.by.values.indexOf(facts.by) : NONE;
    if (facts.by && code < 0) code = this.by.values.push(facts.by) - 1;
    this.by.codes[i] = code;
  }

  // Returns the places of what is looked at: `show` is "", "wrong", "changed" or "open".
  chosen(show, order) {
    const places = [...Array(this.count).keys()].filter((i) => show === "" || (show === "wrong"
      ? this.mistakes(i) > 0 : (this.by.codes[i] !== NONE) === (show === "changed")));
    return order === "worst"
      ? places.sort((one, other) => this.mistakes(other) - this.mistakes(one) || one - other) : places;
  }
}
