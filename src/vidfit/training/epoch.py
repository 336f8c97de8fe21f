"""What an epoch of training did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from vidfit.documents import number_of


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch did: mean loss, steps, batch, rate at its end, score on validation clips.

    ``log_loss`` and ``accuracy`` are of the weights that would be kept; ``nan`` without
    validation clips. ``seconds`` are those of the steps. ``taught`` is the share of the clips
    without a label of whose class the teacher was sure; ``nan`` where none were shown.
    """

    number: int
    loss: float
    steps: int
    batch_clips: int
    learning_rate: float
    log_loss: float
    accuracy: float
    seconds: float
    taught: float = math.nan


def epoch_of(found: Mapping[str, Any]) -> Epoch:
    """Return an epoch that was written as JSON, where ``nan`` is ``null``.

    Raises
    ------
    TypeError
        If it has other fields.
    ValueError
        If one is no number.
    """
    real = {field.name for field in fields(Epoch) if field.type == "float"}
    values: dict[str, Any] = {k: number_of(v) if k in real else v for k, v in found.items()}
    return Epoch(**values)
