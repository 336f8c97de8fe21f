// A figure with its interval, drawn along an axis.
import { html } from "../lib/ui.js";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

// Returns the least and the most that is drawn, with some room beside.
export function axisOf(estimates, metric) {
  const all = estimates.flatMap(({ value, low, high }) => [value, low, high]).filter(isNumber);
  if (all.length === 0) return [0, 1];
  const room = 0.06 * Math.max(1e-6, Math.max(...all) - Math.min(...all)) + 1e-9;
  const [least, most] = [Math.min(...all) - room, Math.max(...all) + room];
  return metric.percent ? [Math.max(0, least), Math.min(1, most)] : [least, most];
}

export function Interval({ estimate, axis, kind = "backbone" }) {
  const [least, most] = axis;
  const at = (value) => `${(100 * (value - least)) / Math.max(1e-9, most - least)}%`;
  const hasRange = isNumber(estimate.low) && isNumber(estimate.high);
  if (!isNumber(estimate.value)) return html`<span class="soft">not measured</span>`;
  return html`<svg class=${`interval-row ${kind}`} aria-hidden="true" width="100%" height="22">
    ${hasRange && html`<line class="whisker" x1=${at(estimate.low)} x2=${at(estimate.high)} y1="11"
      y2="11" />`}
    <circle class="mark" cx=${at(estimate.value)} cy="11" r="5.5" /></svg>`;
}
