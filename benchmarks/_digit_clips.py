"""Clips of one moving digit, for generators: hands that were learned from draw no other part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidfit.jobs.generate.material import GeneratorClips
from vidfit.pixels.forecast.digits import CHOOSE, LEARN, TEST, MovingDigits, digits_by_class
from vidfit.pixels.generate.bank import ClipBank
from vidfit.pixels.generate.sizes import ClipSizes

LEARNED, HELD_BACK = 2_000, 150
"""Clips that are learned from, that choose and that judge."""

CLASSES = tuple("0123456789")


def digit_clips(
    sizes: ClipSizes, learned: int = LEARNED, held_back: int = HELD_BACK
) -> GeneratorClips:
    """Draw clips of one digit each, whose class is its label and whose digit is its recording.

    Raises
    ------
    BackboneError
        If the digits were not fetched; says how.
    """
    parts = [
        _bank(part, count, sizes, seed)
        for seed, (part, count) in enumerate(
            ((LEARN, learned), (CHOOSE, held_back), (TEST, held_back))
        )
    ]
    shares = np.bincount(parts[0].labels_N, minlength=len(CLASSES)) / learned
    whole = replace(sizes, classes=CLASSES, shares=tuple(float(s) for s in shares))
    return GeneratorClips(whole, *parts, failures=(), notes=())


def _bank(part: tuple[float, float], count: int, sizes: ClipSizes, seed: int) -> ClipBank:
    """Return clips of digits of a part, no digit twice while there are others."""
    classes = digits_by_class(part)
    labels = np.repeat(np.arange(len(classes)), [len(c) for c in classes])
    rng = np.random.default_rng([seed, 5])
    order = rng.permutation(len(labels))
    rows_N = order[np.arange(count) % len(order)]
    moving = MovingDigits.of(part, sizes.side, 1)
    frames = moving.moved(rng, rows_N, sizes.frames)
    names = tuple(f"{part[0]:g} {row}" for row in rows_N)
    return ClipBank(
        np.repeat(frames[..., None], 3, axis=-1), labels[rows_N].astype(np.int64), names, names
    )
