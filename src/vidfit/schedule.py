"""How the learning rate and the batch change over a run."""

from __future__ import annotations

import math

from vidfit.plans import OptimizerName


def rate_factor(progress: float, warmup_share: float) -> float:
    """Return the learning rate as a share of its highest.

    It rises evenly over the warm-up and falls to zero along half a cosine (Loshchilov and
    Hutter 2017).

    Parameters
    ----------
    progress
        Share of the run that is over, in [0, 1].
    """
    if progress < warmup_share:
        return progress / warmup_share
    rest = (progress - warmup_share) / (1.0 - warmup_share)
    return 0.5 * (1.0 + math.cos(math.pi * min(rest, 1.0)))


def scheduled_factor(progress: float, schedule: tuple[tuple[float, float], ...]) -> float:
    """Return how many times the layout's batch a step sees, by the table."""
    reached = [factor for start, factor in schedule if start <= progress]
    return reached[-1] if reached else 1.0


def rate_for_batch(factor: float, optimizer: OptimizerName) -> float:
    """Return the learning rate's factor for a multiple of the batch.

    Linear for SGD (Goyal et al. 2017), the square root for Adam (Malladi et al. 2022).
    """
    return factor if optimizer == "sgd" else math.sqrt(factor)
