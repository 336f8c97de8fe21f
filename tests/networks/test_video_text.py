"""Tubelets as torch's convolution cuts them, and text that is read when it is there."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vidfit.networks import Shape
from vidfit.networks.clips import Clips
from vidfit.networks.cnn import encoder
from vidfit.networks.recurrent import CnnLstm
from vidfit.networks.video_text import PATCH_PIXELS, VideoText, tubelets

SHAPE = Shape(dim=0, tokens=4, classes=2, width=16, layers=1, heads=2, dropout=0.0, vocabulary=9)


def frames(count=2, time=4, height=32, width=48, seed=0):
    rng = torch.Generator().manual_seed(seed)
    size = (count, 1, time, height, width, 3)
    return torch.randint(256, size, generator=rng, dtype=torch.uint8)


def network():
    torch.manual_seed(0)
    return VideoText(SHAPE).eval()


def test_tubelets_are_embedded_as_by_a_convolution_in_three_dimensions():
    trunk, frames_BVTHWC = network().trunk, frames()
    size = (2, PATCH_PIXELS, PATCH_PIXELS)
    convolution = nn.Conv3d(3, 16, size, stride=size)
    weight_EX = trunk.embedding.weight.reshape(16, *size, 3)
    with torch.no_grad():
        convolution.weight.copy_(weight_EX.permute(0, 4, 1, 2, 3))
        convolution.bias.copy_(trunk.embedding.bias)
        video_BCTHW = (frames_BVTHWC[:, 0].float() / 127.5 - 1).permute(0, 4, 1, 2, 3)
        expected_BNE = convolution(video_BCTHW).flatten(2).transpose(1, 2)
        seen = tubelets(Clips(frames_BVTHWC=frames_BVTHWC))
        found_BNE = trunk.embedding(seen.pixels_BNX)
    assert (seen.steps, seen.rows, seen.columns) == (2, 2, 3)
    # 1536 products are added in another order.
    torch.testing.assert_close(found_BNE, expected_BNE, atol=1e-5, rtol=1e-5)


def test_each_tubelet_has_a_place_of_its_own():
    places_NE = tubelets(Clips(frames_BVTHWC=frames(time=6))).places_NE(16)
    assert places_NE.shape == (18, 16)
    assert float(torch.pdist(places_NE).min()) > 0.1


@pytest.mark.parametrize(("height", "width", "time"), [(20, 33, 4), (16, 16, 1), (7, 5, 3)])
def test_frames_of_any_size_and_number_are_seen(height, width, time):
    seen = tubelets(Clips(frames_BVTHWC=frames(2, time, height, width)))
    assert seen.steps == -(-time // 2)
    assert (seen.rows, seen.columns) == (-(-height // 16), -(-width // 16))
    assert network()(Clips(frames_BVTHWC=frames(2, time, height, width))).isfinite().all()


def test_views_stand_one_after_the_other_in_time():
    clip = frames(time=4)
    views = clip.reshape(2, 2, 2, 32, 48, 3)
    found, expected = (network()(Clips(frames_BVTHWC=each)) for each in (views, clip))
    assert torch.equal(found, expected)


def test_no_text_is_as_good_as_padding_only():
    clip = frames()
    without_BK = network()(Clips(frames_BVTHWC=clip))
    padding_BK = network()(Clips(frames_BVTHWC=clip, text_BL=torch.zeros(2, 5, dtype=torch.int64)))
    torch.testing.assert_close(padding_BK, without_BK, atol=1e-6, rtol=0)


def test_padding_of_text_changes_nothing_and_its_order_does():
    def answer(*words):
        return network()(Clips(frames_BVTHWC=frames(1), text_BL=torch.tensor([words])))

    torch.testing.assert_close(answer(3, 5, 0, 0), answer(3, 5), atol=1e-6, rtol=0)
    assert not torch.allclose(answer(5, 3), answer(3, 5), atol=1e-5)


def test_without_a_vocabulary_text_is_not_looked_at():
    silent = VideoText(Shape(dim=0, tokens=4, classes=2, width=16, heads=2)).eval()
    text_BL = torch.ones(2, 3, dtype=torch.int64)
    assert torch.equal(
        silent(Clips(frames_BVTHWC=frames(), text_BL=text_BL)),
        silent(Clips(frames_BVTHWC=frames())),
    )


def test_it_learns_what_only_the_text_tells():
    torch.manual_seed(0)
    model, labels_B = VideoText(SHAPE), torch.arange(16) % 2
    text_BL = torch.randint(1, 9, (16, 3))
    text_BL[:, 1] = torch.where(labels_B == 1, 7, 2)
    clips = Clips(
        frames_BVTHWC=frames(1, 2, 32, 32).expand(16, -1, -1, -1, -1, -1), text_BL=text_BL
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(clips), labels_B).backward()
        optimizer.step()
    assert (model.eval()(clips).argmax(1) == labels_B).all()


# ---------------------------------------------------------------- frames without words


def test_the_encoder_of_frames_halves_four_times_and_ends_at_the_width():
    widths = [m.out_channels for m in encoder(64).modules() if isinstance(m, nn.Conv2d)]
    assert widths == [8, 16, 32, 64]
    assert encoder(20)(torch.zeros(2, 3, 33, 47)).shape == (2, 20)


def test_frames_are_brought_to_the_scale_of_minus_1_to_1():
    seen = []
    model = CnnLstm(SHAPE).eval()
    model.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    ends = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 2, 1, 1, 1)
    model(Clips(frames_BVTHWC=ends.expand(1, 1, 2, 16, 16, 3)))
    assert seen[0].amin((1, 2, 3)).tolist() == [-1.0, 1.0]
