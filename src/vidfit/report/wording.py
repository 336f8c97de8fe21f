"""Numbers as a person reads them; a figure that is not finite is "not measured"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Protocol

from vidfit.report.of_sentiment import OF_SENTIMENT
from vidfit.shown import counted as counted

if TYPE_CHECKING:
    from vidfit.answers import Segment
    from vidfit.contracts import Estimate

NOT_MEASURED = "not measured"
DECLINED = "declined"
NOT_ANSWERED = "not answered"
NO_CLASS = "no class"
DASH = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"


def percent(fraction: float, digits: int = 1) -> str:
    """Return ``0.7831`` as ``"78.3 %"``."""
    return f"{100 * fraction:.{digits}f} %" if isfinite(fraction) else NOT_MEASURED


def cut(text: str, letters: int) -> str:
    """Return a text of a limited number of letters, and at least one; what is cut off is a dot."""
    return text if len(text) <= letters else f"{text[: max(1, letters) - 1]}…"


def has_interval(estimate: Estimate) -> bool:
    """Tell whether both ends of the interval were measured."""
    return isfinite(estimate.low) and isfinite(estimate.high)


@dataclass(frozen=True, slots=True)
class Metric:
    """How figures of a metric are named, printed and ordered.

    Parameters
    ----------
    name
        What it is called in sentences and over columns.
    meaning
        What it is the figure of, in words.
    percent
        Whether figures are shown in percent, and differences in points.
    higher_is_better
        Whether more is better; of a loss less is.
    """

    name: str
    meaning: str
    percent: bool = True
    higher_is_better: bool = True

    @property
    def heading(self) -> str:
        """The name as a sentence begins with it."""
        return f"{self.name[:1].upper()}{self.name[1:]}"

    @property
    def title(self) -> str:
        """The name over a column or along an axis, with its unit."""
        return f"{self.name}{', %' if self.percent else ''}{self._lower}"

    @property
    def points(self) -> str:
        """The unit of differences, to follow the name of a column."""
        return ", points" if self.percent else ""

    def merit(self, value: float) -> float:
        """Return a figure turned so that higher is better."""
        return value if self.higher_is_better else -value

    def number(self, value: float) -> str:
        """Return a figure without its unit."""
        return f"{100 * value:.1f}" if self.percent else f"{value:.3f}"

    def tick(self, value: float) -> str:
        """Return a round figure of an axis without its unit."""
        return f"{100 * value if self.percent else value:.6g}"

    def value(self, value: float) -> str:
        """Return ``"78.3 %"`` or ``"0.412"``."""
        if not isfinite(value):
            return NOT_MEASURED
        return f"{self.number(value)} %" if self.percent else self.number(value)

    def interval(self, estimate: Estimate) -> str:
        """Return the 95 % interval without its unit."""
        if not has_interval(estimate):
            return "interval " + NOT_MEASURED
        return f"[{self.number(estimate.low)}, {self.number(estimate.high)}]"

    def figure(self, estimate: Estimate) -> str:
        """Return ``"78.3 % [72.1, 84.0]"``, or what of it was measured."""
        return _whole(self.value(estimate.value), estimate, self.interval(estimate))

    def said(self, text: str) -> str:
        """Return a figure after the name; a share of right answers needs none."""
        return text if self is ACCURACY else f"{self.name} {text}"

    def gap(self, value: float) -> str:
        """Return a difference without its sign: ``"3.1 points"`` or ``"0.031"``."""
        if not isfinite(value):
            return NOT_MEASURED
        return f"{self.number(abs(value))}{self._points}"

    def amount(self, value: float) -> str:
        """Return a round difference that a user gave: ``"2 points"`` or ``"0.02"``."""
        return f"{100 * value:g} points" if self.percent else f"{value:.3g}"

    def behind(self, lead: Estimate) -> str:
        """Return ``"2.1 points [-0.4, 4.6]"``: by how much another is ahead."""
        return _whole(f"{self.number(lead.value)}{self._points}", lead, self.interval(lead))

    def gain(self, lead: Estimate) -> str:
        """Return ``"+20.1 points [+3.6, +36.2]"``, or what of it was measured."""
        text = f"{self.signed(lead.value)}{self._points}"
        return _whole(text, lead, self.signed_interval(lead))

    def signed(self, value: float) -> str:
        """Return a difference with its sign and without its unit; zero has none to show."""
        if not isfinite(value):
            return NOT_MEASURED
        text = self.number(value)
        return (f"+{text}" if value > 0 else text) if float(text) else self.number(0.0)

    def signed_interval(self, lead: Estimate) -> str:
        """Return the interval of a difference with its signs."""
        if not has_interval(lead):
            return f"interval {NOT_MEASURED}"
        return f"[{self.signed(lead.low)}, {self.signed(lead.high)}]"

    @property
    def _lower(self) -> str:
        return "" if self.higher_is_better else " (lower is better)"

    @property
    def _points(self) -> str:
        return " points" if self.percent else ""


PLAIN = Metric("", "", percent=False)
"""Numbers of any other kind, more of which is higher along an axis."""

ACCURACY = Metric("accuracy", "the share of clips answered rightly")
interval, figure, points = ACCURACY.interval, ACCURACY.figure, ACCURACY.gap
"""Of shares: ``"[72.1, 84.0]"``, ``"78.3 % [72.1, 84.0]"``, or ``"3.1 points"`` of a gap."""

METRICS: dict[str, Metric] = {
    "accuracy": ACCURACY,
    "balanced": Metric(
        "balanced accuracy", "the mean over classes of the share of their clips answered rightly"
    ),
    "macro-f1": Metric(
        "macro F1", "the mean over classes of the harmonic mean of precision and recall"
    ),
    "map": Metric(
        "mean average precision", "the mean over classes of the area under precision and recall"
    ),
    "auroc": Metric(
        "area under the ROC curve",
        "how often a clip of a class has more of its probability than one of another class, the "
        "mean over classes",
    ),
    "micro-f1": Metric(
        "micro F1", "the harmonic mean of precision and recall of all labels together"
    ),
    "mae": Metric(
        "mean absolute error", "the mean distance of answers from true numbers", False, False
    ),
    "r2": Metric("R²", "one less the squared error as a share of that of the mean", False),
    "spearman": Metric(
        "Spearman's correlation", "how far the order of answers is that of true numbers", False
    ),
    **{name: Metric(*words) for name, words in OF_SENTIMENT.items()},
    "f1@50": Metric("F1@50", "the F1 of segments that overlap a true span by half"),
    "f1@25": Metric("F1@25", "the F1 of segments that overlap a true span by a quarter"),
    "f1@10": Metric("F1@10", "the F1 of segments that overlap a true span by a tenth"),
    "edit": Metric("edit score", "how near the order of segments is to the true order"),
    "time-right": Metric("time answered rightly", "the share of the time, background included"),
    "false-alarms": Metric(
        "false alarms an hour", "segments that overlap no true span by half", False, False
    ),
    "missed": Metric(
        "missed spans an hour", "true spans that no segment overlaps by half", False, False
    ),
    "map@50-95": Metric(
        "strict mean average precision",
        "of segments, the mean over overlaps of 0.5 to 0.95 with a true span",
    ),
    "micro-auc": Metric(
        "area under the ROC curve",
        "how often an unusual window scores above a usual one, of all videos together",
    ),
    "macro-auc": Metric(
        "mean area under the ROC curve of recordings",
        "how often an unusual window scores above a usual one of its recording",
    ),
    "alarms-an-hour": Metric(
        "false alarms an hour at the threshold",
        "runs of windows with a p-value of at most 0.01 that touch no event",
        False,
        False,
    ),
    "events-found": Metric("events found", "the share of the events in which there is an alarm"),
    "delay": Metric(
        "delay in seconds",
        "the mean time from the start of an event to its alarm, to its end where there is none",
        False,
        False,
    ),
    "ap50-95": Metric(
        "AP50:95",
        "the mean over classes, and over overlaps of 0.5 to 0.95 with a true box, of the area "
        "under precision and recall",
    ),
    "ap50": Metric(
        "AP50",
        "the mean over classes of the area under precision and recall of boxes that overlap a true "
        "one by half",
    ),
    "miou": Metric(
        "mean IoU",
        "the mean over classes of the intersection over union of their pixels, from one confusion "
        "matrix of all pixels",
    ),
    "pixels": Metric("pixel accuracy", "the share of pixels whose class is right"),
    "edges": Metric(
        "F1 of edges",
        "the mean over classes of the F1 of the edges of their areas, within 0.75 % of the "
        "diagonal",
    ),
    "accepted@1": Metric(
        "TAR at FAR 1 %", "the share of pictures accepted as their person, where 1 % of others are"
    ),
    "accepted@0.1": Metric(
        "TAR at FAR 0.1 %",
        "the share of pictures accepted as their person, where 0.1 % of others are",
    ),
    "named-rightly": Metric(
        "named rightly", "the share of pictures of known people that are named, and rightly"
    ),
    "strangers-named": Metric(
        "strangers named",
        "the share of pictures that are named when their person is left out",
        True,
        False,
    ),
    "log-loss": Metric(
        "log-loss", "the mean negative log-probability of the true class", False, False
    ),
    "brier": Metric(
        "Brier score", "the mean squared distance of probabilities from the label", False, False
    ),
}
"""What the metrics are called, by their names in options and documents."""


class HasMetric(Protocol):
    """What was measured by a metric."""

    @property
    def metric(self) -> str:
        """Its name."""

    @property
    def higher_is_better(self) -> bool:
        """Whether more is better."""


def metric_of(measured: HasMetric) -> Metric:
    """Return how the metric of an answer is named and printed."""
    return metric_named(measured.metric, measured.higher_is_better)


def metric_named(name: str, higher_is_better: bool) -> Metric:
    """Return how a metric is named and printed; one of another package by its name alone."""
    return METRICS.get(name, Metric(name, name, False, higher_is_better))


def _whole(value: str, estimate: Estimate, interval_text: str) -> str:
    """Return a figure with its interval, or what of it was measured."""
    if not isfinite(estimate.value):
        return NOT_MEASURED
    if estimate.low == estimate.high:
        return value
    return f"{value} {interval_text if has_interval(estimate) else f'({interval_text})'}"


def milliseconds(seconds: float) -> str:
    """Return seconds as milliseconds with about three significant digits; none is a dash."""
    if not isfinite(seconds):
        return NOT_MEASURED
    if seconds == 0:
        return DASH
    value = 1000 * seconds
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def duration(seconds: float | None) -> str:
    """Return a span of time in the units a person would choose."""
    if seconds is None or not isfinite(seconds):
        return NOT_MEASURED
    if seconds < 1:
        return milliseconds(seconds)
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def large(value: float) -> str:
    """Return a count as ``"4.65 M"``; zero is a dash, for networks that have none."""
    if not isfinite(value):
        return NOT_MEASURED
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:g}" if value else DASH


def gmacs(value: float) -> str:
    """Return 10^9 multiply-accumulates with about three significant digits."""
    if not isfinite(value):
        return NOT_MEASURED
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value else DASH


_SAMPLING = re.compile(r" ?\b(\d+)x(even|key|[\d.e-]+s)x(\d+)\b")


def frames_seen(sampling: str) -> str:
    """Return ``"motion 3x0.133sx8"`` as ``"motion: 8 views of 3 frames, 0.133 s apart"``.

    Each ``clip_len x interval x num_clips`` in the text is put into words; see
    `vidfit.contracts.Sampling`.
    """
    return _SAMPLING.sub(_in_words, sampling.replace(", ", "; ")).removeprefix(": ")


def _in_words(found: re.Match[str]) -> str:
    frames, interval, views = int(found[1]), found[2], int(found[3])
    apart = "evenly spread" if interval == "even" else f"{interval[:-1]} s apart"
    if interval == "key":
        moments = f"{views} moments, evenly spread" if views > 1 else "the middle"
        return f": the {'keyframe' if views == 1 else 'keyframes'} nearest to {moments}"
    if frames == 1:
        return f": {counted(views, 'frame')}{', evenly spread' if views > 1 else ''}"
    return f": {counted(views, 'view')} of {counted(frames, 'frame')}, {apart}"


def use(commercial: bool | None) -> str:
    """Say what a licence allows."""
    if commercial is None:
        return "commercial use unclear"
    return "commercial use allowed" if commercial else "no commercial use"


def short_path(path: str, parts: int = 2) -> str:
    """Return the last parts of a path or URL, with an ellipsis for what was cut."""
    pieces = path.replace("\\", "/").rstrip("/").split("/")
    return path if len(pieces) <= parts else "…/" + "/".join(pieces[-parts:])


def answer(segment: Segment, digits: int = 0) -> str:
    """Return the class of a segment with its probability, or that the model declined and why."""
    probability = percent(segment.probability, digits)
    if segment.label is not None:
        if segment.value is not None:
            return segment.label
        return f"{segment.label or NO_CLASS} {probability}"
    if not segment.declined:
        return NOT_ANSWERED
    if segment.value is not None:
        return f"{DECLINED} ({segment.why})"
    why = f"{segment.why}, " if segment.why else ""
    return f"{DECLINED} ({why}best class {probability})"


def answer_name(segment: Segment) -> str:
    """Return the class of a segment, or the word for an answer without one."""
    if segment.label is not None:
        return segment.label or NO_CLASS
    return DECLINED if segment.declined else NOT_ANSWERED
