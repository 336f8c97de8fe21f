from __future__ import annotations

import numpy as np
import pytest

from vidfit.evaluate import leakage
from vidfit.evaluate.leakage import merge_groups, near_duplicates
from vidfit.reported import NearDuplicate

RANDOM = np.random.default_rng(0)


def hashes(frames: int = 4, contrast: float = 50.0) -> np.ndarray:
    tokens_ND = (RANDOM.random((frames, 65)) < 0.5).astype(np.float32)
    tokens_ND[:, 64] = contrast
    return tokens_ND


def flipped(tokens_ND: np.ndarray, bits: int) -> np.ndarray:
    copy = tokens_ND.copy()
    copy[:, :bits] = 1 - copy[:, :bits]
    return copy


def find(first, second, **options):
    return near_duplicates(["a", "b"], ["1", "2"], [first, second], **options)


def test_the_distance_is_the_mean_of_differing_bits():
    tokens_ND = hashes()
    assert find(tokens_ND, flipped(tokens_ND, 3)) == (NearDuplicate("a", "b", 3.0),)


def test_a_later_start_is_aligned():
    tokens_ND = hashes(6)
    assert find(tokens_ND[:4], tokens_ND[2:]) == (NearDuplicate("a", "b", 0.0),)


def test_one_frame_alike_is_not_enough():
    first, second = hashes(), hashes()
    second[0] = first[3]
    assert find(first, second) == ()


def test_clips_of_differing_lengths_are_compared():
    tokens_ND = hashes(6)
    assert find(tokens_ND, tokens_ND[1:4]) == (NearDuplicate("a", "b", 0.0),)


def test_one_recording_is_not_searched():
    tokens_ND = hashes()
    assert near_duplicates(["a", "b"], ["1", "1"], [tokens_ND, tokens_ND]) == ()


def test_the_threshold_is_exclusive():
    tokens_ND = hashes()
    assert find(tokens_ND, flipped(tokens_ND, 5), threshold_bits=5.0) == ()
    assert len(find(tokens_ND, flipped(tokens_ND, 5), threshold_bits=5.1)) == 1


def test_flat_frames_do_not_count():
    tokens_ND = hashes(contrast=0.5)
    assert find(tokens_ND, tokens_ND) == ()
    assert len(find(*[hashes(contrast=leakage.MIN_CONTRAST)] * 2)) == 1  # just enough
    partly_ND = hashes()
    partly_ND[:2, 64] = 0.0
    other_ND = partly_ND.copy()
    other_ND[:2, :64] = 1 - other_ND[:2, :64]
    assert find(partly_ND, other_ND) == (NearDuplicate("a", "b", 0.0),)


def test_blocks_give_what_a_plain_double_loop_gives(monkeypatch):
    monkeypatch.setattr(leakage, "_BLOCK", 7)
    clips = [hashes() for _ in range(20)]
    clips += [flipped(clip, bits) for bits, clip in enumerate(clips[:15])]
    clips[3][1, 64] = 0.0
    keys = [f"k{i}" for i in range(len(clips))]
    groups = [str(i % 9) for i in range(len(clips))]
    found = near_duplicates(keys, groups, clips, threshold_bits=10.0)
    expected = {
        (keys[i], keys[j]): distance
        for i in range(len(clips))
        for j in range(i + 1, len(clips))
        if groups[i] != groups[j] and (distance := plain_distance(clips[i], clips[j])) < 10
    }
    assert len(expected) == 10
    assert {(pair.first, pair.second) for pair in found} == set(expected)
    for pair in found:
        # Means of integers in float32.
        assert pair.distance_bits == pytest.approx(expected[pair.first, pair.second], abs=1e-5)
    assert [p.distance_bits for p in found] == sorted(p.distance_bits for p in found)


def plain_distance(a_ND: np.ndarray, b_ND: np.ndarray) -> float:
    best = np.inf
    for shift in range(-2, 3):
        bits = [
            np.count_nonzero(a_ND[i, :64] != b_ND[i + shift, :64])
            for i in range(4)
            if 0 <= i + shift < 4 and a_ND[i, 64] >= 4 and b_ND[i + shift, 64] >= 4
        ]
        if len(bits) >= 2:
            best = min(best, float(np.mean(bits)))
    return best


def test_too_many_pairs_are_cut_to_the_nearest_with_a_warning(monkeypatch):
    monkeypatch.setattr(leakage, "PAIR_LIMIT", 3)
    clip = hashes()
    clips = [clip] + [flipped(clip, bits) for bits in range(1, 6)]
    keys = [str(i) for i in range(6)]
    with pytest.warns(UserWarning, match="More than 3 pairs"):
        found = near_duplicates(keys, keys, clips)
    assert [pair.distance_bits for pair in found] == [1.0, 1.0, 1.0]


def test_nothing_to_compare():
    assert near_duplicates([], [], []) == ()
    assert near_duplicates(["a"], ["1"], [hashes()]) == ()


def test_bad_arguments_fail():
    with pytest.raises(ValueError, match="2 keys, 1 groups"):
        near_duplicates(["a", "b"], ["1"], [hashes(), hashes()])
    with pytest.raises(ValueError, match="expected \\[N, 65\\]"):
        find(hashes()[:, :64], hashes())
    with pytest.raises(ValueError, match="threshold_bits"):
        find(hashes(), hashes(), threshold_bits=0.0)


def test_recordings_are_joined_through_others():
    keys, groups = list("abcde"), ["r1", "r2", "r3", "r4", "r2"]
    pairs = [NearDuplicate("e", "c", 1.0), NearDuplicate("a", "b", 2.0)]
    assert merge_groups(keys, groups, pairs) == ["r1", "r1", "r1", "r4", "r1"]
    assert merge_groups(keys, groups, []) == groups
