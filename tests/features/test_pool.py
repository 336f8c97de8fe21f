from __future__ import annotations

import numpy as np

from vidfit.features import temporal_statistics


def test_mean_deviation_and_mean_difference_of_tokens():
    tokens_ND = np.array([[0.0, 1.0], [2.0, 1.0], [1.0, 4.0]], np.float32)
    np.testing.assert_allclose(
        temporal_statistics(tokens_ND),
        [1.0, 2.0, np.sqrt(2 / 3), np.sqrt(2.0), 1.5, 1.5],
        rtol=1e-6,
    )


def test_the_order_of_tokens_matters_to_the_difference_only():
    tokens_ND = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    ordered = np.sort(tokens_ND, axis=0)
    first, second = temporal_statistics(tokens_ND), temporal_statistics(ordered)
    np.testing.assert_allclose(first[:6], second[:6], rtol=1e-5)
    assert (second[6:] < first[6:]).all()


def test_one_token_has_no_deviation_and_no_difference():
    vector = temporal_statistics(np.array([[3.0, -1.0]]))
    np.testing.assert_array_equal(vector, [3.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    assert vector.dtype == np.float32
