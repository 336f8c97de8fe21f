from __future__ import annotations

import warnings
from time import process_time

import numpy as np
import pytest

from vidfit.evaluate import leakage
from vidfit.evaluate.leakage import merge_groups, near_duplicates
from vidfit.features.fingerprint import from_tokens, to_tokens
from vidfit.reported import NearDuplicate

RANDOM = np.random.default_rng(0)


def hashes(frames: int = 8, contrast: float = 50.0, versions: int = 1) -> np.ndarray:
    codes_NV = RANDOM.integers(0, 2**64, (frames, versions), np.uint64)
    return to_tokens(codes_NV, np.full(frames, contrast, np.float32))


def flipped(tokens_ND: np.ndarray, bits: int, frames: slice = slice(None)) -> np.ndarray:
    codes_NV, contrast_N = from_tokens(tokens_ND)
    codes_NV[frames] ^= np.uint64((1 << bits) - 1)
    return to_tokens(codes_NV, contrast_N)


def find(first, second, **options):
    return near_duplicates(["a", "b"], ["1", "2"], [first, second], **options)


def test_the_distance_is_the_mean_of_differing_bits():
    tokens_ND = hashes()
    assert find(tokens_ND, flipped(tokens_ND, 3)) == (NearDuplicate("a", "b", 3.0),)


def test_the_best_half_of_the_frames_counts():
    tokens_ND = hashes()
    assert find(tokens_ND, flipped(tokens_ND, 9, slice(2, 6)))[0].distance_bits == 0.0
    assert find(tokens_ND, flipped(tokens_ND, 8, slice(3, 8)))[0].distance_bits == 2.0


def test_a_later_start_another_order_and_a_longer_video_hide_nothing():
    tokens_ND = hashes(12)
    assert find(tokens_ND[:8], tokens_ND[4:])[0].distance_bits == 0.0
    assert find(tokens_ND, tokens_ND[::-1])[0].distance_bits == 0.0
    assert find(hashes(3), tokens_ND) == ()
    inside = np.concatenate([hashes(3), tokens_ND[:2], hashes(3)])
    assert find(np.repeat(tokens_ND[:2], 4, axis=0), inside)[0].distance_bits == 0.0


def test_one_frame_alike_is_not_enough():
    first, second = hashes(), hashes()
    second[0] = first[3]
    assert find(first, second) == ()


def test_any_version_of_one_clip_is_held_against_the_other_as_it_is():
    first, second = hashes(versions=3), hashes(versions=3)
    second[:, 8:12] = first[:, :4]
    assert find(first, second)[0].distance_bits == 0.0
    assert find(second, first)[0].distance_bits == 0.0
    second = hashes(versions=3)
    second[:, 8:12] = first[:, 4:8]  # a version of one is not held against a version of the other
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
    partly_ND[:5, -1] = 0.0
    other_ND = flipped(partly_ND, 20, slice(0, 5))
    assert find(partly_ND, other_ND) == (NearDuplicate("a", "b", 0.0),)


def test_sorting_finds_what_a_plain_double_loop_finds():
    clips = [hashes(versions=2) for _ in range(60)]
    clips += [flipped(clip, bits % 12) for bits, clip in enumerate(clips[:50])]
    clips[3][1, -1] = 0.0
    keys = [f"k{i}" for i in range(len(clips))]
    groups = [str(i % 9) for i in range(len(clips))]
    found = near_duplicates(keys, groups, clips, threshold_bits=10.0)
    codes = leakage._pack(clips)
    pairs = np.column_stack(np.triu_indices(len(clips), 1))
    distances = leakage._distances(codes, pairs)
    expected = {
        (keys[i], keys[j]): distance
        for (i, j), distance in zip(pairs, distances, strict=True)
        if groups[i] != groups[j] and distance < 10
    }
    assert len(expected) > 30
    assert {(pair.first, pair.second): pair.distance_bits for pair in found} == expected
    assert [p.distance_bits for p in found] == sorted(p.distance_bits for p in found)


def test_a_picture_that_thousands_show_costs_no_more_than_others():
    """All pairs of them would be nine times as many for three times as many clips."""
    title = hashes()
    seconds = []
    for count in (1000, 3000):
        keys = [str(i) for i in range(count)]
        began = process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of more pairs than are kept
            found = near_duplicates(keys, keys, [title] * count)
        seconds.append(process_time() - began)
        assert len(set(merge_groups(keys, keys, found))) < 40
    assert seconds[1] < 6 * seconds[0]


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
    flat = hashes(contrast=0.0)
    assert find(flat, flat) == ()


def test_bad_arguments_fail():
    with pytest.raises(ValueError, match="2 keys, 1 groups"):
        near_duplicates(["a", "b"], ["1"], [hashes(), hashes()])
    with pytest.raises(ValueError, match="expected \\[N, 4 V"):
        find(hashes()[:, :4], hashes())
    with pytest.raises(ValueError, match="threshold_bits"):
        find(hashes(), hashes(), threshold_bits=0.0)


def test_recordings_are_joined_through_others():
    keys, groups = list("abcde"), ["r1", "r2", "r3", "r4", "r2"]
    pairs = [NearDuplicate("e", "c", 1.0), NearDuplicate("a", "b", 2.0)]
    assert merge_groups(keys, groups, pairs) == ["r1", "r1", "r1", "r4", "r1"]
    assert merge_groups(keys, groups, []) == groups
