"""A probe is given classes that it has not seen."""

from __future__ import annotations

import numpy as np

from vidfit.fusion.linear import fit_linear
from vidfit.fusion.probes import with_classes


def clips(classes=3):
    rng = np.random.default_rng(0)
    labels_M = np.arange(60) % classes
    x_MD = rng.normal(size=(classes, 8))[labels_M] + rng.normal(size=(60, 8))
    return x_MD.astype(np.float32), labels_M


def test_a_class_that_a_probe_has_not_seen_is_never_answered():
    x_MD, labels_M = clips()
    probe = fit_linear([x_MD], labels_M, 3.0)
    more_MK = with_classes(probe, 5).log_probabilities([x_MD])
    assert np.exp(more_MK[:, 3:]).max() < 1e-12
    np.testing.assert_allclose(more_MK[:, :3], probe.log_probabilities([x_MD]), atol=1e-6)


def test_a_probe_with_enough_classes_is_left_alone():
    x_MD, labels_M = clips()
    probe = fit_linear([x_MD], labels_M, 3.0)
    assert with_classes(probe, 3) is probe
