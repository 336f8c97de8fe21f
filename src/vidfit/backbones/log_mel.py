"""Log-mel statistics: a training-free encoder of how a clip sounds.

Each token is a second of sound: of 40 bands of the mel scale (Stevens, Volkmann and Newman 1937;
in the form of O'Shaughnessy 1987, as Slaney and HTK have it), the mean, deviation and mean change
over time of the log power; of the whole spectrum its level, how high it lies and how flat it is;
and of the voice its pitch and how much of the second is voiced, by the autocorrelation of each
window (Rabiner 1977).

Shape letters: B views, S samples, W windows of a view, F frequencies, K bands, N tokens, D numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import BackboneSpec, Floats, Sampling
from vidfit.errors import BackboneError
from vidfit.views import NO_PICTURE

REVISION = "log-mel-1"
"""Changes with the features, so that stored ones of another version are never mixed in."""

RATE_HERTZ = 16_000
BANDS = 40

_VIEW_SECONDS, _VIEWS = 10.0, 6
_WINDOW, _STEP = 400, 160  # 25 ms, every 10 ms
_FFT = 512
_TOKEN_WINDOWS = 100
_FLOOR = 1e-10
_LOWEST_HERTZ, _HIGHEST_HERTZ = 60.0, 7600.0
_PITCH_HERTZ = (70.0, 400.0)
_VOICED = 0.35
"""Peak of the normalised autocorrelation from which a window is voiced."""

_LONGER = 0.2
"""What is taken off for a period as long as the longest."""

_OWN = 7
DIM = 3 * BANDS + _OWN


def log_mel() -> LogMel:
    """Return the encoder, of sixty seconds of a clip at most."""
    return LogMel(
        BackboneSpec(
            name="log-mel",
            family="log-mel",
            architecture="algorithm",
            sampling=Sampling.of_sound(RATE_HERTZ, _VIEW_SECONDS, _VIEWS),
            preprocessing=NO_PICTURE,
            dim=DIM,
            parameters=0,
            gmacs_per_view=0.0,
            licence="Apache-2.0",
            commercial_use=True,
            source="vidfit",
            revision=REVISION,
            sees="sound",
        )
    )


def restore(directory: Path, spec: BackboneSpec) -> LogMel:
    """Return the encoder that ``spec`` names; there are no weights to read.

    Raises
    ------
    BackboneError
        When the features were those of another version.
    """
    if spec.revision != REVISION:
        raise BackboneError(
            f"{directory} was saved with features of sound {spec.revision!r}; this vidfit computes "
            f"{REVISION!r}. Fit the model again, or use the vidfit that saved it."
        )
    return LogMel(spec)


@dataclass(frozen=True)
class LogMel:
    """Statistics of the spectrum as a backbone: [B, S] to tokens [B, N, 127], one a second."""

    spec: BackboneSpec

    def forward(self, samples_BS: Floats) -> Floats:
        """Return tokens [B, N, D] of views [B, S].

        Raises
        ------
        BackboneError
            When the views are no sound of at most ``spec.sampling.clip_len`` samples.
        """
        if complaint := self.spec.complaint(samples_BS):
            raise BackboneError(complaint)
        return np.stack([_tokens(view_S) for view_S in samples_BS])

    def save(self, directory: Path) -> None:
        """Write nothing: the version in the spec says all."""


def _tokens(view_S: Floats) -> Floats:
    windows_WS = _windows(view_S)
    power_WF = np.abs(np.fft.rfft(windows_WS * np.hanning(_WINDOW), _FFT)) ** 2
    mel_WK = np.log(np.maximum(power_WF @ mel_bands().T, _FLOOR))
    own_W5 = np.column_stack([*_shape(power_WF), *_pitch(windows_WS)])
    count = max(1, round(len(mel_WK) / _TOKEN_WINDOWS))
    parts = zip(np.array_split(mel_WK, count), np.array_split(own_W5, count), strict=True)
    return np.stack([_statistics(mel, own) for mel, own in parts]).astype(np.float32)


def _windows(view_S: Floats) -> Floats:
    """Return overlapping windows [W, 400]; what is shorter than one is filled with silence."""
    short = max(_WINDOW - len(view_S), 0)
    padded_S = np.pad(view_S, (0, short)) if short else view_S
    found: Floats = np.lib.stride_tricks.sliding_window_view(padded_S, _WINDOW)[::_STEP]
    return found


def _statistics(mel_WK: NDArray[Any], own_W5: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers [D] of one token."""
    change_K = np.abs(np.diff(mel_WK, axis=0)).mean(axis=0) if len(mel_WK) > 1 else 0 * mel_WK[0]
    voiced_W = own_W5[:, 4] > 0
    pitch_W = own_W5[voiced_W, 3]
    pitch = [pitch_W.mean(), pitch_W.std()] if len(pitch_W) else [0.0, 0.0]
    level = [own_W5[:, 0].mean(), own_W5[:, 0].std()]
    own = [*level, own_W5[:, 1].mean(), own_W5[:, 2].mean(), *pitch, voiced_W.mean()]
    return np.concatenate([mel_WK.mean(axis=0), mel_WK.std(axis=0), change_K, own])


