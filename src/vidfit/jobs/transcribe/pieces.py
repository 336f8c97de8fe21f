"""A recording in pieces of speech that are heard at once, however long it is.

Only a minute of sound is held. Where a piece begins and ends depends on the sound from the end of
the last one on, so that a run that was killed goes on with the same pieces.

Shape letters: S samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.backbones.speech import PIECE_SECONDS
from vidfit.contracts import Floats

LOOK_SECONDS = 60.0
"""Of sound that is looked through for speech."""

_OPEN_SECONDS = 1.0
"""Speech that ends so near to the end of what is looked at may go on."""

Speech = Callable[[Floats], Sequence[tuple[int, int]]]
"""Samples -> first and last of each stretch of speech."""


@dataclass(frozen=True)
class Piece:
    """Samples of speech from ``first`` on, and the sample ``after`` which the next is looked for.

    Without samples there was no speech up to there.
    """

    first: int
    after: int
    samples_S: Floats


def pieces(
    samples: Callable[[int, int], Floats], speech: Speech, rate_hertz: int, first: int = 0
) -> Iterator[Piece]:
    """Yield a recording from a sample on.

    Parameters
    ----------
    samples
        First and last sample -> those that are there. It is asked for each sample once, in order.
    speech
        Finds speech.
    """
    look, most = round(LOOK_SECONDS * rate_hertz), round(PIECE_SECONDS * rate_hertz)
    near = round(_OPEN_SECONDS * rate_hertz)
    heard_S = np.zeros(0, np.float32)
    while len(heard_S := np.append(heard_S, samples(first + len(heard_S), first + look))):
        is_last = len(heard_S) < look
        spans = list(speech(heard_S))
        if len(spans) > 1 and not is_last and len(heard_S) - spans[-1][1] < near:
            spans = spans[:-1]
        together = [span for span in spans if span[1] - spans[0][0] <= most] or spans[:1]
        if not together:
            after = first + (len(heard_S) if is_last else len(heard_S) - near)
            yield Piece(first, after, np.zeros(0, np.float32))
        else:
            start, stop = together[0][0], min(together[-1][1], together[0][0] + most)
            after = first + stop
            yield Piece(first + start, after, heard_S[start:stop])
        first, heard_S = after, heard_S[after - first :]
