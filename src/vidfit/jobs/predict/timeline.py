"""A timeline as data (JSON, CSV, WebVTT), and the choice of a writer by suffix."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields, replace
from math import isfinite
from typing import TYPE_CHECKING

from vidfit.answers import Segment, Timeline
from vidfit.documents import json_in, to_json
from vidfit.errors import VidfitError
from vidfit.files import write_whole
from vidfit.jobs.predict.annotated import annotated_video
from vidfit.jobs.predict.picture import timeline_png
from vidfit.manifest.cells import written_cell
from vidfit.report.data import json_text
from vidfit.report.wording import answer
from vidfit.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


FORMAT = "vidfit.timeline/2"
_OF_WINDOW = [field.name for field in fields(Segment) if field.name != "heat"]
COLUMNS = ("start_seconds", "end_seconds", "label", "declined", "probability", "why", "scores")


def timeline_json(timeline: Timeline) -> str:
    """Return segments and windows as JSON; keys stand in the order of the fields.

    Only segments have ``heat``: of windows it would be most of the document.
    """
    document = asdict(replace(timeline, windows=()))
    document["windows"] = map(_of_window, timeline.windows)
    return json_text({"format": FORMAT, **document})


def _of_window(window: Segment) -> dict[str, object]:
    return {name: getattr(window, name) for name in _OF_WINDOW}


def timeline_line(timeline: Timeline, model: str = "") -> str:
    """Return what `timeline_json` returns as one line, for JSON Lines; signs are ASCII.

    ``model`` is the name of the model, where there are several.
    """
    named = {"model": model} if model else {}
    return to_json({**named, **json_in(timeline_json(timeline))})


def timeline_csv(timeline: Timeline) -> str:
    """Return the segments as CSV; cells are safe in a spreadsheet (`vidfit.manifest.cells`).

    ``scores`` are the probabilities of all classes where the model declined, or answers with
    several, most probable first. Numbers and scores have a column ``value`` as well.
    """
    numbers = any(segment.value is not None for segment in timeline.segments)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow((*COLUMNS, "value") if numbers else COLUMNS)
    for s in timeline.segments:
        times = (f"{s.start_seconds:.3f}", f"{s.end_seconds:.3f}")
        probability = f"{s.probability:.4f}" if isfinite(s.probability) else ""
        answer = (written_cell(s.label or ""), str(s.declined).lower(), probability)
        value = ("" if s.value is None else repr(s.value),) if numbers else ()
        scores = written_cell(_scores(s, timeline.classes))
        table.writerow((*times, *answer, s.why, scores, *value))
    return text.getvalue()


def _scores(segment: Segment, classes: Sequence[str]) -> str:
    """Return the probabilities of all classes, if they are known: ``a 0.5120, b 0.4880``."""
    pairs = zip(segment.scores, classes, strict=True) if segment.scores else ()
    return ", ".join(f"{name} {p:.4f}" for p, name in sorted(pairs, key=lambda one: -one[0]))


def timeline_vtt(timeline: Timeline) -> str:
    """Return the segments as WebVTT captions (W3C, 2019), for any video player.

    A cue lasts at least a millisecond, for the format knows no empty cues.
    """
    blocks = ["WEBVTT", f"NOTE vidfit, {_line(timeline.path)}"]
    for s in timeline.segments:
        start = round(1000 * s.start_seconds)
        end = max(start + 1, round(1000 * s.end_seconds))
        blocks.append(f"{_clock(start)} --> {_clock(end)}\n{_line(answer(s))}")
    return "\n\n".join(blocks) + "\n"


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def _line(text: str) -> str:
    """Return text as one line of cue payload: no markup, no arrow, no line break."""
    escaped = shown(" ".join(text.split())).replace("&", "&amp;")
    return escaped.replace("<", "&lt;").replace(">", "&gt;") or "(no name)"


def _writes(render: Callable[[Timeline], str]) -> Callable[[Timeline, Path], None]:
    def write(timeline: Timeline, path: Path) -> None:
        write_whole(path, render(timeline).encode())

    return write


TIMELINE_WRITERS: dict[str, Callable[[Timeline, Path], None]] = {
    ".json": _writes(timeline_json),
    ".csv": _writes(timeline_csv),
    ".vtt": _writes(timeline_vtt),
    ".png": timeline_png,
    ".mp4": annotated_video,
}
"""A writer of (timeline, path) for each suffix."""


def write_timeline(timeline: Timeline, path: Path) -> Path:
    """Write a timeline in the format that the suffix of the path names.

    Raises
    ------
    VidfitError
        When no writer knows the suffix.
    """
    writer = TIMELINE_WRITERS.get(path.suffix.lower())
    if writer is None:
        raise VidfitError(
            f"Cannot write a timeline as {path.suffix or 'a file without suffix'!r} ({path}). "
            f"Name a file that ends in one of {', '.join(TIMELINE_WRITERS)}."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    writer(timeline, path)
    return path
