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
from vidfit.fitted import FittedFusion
from vidfit.fusion.answers import FLOOR, probes_of, probes_state
from vidfit.fusion.linear import PENALTIES, Linear, Part, Path, out_of_fold, probe_of
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.nested import with_columns, without_fold
from vidfit.fusion.probes import with_classes
from vidfit.fusion.regression import TO_KEEP, regression
from vidfit.fusion.span import Span
from vidfit.labels import mean_loss

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

    givers: tuple[FittedFusion, ...]
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

    The answers to a fold are of chains fitted, receiver included, on answers that never saw the
    fold (`vidfit.fusion.nested`).
    """
    parts = [without_fold(training, int(fold)) for fold in np.unique(training.folds_M)]
    tried = [_held_out(training, parts, receiver) for receiver in range(len(training.members))]
    losses = [mean_loss(out_MK, training.labels_M) for _, out_MK in tried]
    receiver = int(np.argmin(losses))
    penalty, out_MK = tried[receiver]
    answers = Span.of(_given(training, receiver))
    span = Span.side_by_side([training.spans[receiver], answers])
    weights = regression(span.coordinates_MR, training.labels_M, penalty, TO_KEEP)
    probe = with_classes(probe_of(span, weights), training.classes)
    givers = tuple(m.probe for i, m in enumerate(training.members) if i != receiver)
    return Fitted(Chain(givers, probe, receiver), out_MK, tuple(range(len(training.members))))


def restore(state: Mapping[str, Floats]) -> Chain:
    """Return the fusion whose ``state`` this is."""
    own = {name.removeprefix(_PREFIX): a for name, a in state.items() if name.startswith(_PREFIX)}
    return Chain(probes_of(state), Linear.of(own), int(state["receiver_1"][0]))


def _held_out(training: Training, parts: Sequence[Training], receiver: int) -> tuple[float, Floats]:
    """Return the penalty of the lowest out-of-fold log-loss with a receiver, and its answers."""
    own_MR, given = training.spans[receiver].coordinates_MR, _given(training, receiver)
    held = []
    for fold, part in zip(np.unique(training.folds_M), parts, strict=True):
        test_M, answers = training.folds_M == fold, Span.of(_given(part, receiver))
        learn = [part.spans[receiver].coordinates_MR, answers.coordinates_MR]
        asked = [own_MR[test_M], answers.project([given_MK[test_M] for given_MK in given])]
        path = Path(np.concatenate(learn, axis=1), part.labels_M, PENALTIES)
        held.append(Part(path, np.concatenate(asked, axis=1), test_M))
    best, out_MK = out_of_fold(held, training.labels_M)
    return PENALTIES[best], with_columns(out_MK, training.classes)


def _given(training: Training, receiver: int) -> list[Floats]:
    """Return the floored answers of all members but the receiver."""
    answers = [m.out_of_fold_MK for i, m in enumerate(training.members) if i != receiver]
    return [np.maximum(answer_MK, FLOOR) for answer_MK in answers]


def _inputs(vectors_MD: Floats, answers: Sequence[Floats]) -> list[Floats]:
    """Return a receiver's blocks: its vectors, and the floored answers of each other member."""
    return [vectors_MD, *(np.maximum(answer_MK, FLOOR) for answer_MK in answers)]
