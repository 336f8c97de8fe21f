"""Tubes have their area, the teacher speaks when it is sure, and harm is found and rejected."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.training.regimes import (
    RECIPE,
    Linear,
    clusters,
    few_labels,
    hits,
    longer,
    trained,
)
from torch import nn

from vidfit.contracts import Estimate
from vidfit.errors import NotEnoughDataError
from vidfit.metrics import mean_interval
from vidfit.networks.clips import Clips
from vidfit.training.clipset import ClipSet
from vidfit.training.order import deal
from vidfit.training.semi import Semi, TubeMix, judge, with_labels_at_least

LEARNING = longer(25, learning_rate=0.05)
SEVERAL = {"micro_batch": 150}


def frames(value, clips=3, time=4, height=64, width=48):
    shape = (clips, 2, time, height, width, 3)
    return Clips(frames_BVTHWC=torch.full(shape, value, dtype=torch.uint8))


def answering(tokens_MND, sure=0.99):
    """Answer class 1 where the first feature is above zero, as sure as its size says."""

    def answer(clips):
        first_B = clips.tokens_BND[:, 0, 0]
        p_B = torch.where(first_B.abs() > 1, sure, 0.6)
        one_B = torch.where(first_B > 0, p_B, 1 - p_B)
        return torch.stack([1 - one_B, one_B], dim=1)

    return answer


def dealt(rows, mixup=0.0, place=(0, 1, 64)):
    return deal(np.asarray(rows), 0, (mixup, (1, 2, 3)), place)


def taught(clips, micro, semi, sure=0.99):
    clips_2B, target_QK = clips.paired(micro, 2, 0.0)
    return semi(answering(clips.arrays["tokens"], sure), (micro, clips_2B, target_QK))


# Tubes


@pytest.mark.parametrize("share", [0.5, 0.6, 0.75, 1.0])
def test_a_tube_is_one_clip_at_all_times_and_has_the_wanted_area(share):
    shares_B = np.array([share, share + 1e-9 if share < 1 else 1.0, share])
    mixed, area_B = TubeMix()(frames(0), frames(255), shares_B)
    own_BVTHWC = (mixed.frames_BVTHWC == 0).float()
    # 12 cells: the nearest number of them.
    assert area_B.tolist() == pytest.approx([round(share * 12) / 12] * 3)
    assert own_BVTHWC.mean(dim=(1, 2, 3, 4, 5)).tolist() == pytest.approx(area_B.tolist())
    assert (own_BVTHWC == own_BVTHWC[:, :1, :1, :, :, :1]).all()
    cells = own_BVTHWC[:, 0, 0, :, :, 0].unfold(1, 16, 16).unfold(2, 16, 16).flatten(3)
    assert (cells.std(dim=3) == 0).all()


def test_tubes_differ_from_clip_to_clip_and_are_drawn_by_the_share_alone():
    shares_B = np.array([0.5, 0.55, 0.51])
    masks_BHW = TubeMix(cell_pixels=8).masks(shares_B, 64, 64)
    assert not torch.equal(masks_BHW[0], masks_BHW[2])
    assert torch.equal(TubeMix(cell_pixels=8).masks(shares_B[1:], 64, 64), masks_BHW[1:])


def test_the_area_is_that_of_pixels_where_the_side_does_not_divide():
    mixed, area_B = TubeMix()(
        frames(0, height=50, width=37), frames(255, height=50, width=37), np.array([0.5, 0.7, 0.9])
    )
    own_BHW = (mixed.frames_BVTHWC == 0).float()[:, 0, 0, :, :, 0]
    assert own_BHW.mean(dim=(1, 2)).tolist() == pytest.approx(area_B.tolist())


def test_tokens_are_averaged_and_one_left_alone_keeps_its_bits():
    own = torch.randn(2, 3, 4)
    other = torch.full((2, 3, 4), torch.nan)
    other[0] = 1.0
    present = torch.tensor([[True, False, False], [True, True, False]])
    mixed, share_B = TubeMix()(Clips(own, present), Clips(other, ~present), np.array([0.75, 1.0]))
    # The blend in float32 against the same in float64.
    expected = 0.75 * own[0].double() + 0.25
    assert torch.allclose(mixed.tokens_BND[0].double(), expected, atol=1e-6)
    assert torch.equal(mixed.tokens_BND[1], own[1])
    assert mixed.present_BN.tolist() == [[True] * 3, [True, True, False]]
    assert share_B.tolist() == [0.75, 1.0]


# Targets


def test_a_teacher_that_is_sure_is_believed_and_one_that_is_not_adds_nothing():
    tokens = np.array([2.0, -3.0, 0.5, -0.5], np.float32).reshape(4, 1, 1)
    clips = ClipSet(np.array([-1, -1, -1, 0]), {"tokens": tokens})
    (micro,) = dealt([0, 1, 2, 3])
    _, seen, target_BK = taught(clips, micro, Semi(threshold=0.95, weight=0.5))
    assert torch.equal(seen.tokens_BND, torch.from_numpy(tokens))
    assert target_BK.tolist() == [[0, 0.5], [0.5, 0], [0, 0], [1, 0]]
    _, _, unsure_BK = taught(clips, micro, Semi(threshold=0.95), sure=0.94)
    assert unsure_BK.tolist() == [[0, 0], [0, 0], [0, 0], [1, 0]]


def test_clips_that_keep_a_process_in_step_are_not_taught():
    clips = ClipSet(np.array([-1, -1, -1]), {"tokens": np.full((3, 1, 1), 2, np.float32)})
    (micro,) = dealt([0, 1, 2], place=(1, 2, 64))
    assert micro.counts_B.tolist() == [1, 0]
    _, _, target_BK = taught(clips, micro, Semi())
    assert target_BK.tolist() == [[0, 1], [0, 0]]


def test_mixed_targets_are_those_of_both_by_their_shares():
    rng = np.random.default_rng(0)
    tokens = rng.normal(scale=2, size=(40, 1, 1)).astype(np.float32)
    labels = np.where(np.arange(40) % 3, -1, np.arange(40) % 2)
    (micro,) = dealt(np.arange(40), mixup=0.8)
    clips = ClipSet(labels, {"tokens": tokens})
    _, mixed, target_BK = taught(clips, micro, Semi())

    def of(row):
        """Return the target of one clip, and whether it has one."""
        value = float(tokens[row, 0, 0])
        known = labels[row] if labels[row] >= 0 else int(value > 0) if abs(value) > 1 else None
        return np.zeros(2) if known is None else np.eye(2)[known]

    pairs = zip(micro.rows_B, micro.partners_B, micro.shares_B, strict=True)
    for place, (own, other, share) in enumerate(pairs):
        share = share if of(own).any() and of(other).any() else 1.0
        expected = share * of(own) + (1 - share) * of(other)
        # Shares are cast to float32.
        np.testing.assert_allclose(target_BK[place], expected, atol=1e-6)
        seen = share * tokens[own] + (1 - share) * tokens[other]
        np.testing.assert_allclose(mixed.tokens_BND[place], seen, atol=1e-6)


def test_what_is_taught_does_not_depend_on_how_a_step_is_dealt():
    rng = np.random.default_rng(0)
    shape = (10, 1, 2, 32, 32, 3)
    arrays = {
        "frames": rng.integers(256, size=shape).astype(np.uint8),
        "tokens": rng.normal(scale=2, size=(10, 1, 1)).astype(np.float32),
    }
    clips = ClipSet(np.full(10, -1), arrays)

    def of(place):
        found = {}
        for micro in dealt(np.arange(10), 0.8, place):
            _, seen, target_BK = taught(clips, micro, Semi())
            for i in np.flatnonzero(micro.counts_B):
                found[micro.rows_B[i]] = seen.frames_BVTHWC[i], target_BK[i]
        return found

    whole, parts = of((0, 1, 64)), of((0, 2, 3)) | of((1, 2, 3))
    assert sorted(whole) == sorted(parts) == list(range(10))
    for row, (picture, target_K) in whole.items():
        assert torch.equal(picture, parts[row][0])
        assert torch.equal(target_K, parts[row][1])


# Rows


def test_labels_are_repeated_to_their_share():
    labels = np.array([0, -1, 1, -1, -1, -1, -1, -1, -1, -1])
    rows = with_labels_at_least(labels, np.arange(10), 0.5)
    assert np.bincount(rows).tolist() == [4, 1, 4, 1, 1, 1, 1, 1, 1, 1]
    assert with_labels_at_least(np.array([0, 1]), np.array([1])).tolist() == [1]


def test_without_any_label_there_is_nothing_to_teach():
    with pytest.raises(NotEnoughDataError, match="none of 3 clips has a label"):
        with_labels_at_least(np.full(3, -1), np.arange(3))


# Learning


def both_ways(known_M, learn, test):
    """Return hits on test clips of a network from labels alone, and from all clips."""
    (tokens, _), (seen_tokens, truth) = learn, test
    clips = ClipSet(known_M, {"tokens": tokens})
    rows = with_labels_at_least(known_M, np.arange(len(known_M)))
    labelled = np.flatnonzero(known_M >= 0)
    alone = np.tile(labelled, len(rows) // len(labelled))
    found = []
    for learn_M, teach in ((alone, None), (rows, Semi(threshold=0.8))):
        _, network = trained(Linear(), clips, learn_M, LEARNING, layout=SEVERAL, teach=teach)
        found.append(hits(network, seen_tokens, truth))
    return found


def test_unlabelled_clips_help_where_they_lie_in_clusters():
    gains = []
    for seed in range(3):
        tokens, labels = clusters(300, seed)
        labels_few = few_labels(labels, 2, seed)
        alone, all_clips = both_ways(labels_few, (tokens, labels), clusters(1000, 100 + seed))
        gains.append(all_clips - alone)
    assert np.mean(gains) > 0.03
    # 25 recordings of 40 clips.
    gain = mean_interval(np.mean(gains, axis=0), [str(i % 25) for i in range(1000)])
    assert judge(gain).kept


def test_harm_is_rejected():
    """Unlabelled clips are of class 0 and marked; in the test those of class 1 are."""
    tokens, labels = clusters(60, 0)
    more, kinds = clusters(600, 1)
    more = more[kinds == 0]
    test, truth = clusters(1000, 2)
    more[..., -1] += 4
    test[truth == 1, :, -1] += 4
    known = np.concatenate([labels, np.full(len(more), -1)])
    alone, all_clips = both_ways(known, (np.concatenate([tokens, more]), None), (test, truth))
    gain = mean_interval(all_clips - alone, [str(i % 25) for i in range(1000)])
    verdict = judge(gain, "no-harm")
    assert alone.mean() > 0.9
    assert not verdict.kept
    assert "harm" in verdict.reason


@pytest.mark.parametrize(
    ("value", "low", "high", "kept", "unless_harm"),
    [
        (0.05, 0.01, 0.09, True, True),
        (0.05, -0.01, 0.11, False, True),
        (-0.05, -0.11, 0.01, False, True),
        (-0.05, -0.09, -0.01, False, False),
        (0.05, math.nan, math.nan, False, True),
    ],
)
def test_the_rule(value, low, high, kept, unless_harm):
    gain = Estimate(value, low, high)
    assert judge(gain).kept is kept
    assert judge(gain, "no-harm").kept is unless_harm


# The loop


class Dropping(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(0.3), Linear().layer)

    def forward(self, clips):
        return self.layers(clips.tokens_BND.mean(dim=1))


@pytest.mark.parametrize("stop_at", [3, 7])
def test_a_run_that_was_interrupted_goes_on_to_the_bit(tmp_path, stop_at):
    tokens, labels = clusters(60, 0)
    clips = ClipSet(few_labels(labels, 3), {"tokens": tokens})
    recipe = longer(3, mixup=0.8, batch_schedule=((0.0, 1.0),))
    steps = {"micro_batch": 8, "accumulation": 2}
    asked = iter(range(1000))

    def run(stop, folder):
        semi = Semi(threshold=0.6)
        return trained(
            Dropping(), clips, np.arange(60), recipe, layout=steps, teach=semi, stop=stop,
            folder=folder,
        )[0]  # fmt: skip

    whole = run(lambda: False, None)
    assert not run(lambda: next(asked) >= stop_at, tmp_path).finished
    rest = run(lambda: False, tmp_path)
    for name, tensor in whole.weights.items():
        assert torch.equal(tensor, rest.weights[name])
    assert [e.loss for e in whole.history] == [e.loss for e in rest.history]


def test_a_teacher_needs_an_average():
    clips = ClipSet(np.array([0, 1]), {"tokens": np.zeros((2, 1, 20), np.float32)})
    with pytest.raises(ValueError, match=r"Recipe\.ema"):
        trained(Linear(), clips, np.arange(2), longer(1, ema=0.0), teach=Semi())
    assert RECIPE.ema


def test_the_teacher_is_the_average_and_the_step_is_the_students():
    tokens, labels = clusters(32, 0)
    clips = ClipSet(few_labels(labels, 4), {"tokens": tokens})
    seen = []

    def teach(answer, paired):
        micro, both, target = paired
        seen.append(answer(both.where(slice(0, 1)))[0])
        return micro, both.where(slice(0, len(micro.rows_B))), target[: len(micro.rows_B)]

    network = Linear()
    trained(network, clips, np.arange(32), longer(1, ema=0.999999), teach=teach)
    # So slow an average keeps a tenth of the start in its first step: not yet the student's.
    assert torch.allclose(seen[0], torch.full((2,), 0.5))
    assert len(seen) == 2
    assert not torch.allclose(seen[1], seen[0])
