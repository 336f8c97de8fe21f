"""A feature cascade: one member's probe sees what the others answer, beside its own vectors.

The appended answers are out-of-fold in training: in-sample answers would look surer than those
to new clips ever are (Wolpert 1992). It is deeper than a stack: an answer can change
what a feature means to the class, not only the weight of another answer.

Shape letters: S members, M clips, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vidfit.contracts import Floats
from vidfit.fusion.answers import FLOOR, probes_of, probes_state
from vidfit.fusion.linear import Linear, cross_fit, fit_linear, log_loss
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.nested import can_cross_fit, without_fold
from vidfit.fusion.probes import with_classes

_CAUTIOUS = 0.5
"""The penalty where the folds cannot choose."""

_PREFIX = "receiver."


@dataclass(frozen=True)
class Chain:
    """Probes of the members that answer first, and one that sees their answers.

    Parameters
    ----------
    givers
        Probes of all members but the receiver, in order.
    probe
        Takes the receiver's vectors and the givers' answers, in order.
    receiver
        Which of the members answers last.
    """

    givers: tuple[Linear, ...]
    probe: Linear
    receiver: int

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return the receiver's log-probabilities [M, K], given the answers of the others."""
        answers = [
            giver.log_probabilities([block])
            for giver, block in zip(self.givers, self._given(blocks), strict=True)
        ]
        return self.probe.log_probabilities(_inputs(blocks[self.receiver], answers))

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean of the members' novelty, [M]."""
        vectors_MD = blocks[self.receiver]
        dim = vectors_MD.shape[1]
        alone = replace(
            self.probe, mean_D=self.probe.mean_D[:dim], scale_D=self.probe.scale_D[:dim]
        )
        each = [alone.novelty([vectors_MD])]
        pairs = zip(self.givers, self._given(blocks), strict=True)
        each += [giver.novelty([block]) for giver, block in pairs]
        result: Floats = np.mean(each, axis=0)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore` needs."""
        own = {_PREFIX + name: array for name, array in self.probe.state().items()}
        return {
            **probes_state(self.givers),
            **own,
            "receiver_1": np.array([self.receiver], np.float32),
        }

    def _given(self, blocks: Sequence[Floats]) -> list[Floats]:
        return [*blocks[: self.receiver], *blocks[self.receiver + 1 :]]


def fit_chain(training: Training) -> Fitted:
    """Try each member as the receiver; the lowest out-of-fold log-loss decides.

    Its own out-of-fold answers are of chains fitted, receiver included, on answers that never
    saw the fold (`vidfit.fusion.nested`).
    """
    out_MK = np.empty_like(training.members[0].out_of_fold_MK)
    for fold in np.unique(training.folds_M):
        test = training.folds_M == fold
        chain = _best(without_fold(training, fold))
        vectors_MD = training.members[chain.receiver].vectors_MD[test]
        answers = [member.out_of_fold_MK[test] for member in training.members]
        answers.pop(chain.receiver)
        out_MK[test] = chain.probe.log_probabilities(_inputs(vectors_MD, answers))
    return Fitted(_best(training), out_MK, tuple(range(len(training.members))))


def restore(state: Mapping[str, Floats]) -> Chain:
    """Return the fusion whose ``state`` this is."""
    own = {name.removeprefix(_PREFIX): a for name, a in state.items() if name.startswith(_PREFIX)}
    return Chain(probes_of(state), Linear(**own), int(state["receiver_1"][0]))


def _best(training: Training) -> Chain:
    """Return the chain to the receiver of the lowest out-of-fold log-loss."""
    fits = [_fit(training, receiver) for receiver in range(len(training.members))]
    return min(fits, key=lambda fit: fit[1])[0]


def _fit(training: Training, receiver: int) -> tuple[Chain, float]:
    """Return the chain to one receiver, and its out-of-fold log-loss."""
    labels_M, folds_M = training.labels_M, training.folds_M
    givers = [member for i, member in enumerate(training.members) if i != receiver]
    answers = [member.out_of_fold_MK for member in givers]
    inputs = _inputs(training.members[receiver].vectors_MD, answers)
    if can_cross_fit(labels_M, folds_M):
        probe, out_MK = cross_fit(inputs, labels_M, folds_M)
    else:  # one fold is left: nothing but the fit itself can be judged by
        probe = fit_linear(inputs, labels_M, _CAUTIOUS)
        out_MK = probe.log_probabilities(inputs)
    chain = Chain(
        tuple(member.probe for member in givers), with_classes(probe, training.classes), receiver
    )
    return chain, log_loss(out_MK, labels_M)


def _inputs(vectors_MD: Floats, answers: Sequence[Floats]) -> list[Floats]:
    """Return a receiver's blocks: its vectors, and the floored answers of each other member."""
    return [vectors_MD, *(np.maximum(answer_MK, FLOOR) for answer_MK in answers)]
