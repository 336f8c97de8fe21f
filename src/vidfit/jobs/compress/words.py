"""What a compression says in sentences: on the page, in a terminal, in the picture."""

from __future__ import annotations

from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from vidfit.report import wording
from vidfit.report.wording import TIMES

if TYPE_CHECKING:
    from vidfit.contracts import Estimate
    from vidfit.jobs.compress.value import (
        Artefact,
        Certificate,
        Compression,
        Footprint,
        Target,
        Verdict,
    )

VERDICTS: dict[Verdict, tuple[str, str]] = {
    "kept": ("kept", "kept"),
    "within": ("within", "proven within what may be lost"),
    "open": ("not proven", "not proven within it"),
    "worse": ("too much", "proven to lose more"),
    "no gain": ("no gain", "answers not measured"),
    "failed": ("failed", "answers not measured"),
}
"""Verdict -> how a table says it, and what it means in a legend."""

QUESTIONS: dict[Target, str] = {
    "latency": "Can the model be had faster?",
    "size": "Can the model be had smaller?",
    "memory": "Can the model be had with less memory?",
}
WANTED: dict[Target, str] = {
    "latency": "time of the networks on a clip",
    "size": "size of the networks' files",
    "memory": "memory that a process needs for the model",
}
SAVES: dict[Target, str] = {
    "latency": "is clearly faster",
    "size": "is clearly smaller",
    "memory": "takes clearly less memory",
}


def headline(compression: Compression) -> str:
    """Return the answer in one sentence, with the interval that it rests on."""
    return f"{subject(compression)}: {answer(compression)}."


def subject(compression: Compression) -> str:
    """Return the name of what is kept, or that nothing is."""
    return compression.chosen or "Nothing kept"


def answer(compression: Compression) -> str:
    """Say what is saved and what it costs, or why nothing is kept."""
    kept = next((a for a in compression.artefacts if a.name == compression.chosen), None)
    if not compression.chosen:
        return _refusal(compression)
    if kept is None:
        return "kept; what it saves was not recorded"
    clips = wording.counted(compression.judged, "unseen clip")
    return f"{', '.join([*savings(compression, kept), loses(kept.loss)])} on {clips}"


def _refusal(compression: Compression) -> str:
    made = [a for a in compression.artefacts if a.footprint]
    count = len(compression.artefacts)
    none = "the only artefact" if count == 1 else f"none of {count} artefacts"
    if not count:
        return "no technique was tried"
    if not made:
        return f"{none} could {'not ' if count == 1 else ''}be made"
    if not any(a.loss for a in made):
        that = " that runs" if any(a.verdict == "failed" for a in made) else ""
        return f"no artefact{that} {SAVES[compression.target]} than the original"
    proven = f"{'is not' if count == 1 else 'is'} proven to lose at most"
    return f"{none} {proven} {allowed(compression)}"


def savings(compression: Compression, artefact: Artefact) -> list[str]:
    """Return how many times smaller and faster an artefact is, what was asked for first."""
    of, was = artefact.footprint, compression.original.footprint
    said: dict[Target, str] = {"size": smaller(of, was), "latency": faster(of)}
    if compression.target == "memory":
        said["memory"] = f"{lighter(of, was)} memory"
    order = sorted(said, key=lambda target: target != compression.target)
    return [said[target] for target in order if wording.NOT_MEASURED not in said[target]]


def faster(footprint: Footprint | None) -> str:
    """Return ``"1.5× faster"``; below one it is slower, and never faster."""
    return _times(footprint.latency_ratio if footprint else nan, ("faster", "slower", "as fast"))


def smaller(footprint: Footprint | None, was: Footprint | None) -> str:
    """Return ``"3.9× smaller"`` or larger, by the bytes of the files."""
    ratio = _ratio(was.size_bytes, footprint.size_bytes) if footprint and was else nan
    return _times(ratio, ("smaller", "larger", "as large"))


def lighter(footprint: Footprint | None, was: Footprint | None) -> str:
    """Return ``"1.3× less"`` or more, of memory."""
    ratio = _ratio(was.memory_bytes, footprint.memory_bytes) if footprint and was else nan
    return _times(ratio, ("less", "more", "as much"))


def _ratio(before: float, after: float) -> float:
    return before / after if before > 0 and after > 0 else nan


def _times(ratio: float, words: tuple[str, str, str]) -> str:
    """Say a ratio as more than one, with the word for it: above one, below one, or even."""
    if not isfinite(ratio) or ratio <= 0:
        return wording.NOT_MEASURED
    factor = max(ratio, 1 / ratio)
    digits = 2 if factor < 2 else 1 if factor < 10 else 0
    text = f"{round(factor, digits):,g}"
    return words[2] if text == "1" else f"{text}{TIMES} {words[0] if ratio > 1 else words[1]}"


