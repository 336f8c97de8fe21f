"""Most is hidden, the hidden is not seen, and what was learned goes where it belongs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidfit.errors import BackboneError
from vidfit.networks import Shape
from vidfit.networks.clips import Clips
from vidfit.networks.masked import LEAST_DEVIATION, MaskedVideo, targets, tube_mask
from vidfit.networks.video_text import VideoText, tubelets

SHAPE = Shape(dim=0, tokens=4, classes=2, width=16, layers=2, heads=2, dropout=0.0, vocabulary=9)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(count=3, time=4, side=64):
    size = (count, 1, time, side, side, 3)
    return Clips(frames_BVTHWC=torch.randint(256, size, generator=seeded(), dtype=torch.uint8))


def waves(count=12, side=32):
    """Clips of stripes that move: what is hidden follows from what is seen."""
    phase_B = 6.28 * torch.rand(count, 1, 1, 1, generator=seeded())
    time_T11, x_W = torch.arange(4).reshape(4, 1, 1), torch.arange(side)
    grey_BTHW = 127.5 + 100 * torch.sin(phase_B + 0.4 * time_T11 + x_W * (2 * torch.pi / 16))
    frames = grey_BTHW.expand(count, 4, side, side)[:, None, ..., None].expand(*[-1] * 5, 3)
    return Clips(frames_BVTHWC=frames.to(torch.uint8))


@pytest.mark.parametrize(("side", "share", "hidden"), [(64, 0.9, 14), (32, 0.9, 3), (64, 0.01, 1)])
def test_the_share_of_places_is_hidden_at_all_times(side, share, hidden):
    seen = tubelets(noise(side=side))
    mask_BSP = tube_mask(seen, share, seeded()).reshape(3, seen.steps, -1)
    assert (mask_BSP.sum(2) == hidden).all()
    assert torch.equal(mask_BSP[:, 0], mask_BSP[:, 1])
    assert not torch.equal(mask_BSP[0], mask_BSP[1]) or hidden == 1
    assert torch.equal(tube_mask(seen, share, seeded()).reshape(mask_BSP.shape), mask_BSP)


def test_every_place_is_hidden_equally_often():
    seen, generator = tubelets(noise()), seeded()
    hidden_N = sum(tube_mask(seen, 0.5, generator).float().sum(0) for _ in range(200))
    # 600 draws of one half: four standard deviations are 49.
    assert float((hidden_N - 300).abs().max()) < 49


def test_what_is_hidden_is_not_seen_and_what_is_seen_is_used():
    torch.manual_seed(0)
    model, seen = MaskedVideo(SHAPE).eval(), tubelets(noise())
    hidden_BN = tube_mask(seen, 0.9, seeded())
    before = model.predicted(seen, hidden_BN)
    for where, changes in ((hidden_BN, False), (~hidden_BN, True)):
        other = tubelets(noise())
        other.pixels_BNX[where] *= -1.0
        moved = float((model.predicted(other, hidden_BN) - before).detach().abs().max())
        assert (moved > 1e-4) == changes


def test_targets_are_normalised_within_tubelet_and_colour():
    seen = tubelets(noise())
    frames = noise().frames_BVTHWC.numpy()[1, 0].astype(np.float64)
    # The second step, first row, third column.
    cut = frames[2:4, :16, 32:48].reshape(-1, 3)
    expected = (cut - cut.mean(0)) / (cut.std(0, ddof=1) + 127.5 * LEAST_DEVIATION)
    found = targets(seen)[1, seen.rows * seen.columns + 2].reshape(-1, 3)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)
    flat = tubelets(Clips(frames_BVTHWC=torch.full((1, 1, 2, 32, 32, 3), 9, dtype=torch.uint8)))
    assert float(targets(flat).abs().max()) < 1e-3


def test_the_loss_is_of_the_hidden_that_is_real():
    torch.manual_seed(0)
    model, clips = MaskedVideo(SHAPE).eval(), noise(time=6)
    present_BN = torch.arange(6) < torch.tensor([[4], [4], [4]])
    padded = Clips(present_BN=present_BN, frames_BVTHWC=clips.frames_BVTHWC)
    short = Clips(frames_BVTHWC=clips.frames_BVTHWC[:, :, :4])
    torch.testing.assert_close(model.loss(padded, seeded()), model.loss(short, seeded()))
    seen = tubelets(short)
    hidden_BN = tube_mask(seen, 0.9, seeded())
    error = (model.predicted(seen, hidden_BN) - targets(seen))[hidden_BN].square().mean()
    torch.testing.assert_close(model(short, seeded()), error)


def test_it_learns_to_predict_and_every_weight_takes_part():
    torch.manual_seed(0)
    model, clips, generator = MaskedVideo(SHAPE, 0.5), waves(), seeded()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(clips, generator)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert all(float(p.grad.abs().max()) > 0 for p in model.parameters())
    assert losses[0] == pytest.approx(1.0, abs=0.3)
    assert losses[-1] < 0.3


def test_the_trunk_loads_into_the_network_over_video_and_text_by_name():
    torch.manual_seed(0)
    model, network = MaskedVideo(SHAPE), VideoText(SHAPE)
    result = network.load_state_dict(model.trunk_state(), strict=False)
    assert result.unexpected_keys == []
    assert {key.split(".")[0] for key in result.missing_keys} == {"words", "answer"}
    seen = tubelets(noise())
    assert torch.equal(network.trunk.embedded(seen), model.trunk.embedded(seen))


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 90.0])
def test_a_share_that_hides_nothing_or_all_is_refused(share):
    with pytest.raises(BackboneError, match=f"mask_share is {share}; valid are shares between"):
        MaskedVideo(SHAPE, share)


def test_frames_of_one_place_are_refused():
    with pytest.raises(BackboneError, match="are one place: nothing is left to predict it from"):
        MaskedVideo(SHAPE).loss(noise(side=16), seeded())
