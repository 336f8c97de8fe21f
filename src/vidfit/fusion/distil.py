"""Distillation: one linear probe on one backbone that learns to answer as a fusion does.

Hinton, Vinyals and Dean (2015), Distilling the knowledge in a neural network; teacher and
student see the same clip, so the student matches a function and not only its labels (Beyer
et al. 2022, Knowledge distillation: a good teacher is patient and consistent). Clips without a
label count too, once the teacher has answered them: with frozen features they are where a
student can learn what its labels do not tell.

The loss of a clip with logits z, label y and teacher's probabilities p is

    (1 - alpha) CE(y, softmax(z)) + alpha T^2 KL(softmax(log p / T) || softmax(z / T)),

plus the L2 penalty of `vidfit.fusion.linear`. Both terms are a log-sum-exp of linear functions
less a linear one, so the whole is convex: a softmax regression on soft targets, with one
minimum whatever the start. With ``alpha = 0`` it is the probe of `linear`.

Shape letters: M clips, K classes, D dimensions, R coordinates in the span of the clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.linear import PENALTIES, Linear, cross_fit, log_softmax, probe_of
from vidfit.fusion.member import Fitted, Member, Training
from vidfit.fusion.probes import with_classes
from vidfit.fusion.regression import Weights, fit_soft, to_choose
from vidfit.fusion.span import Span
from vidfit.labels import mean_loss

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

UNLABELLED = -1
"""The class number of a clip that only the teacher has answered."""

_TEMPERATURES = np.geomspace(0.5, 8.0, 17)

_NEVER = -20.0
"""The log-probability of a class that no clip was learned from."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How much a student listens to its teacher.

    Parameters
    ----------
    alpha
        The teacher's share of the loss, in [0, 1]; 0 learns from labels alone.
    temperature
        What log-probabilities of both are divided by, above 0: high ones show what the teacher
        holds for the second best.

    Raises
    ------
    ValueError
        If one of them is out of its range.
    """

    alpha: float
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0 or not self.temperature > 0.0:
            raise ValueError(
                f"alpha {self.alpha} and temperature {self.temperature}; valid is an alpha from 0 "
                "to 1 and a temperature above 0"
            )


RECIPES = (Recipe(0.0), Recipe(0.5), Recipe(1.0), Recipe(0.5, 3.0), Recipe(1.0, 3.0))
"""A small grid, from labels alone to the teacher alone."""

MATCHING = (Recipe(1.0, 3.0),)
"""The teacher alone: what it answers to clips that it knows has their labels in it.

