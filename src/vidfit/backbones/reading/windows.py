"""A question beside a part of a text, as the numbers of tokens that a reader takes.

Shape letters: T tokens of a window, B windows of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vidfit.contracts import Indices

if TYPE_CHECKING:
    from torch import Tensor

QUESTION_TOKENS = 64
"""A longer question is cut."""


@dataclass(frozen=True)
class TextWindow:
    """A question, and the part of a text beside it.

    Parameters
    ----------
    tokens_T, types_T
        Numbers of the tokens, and which part they are of, as the network takes them.
    starts_T, ends_T
        Where each token begins and ends in the text, in signs; -1 for those of no text.
    """

    tokens_T: Indices
    types_T: Indices
    starts_T: Indices
    ends_T: Indices

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Return first and last token of signs ``start`` to ``end``, if the window holds them."""
        (inside,) = np.nonzero((self.starts_T >= 0) & (self.ends_T > start) & (self.starts_T < end))
        if not len(inside):
            return None
        first, last = int(inside[0]), int(inside[-1])
        whole = self.starts_T[first] <= start and self.ends_T[last] >= end
        return (first, last) if whole else None


def windows_of(
    tokenizer: Any,  # noqa: ANN401
    question: str,
    text: str,
    most_tokens: int = 384,
    overlap_tokens: int = 128,
) -> Iterator[TextWindow]:
    """Yield windows over a text, each with the question before it, overlapping."""
    asked = tokenizer.encode(question, add_special_tokens=False)
    if len(asked.ids) > QUESTION_TOKENS:
        question = question[: asked.offsets[QUESTION_TOKENS - 1][1]]
    tokenizer.enable_truncation(most_tokens, stride=overlap_tokens, strategy="only_second")
    first = tokenizer.encode(question, text)
    for one in (first, *first.overflowing):
        in_text_T = np.array([part == 1 for part in one.sequence_ids], np.bool_)
        edges_T2 = np.array(one.offsets, np.int64).reshape(-1, 2)
        edges_T2[~in_text_T] = -1
        yield TextWindow(
            np.array(one.ids, np.int64),
            np.array(one.type_ids, np.int64),
            edges_T2[:, 0],
            edges_T2[:, 1],
        )


def batch_of(windows: Sequence[TextWindow], padding: int) -> dict[str, Tensor]:
    """Return windows filled up to the longest: tokens, types, which are real, which are answers.

    Returns
    -------
    dict
        ``tokens_BT``, ``types_BT``; ``real_BT``, 1 where a token is not filled up; ``may_BT``, 1
        where an answer may begin or end: tokens of the text, and the first, which is no answer.
    """
    import torch

    longest = max(len(window.tokens_T) for window in windows)
    shape = (len(windows), longest)
    tokens_BT = np.full(shape, padding, np.int64)
    types_BT, real_BT, may_BT = (np.zeros(shape, np.int64) for _ in range(3))
    for row, window in enumerate(windows):
        count = len(window.tokens_T)
        tokens_BT[row, :count] = window.tokens_T
        types_BT[row, :count] = window.types_T
        real_BT[row, :count] = 1
        may_BT[row, :count] = window.starts_T >= 0
    may_BT[:, 0] = 1
    named = {"tokens_BT": tokens_BT, "types_BT": types_BT, "real_BT": real_BT, "may_BT": may_BT}
    return {name: torch.from_numpy(array) for name, array in named.items()}