def _shape(power_WF: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return of each window its level (log), centre (octaves of 1 kHz) and flatness (log)."""
    total_W = power_WF.sum(axis=1) + _FLOOR
    hertz_F = np.fft.rfftfreq(_FFT, 1 / RATE_HERTZ)
    centre_W = power_WF @ hertz_F / total_W
    flat_W = np.log(power_WF + _FLOOR).mean(axis=1) - np.log(total_W / power_WF.shape[1])
    return np.log(total_W), np.log2(np.maximum(centre_W, 20.0) / 1000), flat_W


def _pitch(windows_WS: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return of each window its pitch (octaves of 100 Hz), and whether it is voiced (0 or 1)."""
    low, high = (round(RATE_HERTZ / hertz) for hertz in _PITCH_HERTZ[::-1])
    centred_WS = windows_WS - windows_WS.mean(axis=1, keepdims=True)
    spectrum_WF = np.fft.rfft(centred_WS, 2 * _FFT)
    auto_WS = np.fft.irfft(np.abs(spectrum_WF) ** 2)[:, : high + 1]
    energy_W = auto_WS[:, 0] + _FLOOR
    # A shift leaves less of the window to compare: what is left is counted as the whole.
    left_S = 1 - np.arange(high + 1) / _WINDOW
    alike_WS = auto_WS[:, low:] / (energy_W[:, None] * left_S[low:])
    # What repeats after one period does after two: the shorter one counts.
    longer_S = _LONGER * np.arange(low, high + 1) / high
    best_W = (alike_WS - longer_S).argmax(axis=1)
    voiced_W = (alike_WS[np.arange(len(best_W)), best_W] > _VOICED) & (energy_W > 1e-4)
    return np.log2(RATE_HERTZ / (low + best_W) / 100), voiced_W.astype(float)


@lru_cache
def mel_bands() -> NDArray[np.float64]:
    """Return triangles [K, F] over the frequencies, at equal steps of the mel scale."""
    lowest, highest = (2595 * math.log10(1 + h / 700) for h in (_LOWEST_HERTZ, _HIGHEST_HERTZ))
    hertz = 700 * (10 ** (np.linspace(lowest, highest, BANDS + 2) / 2595) - 1)
    frequency_F = np.fft.rfftfreq(_FFT, 1 / RATE_HERTZ)
    rising_KF = (frequency_F - hertz[:-2, None]) / (hertz[1:-1] - hertz[:-2])[:, None]
    falling_KF = (hertz[2:, None] - frequency_F) / (hertz[2:] - hertz[1:-1])[:, None]
    bands_KF = np.clip(np.minimum(rising_KF, falling_KF), 0, None)
    even_KF: NDArray[np.float64] = bands_KF / np.maximum(bands_KF.sum(axis=1, keepdims=True), 1e-9)
    return even_KF
