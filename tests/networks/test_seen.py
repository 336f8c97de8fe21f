"""Padding goes last, wherever it was, whatever it holds."""

from __future__ import annotations

import torch

from vidfit.networks.clips import Clips
from vidfit.networks.seen import last_of_real, mean_of_real, seen_frames, seen_tokens


def test_without_a_mask_everything_is_real():
    tokens_BND = torch.randn(2, 3, 4)
    found_BND, present_BN = seen_tokens(Clips(tokens_BND))
    assert torch.equal(found_BND, tokens_BND)
    assert bool(present_BN.all()) and present_BN.shape == (2, 3)


def test_padding_in_the_midst_is_put_last_and_wiped():
    tokens_BND = torch.tensor([[1.0, torch.nan, 2.0, torch.inf]])[..., None]
    present_BN = torch.tensor([[True, False, True, False]])
    found_BND, found_BN = seen_tokens(Clips(tokens_BND, present_BN))
    assert found_BND[0, :, 0].tolist() == [1.0, 2.0, 0.0, 0.0]
    assert found_BN.tolist() == [[True, True, False, False]]


def test_frames_of_all_views_stand_in_time_order_and_the_last_real_one_is_repeated():
    frames_BVTHWC = torch.arange(4, dtype=torch.uint8).reshape(1, 2, 2, 1, 1, 1)
    present_BN = torch.tensor([[False, True, True, False]])
    found_BTHWC, found_BT = seen_frames(Clips(None, present_BN, frames_BVTHWC))
    assert found_BTHWC.flatten().tolist() == [1, 2, 2, 2]
    assert found_BT.tolist() == [[True, True, False, False]]
    everything_BTHWC, _ = seen_frames(Clips(frames_BVTHWC=frames_BVTHWC))
    assert everything_BTHWC.flatten().tolist() == [0, 1, 2, 3]


def test_mean_and_last_are_of_the_real_ones_and_finite_without_any():
    x_BNE = torch.tensor([[[1.0], [3.0], [9.0]], [[5.0], [7.0], [9.0]]])
    present_BN = torch.tensor([[True, True, False], [False, False, False]])
    assert mean_of_real(x_BNE, present_BN).tolist() == [[2.0], [0.0]]
    assert last_of_real(x_BNE, present_BN).tolist() == [[3.0], [5.0]]
