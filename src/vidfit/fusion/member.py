"""What a fusion is fitted on, and what its fitting gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from vidfit.contracts import Cost, Floats, Indices
from vidfit.fitted import FittedFusion
from vidfit.fusion.linear import Path
from vidfit.fusion.span import Span
from vidfit.fusion.together import Together
from vidfit.labels import ONE, Kind

_FREE = Cost(0.0, 0.0)


@dataclass(frozen=True)
class Member:
    """One model as a fusion sees it.

    Parameters
    ----------
    vectors_MD
        What it saw in each training clip, pooled over time.
    probe
        Fitted on all training clips.
    out_of_fold_MK
        Log-probabilities of each clip by a probe that was fitted without its fold.
    cost
        What asking it about a clip costs.
    span
        That of ``vectors_MD``, where it is known: finding it takes time.
    """

    vectors_MD: Floats
    probe: FittedFusion
    out_of_fold_MK: Floats
    cost: Cost = _FREE
    span: Span | None = None


@dataclass(frozen=True)
class Training:
    """Training clips as a fusion sees them: members, labels and the fold of each clip.

    ``together`` is the learner where that combines members itself. ``memory`` and ``paths`` hold
    members that were fitted anew without a fold, and the fits without one or two folds, so that
    several methods, and teams of the same members, share them (`vidfit.fusion.nested`).
    """

    members: tuple[Member, ...]
    labels_M: Indices
    folds_M: Indices
    kind: Kind = ONE
    together: Together | None = None
    memory: dict[tuple[int, int], Member] = field(default_factory=dict, compare=False, repr=False)
    paths: dict[tuple[int, frozenset[int]], Path] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def blocks(self) -> list[Floats]:
        """The members' vectors."""
        return [member.vectors_MD for member in self.members]

    @cached_property
    def spans(self) -> list[Span]:
        """The spans of the members' vectors."""
        return [member.span or Span.of([member.vectors_MD]) for member in self.members]

    @property
    def answers_SMK(self) -> Floats:  # noqa: N802
        """The members' out-of-fold answers, S members."""
        return np.stack([member.out_of_fold_MK for member in self.members])

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.members[0].out_of_fold_MK.shape[1])

    def only(self, members: Sequence[int]) -> Training:
        """Return the same clips with some of the members."""
        return replace(self, members=tuple(self.members[i] for i in members))


@dataclass(frozen=True)
class Fitted:
    """A fitted fusion.

    Parameters
    ----------
    fusion
        Takes blocks of the members in ``used``, in that order.
    out_of_fold_MK
        Its log-probabilities of the training clips, each by a fit without the clip's fold.
    used
        Which members it asks; those without weight are left out, and cost nothing.
    """

    fusion: FittedFusion
    out_of_fold_MK: Floats
    used: tuple[int, ...]
