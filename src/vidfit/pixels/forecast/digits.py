"""Moving MNIST, drawn from digits of a package by the standard protocol.

Srivastava, Mansimov and Salakhutdinov, "Unsupervised learning of video representations using
LSTMs" (2015), with the constants of their generator, which OpenSTL uses, too: digits of 28 x 28 in
64 x 64, a tenth of the free way a frame, in a random direction, thrown back at the walls; where two
lie over each other, the brighter pixel counts.

Shape letters: N digits, M sequences, T frames, H and W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Frames, Indices
from vidfit.documents import json_in

NAME, SIDE_PIXELS, DIGIT_PIXELS = "mnist-digits", 64, 28
"""The package's name for ``vidfit models --fetch``; sides of a frame and of a digit."""

_STEP = 0.1
LEARN, CHOOSE, TEST = (0.0, 0.7), (0.7, 0.8), (0.8, 1.0)
"""Parts of the digits of each class, in the order of the package; no digit is in two of them."""


def packed_digits(part: tuple[float, float] = (0.0, 1.0)) -> Frames:
    """Return digits [N, 28, 28] of a part of each class, class by class.

    Raises
    ------
    BackboneError
        If the package was not fetched; says how.
    """
    return np.concatenate(digits_by_class(part))


def digits_by_class(part: tuple[float, float] = (0.0, 1.0)) -> list[Frames]:
    """Return the digits [N, 28, 28] of a part of each class, from 0 to 9.

    Raises
    ------
    BackboneError
        If the package was not fetched; says how.
    """
    from vidfit.backbones.package_weights import package_weights

    files = package_weights(NAME)
    classes = []
    for name in sorted(files):
        numbers = json_in(files[name].read_text(encoding="utf-8"))["data"]
        all_N = np.round(np.asarray(numbers, np.float32) * 255).astype(np.uint8)
        of_class = all_N.reshape(-1, DIGIT_PIXELS, DIGIT_PIXELS)
        first, after = (round(share * len(of_class)) for share in part)
        classes.append(of_class[first:after])
    return classes


@dataclass(frozen=True)
class MovingDigits:
    """What draws sequences of moving digits.

    Parameters
    ----------
    digits_NHW
        Of 28 x 28; in frames of another side than 64 they are as much smaller or larger.
    side_pixels
        Of the square frames.
    count
        Digits in a sequence.
    """

    digits_NHW: Frames
    side_pixels: int = SIDE_PIXELS
    count: int = 2

    @classmethod
    def of(cls, part: tuple[float, float], side_pixels: int, count: int) -> MovingDigits:
        """Return what draws a part of the packaged digits, at the size that fits the frames."""
        from PIL import Image

        digits = packed_digits(part)
        size = round(DIGIT_PIXELS * side_pixels / SIDE_PIXELS)
        if size != DIGIT_PIXELS:
            box = Image.Resampling.BOX
            scaled = [np.asarray(Image.fromarray(d).resize((size, size), box)) for d in digits]
            digits = np.stack(scaled)
        return cls(digits, side_pixels, count)

    def draw(self, rng: np.random.Generator, sequences: int, frames: int) -> Frames:
        """Return sequences [M, T, H, W], each of digits that are drawn anew."""
        drawn = np.zeros((sequences, frames, self.side_pixels, self.side_pixels), np.uint8)
        for _ in range(self.count):
            which_M = rng.integers(len(self.digits_NHW), size=sequences)
            np.maximum(drawn, self.moved(rng, which_M, frames), out=drawn)
        return drawn

    def moved(self, rng: np.random.Generator, which_M: Indices, frames: int) -> Frames:
        """Return sequences [M, T, H, W] of one digit each, by its number among the digits."""
        size = self.digits_NHW.shape[1]
        drawn = np.zeros((len(which_M), frames, self.side_pixels, self.side_pixels), np.uint8)
        places_MT2 = paths(rng, len(which_M), frames, self.side_pixels - size)
        for m, digit in enumerate(self.digits_NHW[which_M]):
            for frame, (top, left) in zip(drawn[m], places_MT2[m], strict=True):
                frame[top : top + size, left : left + size] = digit
        return drawn


def paths(
    rng: np.random.Generator, sequences: int, frames: int, free_pixels: int
) -> NDArray[np.int64]:
    """Return where digits stand, [M, T, 2], from the top and from the left, in pixels."""
    place_M2 = rng.random((sequences, 2))
    angle_M = rng.random(sequences) * 2 * np.pi
    speed_M2 = np.stack([np.sin(angle_M), np.cos(angle_M)], axis=1)
    places = []
    for _ in range(frames):
        place_M2 = place_M2 + speed_M2 * _STEP
        out_M2 = (place_M2 <= 0) | (place_M2 >= 1)
        speed_M2 = np.where(out_M2, -speed_M2, speed_M2)
        place_M2 = place_M2.clip(0, 1)
        places.append((place_M2 * free_pixels).astype(np.int64))
    return np.stack(places, axis=1)
