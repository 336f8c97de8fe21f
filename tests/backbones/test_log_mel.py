"""Statistics of sound: of noise and tones they say what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.video.test_sound import tone

from vidfit.backbones.log_mel import BANDS, DIM, log_mel, mel_bands
from vidfit.errors import BackboneError


def of(samples):
    return log_mel().forward(samples[None].astype(np.float32))[0]


def test_a_token_is_a_second():
    assert of(tone(3.2)).shape == (3, DIM) and of(tone(0.01)).shape == (1, DIM)


@pytest.mark.parametrize("hertz", [110.0, 220.0])
def test_pitch_is_that_of_a_tone(hertz):
    pitch, _, voiced = of(tone(2.0, hertz)).mean(axis=0)[-3:]
    assert abs(100 * 2**pitch - hertz) < 0.02 * hertz and voiced > 0.95


def test_noise_has_no_pitch_and_is_flat_and_twice_as_loud_is_level():
    noise = np.random.default_rng(0).normal(0, 0.1, 32_000)
    quiet, loud = of(noise).mean(axis=0), of(2 * noise).mean(axis=0)
    assert quiet[-1] < 0.1 and quiet[-4] > of(tone(2.0)).mean(axis=0)[-4]
    np.testing.assert_allclose(loud[:BANDS] - quiet[:BANDS], np.log(4), atol=1e-3)
    np.testing.assert_allclose(loud[BANDS : 3 * BANDS], quiet[BANDS : 3 * BANDS], atol=1e-3)


def test_bands_are_the_triangles_of_the_mel_scale():
    bands_KF = mel_bands()
    centres = bands_KF @ np.fft.rfftfreq(512, 1 / 16_000)
    mel = 2595 * np.log10(1 + centres / 700)
    assert np.diff(mel).std() < 0.35 * np.diff(mel).mean() and (bands_KF.sum(axis=1) > 0).all()


def test_other_views_and_other_versions_are_refused():
    with pytest.raises(BackboneError, match="float32 \\[B, S\\]"):
        log_mel().forward(np.zeros((1, 4, 4), np.float32))
