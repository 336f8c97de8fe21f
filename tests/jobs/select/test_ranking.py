"""Figures of a ranking that are not of the race."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vidfit.jobs.select.ranking import _scores
from vidfit.labels import ONE


def entry_of(vectors_MD):
    labels_M = np.arange(len(vectors_MD)) % 2
    table = SimpleNamespace(vectors={"a": vectors_MD}, labels_M=labels_M, kind=ONE)
    return SimpleNamespace(table=table, folds_M=np.arange(len(vectors_MD)) % 5)


def test_transferability_is_of_clips_that_have_what_the_candidate_sees(rng):
    vectors_MD = rng.normal(size=(20, 6)).astype(np.float32)
    whole = _scores(entry_of(vectors_MD))
    lacking = np.vstack([vectors_MD, np.full((2, 6), np.nan, np.float32)])
    found = _scores(entry_of(lacking))
    assert found == pytest.approx(whole) and set(found) == {"logme", "parc", "knn"}
    lacking[::2] = np.nan
    assert _scores(entry_of(lacking)) == {}
