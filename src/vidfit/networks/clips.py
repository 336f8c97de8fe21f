"""What a network sees of a batch of clips.

Shape letters: B clips, V views, T frames, H height, W width, C channels, N tokens in time
order, D features of a token, L text tokens, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Clips:
    """A batch; what a network does not look at may be ``None``.

    Parameters
    ----------
    tokens_BND
        What a frozen backbone saw, float32.
    present_BN
        Which tokens are real and not padding, bool; ``None`` means all.
    frames_BVTHWC
        uint8 RGB views, sized as the backbone's ``spec.preprocessing`` says.
    text_BL
        Numbers of text tokens, int64; 0 is padding.
    """

    tokens_BND: Tensor | None = None
    present_BN: Tensor | None = None
    frames_BVTHWC: Tensor | None = None
    text_BL: Tensor | None = None

    @property
    def tensors(self) -> tuple[Tensor | None, ...]:
        """The fields, in their order."""
        return self.tokens_BND, self.present_BN, self.frames_BVTHWC, self.text_BL

    def to(self, device: str) -> Self:
        """Return the batch on a device."""
        return self._each(lambda tensor: tensor.to(device))

    def where(self, rows: slice | Tensor) -> Self:
        """Return some clips of the batch."""
        return self._each(lambda tensor: tensor[rows])

    def __len__(self) -> int:
        each = (self.tokens_BND, self.frames_BVTHWC, self.text_BL)
        return next(len(tensor) for tensor in each if tensor is not None)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Self:
        tensors = {name: getattr(self, name) for name in self.__dataclass_fields__}
        present = {name: change(tensor) for name, tensor in tensors.items() if tensor is not None}
        return replace(self, **present)
