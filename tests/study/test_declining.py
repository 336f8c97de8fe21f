"""What share of clips a model declines is measured on recordings that it has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidfit.contracts import Clip, Cost
from vidfit.evaluate import STRICT, USUAL
from vidfit.features import STEPS
from vidfit.metrics import probabilities
from vidfit.networks.head import standards
from vidfit.selection import Terms, fit_contenders
from vidfit.study import heads
from vidfit.study.compare import model_of
from vidfit.study.declining import Calibrated, declines_of
from vidfit.study.table import Table


def made(classes: int, apart: float = 2.0, seed: int = 0) -> Table:
    """Return 60 recordings of eight clips each."""
    rng = np.random.default_rng(seed)
    labels_M = np.arange(480) % classes
    means_KD = apart * rng.normal(size=(classes, 20))
    vectors_MD = (means_KD[labels_M] + 1.5 * rng.normal(size=(480, 20))).astype(np.float32)
    names = tuple(f"class {k}" for k in range(classes))
    clips = tuple(
        Clip(f"{i}.mp4", label=names[k], group=str(i // 8)) for i, k in enumerate(labels_M)
    )
    vectors = {"one": vectors_MD, "two": vectors_MD[:, ::2].copy()}
    return Table(clips, names, labels_M, vectors, (), np.ones(480))


def fitted(table: Table, methods: tuple[str, ...] = ()):
    """Return what is fitted last, and the folds."""
    folds_M = np.arange(480) // 8 % 5
    terms = Terms(dict.fromkeys(table.vectors, Cost(0.01, 0.01)), methods)
    return fit_contenders(table.rows, folds_M, terms)[-1], folds_M


def test_known_and_new_classes_are_measured():
    table = made(5, apart=1.0)
    chosen, folds_M = fitted(table.only(["one"]))
    found = declines_of(chosen, folds_M, table)
    assert found.classes_left_out == 5 and found.why == ""
    assert found.auroc is not None and 0.75 < found.auroc < 0.85
    assert found.known.low <= USUAL.confidence + USUAL.novelty
    assert found.known.value == pytest.approx(0.07, abs=0.03)
    assert found.strict_known.value == pytest.approx(0.28, abs=0.05)
    assert found.new is not None and found.strict_new is not None
    assert found.new.value > 2 * found.known.value
    assert found.new.value < found.strict_new.value <= 1
    assert found == declines_of(chosen, folds_M, table)


def test_where_classes_look_alike_new_ones_are_declined_no_more_often():
    table = made(4, apart=0.0)
    chosen, folds_M = fitted(table.only(["one"]))
    found = declines_of(chosen, folds_M, table)
    assert found.auroc == pytest.approx(0.5, abs=0.06)
    assert found.new is not None and found.new.value == pytest.approx(0.07, abs=0.04)


def test_two_classes_leave_nothing_to_measure_new_ones_by():
    table = made(2)
    chosen, folds_M = fitted(table.only(["one"]))
    found = declines_of(chosen, folds_M, table)
    assert found.known.value == pytest.approx(0.07, abs=0.03)
    assert (found.new, found.strict_new, found.auroc) == (None, None, None)
    assert "with two classes" in found.why


def test_a_fusion_that_is_one_probe_is_measured_and_others_say_why_not():
    table = made(4)
    chosen, folds_M = fitted(table, ("concat",))
    assert chosen.members == ("one", "two")
    assert declines_of(chosen, folds_M, table).new is not None
    chosen, folds_M = fitted(table, ("stack",))
    assert "would have to be fitted again" in declines_of(chosen, folds_M, table).why


def test_thresholds_decline_the_stated_share_of_held_out_clips():
    table = made(4)
    chosen, folds_M = fitted(table.only(["one"]))
    model = model_of(chosen, folds_M, table)
    sure_M = probabilities(chosen.out_of_fold_MK, model.temperature).max(axis=1)
    novelty_M = Calibrated.of(chosen, folds_M, table.rows).held.novelty_M
    for shares, least, farthest in (
        (USUAL, model.unknown_probability, model.unknown_novelty),
        (STRICT, model.strict_probability, model.strict_novelty),
    ):
        assert (sure_M < least).mean() == pytest.approx(shares.confidence, abs=1 / 240)
        assert (novelty_M > farthest).mean() == pytest.approx(shares.novelty, abs=1 / 240)


def test_the_novelty_of_a_network_is_measured_as_its_head_does():
    table = made(3)
    steps_MX = np.random.default_rng(1).normal(size=(480, STEPS * 3)).astype(np.float32)
    table = replace(table, steps={"one": steps_MX * np.tile([1.0, 2.0, 3.0], STEPS)})
    chosen, folds_M = fitted(table.only(["one"]))
    network = replace(chosen, head=heads.NETWORK)
    found_M = Calibrated.of(network, folds_M, table.rows).held.novelty_M
    learn_M, test_M = folds_M != 1, folds_M == 1
    mean_D, scale_D = standards(table.steps["one"][learn_M], 3)
    tokens_MND = (table.steps["one"][test_M].reshape(-1, STEPS, 3) - mean_D) * scale_D
    expected_M = (tokens_MND**2).mean(axis=1).sum(axis=1) / 3
    np.testing.assert_allclose(found_M[test_M], expected_M, rtol=1e-4)
