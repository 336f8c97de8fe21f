"""What the networks of a generator are built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vidfit.documents import value_of
from vidfit.errors import ModelError, VidfitError

BLOCK_PIXELS, PAIR = 8, 2
"""Sides are multiples of the one, frames of the other."""

LEAST_SIDE, MOST_SIDE = 16, 64


@dataclass(frozen=True)
class ClipSizes:
    """Of a clip that is drawn, and of what draws it.

    Parameters
    ----------
    frames, side
        Of a clip, and pixels of the height and width of each.
    fps
        Frames a second.
    classes
        That may be asked for; empty where clips have no labels.
    shares
        Of the classes among the clips that were learned from.
    latent, width
        Numbers that the VAE keeps of a clip, and channels of its widest frames.
    codes, gpt_width, gpt_layers
        Kinds of tokens, and the size of the network that reads them.
    """

    frames: int = 8
    side: int = 32
    fps: float = 10.0
    classes: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    latent: int = 64
    width: int = 32
    codes: int = 256
    gpt_width: int = 96
    gpt_layers: int = 3

    @property
    def numbers(self) -> int:
        """Of a clip: frames x side x side x 3."""
        return self.frames * self.side**2 * 3

    @property
    def tokens(self) -> int:
        """Of a clip: one for each block of a pair of frames."""
        return self.frames // PAIR * (self.side // BLOCK_PIXELS) ** 2

    def check(self) -> None:
        """Refuse sizes that no network is built for.

        Raises
        ------
        VidfitError
            Says what is valid.
        """
        if self.side % BLOCK_PIXELS or not LEAST_SIDE <= self.side <= MOST_SIDE:
            raise VidfitError(
                f"clips of {self.side} x {self.side} pixels cannot be made; choose --side as a "
                f"multiple of {BLOCK_PIXELS} from {LEAST_SIDE} to {MOST_SIDE}"
            )
        sound = all(0 < n <= 4096 for n in (self.latent, self.width, self.codes, self.gpt_width))
        if self.frames % PAIR or not PAIR <= self.frames <= 64 or not sound:
            raise VidfitError("frames are an even number up to 64, widths are from 1 to 4096")
        if not 0 < self.fps <= 1000 or not 0 < self.gpt_layers <= 64:
            raise VidfitError("frames a second are from 0 to 1000, layers from 1 to 64")
        if len(self.shares) != len(self.classes) or self.gpt_width % 8:
            raise VidfitError("each class has its share, and the width divides by 8")

    @property
    def facts(self) -> dict[str, Any]:
        """All of it by name."""
        return {**asdict(self), "classes": list(self.classes), "shares": list(self.shares)}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> ClipSizes:
        """Return what `facts` gave.

        Raises
        ------
        ModelError
            If it is no such thing.
        """
        try:
            found = value_of(cls, facts, {})
            found.check()
        except (TypeError, ValueError, VidfitError) as error:
            raise ModelError(f"the model's sizes are damaged ({error}); fit it again") from error
        return found
