"""Train a network over the best backbone in each outer fold, to see whether training pays.

A network that sees order in time may tell what pooled features do not. It is held against the
whole frozen procedure (candidates, fusions and the choice among them) on the same recordings,
and kept only where it is proven better.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Backbone, Floats, Indices
from vidfit.features import STEPS
from vidfit.metrics import AnyMeasure, fit_temperature, probabilities, score_all
from vidfit.networks.head import NetworkHead, standard_tokens, standards
from vidfit.plans import Data, Recipe, Subject, unplanned
from vidfit.selection import Contender, Gain, Outer, Rows, gain_of, merit
from vidfit.study import heads
from vidfit.study.compare import Compared, Trained
from vidfit.study.folds import FOLDS
from vidfit.study.table import Table
from vidfit.tasks.task import EncoderTraining

Deal = Callable[[Indices, Sequence[str], int], Indices]
"""Labels, recordings and a seed -> the fold of each clip."""

NETWORK = "bilstm-attention"
"""What is trained: the recipe of Akti, Tataroglu and Ekenel (2019) over a frozen encoder."""

RECIPE = Recipe(epochs=40, learning_rate=1e-3, dropout=0.3, label_smoothing=0.1, patience=10)
MICRO_BATCH, WIDTH = 16, 128
_LEAST = np.exp(-20.0)


class TrainsInFolds(Protocol):
    """Trains in a fold, and at the end on all clips."""

    def held_out(self, outer: Outer) -> tuple[Floats, Floats]:
        """Train on the training clips of a fold; answer the others, raw and calibrated, [M, K]."""

    def graduate(
        self, compared: Compared, raw_MK: Floats
    ) -> tuple[Contender, str, Backbone | None]:
        """Train on all clips.

        Returns
        -------
        tuple
            The contender, with the held-out answers; which candidate takes as long for a clip; and
            the encoder that was trained, if one was.
        """

    def under(self, folds: Deal) -> Floats:
        """Return answers [M, K] to each clip by a training without its fold."""


class Trainees:
    """Watches the outer folds, and trains a network, or an encoder, in each.

    Parameters
    ----------
    allowed_seconds
        For all folds and the final network; it gives up after the first fold, with a note, when
        they would take longer.
    """

    def __init__(
        self,
        table: Table,
        measure: AnyMeasure,
        allowed_seconds: float,
        notes: list[str],
        trains: TrainsInFolds | None = None,
    ) -> None:
        self._table, self._measure = table, measure
        self._trains = trains or NetworkInFolds(table, measure)
        self._allowed_seconds, self._notes = allowed_seconds, notes
        self.gave_up = False
        shape = len(table.clips), table.kind.width(table.classes)
        self._raw_MK = np.zeros(shape, np.float32)
        self._calibrated_MK = np.zeros(shape, np.float32)
        self._tests: list[NDArray[np.bool_]] = []

    def see(self, outer: Outer) -> None:
        """Train on the training clips of a fold, and answer the others."""
        if self.gave_up:
            return
        started = time.monotonic()
        raw_MK, calibrated_MK = self._trains.held_out(outer)
        self._raw_MK[outer.test_M] = raw_MK
        self._calibrated_MK[outer.test_M] = calibrated_MK
        self._tests.append(outer.test_M)
        if len(self._tests) == 1:
            self._check_budget((FOLDS + 1) * (time.monotonic() - started))

    def _check_budget(self, seconds: float) -> None:
        if seconds > self._allowed_seconds:
            self.gave_up = True
            self._notes.append(
                f"Nothing was trained: {FOLDS + 1} trainings would take {seconds:.0f} s, and "
                f"{max(self._allowed_seconds, 0):.0f} s of the budget are left."
            )

    def graduate(self, compared: Compared) -> Compared:
        """Return the comparison with the network among the rest.

        Where its gain is proven the network takes the place of what was chosen.
        """
        if self.gave_up:
            return compared
        rows, honest = self._table.rows, compared.honest
        everyone_M = np.ones(len(rows.labels_M), np.bool_)
        training = self._gain(honest.chosen_MK, everyone_M)
        contender, like, encoder = self._trains.graduate(compared, self._raw_MK)
        name = contender.name
        chosen_MK, by_fold = self._decided(compared, name)
        honest = replace(
            honest,
            answers_MK={**honest.answers_MK, name: self._raw_MK},
            seconds_M={**honest.seconds_M, name: honest.seconds_M[like]},
            depth_M={**honest.depth_M, name: np.ones_like(rows.labels_M)},
            chosen_MK=chosen_MK,
            chosen_by_fold=by_fold,
        )
        contenders = [*compared.contenders, contender]
        trained = Trained(
            contender, training.points, training.proven, self._trains.under, like, encoder
        )
        return replace(compared, deals=[honest], contenders=contenders, trained=trained)

    def _decided(self, compared: Compared, name: str) -> tuple[Floats, tuple[str, ...]]:
        """Decide for each fold by the answers to the others whether to use the network."""
        frozen_MK = compared.honest.chosen_MK
        chosen_MK, by_fold = frozen_MK.copy(), list(compared.honest.chosen_by_fold)
        for i, test_M in enumerate(self._tests):
            if self._gain(frozen_MK, ~test_M).proven:
                chosen_MK[test_M], by_fold[i] = self._calibrated_MK[test_M], name
        return chosen_MK, tuple(by_fold)

    def _gain(self, frozen_MK: Floats, among_M: NDArray[np.bool_]) -> Gain:
        """Return what the network gains over the frozen procedure on some of the clips."""
        table = self._table
        answers = [self._calibrated_MK[among_M], frozen_MK[among_M]]
        groups = [table.groups[int(i)] for i in np.flatnonzero(among_M)]
        return gain_of(score_all(self._measure, table.labels_M[among_M], answers, groups))


class NetworkInFolds:
    """Trains a network over the steps in time of the best frozen encoder."""

    def __init__(self, table: Table, measure: AnyMeasure) -> None:
        self._table, self._measure = table, measure

    def held_out(self, outer: Outer) -> tuple[Floats, Floats]:
        """Train and answer; what is calibrated are log-probabilities."""
        backbone = best_single(outer.contenders, outer.train, self._measure)
        head, temperature = self._trained(outer.train, outer.inner_M, backbone)
        raw_MK = head.log_probabilities([outer.test.steps[backbone]])
        calibrated_MK = probabilities(raw_MK, temperature)
        return raw_MK, np.log(np.maximum(calibrated_MK, _LEAST))

    def graduate(
        self, compared: Compared, raw_MK: Floats
    ) -> tuple[Contender, str, Backbone | None]:
        """Train on all clips."""
        rows = self._table.rows
        backbone = best_single(compared.contenders, rows, self._measure)
        name = f"{NETWORK} on {backbone}"
        head, _ = self._trained(rows, compared.folds_M, backbone)
        contender = Contender(name, NETWORK, heads.NETWORK, (backbone,), head, raw_MK)
        return contender, backbone, None

    def under(self, folds: Deal) -> Floats:
        """Return answers by a network over the best frozen encoder of other folds."""
        return answers_under(self._table, folds, self._last)

    def _trained(self, rows: Rows, folds_M: Indices, backbone: str) -> tuple[NetworkHead, float]:
        self._last = backbone
        return train_head(rows, folds_M == folds_M.min(), backbone, len(self._table.classes))


class EncoderInFolds:
    """Trains a part of an encoder, as the task knows it."""

    def __init__(self, table: Table, training: EncoderTraining) -> None:
        self._table, self._training = table, training

    def held_out(self, outer: Outer) -> tuple[Floats, Floats]:
        """Train and answer; what is answered needs no temperature."""
        answers_MK = self._fold(outer.test_M)
        return answers_MK, answers_MK

    def graduate(
        self, compared: Compared, raw_MK: Floats
    ) -> tuple[Contender, str, Backbone | None]:
        """Train on all clips."""
        learned = self._training.learned(np.arange(len(self._table.clips)))
        name, head = learned.encoder.spec.name, self._table.task.learner.head
        return (
            Contender(name, "", head, (name,), learned.head, raw_MK),
            self._training.base,
            learned.encoder,
        )

    def under(self, folds: Deal) -> Floats:
        """Return answers by trainings without a clip's fold."""
        table = self._table
        fold_M = folds(table.labels_M, table.groups, 0)
        answers_MK = np.zeros((len(fold_M), table.kind.width(table.classes)), np.float32)
        for fold in np.unique(fold_M):
            answers_MK[fold_M == fold] = self._fold(fold_M == fold)
        return answers_MK

    def _fold(self, test_M: NDArray[np.bool_]) -> Floats:
        learned = self._training.learned(np.flatnonzero(~test_M))
        return self._training.answers(learned, np.flatnonzero(test_M))


