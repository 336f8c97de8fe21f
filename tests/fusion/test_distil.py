"""A student of labels is the probe, a student of a teacher comes near the teacher."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from vidfit.fusion.concat import fit_concat
from vidfit.fusion.distil import (
    RECIPES,
    UNLABELLED,
    Lesson,
    Recipe,
    fit_student,
    teacher,
    tempered_loss,
)
from vidfit.fusion.linear import Linear, cross_fit, fit_linear, log_softmax
from vidfit.fusion.regression import fit_soft, soft_loss
from vidfit.labels import mean_loss

LABELS_ALONE = (Recipe(0.0),)
TEACHER_ALONE = (Recipe(1.0),)


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


@pytest.mark.parametrize("recipe", [*RECIPES, Recipe(0.3, 5.0)])
def test_the_gradient_is_that_of_finite_differences(recipe):
    rng = np.random.default_rng(0)
    label_MK = np.eye(4)[rng.integers(0, 4, 20)] * (np.arange(20) < 12)[:, None]
    terms = Lesson(label_MK, rng.normal(size=(20, 4))).terms(recipe)
    design_MR, pull_R = rng.normal(size=(20, 6)), rng.uniform(0, 0.2, 6)

    def loss(flat):
        return soft_loss(flat, design_MR, terms, pull_R)

    error = check_grad(lambda w: loss(w)[0], lambda w: loss(w)[1], rng.normal(size=24), seed=1)
    assert error < 1e-5  # rounding, divided by steps of 1.5e-8, leaves about 1e-6


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_loss_is_convex(recipe):
    """On each of many chords it lies below the chord's middle."""
    rng = np.random.default_rng(0)
    terms = Lesson(np.eye(3)[np.arange(15) % 3], rng.normal(size=(15, 3))).terms(recipe)
    design_MR, pull_R = rng.normal(size=(15, 5)), np.full(5, 0.1)
    for first, second in rng.normal(0, 4, (50, 2, 15)):
        ends = [soft_loss(w, design_MR, terms, pull_R)[0] for w in (first, second)]
        assert soft_loss((first + second) / 2, design_MR, terms, pull_R)[0] < np.mean(ends)


def test_the_loss_is_that_of_the_paper():
    """Written out for one clip: Hinton, Vinyals and Dean (2015), less the teacher's entropy."""
    z_K, v_K, alpha, temperature = np.array([1.0, -2.0]), np.array([0.5, 0.1]), 0.3, 4.0
    lesson = Lesson(np.array([[0.0, 1.0]]), v_K[None])
    terms = lesson.terms(Recipe(alpha, temperature))
    found, _ = soft_loss(z_K, np.ones((1, 1)), terms, np.zeros(1))

    def softmax(x):
        return np.exp(x) / np.exp(x).sum()

    p_K, q_K = softmax(v_K / temperature), softmax(z_K / temperature)
    expected = -(1 - alpha) * np.log(softmax(z_K)[1])
    expected -= alpha * temperature**2 * (p_K * np.log(q_K)).sum()
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("start", ["prior", "far"])
def test_the_minimum_does_not_depend_on_the_start(start):
    rng = np.random.default_rng(0)
    lesson = Lesson(np.eye(3)[np.arange(30) % 3], rng.normal(size=(30, 3)))
    x_MR = rng.normal(size=(30, 8))
    far = (rng.normal(0, 5, (3, 8)), rng.normal(0, 5, 3)) if start == "far" else None
    weight_KR, _ = fit_soft(x_MR, lesson.terms(Recipe(0.5, 3.0)), 1.0, start=far, tolerance=1e-7)
    expected_KR, _ = fit_soft(x_MR, lesson.terms(Recipe(0.5, 3.0)), 1.0, tolerance=1e-7)
    np.testing.assert_allclose(weight_KR, expected_KR, atol=1e-4)


# ---------------------------------------------------------------- special cases


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(("clips", "dim"), [(40, 200), (200, 12)])
@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_a_student_of_labels_alone_is_the_linear_probe(clips, dim, classes, penalty):
    x_MD, labels_M = problem(clips, dim, classes)
    teach = always(np.zeros((clips, classes), np.float32))
    student, _ = fit_student(
        x_MD, teach, labels_M, np.arange(clips) % 5, recipes=LABELS_ALONE, penalties=(penalty,)
    )
    expected = fit_linear([x_MD], labels_M, penalty)
    new_MD, _ = problem(30, dim, classes, seed=1)
    # The probe stops at a gradient of 1e-5.
    np.testing.assert_allclose(
        np.exp(student.log_probabilities([new_MD])),
        np.exp(expected.log_probabilities([new_MD])),
        atol=2e-3,
    )


