"""A student of a teacher comes near the teacher."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from vidfit.fusion import distil
from vidfit.fusion.concat import fit_concat
from vidfit.fusion.distil import fit_student, soft_targets, teacher, tempered_loss
from vidfit.fusion.linear import Linear, cross_fit, fit_linear, log_softmax
from vidfit.fusion.regression import fit_soft, soft_loss
from vidfit.labels import mean_loss


def problem(clips: int, dim: int, classes: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels_M = np.arange(clips) % classes
    centres_KD = np.random.default_rng(99).normal(size=(classes, dim))
    x_MD = centres_KD[labels_M] + 2 * rng.normal(size=(clips, dim))
    return x_MD.astype(np.float32), labels_M


def always(answers_MK):
    """Teach the same, whatever there is to learn from."""
    return lambda learn_M: answers_MK


def dealt(folds_M):
    """Deal as before: here each fold has all classes."""
    return lambda learn_M: folds_M[learn_M]


def accuracy(probe: Linear, x_MD, labels_M) -> float:
    return float((probe.log_probabilities([x_MD]).argmax(axis=1) == labels_M).mean())


# ---------------------------------------------------------------- the loss


def test_the_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(0)
    terms = soft_targets(rng.normal(size=(20, 4)))
    design_MR, pull_R = rng.normal(size=(20, 6)), rng.uniform(0, 0.2, 6)

    def loss(flat):
        return soft_loss(flat, design_MR, terms, pull_R)

    error = check_grad(lambda w: loss(w)[0], lambda w: loss(w)[1], rng.normal(size=24), seed=1)
    assert error < 1e-5  # rounding, divided by steps of 1.5e-8, leaves about 1e-6


def test_the_loss_is_that_of_the_paper():
    """Written out for one clip: Hinton, Vinyals and Dean (2015), less the teacher's entropy."""
    z_K, v_K, temperature = np.array([1.0, -2.0]), np.array([0.5, 0.1]), distil.TEMPERATURE
    found, _ = soft_loss(z_K, np.ones((1, 1)), soft_targets(v_K[None]), np.zeros(1))

    def softmax(x):
        return np.exp(x) / np.exp(x).sum()

    p_K, q_K = softmax(v_K / temperature), softmax(z_K / temperature)
    assert found == pytest.approx(-(temperature**2) * (p_K * np.log(q_K)).sum())


@pytest.mark.parametrize("start", ["prior", "far"])
def test_the_minimum_does_not_depend_on_the_start(start):
    rng = np.random.default_rng(0)
    targets = soft_targets(rng.normal(size=(30, 3)))
    x_MR = rng.normal(size=(30, 8))
    far = (rng.normal(0, 5, (3, 8)), rng.normal(0, 5, 3)) if start == "far" else None
    weight_KR, _ = fit_soft(x_MR, targets, 1.0, start=far, tolerance=1e-7)
    expected_KR, _ = fit_soft(x_MR, targets, 1.0, tolerance=1e-7)
    np.testing.assert_allclose(weight_KR, expected_KR, atol=1e-4)


# ---------------------------------------------------------------- the student


def test_a_student_of_soft_answers_is_scikit_learn_with_weights(monkeypatch):
    """Each clip once for each class, with the teacher's probability as its weight."""
    monkeypatch.setattr(distil, "TEMPERATURE", 1.0)
    x_MD, labels_M = problem(60, 7, 3)
    soft_MK = log_softmax(np.random.default_rng(0).normal(0, 2, (60, 3)))
    scaled_MD = (x_MD - x_MD.mean(0)) / x_MD.std(0) / np.sqrt(7)
    reference = LogisticRegression(C=4.0, tol=1e-9, max_iter=10000)
    reference.fit(
        np.repeat(scaled_MD, 3, axis=0),
        np.tile(np.arange(3), 60),
        sample_weight=np.exp(soft_MK).ravel(),
    )
    student, _ = fit_student(x_MD, always(soft_MK), labels_M, np.arange(60) % 3, penalties=(4.0,))
    np.testing.assert_allclose(
        student.log_probabilities([x_MD]), reference.predict_log_proba(scaled_MD), atol=2e-3
    )


