from __future__ import annotations

import numpy as np
import pytest
from tests.selection.scores.problems import leep_by_definition

from vidfit.errors import NotEnoughDataError
from vidfit.selection.scores import leep, nce


def probabilities(clips, sources, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(sources, 0.3), clips), rng.integers(0, 3, clips)


@pytest.mark.parametrize(("clips", "sources"), [(50, 4), (12, 100), (80, 1)])
def test_equal_to_the_definition(clips, sources):
    source_MZ, labels_M = probabilities(clips, sources)
    # Both in float64: only rounding differs, relative.
    assert leep(source_MZ, labels_M) == pytest.approx(
        leep_by_definition(source_MZ, labels_M), rel=1e-9
    )


def test_a_source_class_that_is_never_answered_changes_nothing():
    source_MZ, labels_M = probabilities(40, 5)
    padded = np.insert(source_MZ, 2, 0.0, axis=1)
    assert leep(padded, labels_M) == pytest.approx(leep(source_MZ, labels_M), abs=1e-12)


def test_certain_sources_give_nce():
    rng = np.random.default_rng(1)
    source_M, labels_M = rng.integers(0, 6, 60), rng.integers(0, 3, 60)
    assert leep(np.eye(6)[source_M], labels_M) == pytest.approx(nce(source_M, labels_M), abs=1e-12)


def test_a_source_that_knows_the_labels_is_perfect():
    _, labels_M = probabilities(40, 3)
    assert leep(np.eye(3)[labels_M], labels_M) == 0.0


@pytest.mark.parametrize("source", [np.full((4, 2), 0.9), np.array([[2.0, -1.0]] * 4)])
def test_logits_are_refused(source):
    with pytest.raises(ValueError, match="give probabilities"):
        leep(source, [0, 1, 0, 1])


def test_one_class_is_refused():
    with pytest.raises(NotEnoughDataError, match="1 class"):
        leep(np.full((4, 2), 0.5), [1, 1, 1, 1])
