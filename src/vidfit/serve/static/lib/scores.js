// Scores of reports, with their intervals, as they are read.
import { METRICS } from "./metrics.js";

const PLAIN = { name: "score", meaning: "", percent: false, higher: true };

// Returns name, meaning and form of the metric that a report was decided by.
export function metricOf(report) {
  return METRICS[report.metric ?? "accuracy"] ?? { ...PLAIN, name: report.metric };
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

export const number = (metric, value) =>
  (metric.percent ? (100 * value).toFixed(1) : value.toFixed(3));

export function figure(metric, value) {
  if (!isNumber(value)) return "not measured";
  return metric.percent ? `${number(metric, value)} %` : number(metric, value);
}

export function interval(metric, estimate) {
  if (!estimate || !isNumber(estimate.low) || !isNumber(estimate.high)) return "";
  return `${number(metric, estimate.low)} to ${number(metric, estimate.high)}`;
}

// Returns a difference with its sign: "+2.1 points", "−0.031".
export function gain(metric, value) {
  if (!isNumber(value)) return "not measured";
  return `${signed(metric, value)}${metric.percent ? " points" : ""}`;
}

function signed(metric, value) {
  const text = number(metric, Math.abs(value));
  return `${Number(text) === 0 ? "" : value > 0 ? "+" : "−"}${text}`;
}

// Returns the interval of a difference, with signs: "−7.5 to +1.1".
export function gainInterval(metric, { low, high }) {
  return isNumber(low) && isNumber(high) ? `${signed(metric, low)} to ${signed(metric, high)}` : "";
}

export function headline(report) {
  const metric = metricOf(report);
  return { value: figure(metric, report.score?.value), name: metric.name,
    interval: interval(metric, report.score) };
}
