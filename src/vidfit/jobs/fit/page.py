"""The report as one HTML file that needs nothing beside it: no network, no font, no library."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from vidfit.contracts import clip_key
from vidfit.documents import to_json
from vidfit.files import write_whole
from vidfit.jobs.fit import confusion
from vidfit.jobs.fit.by_class import (
    SHOWN_CLASSES,
    curve_chart,
    precision_recall_chart,
    worst_first,
)
from vidfit.jobs.fit.figures import kinds_context
from vidfit.jobs.fit.scenes import scene_key
from vidfit.report import charts, wording
from vidfit.report.cost_chart import cost_chart, is_floor
from vidfit.report.data import plain, report_json
from vidfit.report.declining import declines_text
from vidfit.report.frame import render
from vidfit.report.leaderboard import (
    best_first,
    headline,
    leakage_sentence,
    nothing_proven,
    on_cost_axis,
    pareto_front,
)
from vidfit.report.markdown import as_rows
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vidfit.reported import Candidate, ClipResult, Report

ANSWERS, ANSWERS_FORMAT = "answers.json", "vidfit.answers/1"
"""What is where in each frame, and what was answered: file and format."""

LEADERS = 4
"""Candidates that stand open, beside the one chosen and the baseline; others are folded."""

HARDEST = 12
"""Wrong clips that stand open."""

STRIPS = 100
"""Wrong clips with a strip of frames; the others are listed."""


@dataclass(frozen=True, slots=True)
class HardClip:
    """A clip that the model answered wrongly, with its strip of frames as a data URI."""

    name: str
    result: ClipResult
    picture: str


def report_html(report: Report) -> str:
    """Return the report as one self-contained HTML page.

    Names, labels and paths are escaped; a content security policy in the page allows no
    request and no script but the one that sorts the leaderboard.
    """
    context = {
        "report": report,
        "metric": wording.metric_of(report),
        **_answer(report),
        **_leaderboard(report),
        **_mistakes(report),
        **_classes(report),
        **kinds_context(report),
        **_part(report),
        "notes": as_rows(report.notes),
        "failure_reasons": Counter(f.reason for f in report.failures).most_common(6),
    }
    return render(__package__, "report", report.data, context)


def _answer(report: Report) -> dict[str, Any]:
    metric = wording.metric_of(report)
    compared = (
        (report.baseline, report.majority, "baseline"),
        ("split by recording", report.grouped_split, "backbone"),
        ("random split (leaks)", report.random_split, "leak"),
    )
    return {
        "headline": headline(report),
        "nothing": nothing_proven(report),
        "headline_chart": charts.headline_chart(
            report.score, report.majority.value, metric, report.baseline
        ),
        "leakage": leakage_sentence(report),
        "compared": compared,
        "compared_axis": charts.score_axis((estimate for _, estimate, _ in compared), metric),
    }


def _leaderboard(report: Report) -> dict[str, Any]:
    metric = wording.metric_of(report)
    ranked = best_first(report.candidates, metric)
    leaders = [c for place, c in enumerate(ranked) if place < LEADERS or _always_shown(c)]
    chosen = next((c for c in ranked if c.chosen), None)
    return {
        "leaders": leaders,
        "others": [c for c in ranked if c not in leaders],
        "axis": charts.score_axis((c.score for c in ranked), metric),
        "band": chosen.score if chosen else None,
        "cost_wide": cost_chart(ranked, 1040, 440, metric),
        "cost_narrow": cost_chart(ranked, 350, 380, metric),
        "front": pareto_front(ranked, metric),
        "without_cost": [c for c in ranked if not on_cost_axis(c) and not is_floor(c)],
    }


def _always_shown(candidate: Candidate) -> bool:
    return candidate.chosen or candidate.kind == "baseline"


def _mistakes(report: Report) -> dict[str, Any]:
    wrong = [_hard_clip(r, report.thumbnails) for r in wrong_clips(report.clips)]
    errors = {
        "hardest": wrong[:HARDEST],
        "more_wrong": wrong[HARDEST:STRIPS],
        "listed_wrong": wrong[STRIPS:],
        "wrong_count": len(wrong),
        "strips_bytes": sum(len(report.thumbnails.get(one.name, b"")) for one in wrong),
    }
    if report.labels != "one":
        return errors
    answered = [result for result in report.clips if not result.declined]
    right = sum(result.predicted == result.clip.label for result in answered)
    return {
        **errors,
        "mistakes": confusion.mistakes(report.classes, report.confusion_KK),
        "confusion_map": confusion.confusion_map(report.classes, report.confusion_KK),
        "reliability": charts.reliability_chart(report.reliability, report.unknown_probability),
        "declines": declines_text(report.declines) if report.declines else "",
        "declined_count": len(report.clips) - len(answered),
        "answered_accuracy": right / len(answered) if answered else float("nan"),
    }


def _classes(report: Report) -> dict[str, Any]:
    rows = worst_first(report.by_class)
    return {
        "by_class": rows,
        "shown_classes": SHOWN_CLASSES,
        "class_axis": charts.score_axis((r.f1 for r in rows), wording.METRICS["macro-f1"]),
        "curve_of": precision_recall_chart,
        "judged_count": len(report.clips) or sum(r.clips for r in rows),
    }


def _part(report: Report) -> dict[str, Any]:
    """Return what the task shows itself: its curves, and scenes with their pictures."""
    if report.part is None:
        return {"own": None}
    curves = [
        (one, curve_chart(one.points, f"{one.name}: {one.note}")) for one in report.part.curves
    ]
    scenes = [
        (name, [(one, _picture(report.thumbnails.get(scene_key(name, i)))) for i, one in
                enumerate(of)])
        for name, of in report.part.scenes
    ]  # fmt: skip
    large = confusion.confusion_map(
        report.classes, report.part.confusion_KK, confusion.LARGEST_UPRIGHT
    )
    own_map = large if report.part.confusion_KK else ""
    return {
        "own": report.part, "own_curves": curves, "own_scenes": scenes,
        "own_confusion_map": own_map,
    }  # fmt: skip


def hardest_clips(results: Sequence[ClipResult]) -> list[ClipResult]:
    """Return the wrong clips that get a strip of frames."""
    return wrong_clips(results)[:STRIPS]


def wrong_clips(results: Sequence[ClipResult]) -> list[ClipResult]:
    """Return the clips answered wrongly, first those that are least believed to be what they are.

    Of numbers, those that are the farthest off.
    """
    wrong = [r for r in results if r.predicted != r.clip.label]
    return sorted(wrong, key=_standing)


def _standing(result: ClipResult) -> float:
    if isfinite(result.probability_of_label):
        return result.probability_of_label
    try:
        return -abs(float(result.predicted) - float(result.clip.label or ""))
    except ValueError:
        return 0.0


def _hard_clip(result: ClipResult, thumbnails: dict[str, bytes]) -> HardClip:
    name = clip_key(result.clip)
    return HardClip(name, result, _picture(thumbnails.get(name)))


def _picture(jpeg: bytes | None) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" if jpeg else ""


def write_report(report: Report, directory: Path) -> Path:
    """Write ``report.html``, ``report.json`` and, of boxes and masks, ``answers.json``.

    Returns the path of the page.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if report.answers:
        write_whole(directory / ANSWERS, _answers_text(report).encode())
    else:
        (directory / ANSWERS).unlink(missing_ok=True)  # of an earlier fit
    return write_answer(directory, "report", page=report_html(report), data=report_json(report))


def _answers_text(report: Report) -> str:
    """Return truth and answers, a frame a line."""
    head = to_json({"format": ANSWERS_FORMAT, "classes": report.classes}, ascii_only=False)
    frames = ",\n".join(to_json(plain(row)) for row in report.answers)
    return f'{head[:-1]},\n"frames": [\n{frames}\n]}}\n'
