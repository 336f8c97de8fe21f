"""Coordinates along principal axes say what the features say, and of many clips nearly all."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from vidfit.fusion import span as module
from vidfit.fusion.linear import cross_fit, fit_linear
from vidfit.fusion.span import MOST_AXES, Span, principal_axes
from vidfit.labels import mean_loss


def features(clips, dim, seed=0, power=1.0):
    """Return features of few strong and many weak directions."""
    rng = np.random.default_rng(seed)
    strength = np.arange(1.0, dim + 1) ** -power
    return ((rng.normal(size=(clips, dim)) * strength) @ rng.normal(size=(dim, dim))).astype(
        np.float32
    )


def standard(block):
    return (block - block.mean(0)) / block.std(0) / np.sqrt(block.shape[1])


@pytest.mark.parametrize(("clips", "dim"), [(40, 90), (90, 40), (30, 30)])
def test_products_of_clips_are_those_of_standardised_features(clips, dim):
    x_MD = features(clips, dim)
    span = Span.of([x_MD])
    expected = standard(x_MD.astype(float))
    np.testing.assert_allclose(
        span.coordinates_MR @ span.coordinates_MR.T, expected @ expected.T, atol=1e-4
    )


def test_new_clips_lie_where_the_axes_say():
    x_MD = features(60, 20)
    span = Span.of([x_MD])
    np.testing.assert_allclose(span.project([x_MD]), span.coordinates_MR, atol=1e-5)
    weight_KR = np.random.default_rng(0).normal(size=(3, span.coordinates_MR.shape[1]))
    standard_MD = (x_MD - span.mean_D) * span.scale_D
    np.testing.assert_allclose(
        standard_MD @ span.weights(weight_KR).T, span.coordinates_MR @ weight_KR.T, atol=1e-4
    )


@pytest.mark.parametrize("way", [Span.joined, Span.side_by_side])
def test_spans_together_are_the_span_of_the_blocks(way):
    blocks = [features(50, 80), features(50, 7, seed=1)]
    expected, found = Span.of(blocks), way([Span.of([block]) for block in blocks])
    np.testing.assert_allclose(
        found.coordinates_MR @ found.coordinates_MR.T,
        expected.coordinates_MR @ expected.coordinates_MR.T,
        atol=1e-4,
    )
    np.testing.assert_allclose(found.project(blocks), found.coordinates_MR, atol=1e-4)


def test_some_of_the_clips_keep_their_coordinates():
    span, rows_M = Span.of([features(20, 6)]), np.arange(20) % 3 == 0
    np.testing.assert_array_equal(span.where(rows_M).coordinates_MR, span.coordinates_MR[rows_M])


def test_clips_that_are_all_alike_have_no_axis():
    assert principal_axes(np.zeros((10, 4), np.float32)) is None
    span = Span.of([np.ones((10, 4), np.float32)])
    assert span.basis_RD is None
    np.testing.assert_array_equal(span.project([np.ones((2, 4), np.float32)]), 0.0)
    assert Span.joined([span, span]).coordinates_MR.shape == (10, 8)


def test_of_many_clips_the_strongest_axes_are_kept():
    clips = dim = MOST_AXES + 100
    span = Span.of([features(clips, dim, power=0.5)])
    assert span.coordinates_MR.shape == (clips, MOST_AXES)
    lost = 1 - (span.coordinates_MR**2).sum() / clips
    assert 0 <= lost < 0.02


def test_axes_from_some_of_the_clips_serve_all(monkeypatch):
    x_MD = standard(features(600, 300))
    monkeypatch.setattr(module, "_MOST_CLIPS", 200)
    axes_RD = principal_axes(x_MD)
    np.testing.assert_allclose(axes_RD @ axes_RD.T, np.eye(len(axes_RD)), atol=1e-2)
    held = ((x_MD @ axes_RD.T) ** 2).sum() / (x_MD**2).sum()
    assert held > 0.98


def test_a_probe_along_fewer_axes_answers_as_one_of_all_features(monkeypatch):
    """Of 400 clips, 60 axes: what is left out hardly changes an answer."""
    rng = np.random.default_rng(0)
    labels_M = np.arange(400) % 3
    centres = 2 * rng.normal(size=(3, 300)) / np.sqrt(np.arange(1, 301))
    x_MD = features(400, 300) + (centres[labels_M] @ rng.normal(size=(300, 300)) / 30)
    x_MD = x_MD.astype(np.float32)
    monkeypatch.setattr(module, "MOST_AXES", 60)
    found_MK = fit_linear([x_MD], labels_M, 3.0).log_probabilities([x_MD])
    reference = LogisticRegression(C=3.0, max_iter=5000).fit(standard(x_MD.astype(float)), labels_M)
    expected_MK = reference.predict_log_proba(standard(x_MD.astype(float)))
    assert (found_MK.argmax(1) == expected_MK.argmax(1)).mean() > 0.98
    assert mean_loss(found_MK, labels_M) == pytest.approx(
        mean_loss(expected_MK, labels_M), abs=0.02
    )
    folds_M = np.arange(400) // 3 % 5
    few = mean_loss(cross_fit([x_MD], labels_M, folds_M)[1], labels_M)
    monkeypatch.setattr(module, "MOST_AXES", 300)
    assert few < mean_loss(cross_fit([x_MD], labels_M, folds_M)[1], labels_M) + 0.02