def test_a_student_of_soft_answers_is_scikit_learn_with_weights():
    """Each clip once for each class, with the teacher's probability as its weight."""
    x_MD, labels_M = problem(60, 7, 3)
    soft_MK = log_softmax(np.random.default_rng(0).normal(0, 2, (60, 3)))
    scaled_MD = (x_MD - x_MD.mean(0)) / x_MD.std(0) / np.sqrt(7)
    reference = LogisticRegression(C=4.0, tol=1e-9, max_iter=10000)
    reference.fit(
        np.repeat(scaled_MD, 3, axis=0),
        np.tile(np.arange(3), 60),
        sample_weight=np.exp(soft_MK).ravel(),
    )
    student, _ = fit_student(
        x_MD,
        always(soft_MK),
        labels_M,
        np.arange(60) % 3,
        recipes=TEACHER_ALONE,
        penalties=(4.0,),
    )
    np.testing.assert_allclose(
        student.log_probabilities([x_MD]), reference.predict_log_proba(scaled_MD), atol=2e-3
    )


def test_a_teacher_that_a_student_can_match_is_matched():
    x_MD, labels_M = problem(300, 6, 3)
    rule = fit_linear([x_MD], labels_M, 3.0)
    answers_MK = rule.log_probabilities([x_MD])
    new_MD, _ = problem(100, 6, 3, seed=1)
    student, _ = fit_student(
        x_MD,
        always(answers_MK),
        labels_M,
        np.arange(300) % 5,
        recipes=(Recipe(1.0, 3.0),),
        penalties=(1e4,),
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


def test_clips_that_the_teacher_has_answered_teach_beyond_the_labels():
    first_MD, second_MD, labels_M = views(640, seed=0)
    folds_M = np.arange(640) // 8 % 5
    given_M = np.where(np.arange(640) < 160, labels_M, UNLABELLED)
    teach = teacher([first_MD, second_MD], fit_concat, given_M, dealt(folds_M))
    student, _ = fit_student(first_MD, teach, given_M, folds_M)
    alone, _ = cross_fit([first_MD[:160]], labels_M[:160], folds_M[:160])
    new_MD, _, new_M = views(2000, seed=1)
    assert accuracy(student, new_MD, new_M) > accuracy(alone, new_MD, new_M) + 0.02


def test_a_teacher_that_knows_nothing_is_not_listened_to():
    x_MD, labels_M = problem(120, 10, 3)
    wrong_MK = log_softmax(4.0 * np.eye(3)[np.random.default_rng(0).permutation(labels_M)])
    folds_M = np.arange(120) % 5
    student, _ = fit_student(x_MD, always(wrong_MK), labels_M, folds_M, recipes=RECIPES)
    alone, _ = cross_fit([x_MD], labels_M, folds_M)
    new_MD, new_M = problem(1000, 10, 3, seed=1)
    assert accuracy(student, new_MD, new_M) > accuracy(alone, new_MD, new_M) - 0.02
    deceived, _ = fit_student(x_MD, always(wrong_MK), labels_M, folds_M, recipes=TEACHER_ALONE)
    assert accuracy(deceived, new_MD, new_M) < accuracy(alone, new_MD, new_M) - 0.1


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
        return fit_student(x_MD, teach, given_M, folds_M, recipes=TEACHER_ALONE, penalties=(3.0,))[
            1
        ]

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


def test_the_whole_grid_takes_less_than_three_seconds():
    x_MD, labels_M = problem(400, 3840, 16)
    teach = always(log_softmax(np.random.default_rng(0).normal(0, 2, (400, 16))))
    started = time.process_time()
    fit_student(x_MD, teach, labels_M, np.arange(400) % 5, recipes=RECIPES)
    assert time.process_time() - started < 3.0 * 2  # the processor may be shared


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full(20, UNLABELLED), "at least one class number"),
        (np.zeros(19, int), "valid is one a clip"),
        (np.arange(20) % 4, "knows 3"),
        (np.arange(20) % 3 - 2, "without a label"),
    ],
)
def test_labels_that_say_nothing_or_something_else_are_refused(labels, message):
    x_MD, _ = problem(20, 5, 3)
    with pytest.raises(ValueError, match=message):
        fit_student(x_MD, always(np.zeros((20, 3), np.float32)), labels, np.arange(20) % 4)


@pytest.mark.parametrize(("alpha", "temperature"), [(-0.1, 1.0), (1.1, 1.0), (0.5, 0.0)])
def test_a_recipe_out_of_range_is_refused(alpha, temperature):
    with pytest.raises(ValueError, match="alpha from 0 to 1"):
        Recipe(alpha, temperature)
