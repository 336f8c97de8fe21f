"""Chosen clips against brute force, and the rule between the two ways to choose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from vidfit.errors import NotEnoughDataError, VidfitError
from vidfit.selection import active
from vidfit.selection.active import (
    LABELS_A_CLASS,
    NO_LABEL,
    Pool,
    clusters,
    directions,
    least_margin,
    most_typical,
    next_clips,
    probe_answers,
    suited,
    typicality,
)


def noise(rng, clips=60, dims=(5, 9), labelled=10, classes=3):
    blocks = [rng.normal(size=(clips, dim)).astype(np.float32) for dim in dims]
    labels_M = np.full(clips, NO_LABEL)
    labels_M[:labelled] = np.arange(labelled) % classes
    groups = [f"r{i // 3}" for i in range(clips)]
    return Pool(blocks, labels_M, groups, [f"class {k}" for k in range(classes)])


def blobs(rng, sizes=(60, 30, 15, 8)):
    """Well apart, one class each; no clip has a label, each is a recording of its own."""
    truth_M = np.repeat(np.arange(len(sizes)), sizes)
    centres = 10 * np.eye(len(sizes))
    x_MD = (centres[truth_M] + rng.normal(size=(len(truth_M), len(sizes)))).astype(np.float32)
    groups = [str(i) for i in range(len(truth_M))]
    labels_M = np.full(len(truth_M), NO_LABEL)
    return Pool([x_MD], labels_M, groups, [f"c{k}" for k in range(len(sizes))]), truth_M


def distances(x_MR):
    return np.sqrt(((x_MR[:, None] - x_MR[None]) ** 2).sum(axis=2))


@pytest.mark.parametrize(("clips", "neighbours"), [(2, 1), (3, 1), (10, 5), (41, 20), (90, 20)])
def test_typicality_is_the_inverse_mean_distance_to_the_nearest(rng, clips, neighbours):
    x_MR = rng.normal(size=(clips, 4))
    expected_M = [1 / (np.sort(row)[1 : neighbours + 1].mean() + 1e-5) for row in distances(x_MR)]
    # Distances by sums of squares in another order.
    np.testing.assert_allclose(typicality(x_MR), expected_M, rtol=1e-9)


def test_a_clip_alone_is_typical():
    np.testing.assert_array_equal(typicality(np.zeros((1, 3))), [1.0])


def brute_force_typical(x_MR, cluster_M, labelled, count):
    """TypiClust as the paper tells it, one clip after the other."""
    chosen = []
    order = sorted(
        set(cluster_M.tolist()),
        key=lambda c: (
            np.sum(cluster_M == c) < 5,
            len(labelled & set(np.flatnonzero(cluster_M == c))),
            -np.sum(cluster_M == c),
        ),
    )
    while len(chosen) < count:
        for c in order:
            left = [i for i in np.flatnonzero(cluster_M == c) if i not in labelled | set(chosen)]
            if not left or len(chosen) == count:
                continue
            near = min(20, max(len(left) // 2, 1))
            apart = [
                sorted(np.linalg.norm(x_MR[i] - x_MR[j]) for j in left if j != i) for i in left
            ]
            chosen.append(left[int(np.argmin([np.mean(row[:near] or [0]) for row in apart]))])
    return chosen


@pytest.mark.parametrize("count", [1, 6, 40])
def test_typical_clips_are_those_of_brute_force(rng, count):
    pool = noise(rng)
    x_MR = directions(pool.blocks)
    cluster_M = clusters(x_MR, 10 + count, seed=3)
    expected = brute_force_typical(x_MR, cluster_M, set(range(10)), count)
    found = most_typical(pool, count, seed=3)
    assert [one.row for one in found] == expected
    assert {one.method for one in found} == {"typical"}


def test_the_first_labels_meet_every_group_of_look_alikes(rng):
    pool, truth_M = blobs(rng)
    found = next_clips(pool, 4)
    assert sorted(truth_M[one.row] for one in found) == [0, 1, 2, 3]
    assert found[0].row < 60  # of the largest
    assert found[0].why == "typical of 60 clips that look alike, of which none had a label"


def test_groups_that_have_a_label_wait_for_those_that_have_none(rng):
    pool, truth_M = blobs(rng)
    labels_M = np.where(np.arange(len(truth_M)) % 7 == 0, truth_M, NO_LABEL)
    labels_M[truth_M > 1] = NO_LABEL
    clusters_of_truth = lambda *_: truth_M  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(active, "clusters", clusters_of_truth)
        found = most_typical(replace(pool, labels_M=labels_M), 2)
    assert [truth_M[one.row] for one in found] == [2, 3]


def test_margins_are_those_of_brute_force(rng):
    pool = noise(rng)
    answers_MK = rng.dirichlet(np.ones(3), 60).astype(np.float32)
    alone = replace(pool, groups=[str(i) for i in range(60)])
    two = [sorted(row, reverse=True) for row in answers_MK.tolist()]
    expected = sorted(range(10, 60), key=lambda i: two[i][0] - two[i][1])[:12]
    found = least_margin(alone, answers_MK, 12)
    assert [one.row for one in found] == expected
    first, second = np.argsort(-answers_MK[expected[0]])[:2]
    assert found[0].why.startswith(f"class {first} ") and f", class {second} " in found[0].why


def test_no_recording_is_asked_twice_before_all_were_asked_once(rng):
    pool = noise(rng, labelled=3)  # all of the first of 20 recordings
    answers_MK = rng.dirichlet(np.ones(3), 60).astype(np.float32)
    rows = [one.row for one in least_margin(pool, answers_MK, 57)]
    assert sorted(rows) == list(range(3, 60))
    for turn in range(3):
        asked = {pool.groups[row] for row in rows[19 * turn : 19 * (turn + 1)]}
        assert len(asked) == 19
    margin_M = np.ptp(np.sort(answers_MK, axis=1)[:, 1:], axis=1)
    of_recording = [row for row in rows if pool.groups[row] == "r5"]
    assert (np.diff(margin_M[of_recording]) >= 0).all()


def test_a_clip_is_explained_by_where_it_stands_in_its_recording(rng):
    """A probe may be sure of a whole recording; then its least sure clip is asked all the same."""
    pool = Pool(
        [np.zeros((4, 1), np.float32)], np.full(4, NO_LABEL), ["a", "a", "a", "b"], ["yes", "no"]
    )
    answers_MK = np.array([[0.96, 0.04], [0.97, 0.03], [0.99, 0.01], [0.48, 0.52]])
    found = least_margin(pool, answers_MK, 3)
    assert [(one.row, one.why) for one in found] == [
        (3, "no 52%, yes 48%: the only clip of its recording without a label"),
        (0, "yes 96%, no 4%: the least sure of 3 clips of its recording without a label"),
        (1, "yes 97%, no 3%: among the 2 least sure of 3 clips of its recording without a label"),
    ]


def test_the_rule_between_the_two_counts_labels_a_class():
    enough = LABELS_A_CLASS
    assert suited(np.full(9, NO_LABEL)) == "typical"
    assert suited(np.repeat([0, 1], enough)) == "margin"
    assert suited(np.append(np.repeat([0, 1], enough), NO_LABEL)) == "margin"
    assert suited(np.repeat([0, 1, 2], [enough, enough, enough - 1])) == "typical"
    assert suited(np.repeat([0, 1], [1, 2 * enough - 1])) == "margin"
    assert suited(np.zeros(100, int)) == "typical", "one class has no margin"


def test_with_many_labels_the_margin_chooses(rng):
    pool = noise(rng, labelled=3 * LABELS_A_CLASS)
    found = next_clips(pool, 5)
    expected = least_margin(pool, probe_answers(pool), 5)
    assert found == expected
    assert {one.method for one in found} == {"margin"}


@pytest.mark.parametrize("labelled", [0, 10, 45])
def test_chosen_clips_have_no_label_and_the_same_seed_gives_the_same(rng, labelled):
    pool = noise(rng, labelled=labelled)
    rows = [one.row for one in next_clips(pool, 8, seed=5)]
    assert len(set(rows)) == 8 and min(rows) >= labelled
    assert rows == [one.row for one in next_clips(pool, 8, seed=5)]


@pytest.mark.parametrize("labelled", [1, 45, 60])
def test_no_more_than_all_that_are_left(rng, labelled):
    rows = [one.row for one in next_clips(noise(rng, labelled=labelled), 1000)]
    assert sorted(rows) == list(range(labelled, 60))


def test_clips_that_all_look_the_same_are_still_asked(rng):
    pool = replace(noise(rng, labelled=0), blocks=[np.ones((60, 4), np.float32)])
    assert len({one.row for one in next_clips(pool, 7)}) == 7


def test_without_a_second_recording_the_probe_is_that_of_scikit_learn(rng):
    """Nothing can be held out: the penalty stays, and nothing is calibrated."""
    pool = replace(noise(rng, dims=(6,), labelled=9), groups=["one"] * 60)
    x_MD = pool.blocks[0][:9].astype(np.float64)
    scaled = (pool.blocks[0] - x_MD.mean(axis=0)) / x_MD.std(axis=0) / np.sqrt(6)
    reference = LogisticRegression(C=3.0, tol=1e-10, max_iter=10_000)
    reference.fit(scaled[:9], pool.labels_M[:9])
    # The probe stops at a gradient of 1e-4.
    np.testing.assert_allclose(probe_answers(pool), reference.predict_proba(scaled), atol=2e-3)


def test_a_probe_of_random_labels_claims_little(rng):
    pool = noise(rng, clips=200, dims=(30,), labelled=100)
    labels_M = np.append(rng.integers(0, 3, 100), np.full(100, NO_LABEL))
    answers_MK = probe_answers(replace(pool, labels_M=labels_M))
    np.testing.assert_allclose(answers_MK.sum(axis=1), 1.0, atol=1e-5)
    assert answers_MK[100:].max(axis=1).mean() < 0.5


def test_classes_without_a_label_get_no_probability(rng):
    pool = noise(rng, labelled=20)
    answers_MK = probe_answers(replace(pool, classes=["a", "b", "c", "d"]))
    assert answers_MK.shape == (60, 4) and not answers_MK[:, 3].any()


def test_a_probe_of_one_class_is_refused(rng):
    pool = noise(rng, classes=1)
    with pytest.raises(NotEnoughDataError, match="the labels are of one class; a probe needs two"):
        probe_answers(pool)


def test_a_count_below_one_is_refused(rng):
    with pytest.raises(VidfitError, match="count is 0; give the number of clips"):
        next_clips(noise(rng), 0)


def test_rows_that_do_not_match_are_refused(rng):
    pool = noise(rng)
    with pytest.raises(VidfitError, match=r"have \[59, 60\] rows; valid is one row a clip"):
        next_clips(replace(pool, groups=pool.groups[1:]), 3)
