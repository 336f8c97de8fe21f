// What a model says over time, as segments above a threshold.

// Joins neighbouring windows of one answer whose score is at least the threshold.
//
// `windows` have start_seconds, end_seconds and scores, one a class. Where windows overlap, a
// segment ends where the next one begins.
export function segmentsOf(windows, classes, threshold) {
  const found = [];
  for (const one of windows) {
    const best = one.scores.reduce((top, score, k) => (score > one.scores[top] ? k : top), 0);
    const label = one.scores[best] >= threshold ? classes[best] : null;
    const last = found.at(-1);
    if (last && last.label === label && one.start_seconds <= last.end_seconds + 1e-6) {
      last.end_seconds = one.end_seconds;
      last.sum += one.scores[best];
      last.count += 1;
      continue;
    }
    if (last && last.end_seconds > one.start_seconds) last.end_seconds = one.start_seconds;
    found.push({ start_seconds: one.start_seconds, end_seconds: one.end_seconds, label,
      sum: one.scores[best], count: 1 });
  }
  return found.filter(({ label, start_seconds, end_seconds }) =>
    label !== null && end_seconds > start_seconds)
    .map(({ sum, count, ...segment }) => ({ ...segment, probability: sum / count }));
}

// Returns the points of a curve of scores for an SVG of width 1000 and height 100.
export function curveOf(windows, k, from, to) {
  const x = (seconds) => ((1000 * (seconds - from)) / Math.max(1e-6, to - from)).toFixed(2);
  return windows.map(({ start_seconds, end_seconds, scores }) =>
    `${x((start_seconds + end_seconds) / 2)},${(100 - 100 * scores[k]).toFixed(2)}`).join(" ");
}
