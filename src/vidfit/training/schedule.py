"""How the learning rate and the batch change over a run."""

from __future__ import annotations

import math

from vidfit.plans import OptimizerName, Recipe


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


def batch_factor(progress: float, recipe: Recipe, reached: float, noise_clips: float) -> float:
    """Return the factor of the next epoch.

    By the table, or, with ``noise_scale``, twice what was reached while the gradient noise scale
    lies above the batch; it never shrinks.

    Parameters
    ----------
    reached
        Factor of the epoch before.
    noise_clips
        The noise scale as a multiple of the layout's batch; ``nan`` when not yet known.
    """
    if not recipe.noise_scale:
        return scheduled_factor(progress, recipe.batch_schedule)
    largest = max(factor for _, factor in recipe.batch_schedule)
    return min(2 * reached, largest) if noise_clips > reached else reached


def rate_for_batch(factor: float, optimizer: OptimizerName) -> float:
    """Return the learning rate's factor for so many times the batch.

    Linear for SGD (Goyal et al. 2017), the square root for Adam (Malladi et al. 2022).
    """
    return factor if optimizer == "sgd" else math.sqrt(factor)
