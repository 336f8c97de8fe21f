"""Training clips without a fold, as if its labels had never been seen.

Out-of-fold answers to fold g come from probes that saw the labels of fold f. A regression on
them that is free in its signs learns from these traces, and its answers to fold f look better
than they are: on random labels, 39 % right where chance is 33 % (1200 clips in 8 problems).
Weights that cannot be negative (`vidfit.fusion.stack`) cannot use the traces so: 33 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Cost, Floats, Indices
from vidfit.fusion.learner import Learner, LinearProbe
from vidfit.fusion.linear import (
    PENALTIES,
    Part,
    Path,
    cross_fit_span,
    out_of_fold,
    parts_of,
    probe_of,
)
from vidfit.fusion.member import Member, Training
from vidfit.fusion.probes import with_classes
from vidfit.fusion.span import Span
from vidfit.fusion.together import Together
from vidfit.labels import UNSEEN


def training_of(
    vectors: Sequence[Floats],
    labels_M: Indices,
    folds_M: Indices,
    *,
    costs: Sequence[Cost],
    learner: Learner = LinearProbe(),
) -> Training:
    """Fit a probe for each member, and keep the fits without a fold for whoever nests.

    Parameters
    ----------
    vectors, costs
        By member, as in `vidfit.fusion.member.Member`.
    learner
        How one member is learned from.
    """
    if not isinstance(learner, LinearProbe):
        fitted = [learner.fit(vectors_MD, labels_M, folds_M) for vectors_MD in vectors]
        parts_of_members = zip(vectors, fitted, costs, strict=True)
        alone = [
            Member(x_MD, head, out_MK, cost) for x_MD, (head, out_MK), cost in parts_of_members
        ]
        together = learner if isinstance(learner, Together) else None
        return Training(tuple(alone), labels_M, folds_M, learner.kind, together)
    members, paths = [], {}
    for vectors_MD, cost in zip(vectors, costs, strict=True):
        span = Span.of([vectors_MD])
        parts = parts_of(span, labels_M, folds_M, kind=learner.kind)
        probe, out_MK = cross_fit_span(span, labels_M, parts)
        member = Member(vectors_MD, probe, out_MK, cost, span)
        members.append(member)
        for fold, part in zip(np.unique(folds_M), parts, strict=True):
            paths[id(member), frozenset([int(fold)])] = part.path
    return Training(tuple(members), labels_M, folds_M, learner.kind, paths=paths)


def without_fold(training: Training, fold: int) -> Training:
    """Return the clips outside a fold, with probes and answers that never saw the fold.

    Where the other folds cannot be cross-validated (one is left, or one class without one of
    them), the members keep their probes and answers.

    The members come without vectors, of which copies would take most of the memory; their spans
    state the clips.
    """
    kept_M = training.folds_M != fold
    labels_M, folds_M = training.labels_M[kept_M], training.folds_M[kept_M]
    fresh = can_cross_fit(labels_M, folds_M)
    members = []
    for member, span in zip(training.members, training.spans, strict=True):
        # A member is known by its identity; whoever holds the memory keeps it alive.
        key = id(member), int(fold)
        if key not in training.memory:
            part = _rows(member, span, kept_M)
            if fresh:
                part = _fitted(part, _Nest(training, id(member), span), int(fold))
            training.memory[key] = part
        members.append(training.memory[key])
    return Training(tuple(members), labels_M, folds_M)


def _rows(member: Member, span: Span, kept_M: NDArray[np.bool_]) -> Member:
    """Return a member on some of the clips."""
    return replace(
        member,
        vectors_MD=member.vectors_MD[:0],
        out_of_fold_MK=member.out_of_fold_MK[kept_M],
        span=span.where(kept_M),
    )


class _Nest:
    """Fits of one member without some folds: that without a and b serves both a and b."""

    def __init__(self, training: Training, name: int, span: Span) -> None:
        self.training, self.name, self.span = training, name, span

    def path(self, *folds: int) -> Path:
        """Return the fits without some folds."""
        key = self.name, frozenset(folds)
        if key not in self.training.paths:
            learn_M = ~np.isin(self.training.folds_M, folds)
            self.training.paths[key] = Path(
                self.span.coordinates_MR, self.training.labels_M, PENALTIES, learn_M
            )
        return self.training.paths[key]


def _fitted(part: Member, nest: _Nest, fold: int) -> Member:
    """Return a member without a fold with fits of its own."""
    training, kept_M = nest.training, nest.training.folds_M != fold
    labels_M, folds_M = training.labels_M[kept_M], training.folds_M[kept_M]
    span, classes = nest.span, part.out_of_fold_MK.shape[1]
    parts = [
        Part(
            nest.path(fold, int(other)),
            span.coordinates_MR[training.folds_M == other],
            folds_M == other,
        )
        for other in np.unique(folds_M)
    ]
    best, out_MK = out_of_fold(parts, labels_M)
    probe = probe_of(span, nest.path(fold).weights(best))
    return replace(
        part, probe=with_classes(probe, classes), out_of_fold_MK=with_columns(out_MK, classes)
    )


def with_columns(answers_MK: Floats, classes: int) -> Floats:
    """Return log-probabilities with columns for classes that no fit has seen."""
    missing = max(classes - answers_MK.shape[1], 0)
    return np.pad(answers_MK, ((0, 0), (0, missing)), constant_values=UNSEEN)


def can_cross_fit(labels_M: Indices, folds_M: Indices) -> bool:
    """Return whether two classes are left whichever fold is left out."""
    return all(len(np.unique(labels_M[folds_M != fold])) > 1 for fold in np.unique(folds_M))