Of the demo's 408 clips the best probe answers 89.4 % right, the log-average of five models
93.3 %, this student 92.4 % (three deals of recordings). Choosing from ``RECIPES`` by so few clips
is noise: students so chosen are no better on rotated footage and a point worse on the demo.
A teacher that is not worth following must be refused before.
"""


@dataclass(frozen=True)
class Lesson:
    """What a student is to answer: one-hot labels, zero without one, and the teacher's answers.

    Both are [M, K]; the teacher's are log-probabilities.
    """

    label_MK: Doubles
    teacher_MK: Doubles

    def of(self, rows_M: Mask) -> Self:
        """Return the lesson of some clips."""
        return type(self)(self.label_MK[rows_M], self.teacher_MK[rows_M])

    def terms(self, recipe: Recipe) -> dict[float, Doubles]:
        """Return by temperature what the student is held against there, weighed, [M, K]."""
        terms = {1.0: (1.0 - recipe.alpha) * self.label_MK} if recipe.alpha < 1 else {}
        if recipe.alpha > 0:
            temperature = recipe.temperature
            soft_MK = np.exp(_log_softmax(self.teacher_MK / temperature))
            soft_MK *= recipe.alpha * temperature**2
            terms[temperature] = terms[temperature] + soft_MK if temperature in terms else soft_MK
        return terms


Teach = Callable[[Mask], Floats]
"""Labelled clips that a teacher learns from [M] -> its log-probabilities of all clips [M, K]."""


def teacher(
    blocks: Sequence[Floats],
    fit: Callable[[Training], Fitted],
    labels_M: Indices,
    deal: Callable[[Mask], Indices],
) -> Teach:
    """Return a fusion as a teacher: it is fitted anew for each set of clips to learn from.

    What it answers to those clips is not out-of-fold. Out-of-fold answers hold the errors that
    it makes on new clips, and a linear probe of few clips learns them all by heart: of 283 clips
    of rotated footage a student that has nothing else is right in 57-63 % instead of 70 %.

    Parameters
    ----------
    blocks
        Vectors [M, D_i] of each member, of labelled and unlabelled clips.
    fit
        A method of fusion.
    labels_M
        As in `fit_student`.
    deal
        Clips to learn from [M] -> a fold for each of them. Dealt anew, because the folds that
        are left when one is taken away may lack a class.
    """
    classes = int(labels_M.max()) + 1
    known: dict[bytes, Floats] = {}  # several students may be fitted, on one backbone each

    def teach(learn_M: Mask) -> Floats:
        key = learn_M.tobytes()
        if key not in known:
            labels, folds = labels_M[learn_M], deal(learn_M)
            members = tuple(_member(block[learn_M], labels, folds, classes) for block in blocks)
            fitted = fit(Training(members, labels, folds))
            answers_MK = fitted.fusion.log_probabilities([blocks[i] for i in fitted.used])
            known[key] = _padded(answers_MK, classes)
        return known[key]

    return teach


def fit_student(
    vectors_MD: Floats,
    teach: Teach,
    labels_M: Indices,
    folds_M: Indices,
    *,
    recipes: Sequence[Recipe] = MATCHING,
    penalties: Sequence[float] = PENALTIES,
) -> tuple[Linear, Floats]:
    """Choose recipe and penalty by cross-validation and fit a student with them.

    Parameters
    ----------
    vectors_MD
        What the student's backbone saw in each clip.
    teach
        Asked once for each fold, for a teacher that has not learned from it, and once for the
        final one. A teacher's answers hold what it learned, so a student of a teacher that knows
        the fold has seen its labels at second hand: of 408 demo clips it then answers 95 %
        "out-of-fold", but 93 % on unseen recordings.
    labels_M
        Class numbers, or `UNLABELLED`.
    folds_M
        The fold of each clip, labelled or not; recordings are not cut.
    recipes, penalties
        Those that are tried; penalties are inverse strengths, as in `linear`.

    Returns
    -------
    tuple
        The student, and log-probabilities [M, K] of each clip by a student whose teacher has
        not seen its fold either; of the recipe and the penalty with the lowest log-loss on
        labelled clips once the temperature of the answers is set.

    Raises
    ------
    ValueError
        If no clip has a label, or a label is not a class of the teacher.
    """
    known_M = labels_M != UNLABELLED
    span = Span.of([vectors_MD])
    whole = _lesson(labels_M, teach(known_M))
    grid = [(recipe, penalty) for recipe in recipes for penalty in penalties]
    out_PMK = np.zeros((len(grid), *whole.teacher_MK.shape), np.float32)
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        lesson = _lesson(labels_M, teach(known_M & train)) if known_M[test].any() else whole
        probes = _path(span.coordinates_MR[train], lesson.of(train), grid)
        for p, (weight_KR, bias_K) in enumerate(probes):
            out_PMK[p, test] = log_softmax(span.coordinates_MR[test] @ weight_KR.T + bias_K)
    losses = [tempered_loss(out_MK[known_M], labels_M[known_M]) for out_MK in out_PMK]
    best = int(np.argmin(losses))
    weights = fit_soft(span.coordinates_MR, whole.terms(grid[best][0]), grid[best][1])
    return probe_of(span, weights), out_PMK[best]


def tempered_loss(log_p_MK: Floats, labels_M: Indices) -> float:
    """Return the log-loss at the temperature that suits the answers best (Guo et al. 2017).

    A student of answers to clips that the teacher knows is as sure as the teacher is there.
    That can be mended afterwards, and must not decide which student knows more.
    """
    return min(mean_loss(log_softmax(log_p_MK / t), labels_M) for t in _TEMPERATURES)


def _path(x_MR: Floats, lesson: Lesson, grid: Sequence[tuple[Recipe, float]]) -> Iterator[Weights]:
    """Yield weights and biases for each recipe and penalty, each started from the last."""
    probe = None
    for recipe, penalty in grid:
        targets = lesson.terms(recipe)
        tolerance = to_choose(lesson.label_MK.shape[1])
        probe = fit_soft(x_MR, targets, penalty, start=probe, tolerance=tolerance)
        yield probe


def _member(vectors_MD: Floats, labels_M: Indices, folds_M: Indices, classes: int) -> Member:
    """Return a member that can answer all classes, also those of which no clip is here."""
    probe, out_MK = cross_fit([vectors_MD], labels_M, folds_M)
    return Member(vectors_MD, with_classes(probe, classes), _padded(out_MK, classes))


def _padded(answers_MK: Floats, classes: int) -> Floats:
    missing = classes - answers_MK.shape[1]
    return np.pad(answers_MK, ((0, 0), (0, missing)), constant_values=_NEVER)


def _lesson(labels_M: Indices, teacher_MK: Floats) -> Lesson:
    """Return labels and answers as targets, or say what is wrong with them."""
    count, classes = teacher_MK.shape
    known_M = labels_M != UNLABELLED
    if len(labels_M) != count or not known_M.any():
        raise ValueError(
            f"{known_M.sum()} labels for {count} clips; valid is one a clip, a class number or "
            f"{UNLABELLED}, and at least one class number to choose by"
        )
    if labels_M.min() < UNLABELLED or labels_M.max() >= classes:
        raise ValueError(
            f"labels from {labels_M.min()} to {labels_M.max()}; the teacher knows {classes} "
            f"classes, from 0, and {UNLABELLED} is for clips without a label"
        )
    label_MK = np.eye(classes)[np.where(known_M, labels_M, 0)] * known_M[:, None]
    return Lesson(label_MK, teacher_MK.astype(np.float64))


def _log_softmax(logits_MK: Doubles) -> Doubles:
    """Return log-probabilities in double precision, which a line search needs."""
    shifted_MK = logits_MK - logits_MK.max(axis=1, keepdims=True)
    result: Doubles = shifted_MK - np.log(np.exp(shifted_MK).sum(axis=1, keepdims=True))
    return result
