"""A network that is kept is deployed with the temperature of its own answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from vidfit.backbones.motion import motion
from vidfit.contracts import Clip, Cost
from vidfit.features import STEPS
from vidfit.fusion.linear import log_softmax
from vidfit.jobs.fit import trainees
from vidfit.jobs.fit.trainees import EncoderInFolds, Trainees
from vidfit.metrics import ACCURACY, calibration_error, probabilities, reliability
from vidfit.progress import SILENT
from vidfit.selection import Terms
from vidfit.study.compare import compare, model_of
from vidfit.study.folds import Folds
from vidfit.study.table import Table
from vidfit.tasks.task import LearnedEncoder

SPEC = motion().spec
TOO_SURE = 3.0
"""So many times the true log-odds is what the network of these tests answers."""


@dataclass(frozen=True)
class TooSure:
    """A network that knows the true log-odds, which are the first number of a clip."""

    def log_probabilities(self, blocks):
        odds_M = TOO_SURE * blocks[0][:, 0]
        return log_softmax(np.stack([-odds_M / 2, odds_M / 2], axis=1))

    def novelty(self, blocks):
        return np.ones(len(blocks[0]))

    def state(self):
        return {}


@pytest.fixture
def table() -> Table:
    """Clips whose labels are drawn with the probability that their first number says."""
    rng = np.random.default_rng(0)
    odds_M = rng.normal(0, 2, 2000)
    labels_M = (rng.random(2000) < 1 / (1 + np.exp(-odds_M))).astype(np.int64)
    steps_MX = rng.normal(size=(2000, 2 * STEPS)).astype(np.float32)
    steps_MX[:, 0] = odds_M
    noise_MD = rng.normal(size=(2000, 6)).astype(np.float32)
    clips = tuple(
        Clip(f"{i}.mp4", label=str(k), group=str(i // 10)) for i, k in enumerate(labels_M)
    )
    times = np.ones(2000), {"motion": steps_MX}
    return Table(clips, ("0", "1"), labels_M, {"motion": noise_MD}, (), *times)


def test_a_kept_network_has_the_temperature_of_its_own_answers(table, monkeypatch):
    monkeypatch.setattr(trainees, "train_head", lambda *_: (TooSure(), TOO_SURE))
    folds = Folds(table.classes)
    watching = Trainees(table, ACCURACY, np.inf, [])
    terms = Terms({"motion": Cost(0.01, 0.01)}, ())
    compared = watching.graduate(compare(table, folds, terms, SILENT, watching.see))
    assert compared.trained is not None and compared.chosen is compared.trained.contender
    model = model_of(compared.chosen, compared.folds_M, table)
    assert model.temperature == pytest.approx(TOO_SURE, rel=0.15)
    stated_MK = probabilities(compared.chosen.log_probabilities(table.rows), model.temperature)
    assert calibration_error(reliability(stated_MK, table.labels_M)) < 0.03
    # The answers of the report are calibrated, and of the same recordings held out.
    held_out_MK = np.exp(compared.honest.chosen_MK)
    assert calibration_error(reliability(held_out_MK, table.labels_M)) < 0.03


@dataclass
class KnowsAll:
    """A training of an encoder whose answers are the true log-odds; it tells what it was shown."""

    table: Table
    base: str = "motion"
    shown: tuple = ()

    def learned(self, places):
        self.shown += (frozenset(places.tolist()),)
        spec = replace(SPEC, name="motion, trained")
        return LearnedEncoder(type("Trained", (), {"spec": spec})(), TooSure())

    def answers(self, learned, places):
        assert not self.shown[-1] & set(places.tolist())
        return learned.head.log_probabilities([self.table.steps["motion"][places]])


def test_a_trained_encoder_is_held_against_all_that_is_frozen_and_taken_where_that_is_proven(table):
    training, notes = KnowsAll(table), []
    watching = Trainees(table, ACCURACY, np.inf, notes, EncoderInFolds(table, training))
    terms = Terms({"motion": Cost(0.01, 0.01)}, ())
    compared = watching.graduate(compare(table, Folds(table.classes), terms, SILENT, watching.see))
    assert compared.chosen.members == ("motion, trained",) and compared.trained.like == "motion"
    assert compared.trained.encoder.spec.name == "motion, trained" and compared.trained.proven
    assert len(training.shown) == 6 and len(training.shown[-1]) == len(table.clips)
    # The answers that are judged are those of folds, by a training on the others.
    scored = compared.scored(["motion, trained", "motion"])
    assert scored.figures_C[0] > scored.figures_C[1] + 0.1
    assert compared.trained.under(Folds(table.classes).at_random).shape == (len(table.clips), 2)
