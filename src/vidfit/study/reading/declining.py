"""When nothing is answered: a threshold of log-probability that keeps false answers rare.

It is set on questions that their texts do not answer, about articles that the reader has not
learned from: a further one gets an answer as rarely as stated, if it is like them (split conformal
prediction: Vovk et al. 2005; Angelopoulos and Bates 2021, section 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from vidfit.contracts import Floats
from vidfit.metrics.measures import Doubles

RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Shares of questions without an answer that may get one: a reader has a threshold for each."""

NEVER = 0.0
"""A threshold that no log-probability is above."""

_LEAST = -100.0


def threshold_of(unanswered: Sequence[float] | Floats | Doubles, rate: float) -> float:
    """Return the log-probability above which is answered, so that false answers are rare.

    Parameters
    ----------
    unanswered
        The best log-probability of each question that its texts do not answer; minus infinity
        where nothing was found.
    rate
        Share of such questions that may get an answer, in (0, 1).

    Returns
    -------
    float
        `NEVER` where there are too few questions to promise that.
    """
    found = np.sort(np.asarray(unanswered, np.float64))
    place = math.ceil((1 - rate) * (len(found) + 1))
    return max(float(found[place - 1]), _LEAST) if place <= len(found) else NEVER


def thresholds_of(unanswered: Sequence[float] | Doubles) -> dict[float, float]:
    """Return the threshold of each rate of `RATES`."""
    return {rate: threshold_of(unanswered, rate) for rate in RATES}


def of_other_articles(
    unanswered: Doubles, articles: Sequence[str], rate: float
) -> Mapping[str, float]:
    """Return for each article the threshold that the others set."""
    of = np.asarray(articles)
    return {name: threshold_of(unanswered[of != name], rate) for name in dict.fromkeys(articles)}
