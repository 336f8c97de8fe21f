// What metrics are called and mean, of vidfit/report/wording.py.
// `python -m tests.serve.test_static` writes this file again.
export const METRICS = {
 "accuracy": {
  "name": "accuracy",
  "meaning": "the share of clips answered rightly",
  "percent": true,
  "higher": true
 },
 "balanced": {
  "name": "balanced accuracy",
  "meaning": "the mean over classes of the share of their clips answered rightly",
  "percent": true,
  "higher": true
 },
 "macro-f1": {
  "name": "macro F1",
  "meaning": "the mean over classes of the harmonic mean of precision and recall",
  "percent": true,
  "higher": true
 },
 "map": {
  "name": "mean average precision",
  "meaning": "the mean over classes of the area under precision and recall",
  "percent": true,
  "higher": true
 },
 "auroc": {
  "name": "area under the ROC curve",
  "meaning": "how often a clip of a class has more of its probability than one of another class, the mean over classes",
  "percent": true,
  "higher": true
 },
 "micro-f1": {
  "name": "micro F1",
  "meaning": "the harmonic mean of precision and recall of all labels together",
  "percent": true,
  "higher": true
 },
 "mae": {
  "name": "mean absolute error",
  "meaning": "the mean distance of answers from true numbers",
  "percent": false,
  "higher": false
 },
 "r2": {
  "name": "R²",
  "meaning": "one less the squared error as a share of that of the mean",
  "percent": false,
  "higher": true
 },
 "spearman": {
  "name": "Spearman's correlation",
  "meaning": "how far the order of answers is that of true numbers",
  "percent": false,
  "higher": true
 },
 "acc2-has0": {
  "name": "accuracy of the sign",
  "meaning": "the share of clips whose sign is answered rightly, 0 counted as positive",
  "percent": true,
  "higher": true
 },
 "acc2-non0": {
  "name": "accuracy of the sign without zeros",
  "meaning": "the share of clips whose sign is answered rightly, of those whose number is not 0",
  "percent": true,
  "higher": true
 },
 "f1-has0": {
  "name": "F1 of the sign",
  "meaning": "the mean over signs, weighted by their clips, 0 counted as positive",
  "percent": true,
  "higher": true
 },
 "f1-non0": {
  "name": "F1 of the sign without zeros",
  "meaning": "the mean over signs, weighted by their clips, of those whose number is not 0",
  "percent": true,
  "higher": true
 },
 "acc7": {
  "name": "accuracy of seven classes",
  "meaning": "of numbers rounded to -3, -2, ... 3",
  "percent": true,
  "higher": true
 },
 "acc5": {
  "name": "accuracy of five classes",
  "meaning": "of numbers cut to [-2, 2] and rounded",
  "percent": true,
  "higher": true
 },
 "sims-acc2": {
  "name": "accuracy of two ranges",
  "meaning": "up to 0, and above",
  "percent": true,
  "higher": true
 },
 "sims-acc3": {
  "name": "accuracy of three ranges",
  "meaning": "up to -0.1, up to 0.1, and above",
  "percent": true,
  "higher": true
 },
 "sims-acc5": {
  "name": "accuracy of five ranges",
  "meaning": "up to -0.7, -0.1, 0.1, 0.7, and above",
  "percent": true,
  "higher": true
 },
 "sims-f1": {
  "name": "F1 of two ranges",
  "meaning": "weighted by the clips of each",
  "percent": true,
  "higher": true
 },
 "correlation": {
  "name": "Pearson's correlation",
  "meaning": "of answers and true numbers",
  "percent": false,
  "higher": true
 },
 "f1@50": {
  "name": "F1@50",
  "meaning": "the F1 of segments that overlap a true span by half",
  "percent": true,
  "higher": true
 },
 "f1@25": {
  "name": "F1@25",
  "meaning": "the F1 of segments that overlap a true span by a quarter",
  "percent": true,
  "higher": true
 },
 "f1@10": {
  "name": "F1@10",
  "meaning": "the F1 of segments that overlap a true span by a tenth",
  "percent": true,
  "higher": true
 },
 "edit": {
  "name": "edit score",
  "meaning": "how near the order of segments is to the true order",
  "percent": true,
  "higher": true
 },
 "time-right": {
  "name": "time answered rightly",
  "meaning": "the share of the time, background included",
  "percent": true,
  "higher": true
 },
 "false-alarms": {
  "name": "false alarms an hour",
  "meaning": "segments that overlap no true span by half",
  "percent": false,
  "higher": false
 },
 "missed": {
  "name": "missed spans an hour",
  "meaning": "true spans that no segment overlaps by half",
  "percent": false,
  "higher": false
 },
 "map@50-95": {
  "name": "strict mean average precision",
  "meaning": "of segments, the mean over overlaps of 0.5 to 0.95 with a true span",
  "percent": true,
  "higher": true
 },
 "micro-auc": {
  "name": "area under the ROC curve",
  "meaning": "how often an unusual window scores above a usual one, of all videos together",
  "percent": true,
  "higher": true
 },
 "macro-auc": {
  "name": "mean area under the ROC curve of recordings",
  "meaning": "how often an unusual window scores above a usual one of its recording",
  "percent": true,
  "higher": true
 },
 "alarms-an-hour": {
  "name": "false alarms an hour at the threshold",
  "meaning": "runs of windows with a p-value of at most 0.01 that touch no event",
  "percent": false,
  "higher": false
 },
 "events-found": {
  "name": "events found",
  "meaning": "the share of the events in which there is an alarm",
  "percent": true,
  "higher": true
 },
 "delay": {
  "name": "delay in seconds",
  "meaning": "the mean time from the start of an event to its alarm, to its end where there is none",
  "percent": false,
  "higher": false
 },
 "ap50-95": {
  "name": "AP50:95",
  "meaning": "the mean over classes, and over overlaps of 0.5 to 0.95 with a true box, of the area under precision and recall",
  "percent": true,
  "higher": true
 },
 "ap50": {
  "name": "AP50",
  "meaning": "the mean over classes of the area under precision and recall of boxes that overlap a true one by half",
  "percent": true,
  "higher": true
 },
 "miou": {
  "name": "mean IoU",
  "meaning": "the mean over classes of the intersection over union of their pixels, from one confusion matrix of all pixels",
  "percent": true,
  "higher": true
 },
 "pixels": {
  "name": "pixel accuracy",
  "meaning": "the share of pixels whose class is right",
  "percent": true,
  "higher": true
 },
 "edges": {
  "name": "F1 of edges",
  "meaning": "the mean over classes of the F1 of the edges of their areas, within 0.75 % of the diagonal",
  "percent": true,
  "higher": true
 },
 "accepted@1": {
  "name": "TAR at FAR 1 %",
  "meaning": "the share of pictures accepted as their person, where 1 % of others are",
  "percent": true,
  "higher": true
 },
 "accepted@0.1": {
  "name": "TAR at FAR 0.1 %",
  "meaning": "the share of pictures accepted as their person, where 0.1 % of others are",
  "percent": true,
  "higher": true
 },
 "named-rightly": {
  "name": "named rightly",
  "meaning": "the share of pictures of known people that are named, and rightly",
  "percent": true,
  "higher": true
 },
 "strangers-named": {
  "name": "strangers named",
  "meaning": "the share of pictures that are named when their person is left out",
  "percent": true,
  "higher": false
 },
 "log-loss": {
  "name": "log-loss",
  "meaning": "the mean negative log-probability of the true class",
  "percent": false,
  "higher": false
 },
 "brier": {
  "name": "Brier score",
  "meaning": "the mean squared distance of probabilities from the label",
  "percent": false,
  "higher": false
 }
};
