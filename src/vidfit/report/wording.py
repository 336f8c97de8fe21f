"""Numbers as a person reads them; a figure that is not finite is "not measured"."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidfit.contracts import Estimate, Segment

NOT_MEASURED = "not measured"
DECLINED = "declined"
NOT_ANSWERED = "not answered"
DASH = "\N{EN DASH}"


def percent(fraction: float, digits: int = 1) -> str:
    """Return ``0.7831`` as ``"78.3 %"``."""
    return f"{100 * fraction:.{digits}f} %" if isfinite(fraction) else NOT_MEASURED


def points(fraction: float) -> str:
    """Return a difference of two fractions as percentage points, without its sign."""
    return f"{abs(100 * fraction):.1f} points" if isfinite(fraction) else NOT_MEASURED


def has_interval(estimate: Estimate) -> bool:
    """Tell whether both ends of the interval were measured."""
    return isfinite(estimate.low) and isfinite(estimate.high)


def interval(estimate: Estimate) -> str:
    """Return the 95 % interval as ``"[72.1, 84.0]"`` in percent."""
    if not has_interval(estimate):
        return "interval " + NOT_MEASURED
    return f"[{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def figure(estimate: Estimate) -> str:
    """Return ``"78.3 % [72.1, 84.0]"``, or what of it was measured."""
    if not isfinite(estimate.value):
        return NOT_MEASURED
    text = interval(estimate)
    return f"{percent(estimate.value)} {text if has_interval(estimate) else f'({text})'}"


def nothing_proven(majority_class: str, majority: Estimate) -> str:
    """Say that no model is proven better than one constant answer."""
    named = f"'{majority_class}'" if majority_class else "the most frequent class"
    share = f" ({percent(majority.value)})" if isfinite(majority.value) else ""
    return f"Nothing here is proven better than always saying {named}{share}."


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


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return ``"1 clip"`` or ``"2 clips"``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


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
        return f"{segment.label} {probability}"
    if not segment.declined:
        return NOT_ANSWERED
    why = f"{segment.why}, " if segment.why else ""
    return f"{DECLINED} ({why}best class {probability})"


def answer_name(segment: Segment) -> str:
    """Return the class of a segment, or the word for an answer without one."""
    if segment.label is not None:
        return segment.label
    return DECLINED if segment.declined else NOT_ANSWERED
