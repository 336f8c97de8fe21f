"""From what a fit computed to the report of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import BackboneSpec, Clip, Estimate, Failure, Floats, Note, Truth, clip_key
from vidfit.errors import VideoError
from vidfit.evaluate import Scores, few_recordings, score
from vidfit.hardware import hardware
from vidfit.jobs.fit.page import hardest_clips
from vidfit.jobs.fit.scenes import scene_pictures
from vidfit.manifest import Manifest
from vidfit.metrics import AnyMeasure, score_all
from vidfit.model import Model
from vidfit.report.thumbnail import STRIP_FRAMES, strip
from vidfit.reported import (
    Candidate,
    ClipResult,
    Declines,
    Figure,
    NearDuplicate,
    Report,
    Stage,
)
from vidfit.selection import Contender, tied_with_best
from vidfit.shown import counted, public
from vidfit.study import heads
from vidfit.study.candidates import Loaded
from vidfit.study.compare import Compared
from vidfit.study.figures import (
    Held,
    by_class,
    constant_of,
    figures_of,
    numbers,
    results_of,
    scores_of,
)
from vidfit.study.openings import times
from vidfit.study.provenance import provenance
from vidfit.study.table import Table
from vidfit.threads import in_threads
from vidfit.video import decode

_JUDGES = 2
"""Recordings of each class that a score is of at least."""


@dataclass(frozen=True)
class Findings:
    """All that `fit` computed: what was read, fitted, left out and measured.

    ``sighted`` are recordings by which unproven candidates were dropped (`Contest.sighted`).
    """

    data: str
    manifest: Manifest
    train: Table
    test: Table
    candidates: Sequence[Loaded]
    dropped: Sequence[Failure]
    unread: Sequence[Failure]
    compared: Compared
    leaky_MK: Floats
    near_duplicates: tuple[NearDuplicate, ...]
    model: Model
    stages: Sequence[Stage]
    notes: Sequence[Note] = ()
    opened: int = 1
    declines: Declines | None = None
    sighted: frozenset[str] = frozenset()


def build_report(found: Findings) -> Report:
    """Return the report: held-out scores, leaderboard, leakage, hardest clips, provenance."""
    train, chosen = found.train, found.compared.chosen
    judged, held, protocol = _judged(found)
    measure = found.compared.terms.measure
    scores, figures = _scores(judged, held, train.labels_M, measure)
    judges = len(set(judged.groups))
    declined_M = _declined(found, judged, held.mean_MK)
    constant_MK = constant_of(train, measure)
    # A window by itself has no segments: there recordings stand for clips.
    alone = train.groups if train.task.windows else train.keys
    random = score_all(measure, train.labels_M, [found.leaky_MK], alone)
    by_recording = score_all(measure, train.labels_M, [found.leaky_MK], train.groups)
    leak = by_recording.beside(found.compared.scored([chosen.name]))
    results = results_of(judged, held, declined_M)
    task, beside = judged.task, (judged.labels_M, held.mean_MK, judged)
    part = task.part(*beside) if task.part else None
    return Report(
        data=found.data,
        task=train.task.asked,
        classes=train.classes,
        clip_count=len(train.clips) + len(found.test.clips),
        group_count=len({*train.groups, *found.test.groups}),
        grouping=found.manifest.grouping,
        protocol=protocol,
        chosen=chosen.name,
        verdict=found.compared.verdict,
        metric=measure.name,
        higher_is_better=measure.higher_is_better,
        score=scores.figure,
        accuracy=scores.accuracy,
        mean_class_accuracy=scores.mean_class_accuracy,
        majority=scores.majority,
        grouped_split=leak.interval(1),
        random_split=random.interval(0),
        leak=leak.lead(0, 1),
        candidates=_leaderboard(found),
        confusion_KK=scores.confusion_KK,
        reliability=scores.reliability,
        calibration_error=scores.calibration_error,
        unknown_probability=found.model.unknown_probability,
        clips=results,
        failures=tuple(found.unread),
        dropped=tuple(found.dropped),
        near_duplicates=found.near_duplicates,
        stages=tuple(found.stages),
        machine=hardware().describe(),
        provenance=provenance(found.manifest, found.candidates),
        warnings=tuple(dict.fromkeys((*found.manifest.warnings, *few_recordings(judges)))),
        notes=tuple(found.notes),
        thumbnails=scene_pictures(part) if part else _thumbnails(results),
        majority_class=train.kind.constant_words(constant_MK, train.classes),
        baseline=train.task.baseline,
        declines=found.declines,
        labels=train.kind.name,
        row=train.task.row,
        figures=figures,
        by_class=by_class(judged, held),
        thresholds=found.model.thresholds,
        numbers=numbers(judged, held),
        part=part,
        answers=tuple(task.answers(*beside)) if task.answers else (),
    )


def _scores(
    judged: Table, held: Held, known_M: Truth, measure: AnyMeasure
) -> tuple[Scores, tuple[Figure, ...]]:
    """Return the scores of what was chosen, and all figures where clips have no one class."""
    if judged.kind.exclusive:
        return score(held.deals, judged.labels_M, judged.groups, known_M, measure), ()
    figures = figures_of(judged, held, known_M)
    return scores_of(figures, measure), figures


def model_card(report: Report, members: Sequence[BackboneSpec]) -> dict[str, object]:
    """Return what whoever receives the model should know: data, score, parts, limits."""
    return {
        "task": report.task,
        "data": public(report.data),
        "clips": report.clip_count,
        "recordings": report.group_count,
        "protocol": report.protocol,
        "metric": report.metric,
        "score": asdict(report.score),
        "accuracy": asdict(report.accuracy),
        "mean_class_accuracy": asdict(report.mean_class_accuracy),
        "majority": asdict(report.majority),
        "baseline": report.baseline,
        "calibration_error": report.calibration_error,
        "declines": asdict(report.declines) if report.declines else None,
        "members": [asdict(spec) for spec in members],
        "made_with": report.provenance,
        "limits": f"Scores hold for {report.row}s like the training {report.row}s; intervals are "
        "over recordings.",
    }


def can_judge(train: Table, unseen_M: NDArray[np.bool_]) -> bool:
    """Return whether some of the clips hold every class, each in two recordings or more."""
    groups = np.array(train.groups)
    return all(
        len(np.unique(groups[unseen_M & in_M])) >= _JUDGES
        for in_M in train.kind.strata(train.labels_M).T
    )


def _judged(found: Findings) -> tuple[Table, Held, str]:
    """Return the clips that the score is of, the answers to them, and how they were held out."""
    train, test, chosen = found.train, found.test, found.compared.chosen
    compared, kind = found.compared, train.kind
    if not test.clips:
        answers = Held(
            [
                np.exp(deal.chosen_MK) if kind.exclusive else kind.stated(deal.chosen_MK, 1.0)
                for deal in compared.deals
            ],
            [deal.said_MK for deal in compared.deals if kind.separate],
            kind.averages,
        )
        unseen_M = np.array([group not in found.sighted for group in train.groups])
        if unseen_M.all() or not can_judge(train, unseen_M):
            return train, answers, f"{compared.protocol}; the model is then fitted on all"
        judged = train.where(unseen_M)
        return (
            judged,
            answers.where(unseen_M),
            f"{compared.protocol}; scored on the {len(judged.clips)} {train.task.row}s of "
            f"{counted(len(set(judged.groups)), 'recording')} not looked at when the budget "
            "dropped candidates; the model is then fitted on all",
        )
    answers_MK = kind.stated(chosen.log_probabilities(test.rows), found.model.temperature)
    said = [answers_MK > np.array(found.model.thresholds)] if kind.separate else []
    return (
        test,
        Held([answers_MK], said, kind.averages),
        f"test split of {counted(len(test.clips), train.task.row)} of "
        f"{counted(len(set(test.groups)), 'recording')}, "
        f"opened {times(found.opened)}, after every choice was made; the leaderboard is nested "
        "cross-validation on the rest",
    )


def _leaderboard(found: Findings) -> tuple[Candidate, ...]:
    train, measure = found.train, found.compared.terms.measure
    loaded = {candidate.name: candidate for candidate in found.candidates}
    honest, contenders = found.compared.honest, found.compared.contenders
    scored = found.compared.scored([c.name for c in contenders])
    best, tied_C = int(scored.merits_C.argmax()), tied_with_best(scored)
    rows = [
        replace(
            _row(contender, [loaded[name] for name in contender.members]),
            score=scored.interval(i),
            seconds_per_clip=float(honest.seconds_M[contender.name].mean()),
            chosen=contender is found.compared.chosen,
            note="tied with the best" if tied_C[i] and i != best else "",
        )
        for i, contender in enumerate(contenders)
    ]
    constant_MK = constant_of(train, measure)
    majority = score_all(measure, train.labels_M, [constant_MK], train.groups).interval(0)
    baseline = Candidate(
        train.task.baseline, "baseline", (), majority, 0.0, 0, 0, 0.0, "-", "-", True
    )
    order = np.argsort(-scored.merits_C, kind="stable")
    return (*(rows[int(i)] for i in order), baseline)


def _row(contender: Contender, members: Sequence[Loaded]) -> Candidate:
    """Return what is known of a candidate but its score and what it takes."""
    specs = [member.backbone.spec for member in members]
    single = not contender.method or contender.head == heads.NETWORK
    licences = sorted({spec.licence for spec in specs})
    allowed = [spec.commercial_use for spec in specs]
    return Candidate(
        name=contender.name,
        kind="backbone" if single else "fusion",
        members=contender.members,
        score=Estimate(math.nan, math.nan, math.nan),
        seconds_per_clip=math.nan,
        dim=sum(spec.dim for spec in specs),
        parameters=sum(spec.parameters for spec in specs),
        gmacs_per_clip=sum(spec.gmacs_per_clip for spec in specs),
        sampling=str(specs[0].sampling) if single else "as its members",
        licence=", ".join(licences),
        commercial_use=False if False in allowed else None if None in allowed else True,
    )


def _declined(found: Findings, judged: Table, answers_MK: Floats) -> NDArray[np.bool_]:
    """Return for which clips the model would decline to answer.

    In nested cross-validation other models answer, so that only probabilities are compared.
    """
    declined_M: NDArray[np.bool_] = np.zeros(len(answers_MK), np.bool_)
    if judged.kind.exclusive:
        declined_M = answers_MK.max(axis=1) < found.model.unknown_probability
    if judged is found.test:
        novelty_M = found.compared.chosen.novelty(judged.rows)
        declined_M |= novelty_M > found.model.unknown_novelty
    return declined_M


def _thumbnails(results: Sequence[ClipResult]) -> dict[str, bytes]:
    """Return a small JPEG of each clip that was answered worst: frames of it side by side."""
    clips = [result.clip for result in hardest_clips(results)]
    pictures = in_threads(_strip_of, clips, hardware().cores)
    return {clip_key(clip): found for clip, found in zip(clips, pictures, strict=True) if found}


def _strip_of(clip: Clip) -> bytes:
    """Return frames of a clip side by side as JPEG, or nothing where they cannot be read."""
    try:
        found = decode(clip, count=STRIP_FRAMES)
    except VideoError:  # it was readable a minute ago; a picture is not worth a failure
        return b""
    return strip(found.frames_THWC[np.unique(found.indices_T, return_index=True)[1]])
