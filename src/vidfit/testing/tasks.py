"""Proof that a task keeps its contract.

Shape letters: M clips, D numbers of a vector, K answers to a clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidfit.contracts import Clip, Cost, Floats, Indices
from vidfit.errors import ModelError
from vidfit.fitted import FittedFusion
from vidfit.metrics import AnyMeasure, Measure, score_all
from vidfit.metrics.measures import RankedScores
from vidfit.selection import Rows, Terms, gain_of, nested
from vidfit.study.folds import Folds
from vidfit.tasks import Task

TOLERANCE = 1e-4
"""Largest difference between answers that should be equal: float32 sums, in another order."""

_GROUPS, _WIDTH, _NOISE = 10, 24, 0.2
_LEAST_CLIPS = 60


def check_task(task: Task, labels: Sequence[str]) -> None:
    """Prove that a task keeps the contract of a task.

    Labels are read, and what they say can be said again; the sums, or rows, of recordings make
    the figure that all clips together have; an answer is judged, stated and put into words; the
    baseline answers. On vectors that tell the truth through noise the learner is proven better
    than the baseline on recordings left out; on shuffled labels it is not. Its answers to a fold
    do not depend on the labels of that fold; a clip is answered alone as among others; the head
    comes back from its arrays unchanged, and refuses arrays that are not its own. The whole
    choice, with the ways to combine that the task names, runs and repeats.

    Parameters
    ----------
    labels
        Labels of at least 60 clips, as users write them, which hold what can be told apart.

    Raises
    ------
    ModelError
        Says which promise is broken.
    """
    if len(labels) < _LEAST_CLIPS:
        raise ModelError(f"{len(labels)} labels are too few; give {_LEAST_CLIPS} or more")
    problem = _problem(task, labels)
    _check_labels(problem)
    _check_held_out(problem)
    _check_learning(problem)
    _check_head(problem)
    _check_choice(problem)


@dataclass(frozen=True)
class _Problem:
    """Clips with labels, vectors that tell them, and what was learned from them."""

    task: Task
    clips: Sequence[Clip]
    classes: tuple[str, ...]
    truth: Any
    groups: list[str]
    folds_M: Indices
    vectors_MD: Floats

    def promise(self, kept: bool, complaint: str) -> None:
        if not kept:
            raise ModelError(
                f"The contract of a task is broken by {self.task.name!r}: {complaint}."
            )

    @property
    def width(self) -> int:
        """How many numbers an answer has."""
        return self.task.kind.width(self.classes)

    def constant(self, measure: AnyMeasure) -> Floats:
        """Return the answers of the baseline."""
        kind = self.task.kind
        return kind.constant(self.truth, self.width, len(self.clips), measure.name)


def _problem(task: Task, labels: Sequence[str]) -> _Problem:
    kind = task.kind
    groups = [f"r{i % _GROUPS}" for i in range(len(labels))]
    clips = [
        Clip(f"{i}.mp4", label=kind.checked(label), group=group)
        for i, (label, group) in enumerate(zip(labels, groups, strict=True))
    ]
    classes = kind.classes(clips)
    truth = kind.truth(clips, classes)
    folds_M = Folds(classes, kind=kind).to_choose(truth, groups, 0)
    vectors_MD = (task.told or _vectors)(truth)
    return _Problem(task, clips, classes, truth, groups, folds_M, vectors_MD)


def _vectors(truth: Any) -> Floats:  # noqa: ANN401 - the task's own
    """Return vectors [M, D] from which the truth can be told: waves of it, itself, and noise."""
    rng = np.random.default_rng(0)
    plain_MX = np.asarray(truth, np.float64).reshape(len(truth), -1)
    plain_MX = (plain_MX - plain_MX.mean(axis=0)) / np.maximum(plain_MX.std(axis=0), 1e-9)
    turned_MD = plain_MX @ rng.normal(size=(plain_MX.shape[1], _WIDTH))
    waves_MD = np.cos(turned_MD + rng.normal(size=_WIDTH))
    told_MD = np.concatenate([plain_MX, waves_MD], axis=1)
    noisy_MD = told_MD + _NOISE * rng.normal(size=told_MD.shape)
    return np.asarray(noisy_MD, np.float32)


def _check_labels(p: _Problem) -> None:
    kind, task = p.task.kind, p.task
    p.promise(bool(task.measures), "it has no measure")
    p.promise(not kind.lacking(p.clips), f"these labels lack something: {kind.lacking(p.clips)}")
    for i, clip in enumerate(p.clips):
        again = kind.truth([Clip("x.mp4", label=kind.text(p.truth[i], p.classes))], p.classes)
        same = kind.text(again[0], p.classes) == kind.text(p.truth[i], p.classes)
        p.promise(same, f"the truth of {clip.label!r} in words has another truth")
    some = p.constant(task.measure)
    p.promise(some.shape == (len(p.clips), p.width), f"the baseline answers {some.shape}")
    p.promise(bool(kind.constant_words(some, p.classes)), "the baseline's answer has no words")
    for name, measure in task.measures.items():
        p.promise(measure.name == name, f"the measure {measure.name!r} stands under {name!r}")
        _check_measure(p, measure)


def _check_measure(p: _Problem, measure: AnyMeasure) -> None:
    """Hold the sums, or rows, of parts against those of the whole."""
    answers = p.task.learner.tried(p.vectors_MD, p.truth, p.folds_M)[0]
    order_M = np.random.default_rng(1).permutation(len(p.clips))
    whole = score_all(measure, p.truth, [answers, p.constant(measure)], p.groups)
    mixed = score_all(measure, p.truth[order_M], [answers[order_M]], [p.groups[i] for i in order_M])
    p.promise(bool(np.isfinite(whole.figures_C).all()), f"{measure.name} is not finite")
    same = np.isclose(whole.figures_C[0], mixed.figures_C[0], atol=TOLERANCE)
    p.promise(bool(same), f"{measure.name} depends on the order of clips")
    if isinstance(measure, Measure):
        half = len(p.clips) // 2
        parts = [measure.sums(p.truth[s], answers[s]) for s in (slice(half), slice(half, None))]
        at_once = measure.sums(p.truth, answers)
        p.promise(np.allclose(sum(parts), at_once), f"sums of {measure.name} do not add up")
        twice = measure.figure(np.stack([at_once, 2 * at_once]))
        p.promise(np.allclose(*twice), f"{measure.name} changes when all is counted twice")
        return
    score, hit = measure.rows(p.truth, answers)
    rows = RankedScores(score, hit, np.zeros(len(score), np.int64))
    twice = measure.figure(rows, np.array([[1.0], [2.0]]))
    p.promise(np.allclose(*twice), f"{measure.name} changes when all is counted twice")


def _check_learning(p: _Problem) -> None:
    kind, measure = p.task.kind, p.task.measure
    head, out_MK = p.task.learner.fit(p.vectors_MD, p.truth, p.folds_M)
    lost_M = kind.losses(out_MK, p.truth)
    p.promise(lost_M.shape == (len(p.clips),), f"losses are {lost_M.shape}, not one a clip")
    gain = gain_of(score_all(measure, p.truth, [out_MK, p.constant(measure)], p.groups))
    p.promise(gain.proven, f"what the vectors tell is not learned: {gain.points}")
    order_M = np.random.default_rng(2).permutation(len(p.clips))
    mixed = p.truth[order_M]
    _, chance_MK = p.task.learner.fit(p.vectors_MD, mixed, p.folds_M)
    luck = gain_of(score_all(measure, mixed, [chance_MK, p.constant(measure)], p.groups))
    p.promise(not luck.proven, f"shuffled labels are learned: {luck.points}")
    heat = kind.temperature(out_MK, p.truth)
    stated_MK = kind.stated(out_MK, heat)
    p.promise(heat > 0 and bool(np.isfinite(stated_MK).all()), "stated answers are not finite")
    once_MK = kind.stated(kind.as_answers(stated_MK), 1.0)
    p.promise(np.allclose(once_MK, stated_MK, atol=TOLERANCE), "stated twice, answers change")
    limits = kind.thresholds(stated_MK, p.truth)
    p.promise(len(limits) in (0, len(p.classes)), f"it has {len(limits)} thresholds")
    for stated_K in stated_MK[:5]:
        label = kind.said(stated_K, p.classes, limits).label
        p.promise(bool(label) or kind.separate, "an answer has no words")
    p.promise(kind.confidence(stated_MK).shape == lost_M.shape, "confidence is not one a clip")
    p.promise(isinstance(head, FittedFusion), f"it fits a {type(head).__name__}, which is no head")


def _check_held_out(p: _Problem) -> None:
    """Exchange the labels of two clips of a fold: the answers to that fold stay."""
    own_M = p.folds_M == p.folds_M[0]
    others = [i for i in np.flatnonzero(own_M) if not np.array_equal(p.truth[i], p.truth[0])]
    p.promise(bool(others), "all labels of a fold are alike; give others")
    moved = p.truth.copy()
    moved[[0, others[0]]] = p.truth[[others[0], 0]]
    learner = p.task.learner
    before, after = (learner.tried(p.vectors_MD, t, p.folds_M) for t in (p.truth, moved))
    for one_MK, other_MK in zip(before, after, strict=False):
        same = np.allclose(one_MK[own_M], other_MK[own_M], atol=TOLERANCE)
        p.promise(same, "out-of-fold answers depend on the labels of their own fold")


def _check_head(p: _Problem) -> None:
    from safetensors.numpy import load, save

    learner = p.task.learner
    head, _ = learner.fit(p.vectors_MD, p.truth, p.folds_M)
    answer_MK, alone_1K = (head.log_probabilities([x]) for x in (p.vectors_MD, p.vectors_MD[7:8]))
    right = answer_MK.shape == (len(p.clips), p.width) and answer_MK.dtype == np.float32
    p.promise(right, f"answers are {answer_MK.dtype} {answer_MK.shape}")
    same = np.allclose(alone_1K, answer_MK[7:8], atol=TOLERANCE)
    p.promise(same, "a clip alone is answered otherwise than among others")
    novelty_M = head.novelty([p.vectors_MD])
    far_M = head.novelty([p.vectors_MD + 20 * p.vectors_MD.std(axis=0)])
    p.promise(bool((far_M > novelty_M.max()).all()), "clips far away are not novel")
    state = load(save({name: array.copy() for name, array in head.state().items()}))
    width = [p.vectors_MD.shape[1]]
    again = learner.restore(state, width, len(p.classes))
    again_MK = again.log_probabilities([p.vectors_MD])
    same = np.allclose(again_MK, answer_MK, rtol=0, atol=TOLERANCE)
    p.promise(same, "restored, it gives other answers")
    for altered, what in (
        ({name: state[name] for name in sorted(state)[1:]}, "without one of its arrays"),
        ({**state, "another": np.zeros(1, np.float32)}, "with an array that is none of its own"),
    ):
        try:
            learner.restore(altered, width, len(p.classes))
        except ModelError:
            continue
        p.promise(False, f"a head {what} is restored")


def _check_choice(p: _Problem) -> None:
    """Run the whole choice between vectors that tell the truth and noise, twice."""
    rng = np.random.default_rng(3)
    noise_MD = rng.normal(size=p.vectors_MD.shape).astype(np.float32)
    if p.task.told:  # its learner takes vectors of its own form only: those of other clips
        noise_MD = p.vectors_MD[rng.permutation(len(p.vectors_MD))]
    vectors = {"telling": p.vectors_MD, "noise": noise_MD}
    rows = Rows(vectors, p.truth, p.groups, task=p.task)
    terms = Terms(dict.fromkeys(vectors, Cost(0.01, 0.01)), p.task.methods, measure=p.task.measure)
    folds = Folds(p.classes, kind=p.task.kind)
    first, second = (
        nested(rows, folds.by_recording, terms, inner_folds=folds.to_choose) for _ in range(2)
    )
    p.promise(first.best_single == "telling", f"{first.best_single} is taken for the best")
    same = np.array_equal(first.chosen_MK, second.chosen_MK)
    p.promise(same, "the whole choice does not repeat")
