"""Blur, noise and blocks of an example are told apart, and the degradation is found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.moving import frames, videos

from vidfit.contracts import Clip
from vidfit.errors import NotEnoughDataError, VideoError
from vidfit.pixels.restore.degrade import Degradation
from vidfit.pixels.restore.material import rounded_luma
from vidfit.pixels.restore.quality import Quality, fitted_degradation
from vidfit.video import write_video

LUMA = rounded_luma(frames(count=5, height=128, width=160))
PLAIN = Degradation(2)


def test_each_statistic_follows_what_it_is_of():
    plain = Quality.of(PLAIN.applied(LUMA))
    noisy, blurred, blocky = (
        Quality.of(replace(PLAIN, **change).applied(LUMA))
        for change in ({"noise_levels": 8.0}, {"blur_pixels": 2.0}, {"crf": 40})
    )
    assert noisy.noise > plain.noise + 0.5
    assert blurred.fineness < plain.fineness - 0.1
    assert blocky.blockiness > plain.blockiness
    assert plain.distance(plain) == 0.0 and plain.distance(noisy) > 0.5
    assert "noise" in plain.text


@pytest.mark.parametrize(
    "true", [PLAIN, replace(PLAIN, noise_levels=8.0), replace(PLAIN, blur_pixels=1.6)]
)
def test_the_degradation_of_an_example_is_found_again(tmp_path, true):
    clips = [Clip(str(p)) for p in videos(tmp_path / "c", ("a", "b"), height=128, width=160)]
    small = true.applied(rounded_luma(frames(count=5, height=128, width=160, seed=7)))
    grey = [np.repeat((one[..., None].astype(float) - 16) * 255 / 219, 3, 2) for one in small]
    shown = [np.clip(np.round(one), 0, 255).astype(np.uint8) for one in grey]
    write_video(tmp_path / "old.mkv", shown, 12.5, codec="ffv1", pixel_format="bgr0")
    found, why = fitted_degradation(tmp_path / "old.mkv", clips, 2)
    assert (found.noise_levels >= 4) == (true.noise_levels >= 4)
    assert (found.blur_pixels > 0) == (true.blur_pixels > 0)
    assert "old.mkv has fineness" in why


def test_an_example_that_says_nothing_is_refused(tmp_path):
    write_video(tmp_path / "black.mp4", [np.zeros((64, 64, 3), np.uint8)] * 5, 12.5)
    with pytest.raises(NotEnoughDataError, match="of one colour"):
        fitted_degradation(tmp_path / "black.mp4", [], 2)
    with pytest.raises(VideoError):
        fitted_degradation(tmp_path / "none.mp4", [], 2)
