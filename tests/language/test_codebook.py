from __future__ import annotations

import numpy as np
import pytest

from vidfit.errors import VidfitError
from vidfit.language.codebook import Codebook, patches


def test_patches_lie_in_rows_and_tell_what_changed():
    grey_THW = np.zeros((2, 16, 24), np.float32)
    grey_THW[1, 8:, 16:] = 1.0
    found_TPD = patches(grey_THW)
    assert found_TPD.shape == (2, 6, 32)
    assert (found_TPD[1].max(axis=1) > 0).tolist() == [False] * 5 + [True]
    np.testing.assert_array_equal(found_TPD[1, 5], np.ones(32))
    with pytest.raises(VidfitError, match="do not divide"):
        patches(np.zeros((1, 15, 24), np.float32))


def test_tokens_are_those_of_the_nearest_centre():
    rng = np.random.default_rng(0)
    kinds_KD = rng.normal(size=(3, 8)).astype(np.float32)
    which_TP = rng.integers(0, 3, (50, 4))
    rows_TPD = kinds_KD[which_TP] + 0.01 * rng.normal(size=(50, 4, 8)).astype(np.float32)
    book = Codebook.learn([rows_TPD], 3)
    tokens_TP, far_TP = book.tokens(rows_TPD)
    assert book.vocabulary == 4 and tokens_TP.min() == 1
    assert len({(a, b) for a, b in zip(which_TP.flat, tokens_TP.flat, strict=True)}) == 3
    assert far_TP.max() < 0.5 < book.tokens(rows_TPD + 3)[1].min()