def train_head(
    rows: Rows, choose_M: NDArray[np.bool_], backbone: str, classes: int, network: str = NETWORK
) -> tuple[NetworkHead, float]:
    """Train a network over the steps of a backbone; return it with its temperature.

    Parameters
    ----------
    choose_M
        Clips that choose the epoch and the temperature, and are not learned from.
    """
    import torch

    from vidfit.networks import Shape, build
    from vidfit.training.clipset import ClipSet
    from vidfit.training.loop import train
    from vidfit.training.parallel import launch
    from vidfit.training.state import Run

    steps_MX = rows.steps[backbone]
    dim = steps_MX.shape[1] // STEPS
    mean_D, scale_D = standards(steps_MX[~choose_M], dim)
    tokens_MND = standard_tokens(steps_MX.reshape(-1, STEPS, dim), mean_D, scale_D)
    clips = ClipSet(rows.labels_M, {"tokens": tokens_MND})
    shape = Shape(dim, STEPS, classes, WIDTH, dropout=RECIPE.dropout)
    torch.manual_seed(RECIPE.seed)
    module = build(network, shape)
    run = Run(clips, np.flatnonzero(~choose_M), np.flatnonzero(choose_M))
    subject = Subject(network, backbone, "probe", WIDTH)
    plan = unplanned(subject, RECIPE, Data(len(rows.labels_M), classes, 0, STEPS), MICRO_BATCH)
    module.load_state_dict(train(module, plan, run, launch(plan.layout, "cpu")).weights)
    head = NetworkHead.of(network, shape, module, mean_D, scale_D)
    out_MK = head.log_probabilities([steps_MX[choose_M]])
    return head, fit_temperature(out_MK, rows.labels_M[choose_M])


def answers_under(table: Table, folds: Deal, backbone: str) -> Floats:
    """Return answers [M, K] to each clip by a network trained without its fold."""
    rows, classes = table.rows, len(table.classes)
    fold_M = folds(rows.labels_M, rows.groups, 0)
    answers_MK = np.zeros((len(fold_M), classes), np.float32)
    for fold in np.unique(fold_M):
        learn = rows.where(fold_M != fold)
        inner_M = folds(learn.labels_M, learn.groups, 1 + int(fold))
        head, _ = train_head(learn, inner_M == inner_M.min(), backbone, classes)
        test_MX = rows.steps[backbone][fold_M == fold]
        answers_MK[fold_M == fold] = head.log_probabilities([test_MX])
    return answers_MK


def best_single(contenders: Sequence[Contender], rows: Rows, measure: AnyMeasure) -> str:
    """Return the backbone with the best out-of-fold answers."""
    singles = [c for c in contenders if not c.method]
    return max(singles, key=lambda c: merit(measure, rows.labels_M, c.out_of_fold_MK)).name
