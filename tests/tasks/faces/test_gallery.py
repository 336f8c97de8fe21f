"""Strangers stay unknown, known people are named, and a gallery may be anybody's."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.errors import ModelError
from vidfit.metrics.identities import NOT_KNOWN
from vidfit.tasks.faces.gallery import (
    LEAST_PEOPLE,
    USUAL_THRESHOLD,
    LearnGallery,
    gallery_of,
    mean_direction,
    threshold_of,
)

DIM = 32


def people(count, pictures, rng, spread=0.25):
    """Return unit vectors of pictures around directions that have much in common."""
    centres = 1.5 * np.ones(DIM) / np.sqrt(DIM) + rng.normal(0, 1, (count, DIM)) / np.sqrt(DIM)
    noise = rng.normal(0, spread, (count, pictures, DIM)) / np.sqrt(DIM)
    vectors = centres[:, None] + noise
    return (vectors / np.linalg.norm(vectors, axis=2, keepdims=True)).astype(np.float32)


def test_few_strangers_are_named_and_nearly_all_known_people():
    rng, named, right = np.random.default_rng(0), [], []
    for _ in range(10):
        known, strangers = people(14, 10, rng), people(30, 5, rng)
        enrolled = known[:, :5].reshape(-1, DIM)
        gallery = gallery_of(enrolled, np.repeat(np.arange(14), 5), 14)
        named.append((gallery.log_probabilities([strangers.reshape(-1, DIM)]).max(1) >= 0).mean())
        over = gallery.log_probabilities([known[:, 5:].reshape(-1, DIM)])
        right.append(((over.argmax(1) == np.repeat(np.arange(14), 5)) & (over.max(1) >= 0)).mean())
    assert np.mean(named) <= 0.03
    assert np.mean(right) >= 0.97


def test_the_bound_lies_above_what_strangers_reach_now_and_then():
    rng = np.random.default_rng(1)
    known = people(LEAST_PEOPLE, 4, rng).reshape(-1, DIM)
    person = np.repeat(np.arange(LEAST_PEOPLE), 4)
    gallery = gallery_of(known, person, LEAST_PEOPLE)
    alike = known @ gallery.people_KD.T
    others = np.where(person[:, None] == np.arange(LEAST_PEOPLE), -1, alike).max(axis=1)
    assert float(gallery.threshold_1[0]) > np.quantile(others, 0.99)


def test_of_few_people_the_usual_threshold_holds_at_least():
    rng = np.random.default_rng(2)
    one = people(1, 3, rng)[0]
    assert threshold_of(one @ one[:1].T, np.zeros(3, int)) == USUAL_THRESHOLD
    alike = people(3, 4, rng, spread=0.01).reshape(-1, DIM) * 0 + 1 / np.sqrt(DIM)
    twins = gallery_of(alike.astype(np.float32), np.repeat(np.arange(3), 4), 3)
    assert float(twins.threshold_1[0]) == pytest.approx(1.0)  # all look the same: nobody is named


def test_a_mean_of_vectors_is_as_alike_as_they_are_on_average():
    rng = np.random.default_rng(3)
    vectors = people(1, 6, rng)[0]
    gallery = gallery_of(people(2, 3, rng).reshape(-1, DIM), np.repeat([0, 1], 3), 2)
    each, together = (
        gallery.log_probabilities([x]) for x in (vectors, mean_direction(vectors)[None])
    )
    assert together[0] == pytest.approx(each.mean(axis=0), abs=1e-5)


def test_a_person_of_one_picture_is_not_known_where_it_is_left_out():
    vectors = people(3, 2, np.random.default_rng(4)).reshape(-1, DIM)[:5]
    truth, folds = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 0])
    (answers,) = LearnGallery().tried(vectors, truth, folds)
    assert (answers[folds == 0, 2] == NOT_KNOWN).all()
    assert (answers[folds == 1, 2] > NOT_KNOWN).all()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"people_KD": np.full((2, DIM), np.nan, np.float32)}, "NaN"),
        ({"people_KD": np.zeros((2, DIM), np.float32)}, "nobody"),
        ({"people_KD": np.ones((2, DIM), np.float32)}, "no unit vectors"),
        ({"people_KD": np.ones((3, DIM), np.float32)}, "2 people are named"),
        ({"threshold_1": np.array([9.0], np.float32)}, "threshold that is none"),
    ],
)
def test_a_gallery_that_is_none_is_refused(change, complaint):
    state = gallery_of(people(2, 2, np.random.default_rng(5)).reshape(-1, DIM),
                       np.repeat([0, 1], 2), 2).state()  # fmt: skip
    assert LearnGallery().restore(state, [DIM], 2)
    with pytest.raises(ModelError, match=complaint):
        LearnGallery().restore({**state, **change}, [DIM], 2)