def loses(loss: Estimate | None) -> str:
    """Return ``"loses 0.2 points [-0.3, 0.4]"``, or what of it was measured."""
    if loss is None or not isfinite(loss.value):
        return "with a loss that was not measured"
    noun = "point" if points(loss.value) == "1.0" else "points"
    text = interval(loss)
    return f"loses {points(loss.value)} {noun} {text if measured(loss) else f'({text})'}"


def interval(loss: Estimate) -> str:
    """Return the interval of a loss in points."""
    if not measured(loss):
        return f"interval {wording.NOT_MEASURED}"
    return f"[{points(loss.low)}, {points(loss.high)}]"


def points(fraction: float) -> str:
    """Return a loss in points with its sign, where it is below zero."""
    return f"{round(100 * fraction, 1) or 0.0:.1f}" if isfinite(fraction) else wording.NOT_MEASURED


def measured(loss: Estimate) -> bool:
    """Tell whether both ends of the interval were measured."""
    return wording.has_interval(loss)


def allowed(compression: Compression) -> str:
    """Return how much may be lost: ``"0.5 points"``."""
    most = f"{100 * compression.tolerance:g}"
    return f"{most} point" if most == "1" else f"{most} points"


def size(count_bytes: float) -> str:
    """Return bytes as MiB or GiB with about three digits; none is a dash."""
    if not isfinite(count_bytes) or count_bytes <= 0:
        return wording.DASH
    mib = count_bytes / 2**20
    if mib >= 1024:
        return f"{mib / 1024:#,.3g} GiB"
    return f"{mib:,.0f} MiB" if mib >= 100 else f"{mib:#.3g} MiB"


def time(footprint: Footprint) -> str:
    """Return the time of a clip; none is a dash."""
    known = isfinite(footprint.latency_seconds) and footprint.latency_seconds > 0
    return wording.milliseconds(footprint.latency_seconds) if known else wording.DASH


def judged_sentence(compression: Compression) -> str:
    """Say what the losses rest on."""
    c = compression
    text = (
        f"Judged on {wording.counted(c.judged, 'clip')} of "
        f"{wording.counted(c.judged_groups, 'unseen recording')}"
    )
    accuracy = c.original.accuracy
    if accuracy is not None and isfinite(accuracy.value):
        text += f"; the original is right on {wording.figure(accuracy)} of them"
    return f"{text}."


def agreed(compression: Compression) -> str:
    """Say how far the kept artefact, or else the one nearest to it, answers as the original does.

    Empty where nothing was compared.
    """
    known = {a.name: a.certificate for a in compression.artefacts if a.certificate}
    if not known:
        return ""
    enough = {a.name: a.enough for a in compression.artefacts if a.name in known}
    nearest = min(known, key=lambda name: enough[name])
    name = compression.chosen if compression.chosen in known else nearest
    return f"{name} {certificate(known[name])}"


def certificate(of: Certificate) -> str:
    """Say how far an artefact answers as the original does where there is no label."""
    changed = round(of.changed * of.windows)
    answers = f"another answer to {changed:,}" if changed else "the same answer to all"
    count = f"{of.independent:,.{0 if of.independent >= 10 else 1}f}"
    most = f"{100 * of.most_changed:#.2g}".removesuffix(".")
    return (
        f"gives {answers} of {wording.counted(of.windows, 'window')} without a label, of "
        f"{wording.counted(of.recordings, 'recording')}; they count for {count} "
        f"independent ones: at most {most} points can be lost on such footage."
    )


def ordered(compression: Compression) -> list[Artefact]:
    """Return the artefacts in the order of the table: the kept one, then what takes least."""

    def place(artefact: Artefact) -> tuple[bool, float]:
        found = amount(compression, artefact)
        return artefact.name != compression.chosen, found if isfinite(found) else inf

    return sorted(compression.artefacts, key=place)


def amount(compression: Compression, artefact: Artefact) -> float:
    """Return what is to become small, in milliseconds or MiB; ``nan`` when it is not known.

    Time is the original's over the ratio that was measured side by side, by which artefacts
    are chosen: how busy the machine was in between does not count.
    """
    of, was = artefact.footprint, compression.original.footprint
    if of is None or was is None:
        return nan
    if compression.target == "latency":
        found = 1000 * _ratio(was.latency_seconds, of.latency_ratio)
    else:
        found = of.of(compression.target) / 2**20
    return found if isfinite(found) and found > 0 else nan
