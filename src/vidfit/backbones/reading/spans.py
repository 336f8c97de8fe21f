"""The most probable spans of a window.

A span's probability is that of its start times that of its end, both among the tokens of the text
and the first token, which stands for no answer (Devlin et al. 2019, section 4.3).

Shape letters: T tokens of a window, B windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vidfit.backbones.reading.network import READERS, SpanNetwork
from vidfit.backbones.reading.windows import TextWindow, batch_of
from vidfit.contracts import Floats

if TYPE_CHECKING:
    from torch import Tensor

ANSWER_TOKENS = 30
"""A longer span is no answer."""

_BATCH_TOKENS = 4096
_OUT = -1e4


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """A span of a text, in signs, and its log-probability."""

    start: int
    end: int
    log_probability: float


def logits(reader: SpanNetwork, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Return logits of starts and ends [B, T]; where no answer can be they are far below others."""
    network: Any = reader.network
    types = {"token_type_ids": batch["types_BT"]} if READERS[reader.kind].takes_types else {}
    out = network(input_ids=batch["tokens_BT"], attention_mask=batch["real_BT"], **types)
    shut = batch["may_BT"] == 0
    return out.start_logits.masked_fill(shut, _OUT), out.end_logits.masked_fill(shut, _OUT)


def best_spans(
    reader: SpanNetwork, windows: Sequence[TextWindow], count: int = 1
) -> Iterator[tuple[int, list[FoundSpan]]]:
    """Yield number of a window and its best spans, the best first; those of like length first."""
    import torch

    reader.network.eval()
    for rows in _batches([len(window.tokens_T) for window in windows]):
        with torch.inference_mode():
            start_BT, end_BT = logits(
                reader, batch_of([windows[row] for row in rows], reader.padding)
            )
            sides = [side.log_softmax(dim=1).numpy() for side in (start_BT, end_BT)]
        for place, row in enumerate(rows):
            yield row, _spans(windows[row], sides[0][place], sides[1][place], count)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield rows of like length, as many as fit a number of tokens."""
    held: list[int] = []
    for row in np.argsort(lengths, kind="stable"):
        if held and (len(held) + 1) * lengths[row] > _BATCH_TOKENS:
            yield held
            held = []
        held.append(int(row))
    if held:
        yield held


def _spans(window: TextWindow, start_T: Floats, end_T: Floats, count: int) -> list[FoundSpan]:
    """Return the best spans of a window, no two of which overlap."""
    (text,) = np.nonzero(window.starts_T >= 0)
    if not len(text):
        return []
    first, last = int(text[0]), int(text[-1]) + 1
    both = start_T[first:last, None] + end_T[None, first:last]
    both = np.where(np.tri(len(both), k=ANSWER_TOKENS - 1) * np.tri(len(both)).T > 0, both, -np.inf)
    found: list[FoundSpan] = []
    while len(found) < count:
        s, e = divmod(int(both.argmax()), len(both))
        if not np.isfinite(both[s, e]):
            break
        edges = int(window.starts_T[first + s]), int(window.ends_T[first + e])
        found.append(FoundSpan(*edges, float(both[s, e])))
        both[: e + 1, s:] = -np.inf
    return found
