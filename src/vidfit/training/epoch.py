"""What an epoch of training did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch did: mean loss, steps, batch, rate at its end, score on validation clips.

    ``log_loss`` and ``accuracy`` are of the weights that would be kept; ``nan`` without
    validation clips. ``seconds`` are those of the steps.
    """

    number: int
    loss: float
    steps: int
    batch_clips: int
    learning_rate: float
    log_loss: float
    accuracy: float
    seconds: float
