// What a model says over time, as segments above a threshold.

const hasScores = (window, classes) => window.scores?.length === classes.length;

// Returns the answer of a window and its probability; some models give that of no other class.
function answerOf(window, classes) {
  if (!hasScores(window, classes)) return [window.label, window.probability ?? 0];
  const best = window.scores.reduce((top, score, k) => (score > window.scores[top] ? k : top), 0);
  return [classes[best], window.scores[best]];
}

// Joins neighbouring windows of one answer whose probability is at least the threshold.
//
// `windows` have start_seconds, end_seconds, label and probability, or scores, one a class. Where
// windows overlap, a segment ends where the next one begins.
export function segmentsOf(windows, classes, threshold) {
  const found = [];
  for (const one of windows) {
    const [answer, probability] = answerOf(one, classes);
    const label = answer && probability >= threshold ? answer : null;
    const last = found.at(-1);
    if (last && last.label === label && one.start_seconds <= last.end_seconds + 1e-6) {
      last.end_seconds = one.end_seconds;
      last.sum += probability;
      last.count += 1;
      continue;
    }
    if (last && last.end_seconds > one.start_seconds) last.end_seconds = one.start_seconds;
    found.push({ start_seconds: one.start_seconds, end_seconds: one.end_seconds, label,
      sum: probability, count: 1 });
  }
  return found.filter(({ label, start_seconds, end_seconds }) =>
    label !== null && end_seconds > start_seconds)
    .map(({ sum, count, ...segment }) => ({ ...segment, probability: sum / count }));
}

// Returns the curves over time for an SVG of width 1000 and height 100, as { name, points }: one a
// class, or that of the answer alone.
export function curvesOf(windows, classes, from, to) {
  const x = (seconds) => ((1000 * (seconds - from)) / Math.max(1e-6, to - from)).toFixed(2);
  const pointsOf = (scoreOf) => windows.map((one) =>
    `${x((one.start_seconds + one.end_seconds) / 2)},${(100 - 100 * scoreOf(one)).toFixed(2)}`)
    .join(" ");
  if (windows.every((one) => hasScores(one, classes))) {
    return classes.map((name, k) => ({ name, points: pointsOf((one) => one.scores[k]) }));
  }
  return [{ name: "", points: pointsOf((one) => answerOf(one, classes)[1]) }];
}
