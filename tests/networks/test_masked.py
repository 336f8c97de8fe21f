"""Most is hidden, the hidden is not seen, and what was learned goes where it belongs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vidfit.errors import BackboneError
from vidfit.networks import Shape, build
from vidfit.networks.clips import Clips
from vidfit.networks.masked import (
    LEAST_DEVIATION,
    MaskedClips,
    asked_words,
    steps_in_time,
    take_over,
    targets,
    tube_mask,
)
from vidfit.networks.video_text import VideoText, tubelets
from vidfit.networks.vocabulary import FIRST_WORD

SHAPE = Shape(dim=0, tokens=4, classes=2, width=16, layers=1, heads=2, dropout=0.0, vocabulary=9)


def noise(count=3, time=4, side=64):
    size = (count, 1, time, side, side, 3)
    rng = torch.Generator().manual_seed(0)
    return Clips(frames_BVTHWC=torch.randint(256, size, generator=rng, dtype=torch.uint8))


def told(count=16):
    """Clips of one grey level each, which the first of their two words names."""
    level_B = torch.arange(count) % 4
    grey = (40 + 50 * level_B).to(torch.uint8)[:, None, None, None, None, None]
    text_BL = torch.stack([FIRST_WORD + level_B, FIRST_WORD + level_B, 0 * level_B], dim=1)
    return Clips(frames_BVTHWC=grey.expand(count, 1, 4, 32, 32, 3).clone(), text_BL=text_BL)


@pytest.mark.parametrize(("side", "share", "hidden"), [(64, 0.9, 14), (32, 0.9, 3), (64, 0.01, 1)])
def test_the_share_of_places_is_hidden_at_all_times(side, share, hidden):
    torch.manual_seed(0)
    seen = tubelets(noise(side=side))
    mask_BSP = tube_mask(seen, share).reshape(3, seen.steps, -1)
    assert (mask_BSP.sum(2) == hidden).all()
    assert torch.equal(mask_BSP[:, 0], mask_BSP[:, 1])


def test_what_is_hidden_is_not_seen_and_what_is_seen_is_used():
    torch.manual_seed(0)
    model, seen = MaskedClips(SHAPE).eval(), tubelets(noise())
    hidden_BN = tube_mask(seen)
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


def test_of_each_text_a_word_is_asked_and_of_padding_none():
    torch.manual_seed(0)
    text_BL = torch.tensor([[5, 0, 0], [4, 5, 6], [0, 0, 0]])
    asked_BL = torch.stack([asked_words(text_BL) for _ in range(50)]).float()
    assert (asked_BL.sum(2)[:, 0] == 1).all() and (asked_BL.sum(2)[:, 1] >= 1).all()
    assert not asked_BL[:, text_BL == 0].any()
    assert 0.3 < float(asked_BL[:, 1].mean()) < 0.6


def test_it_learns_pixels_words_and_which_words_belong():
    torch.manual_seed(0)
    model, clips = MaskedClips(SHAPE), told()
    start = float(model(clips).mean().detach())
    silent = float(model(replace(clips, text_BL=None)).mean().detach())
    assert start == pytest.approx(silent + 2.0, abs=0.6)  # each thing costs about 1
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss = model(clips).mean()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < start - 1.2
    untouched = [n for n, p in model.named_parameters() if p.grad is None]
    assert untouched and all(name.startswith("network.answer.") for name in untouched)


def test_what_was_learned_is_taken_over_and_the_answer_stays():
    torch.manual_seed(0)
    model, network = MaskedClips(SHAPE), build("video-text", SHAPE)
    answer = {n: t.clone() for n, t in network.state_dict().items() if n.startswith("answer.")}
    take_over(network, model.learned())
    state = network.state_dict()
    assert all(torch.equal(state[n], t) for n, t in (model.learned() | answer).items())
    assert steps_in_time(network.eval(), noise()).shape == (3, 2, 16)


@pytest.mark.parametrize("changes", [{"width": 32}, {"layers": 2}, {"vocabulary": 0}])
def test_a_network_of_another_size_is_refused(changes):
    with pytest.raises(BackboneError, match="differs from the network that was pretrained"):
        take_over(VideoText(replace(SHAPE, **changes)), MaskedClips(SHAPE).learned())


def test_frames_of_one_place_are_refused():
    with pytest.raises(BackboneError, match="are one place: nothing is left to predict it from"):
        MaskedClips(SHAPE)(noise(side=16))
