"""A stack trusts a member for what it can do on clips that it has not seen."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.fusion import Member, Training
from vidfit.fusion.linear import cross_fit
from vidfit.fusion.stack import fit_stack

CLIPS, CLASSES = 120, 3


def training_on(blocks, labels_M, folds_M):
    members = [Member(block, *cross_fit([block], labels_M, folds_M)) for block in blocks]
    return Training(tuple(members), labels_M, folds_M)


def stacked(blocks, labels_M, folds_M):
    fitted = fit_stack(training_on(blocks, labels_M, folds_M))
    assert fitted.used == tuple(range(len(blocks)))
    return fitted.fusion, fitted.out_of_fold_MK


@pytest.fixture(name="labels_M")
def _labels():
    return np.arange(CLIPS) % CLASSES


@pytest.fixture(name="folds_M")
def _folds(rng):
    return rng.permutation(CLIPS) % 5


def signal(labels_M, rng, seen=(0, 1, 2), noise=0.7):
    """Features that tell the classes in ``seen`` apart from the others."""
    hot_MK = np.eye(CLASSES)[labels_M] * np.isin(np.arange(CLASSES), seen)
    return (hot_MK + noise * rng.normal(size=hot_MK.shape)).astype(np.float32)


def accuracy(answer_MK, labels_M):
    return float((answer_MK.argmax(axis=1) == labels_M).mean())


def test_a_memoriser_is_not_trusted(rng, labels_M, folds_M):
    """Its in-sample answers are perfect; on other clips it knows nothing."""
    good = signal(labels_M, rng)
    memoriser = rng.normal(size=(CLIPS, 2000)).astype(np.float32)
    in_sample, _ = cross_fit([memoriser], labels_M, folds_M, penalties=(100.0,))
    assert accuracy(in_sample.log_probabilities([memoriser]), labels_M) == 1.0
    _, out_MK = stacked([good, memoriser], labels_M, folds_M)
    alone = accuracy(cross_fit([good], labels_M, folds_M)[1], labels_M)
    assert accuracy(out_MK, labels_M) > alone - 0.05


def test_another_number_of_blocks_is_refused(rng, labels_M, folds_M):
    blocks = [signal(labels_M, rng), signal(labels_M, rng, (1,))]
    stack, _ = stacked(blocks, labels_M, folds_M)
    with pytest.raises(ValueError, match="shorter"):
        stack.log_probabilities(blocks[:1])
