"""What answers are, by kind of label: the link, the loss, the scale that they are stated on.

Shape letters: M clips, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats
from vidfit.label_kinds import Labels, labels_of

Doubles = NDArray[np.float64]

UNSEEN = -20.0
"""Log-probability of what a fit has not seen; no loss of a clip is more than that many nats."""

_TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(8.0), 121))


def linked(scores_MK: NDArray[np.floating], labels: Labels) -> Floats:
    """Return the answers that linear scores stand for.

    One class: their softmax, several: the sigmoid of each, both as logarithms; a number: as it is.
    """
    if labels == "number":
        return scores_MK.astype(np.float32, copy=False)
    if labels == "several":
        result: Floats = -np.logaddexp(0.0, -scores_MK).astype(np.float32, copy=False)
        return result
    shifted = scores_MK - scores_MK.max(axis=1, keepdims=True)
    log_MK: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_MK.astype(np.float32, copy=False)


def odds(answers_MK: NDArray[np.floating]) -> Doubles:
    """Return the log-odds of log-probabilities of classes that stand by themselves."""
    log_MK = np.minimum(np.asarray(answers_MK, np.float64), -1e-12)
    result: Doubles = log_MK - np.log(-np.expm1(log_MK))
    return result


def losses(answers_MK: NDArray[np.floating], truth: Any) -> Floats:  # noqa: ANN401
    """Return what is lost by each clip's answer, [M]: what penalties and fusions are chosen by.

    Of one class the negative log-probability of the label, each at most 20 nats; of several the
    mean of those of the classes; of a number the squared error as a share of the variance.
    """
    kind = labels_of(truth)
    if kind == "number":
        spread = float(np.var(truth)) or 1.0
        error_M: Floats = (np.asarray(answers_MK[:, 0], np.float64) - truth) ** 2 / spread
        return error_M
    if kind == "one":
        result: Floats = -np.clip(answers_MK[np.arange(len(truth)), truth], UNSEEN, None)
        return result
    signed_MK = np.where(truth, odds(answers_MK), -odds(answers_MK))
    lost_MK = np.minimum(np.logaddexp(0.0, -signed_MK), -UNSEEN)
    each: Floats = lost_MK.mean(axis=1)
    return each


def mean_loss(answers_MK: NDArray[np.floating], truth: Any) -> float:  # noqa: ANN401
    """Return the mean of `losses`."""
    return float(losses(answers_MK, truth).mean())


def fit_temperature(answers_MK: Floats, truth: Any) -> float:  # noqa: ANN401
    """Return the temperature in [0.25, 8] with the lowest log-loss on held-out answers.

    Answers of several classes share one; a number has none, which is 1.
    """
    kind = labels_of(truth)
    if kind == "number":
        return 1.0
    if kind == "several":
        signed_MK = np.where(truth, odds(answers_MK), -odds(answers_MK))
        found = [float(np.logaddexp(0.0, -signed_MK / t).mean()) for t in _TEMPERATURES]
        return float(_TEMPERATURES[int(np.argmin(found))])
    logits = answers_MK.astype(np.float64)[None] / _TEMPERATURES[:, None, None]
    logits -= logits.max(axis=2, keepdims=True)
    normaliser = np.log(np.exp(logits).sum(axis=2))
    of_label = logits[:, np.arange(len(truth)), truth]
    return float(_TEMPERATURES[int(np.argmin((normaliser - of_label).mean(axis=1)))])


def stated(answers_MK: Floats, temperature: float, labels: Labels) -> Floats:
    """Return answers as they are stated: probabilities at a temperature, or the numbers."""
    if labels == "number":
        return answers_MK
    if labels == "several":
        return np.exp(linked(odds(answers_MK) / temperature, labels))
    logits = answers_MK.astype(np.float64) / temperature
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Floats = (exp / exp.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


def as_answers(stated_MK: Floats, labels: Labels) -> Floats:
    """Return stated answers as answers again; no log-probability is below `UNSEEN`."""
    if labels == "number":
        return stated_MK
    result: Floats = np.log(np.maximum(stated_MK, np.exp(UNSEEN)))
    return result
