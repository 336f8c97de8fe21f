"""The mean of many probes' log-odds is one probe, and does not veto what one has not seen."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.fusion import fit_method
from vidfit.fusion.linear import fit_linear, log_softmax
from vidfit.fusion.probes import mean_probe, with_classes
from vidfit.testing import training_on


def clips(count=60, dim=8, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    labels_M = np.arange(count) % classes
    centres_KD = rng.normal(size=(classes, dim))
    x_MD = centres_KD[labels_M] + rng.normal(size=(count, dim))
    return x_MD.astype(np.float32), labels_M


@pytest.mark.parametrize("classes", [2, 3])
def test_the_mean_probe_answers_the_normalised_mean(classes):
    x_MD, labels_M = clips(classes=classes)
    halves = (slice(0, 30), slice(30, 60))
    probes = [fit_linear([x_MD[half]], labels_M[half], 3.0) for half in halves]
    base = fit_linear([x_MD], labels_M, 1.0)
    mean = mean_probe(probes, base.mean_D, base.scale_D)
    each = [probe.log_probabilities([x_MD]) for probe in probes]
    np.testing.assert_allclose(
        mean.log_probabilities([x_MD]), log_softmax(np.mean(each, axis=0)), atol=1e-4
    )
    np.testing.assert_allclose(mean.novelty([x_MD]), base.novelty([x_MD]))


def test_a_probe_that_has_not_seen_a_class_has_no_veto():
    x_MD, labels_M = clips()
    few = labels_M < 2
    probes = [fit_linear([x_MD], labels_M, 3.0), fit_linear([x_MD[few]], labels_M[few], 3.0)]
    mean = mean_probe(probes, probes[0].mean_D, probes[0].scale_D)
    answered = mean.log_probabilities([x_MD]).argmax(axis=1)
    assert (answered[labels_M == 2] == 2).mean() > 0.7


def test_a_class_that_no_probe_has_seen_is_never_answered():
    x_MD, labels_M = clips()
    probe = with_classes(fit_linear([x_MD], labels_M, 3.0), 5)
    mean = mean_probe([probe, probe], probe.mean_D, probe.scale_D)
    for found in (probe, mean):
        assert np.exp(found.log_probabilities([x_MD])[:, 3:]).max() < 1e-12


def test_with_classes_leaves_a_probe_with_enough_alone():
    x_MD, labels_M = clips()
    probe = fit_linear([x_MD], labels_M, 3.0)
    assert with_classes(probe, 3) is probe


def test_a_single_fold_member_is_close_to_its_probe():
    """Each probe has seen most clips, so their mean differs little from the fit on all."""
    x_MD, labels_M = clips(count=200, classes=4)
    training = training_on([x_MD[:, None]], labels_M, np.arange(200) % 5)
    fitted = fit_method("folds", training)
    one_MK = fitted.fusion.log_probabilities(training.blocks)
    all_MK = training.members[0].probe.log_probabilities(training.blocks)
    assert (one_MK.argmax(axis=1) == all_MK.argmax(axis=1)).mean() > 0.95
    assert fitted.fusion.weight_KD.shape == training.members[0].probe.weight_KD.shape
