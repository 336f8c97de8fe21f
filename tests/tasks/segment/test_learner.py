"""The learner of places keeps the contract of a task, and of its fits."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tasks.segment.drawn import write_folders

from vidfit.errors import ModelError
from vidfit.metrics.areas import MeanIou
from vidfit.tasks import task_named
from vidfit.tasks.segment.reading import read_masks
from vidfit.tasks.segment.told import told_places
from vidfit.testing import check_task


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    manifest = read_masks(write_folders(tmp_path_factory.mktemp("drawn"), 60, 10))
    task = task_named("segment")
    return task.suited(task, manifest), manifest


def test_keeps_the_contract_of_a_task(drawn):
    task, manifest = drawn
    check_task(task, [clip.label for clip in manifest.clips])


def test_two_encoders_are_averaged_and_beat_the_place_prior(drawn):
    task, manifest = drawn
    truth = task.kind.truth(manifest.clips[:20], task.kind.names)
    folds_M = np.arange(20) % 4
    vectors = told_places(truth)
    head, both = task.learner.together([vectors, vectors], truth, folds_M)
    _, alone = task.learner.fit(vectors, truth, folds_M)
    np.testing.assert_allclose(both, alone, atol=1e-5)
    np.testing.assert_allclose(head.log_probabilities([vectors, vectors])[0, :2], alone[0, :2])
    prior = task.kind.constant(truth, 3, 20, "miou")
    figures = [MeanIou().figure(MeanIou().sums(truth, a)[None])[0] for a in (alone, prior)]
    assert figures[0] > figures[1] + 0.1


def test_a_head_of_other_encoders_is_refused(drawn):
    task, manifest = drawn
    truth = task.kind.truth(manifest.clips[:8], task.kind.names)
    vectors = told_places(truth)
    head, _ = task.learner.fit(vectors, truth, np.arange(8) % 2)
    state, width = head.state(), vectors.shape[1]
    assert task.learner.restore(state, [width], 3).state().keys() == state.keys()
    for altered, classes, wide in (
        (state, 4, width),
        (state, 3, width + 181),
        ({**state, "member0.levels_3": np.array([1.5, 2, 2], np.float32)}, 3, width),
        ({**state, "member0.bias_C": np.full(3, np.nan, np.float32)}, 3, width),
    ):
        with pytest.raises(ModelError):
            task.learner.restore(altered, [wide], classes)
