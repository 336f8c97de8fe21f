"""Projections against scikit-learn; projection and probe are one linear probe."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA

from vidfit.fusion import Member, Training, fit_method, projected
from vidfit.fusion.cca import variates
from vidfit.fusion.linear import cross_fit
from vidfit.fusion.pca import components
from vidfit.fusion.projected import principal_axes


def low_rank(clips, dim, rank=4, seed=0):
    rng = np.random.default_rng(seed)
    scores_MR = rng.normal(size=(clips, rank)) * np.arange(rank, 0, -1)
    return scores_MR @ rng.normal(size=(rank, dim)) + 0.1 * rng.normal(size=(clips, dim))


@pytest.mark.parametrize(("clips", "dim"), [(40, 100), (100, 20)])
def test_principal_axes_are_those_of_scikit_learn(clips, dim):
    x_MD = low_rank(clips, dim) + 3.0
    values_R, axes_RD = principal_axes(x_MD)
    expected = PCA(n_components=0.95, svd_solver="full").fit(x_MD)
    assert len(values_R) == expected.n_components_ < 5
    share = (clips - 1) / clips  # scikit-learn divides by one clip less
    np.testing.assert_allclose(values_R, expected.explained_variance_ * share, rtol=1e-6)
    np.testing.assert_allclose(np.abs(np.sum(axes_RD * expected.components_, axis=1)), 1.0)


def test_no_more_axes_than_the_clips_allow():
    x_MD = np.random.default_rng(0).normal(size=(40, 200))  # 95 % would take 35
    assert len(principal_axes(x_MD)[0]) == 10


def test_clips_that_are_all_alike_have_a_harmless_axis():
    values_R, axes_RD = principal_axes(np.ones((20, 5)))
    assert values_R.shape == (1,)
    assert np.isfinite(axes_RD).all()


def test_components_of_a_member_have_variance_one_and_leave_others_alone():
    parts = [low_rank(80, 30), 100 * low_rank(80, 6, seed=1)]
    map_RD = components(parts)
    z_MR = np.concatenate(parts, axis=1) @ map_RD.T
    first = np.abs(map_RD[:, :30]).sum(axis=1) > 0
    assert not np.abs(map_RD[first, 30:]).any()
    assert z_MR[:, first].var(axis=0).sum() == pytest.approx(1.0)
    assert z_MR[:, ~first].var(axis=0).sum() == pytest.approx(1.0)


def test_the_first_variate_is_that_of_canonical_correlation():
    rng = np.random.default_rng(0)
    shared_M = rng.normal(size=400)
    parts = []
    for dim in (6, 8):
        x_MD = rng.normal(size=(400, dim))
        x_MD[:, 0] = shared_M + 0.5 * rng.normal(size=400)
        parts.append(x_MD / np.sqrt(dim))
    z_MR = np.concatenate(parts, axis=1) @ variates(parts).T
    reference = CCA(n_components=1).fit(*parts)
    expected_M = sum(part[:, 0] for part in reference.transform(*parts))
    # The ridge moves it a little.
    assert abs(np.corrcoef(z_MR[:, 0], expected_M)[0, 1]) > 0.98
    assert abs(np.corrcoef(z_MR[:, 0], shared_M)[0, 1]) > 0.9


def test_what_only_one_member_sees_is_dropped():
    rng = np.random.default_rng(0)
    parts = [np.column_stack([rng.normal(size=500), np.zeros(500)]) for _ in range(2)]
    shared_M = rng.normal(size=500)
    for part in parts:
        part[:, 1] = shared_M
    z_MR = np.concatenate(parts, axis=1) @ variates(parts).T
    own = np.corrcoef(z_MR[:, 0], parts[0][:, 0])[0, 1]
    assert abs(np.corrcoef(z_MR[:, 0], shared_M)[0, 1]) > 0.99
    assert abs(own) < 0.15


@pytest.mark.parametrize("method", ["pca", "cca"])
def test_held_out_answers_come_from_projections_without_the_fold(method, monkeypatch):
    """Moving the vectors of a fold must not move the projection that answers it."""
    monkeypatch.setattr(projected, "PENALTIES", (3.0,))
    labels_M = np.arange(60) % 3
    blocks = [low_rank(60, 20) + labels_M[:, None], low_rank(60, 9, seed=2) + labels_M[:, None]]
    blocks = [block.astype(np.float32) for block in blocks]
    folds_M = np.arange(60) % 5
    members = [Member(block, *cross_fit([block], labels_M, folds_M)) for block in blocks]
    training = Training(tuple(members), labels_M, folds_M)
    out_MK = fit_method(method, training).out_of_fold_MK
    for member in training.members:  # clip 5 is in fold 0, like clip 0
        member.vectors_MD[5] += 100.0
    moved_MK = fit_method(method, training).out_of_fold_MK
    np.testing.assert_allclose(moved_MK[0], out_MK[0], atol=1e-5)
    assert np.abs(moved_MK[1] - out_MK[1]).max() > 1e-3
