"""Out-of-fold stacking: a strongly regularised logistic regression over the members' answers.

Wolpert (1992), Stacked generalization. The stacker is fitted on log-probabilities that each
member gave to clips of recordings it was not fitted on; in-sample answers would teach it to
trust the member that overfits most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Floats, Indices
from vidfit.fusion.linear import Linear, cross_fit

PENALTIES = (0.03, 0.1, 0.3, 1.0)
_FLOOR = -8.0


@dataclass(frozen=True)
class Stack:
    """Fitted members and the stacker over their log-probabilities."""

    members: tuple[Linear, ...]
    stacker: Linear

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return log-probabilities [M, K] of vectors [M, D_i] of each member."""
        answers = [
            member.log_probabilities([block])
            for member, block in zip(self.members, blocks, strict=True)
        ]
        return self.stacker.log_probabilities(bounded(answers))

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean of the members' novelty, [M]."""
        each = [member.novelty([block]) for member, block in zip(self.members, blocks, strict=True)]
        result: Floats = np.mean(each, axis=0)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that ``restore`` needs."""
        parts = {f"member{i}": member for i, member in enumerate(self.members)}
        parts["stacker"] = self.stacker
        return {f"{k}.{name}": a for k, part in parts.items() for name, a in part.state().items()}


def fit_stack(
    members: Sequence[Linear],
    out_of_fold_answers: Sequence[Floats],
    labels_M: Indices,
    folds_M: Indices,
) -> tuple[Stack, Floats]:
    """Fit a stacker on the members' out-of-fold log-probabilities [M, K].

    Returns
    -------
    tuple
        The fitted stack and its own out-of-fold log-probabilities [M, K].
    """
    answers = bounded(out_of_fold_answers)
    stacker, out_MK = cross_fit(answers, labels_M, folds_M, PENALTIES)
    return Stack(tuple(members), stacker), out_MK


def bounded(answers: Sequence[Floats]) -> list[Floats]:
    """Return log-probabilities cut at e^-8, so that one sure error does not rule the fit."""
    return [np.maximum(answer_MK, _FLOOR) for answer_MK in answers]


def restore(state: Mapping[str, Floats]) -> Stack:
    """Return the stack whose ``state`` this is."""
    parts: dict[str, dict[str, Floats]] = {}
    for key, array in state.items():
        part, name = key.split(".")
        parts.setdefault(part, {})[name] = array
    stacker = Linear(**parts.pop("stacker"))
    return Stack(tuple(Linear(**parts[f"member{i}"]) for i in range(len(parts))), stacker)
