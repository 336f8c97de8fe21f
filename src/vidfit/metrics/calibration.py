"""Is a stated probability true? Temperature scaling and the expected calibration error.

Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks.
"""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Floats, Indices
from vidfit.labels import ONE
from vidfit.reported import ReliabilityBin


def probabilities(log_probabilities_MK: Floats, temperature: float) -> Floats:
    """Return probabilities [M, K] of one class among K at a temperature."""
    return ONE.stated(log_probabilities_MK, temperature)


def fit_temperature(log_probabilities_MK: Floats, labels_M: Indices) -> float:
    """Return the temperature in [0.25, 8] with the lowest log-loss on held-out answers."""
    return ONE.temperature(log_probabilities_MK, labels_M)


def reliability(
    probabilities_MK: Floats, labels_M: Indices, *, bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Return equal-width bins of confidence with what was stated and what was true."""
    confidence_M = probabilities_MK.max(axis=1)
    hit_M = probabilities_MK.argmax(axis=1) == labels_M
    bin_M = np.minimum((confidence_M * bins).astype(int), bins - 1)
    return tuple(
        ReliabilityBin(
            float(confidence_M[bin_M == b].mean()),
            float(hit_M[bin_M == b].mean()),
            int((bin_M == b).sum()),
        )
        for b in np.unique(bin_M)
    )


def calibration_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """Return the expected calibration error: mean |confidence - accuracy| over clips."""
    total = sum(b.count for b in bins)
    return sum(abs(b.confidence - b.accuracy) * b.count for b in bins) / max(total, 1)
