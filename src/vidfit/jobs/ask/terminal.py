"""What was found, for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from vidfit.documents import to_json
from vidfit.jobs.ask.value import AskedTexts, FoundPlace
from vidfit.report.wording import counted, cut, percent

_AROUND, _FAILURES = 160, 5


def lines(asked: AskedTexts) -> Iterator[str]:
    """Yield the answer, or that there is none, the places, and what could not be read."""
    yield f"{counted(asked.passages, 'passage')} of {counted(asked.texts, 'text')}"
    yield _verdict(asked)
    for number, place in enumerate(asked.places, 1):
        sure = "" if place.probability is None else f"  {percent(place.probability, 0)}"
        yield f"{number:>3}  {place.source}{_when(place)}{sure}  {cut(place.words, _AROUND)}"
        if place.around != place.words:
            yield f"     … {_around(place)}"
    if asked.failures:
        yield f"{counted(len(asked.failures), 'thing')} to know:"
        yield from (f"  {f.name}: {f.reason}" for f in asked.failures[:_FAILURES])
        if len(asked.failures) > _FAILURES:
            yield f"  and {len(asked.failures) - _FAILURES} more"


def asked_json(asked: AskedTexts) -> str:
    """Return all of it as JSON; ``answer`` is null where there is none, or none is known."""
    answer = asked.places[0].words if asked.is_answered else None
    return to_json({"answer": answer, **asdict(asked)}, indent=1, ascii_only=False)


def _verdict(asked: AskedTexts) -> str:
    if not asked.places:
        return "No answer."
    if asked.is_answered is None:
        return (
            "No reader: these sentences say most of the question, and none may answer it. "
            "Train one with `vidfit fit SQUAD.json --task read`, and give --reader."
        )
    if asked.is_answered:
        return f"Answer: {asked.places[0].words}"
    best, least = asked.places[0].probability or 0.0, asked.threshold or 0.0
    return (
        f"No answer: the best is sure by {percent(best, 1)}, and {percent(least, 1)} keep answers "
        f"to questions without one at {percent(asked.false_answers, 0)}. Nearest:"
    )


def _when(place: FoundPlace) -> str:
    if place.start_seconds is None or place.end_seconds is None:
        return ""
    return f"  {_clock(place.start_seconds)}-{_clock(place.end_seconds)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(10 * seconds), 600)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{rest // 10:02d}.{rest % 10}"


def _around(place: FoundPlace) -> str:
    """Return the words around the answer, so that it stands about in the middle."""
    at = max(0, place.around.find(place.words) - _AROUND // 2)
    return cut(" ".join(place.around[at:].split()), _AROUND)