def test_a_teacher_that_a_student_can_match_is_matched():
    x_MD, labels_M = problem(300, 6, 3)
    rule = fit_linear([x_MD], labels_M, 3.0)
    answers_MK = rule.log_probabilities([x_MD])
    new_MD, _ = problem(100, 6, 3, seed=1)
    student, _ = fit_student(
        x_MD, always(answers_MK), labels_M, np.arange(300) % 5, penalties=(1e4,)
    )
    np.testing.assert_allclose(
        student.log_probabilities([new_MD]), rule.log_probabilities([new_MD]), atol=0.02
    )


# ---------------------------------------------------------------- learning


def views(clips: int, seed: int):
    """Two models that see the same eight classes, each with noise of its own."""
    rng = np.random.default_rng(seed)
    labels_M = np.arange(clips) % 8
    centres_KD = np.random.default_rng(7).normal(size=(8, 24))
    first, second = (centres_KD[labels_M] + 2.2 * rng.normal(size=(clips, 24)) for _ in range(2))
    return first.astype(np.float32), second.astype(np.float32), labels_M


def test_a_student_is_not_chosen_for_being_less_sure():
    log_p_MK = log_softmax(np.random.default_rng(0).normal(size=(50, 4)))
    labels_M = np.where(np.arange(50) < 30, log_p_MK.argmax(axis=1), 0)
    sure_MK = log_softmax(4 * log_p_MK)
    assert mean_loss(sure_MK, labels_M) > mean_loss(log_p_MK, labels_M)
    assert tempered_loss(sure_MK, labels_M) == pytest.approx(
        tempered_loss(log_p_MK, labels_M), abs=1e-3
    )
    assert tempered_loss(log_p_MK, labels_M) < tempered_loss(log_p_MK, labels_M[::-1])


def test_no_answer_to_a_fold_knows_its_labels():
    """Neither through the labels nor through a teacher that has seen them."""
    x_MD, labels_M = problem(80, 120, 2)
    folds_M = np.arange(80) // 2 % 5
    noise_M = np.random.default_rng(0).integers(0, 2, 80)

    def answers(given_M):
        teach = teacher([x_MD], fit_concat, given_M, dealt(folds_M))
        return fit_student(x_MD, teach, given_M, folds_M, penalties=(3.0,))[1]

    other_M = np.where(folds_M == 2, 1 - labels_M, labels_M)
    own, moved = answers(labels_M), answers(other_M)
    np.testing.assert_array_equal(own[folds_M == 2], moved[folds_M == 2])
    assert np.abs(own[folds_M != 2] - moved[folds_M != 2]).max() > 0.01
    # Of labels that say nothing nothing can be learned: log 2 nats, or more.
    assert mean_loss(answers(noise_M), noise_M) > 0.69


def test_a_teacher_answers_clips_it_has_not_learned_from():
    first_MD, second_MD, labels_M = views(160, seed=0)
    folds_M = np.arange(160) // 8 % 5
    teach = teacher([first_MD, second_MD], fit_concat, labels_M, dealt(folds_M))
    learn_M = folds_M != 3
    blocks = [first_MD[learn_M], second_MD[learn_M]]
    expected, _ = cross_fit(blocks, labels_M[learn_M], folds_M[learn_M])
    # The joint axes are found from those of each member: other roundings of single precision.
    np.testing.assert_allclose(
        teach(learn_M), expected.log_probabilities([first_MD, second_MD]), atol=1e-4
    )


def test_a_teacher_without_clips_of_the_last_class_never_answers_it():
    x_MD, labels_M = problem(60, 8, 3)
    folds_M = np.arange(60) % 4
    answers_MK = teacher([x_MD], fit_concat, labels_M, dealt(folds_M))(labels_M != 2)
    assert answers_MK.shape == (60, 3)
    assert np.exp(answers_MK[:, 2]).max() < 1e-6


def test_the_same_clips_give_the_same_student():
    x_MD, labels_M = problem(60, 90, 3)
    folds_M = np.arange(60) % 5
    one, other = (
        fit_student(x_MD, teacher([x_MD], fit_concat, labels_M, dealt(folds_M)), labels_M, folds_M)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one[0].weight_KD, other[0].weight_KD)
    np.testing.assert_array_equal(one[1], other[1])
