"""The probe in the span of the clips is scikit-learn's regression on all features."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from vidfit import fusion
from vidfit.fusion import linear
from vidfit.fusion.linear import cross_fit, fit_linear, held_out_novelty, log_softmax
from vidfit.labels import mean_loss


def problem(clips: int, dim: int, classes: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels_M = np.arange(clips) % classes
    centres_KD = rng.normal(size=(classes, dim))
    x_MD = centres_KD[labels_M] + 2 * rng.normal(size=(clips, dim))
    x_MD = x_MD * rng.uniform(0.1, 10, dim) + rng.normal(size=dim)
    return x_MD.astype(np.float32), labels_M


def reference(blocks, labels_M, penalty, test):
    """Fit in the primal: standardise each block, divide by the root of its width."""

    def prepared(parts):
        scaled = [
            (part - block.mean(0)) / block.std(0) / np.sqrt(block.shape[1])
            for part, block in zip(parts, blocks, strict=True)
        ]
        return np.concatenate(scaled, axis=1).astype(np.float64)

    regression = LogisticRegression(C=penalty, max_iter=20000, tol=1e-8)
    regression.fit(prepared(blocks), labels_M)
    return regression.predict_log_proba(prepared(test))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(("clips", "dim"), [(40, 200), (200, 12), (30, 30)])
@pytest.mark.parametrize("penalty", [0.3, 10.0])
def test_equal_to_scikit_learn_in_the_primal(clips, dim, classes, penalty):
    x_MD, labels_M = problem(clips, dim, classes)
    new_MD, _ = problem(25, dim, classes, seed=1)
    fitted = fit_linear([x_MD], labels_M, penalty)
    expected_MK = reference([x_MD], labels_M, penalty, [new_MD])
    # Both stop at a gradient of about 1e-5, and features are float32.
    np.testing.assert_allclose(
        fitted.log_probabilities([new_MD]), expected_MK, rtol=2e-3, atol=5e-3
    )
    np.testing.assert_allclose(
        np.exp(fitted.log_probabilities([new_MD])), np.exp(expected_MK), atol=1e-3
    )


def test_blocks_weigh_the_same_whatever_their_width():
    narrow_MD, labels_M = problem(60, 4, 3)
    wide_MD, _ = problem(60, 150, 3, seed=5)
    fitted = fit_linear([narrow_MD, wide_MD], labels_M, 3.0)
    expected_MK = reference([narrow_MD, wide_MD], labels_M, 3.0, [narrow_MD, wide_MD])
    np.testing.assert_allclose(
        fitted.log_probabilities([narrow_MD, wide_MD]), expected_MK, atol=5e-3
    )


def test_scale_and_offset_of_features_do_not_matter():
    x_MD, labels_M = problem(50, 80, 3)
    one = fit_linear([x_MD], labels_M, 1.0).log_probabilities([x_MD])
    other = fit_linear([x_MD * 64 + 4], labels_M, 1.0).log_probabilities([x_MD * 64 + 4])
    np.testing.assert_allclose(one, other, atol=2e-3)


@pytest.mark.parametrize(("clips", "dim"), [(30, 100), (100, 8)])
def test_a_class_number_without_clips_is_never_answered(clips, dim):
    x_MD, labels_M = problem(clips, dim, 2)
    labels_M = np.where(labels_M == 1, 3, 1)  # classes 0 and 2 have no clip
    answer_MK = fit_linear([x_MD], labels_M, 1.0).log_probabilities([x_MD])
    assert answer_MK.shape == (clips, 4)
    assert np.exp(answer_MK[:, [0, 2]]).max() < 1e-12
    np.testing.assert_allclose(np.exp(answer_MK).sum(axis=1), 1.0, atol=1e-5)
    assert set(answer_MK.argmax(axis=1)) == {1, 3}


@pytest.mark.parametrize(("clips", "dim"), [(30, 60), (60, 6)])
def test_constant_features_say_nothing(clips, dim):
    x_MD, labels_M = problem(clips, dim, 3)
    constant_M4 = np.full((clips, 4), 7.0, np.float32)
    fitted = fit_linear([np.concatenate([x_MD, constant_M4], axis=1)], labels_M, 1.0)
    moved_M4 = constant_M4 + 1e6  # what never changed in training may do so later
    np.testing.assert_allclose(
        fitted.log_probabilities([np.concatenate([x_MD, moved_M4], axis=1)]),
        fit_linear([x_MD], labels_M, 1.0).log_probabilities([x_MD]),
        atol=2e-3,
    )


@pytest.mark.parametrize("dim", [3, 50])
def test_features_that_are_all_constant_give_the_shares_of_the_classes(dim):
    x_MD = np.ones((20, dim), np.float32)
    labels_M = np.array([0] * 15 + [1] * 5)
    answer_MK = fit_linear([x_MD], labels_M, 1.0).log_probabilities([x_MD])
    np.testing.assert_allclose(np.exp(answer_MK[0]), [0.75, 0.25], atol=1e-3)


def test_novelty_is_one_on_the_average_of_the_training_clips():
    x_MD, labels_M = problem(50, 30, 2)
    y_MD, _ = problem(50, 9, 2, seed=3)
    fitted = fit_linear([x_MD, y_MD], labels_M, 1.0)
    assert fitted.novelty([x_MD, y_MD]).mean() == pytest.approx(1.0, abs=1e-4)
    assert fitted.novelty([x_MD + 10 * x_MD.std(0), y_MD]).min() > 5


@pytest.mark.parametrize(("clips", "dim"), [(30, 500), (400, 20)])
def test_held_out_novelty_is_that_of_new_clips(clips, dim):
    """In training, clips look more familiar than they are; the more so, the fewer there are."""
    x_MD, labels_M = problem(2 * clips, dim, 2)
    train_MD, new_MD = x_MD[:clips], x_MD[clips:]
    fitted = fit_linear([train_MD], labels_M[:clips], 1.0)
    held_out_M = held_out_novelty([train_MD], np.arange(clips) % 5)
    threshold = np.quantile(held_out_M, 0.95)
    declined = (fitted.novelty([new_MD]) > threshold).mean()
    assert declined < 0.12
    if clips < dim:
        in_sample = np.quantile(fitted.novelty([train_MD]), 0.95)
        assert (fitted.novelty([new_MD]) > in_sample).mean() > 0.2


def test_held_out_novelty_of_several_members_is_their_mean():
    x_MD, _ = problem(40, 30, 2)
    y_MD, _ = problem(40, 5, 2, seed=3)
    folds_M = np.arange(40) % 4
    both = held_out_novelty([x_MD, y_MD], folds_M)
    each = [held_out_novelty([block], folds_M) for block in (x_MD, y_MD)]
    np.testing.assert_allclose(both, np.mean(each, axis=0), rtol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_out_of_fold_answers_come_from_fits_without_the_fold(classes):
    x_MD, labels_M = problem(60, 10, classes)
    folds_M = np.repeat(np.arange(5), 12)
    fitted, out_MK = cross_fit([x_MD], labels_M, folds_M, penalties=(1.0,))
    np.testing.assert_allclose(
        fitted.log_probabilities([x_MD]),
        fit_linear([x_MD], labels_M, 1.0).log_probabilities([x_MD]),
        atol=1e-4,
    )
    # Other labels in one fold must not move the answers of that fold.
    other_M = np.where(folds_M == 2, (labels_M + 1) % classes, labels_M)
    _, moved_MK = cross_fit([x_MD], other_M, folds_M, penalties=(1.0,))
    np.testing.assert_array_equal(moved_MK[folds_M == 2], out_MK[folds_M == 2])
    assert np.abs(moved_MK[folds_M != 2] - out_MK[folds_M != 2]).max() > 0.01


def test_the_penalty_of_the_lowest_held_out_loss_is_chosen():
    labels_M = np.arange(60) % 2
    noise_MD = np.random.default_rng(0).normal(size=(60, 300))  # in it, weak fits err least
    x_MD = (noise_MD + 0.1 * labels_M[:, None]).astype(np.float32)
    folds_M = np.arange(60) % 5
    _, out_MK = cross_fit([x_MD], labels_M, folds_M, penalties=(0.1, 1000.0))
    losses = [
        mean_loss(cross_fit([x_MD], labels_M, folds_M, penalties=(p,))[1], labels_M)
        for p in (0.1, 1000.0)
    ]
    assert losses[0] < losses[1]
    assert mean_loss(out_MK, labels_M) == pytest.approx(losses[0])


def test_a_class_in_one_fold_only_gets_no_answer_there():
    x_MD, labels_M = problem(40, 6, 2)
    labels_M = np.where(np.arange(40) == 7, 2, labels_M)
    folds_M = np.arange(40) % 5
    _, out_MK = cross_fit([x_MD], labels_M, folds_M)
    assert out_MK.shape == (40, 3)
    assert out_MK[7, 2] == -20.0
    assert np.isfinite(out_MK).all()


def test_log_softmax_of_large_values():
    np.testing.assert_allclose(
        log_softmax(np.array([[1e4, 0.0], [0.0, -1e4]])), [[0.0, -1e4], [0.0, -1e4]]
    )


def test_log_loss_of_a_sure_error_is_bounded():
    assert mean_loss(np.array([[0.0, -1e9]], np.float32), np.array([1])) == 20.0


def test_state_and_restore_round_trip():
    x_MD, labels_M = problem(30, 50, 3)
    fitted = fit_linear([x_MD], labels_M, 1.0)
    restored = fusion.restore("linear", fitted.state())
    np.testing.assert_array_equal(
        restored.log_probabilities([x_MD]), fitted.log_probabilities([x_MD])
    )
    assert all(array.dtype == np.float32 for array in fitted.state().values())


def test_a_state_that_lacks_an_array_is_refused():
    with pytest.raises(TypeError, match="bias_K"):
        linear.restore({name: np.zeros(1) for name in ("mean_D", "scale_D", "weight_KD")})
