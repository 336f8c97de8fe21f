"""A small neural network on the members' answers.

One hidden layer between the standardised log-probabilities and the classes (stacking, Wolpert
1992, with a multilayer perceptron on top). Few clips determine it badly, so it is small,
strongly regularised, and the mean of several starts. scikit-learn fits it.

Shape letters: S members, M clips, K classes, D inputs, R starts, H hidden units.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.answers import OverAnswers, probes_of
from vidfit.fusion.fresh import fit_over_fresh_answers
from vidfit.fusion.linear import log_softmax
from vidfit.fusion.logistic import side_by_side
from vidfit.fusion.member import Fitted, Training

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

STARTS = 3
"""Fits from differing random weights, whose probabilities are averaged."""

_HIDDEN, _ALPHA, _ITERATIONS = 16, 5.0, 100

_NEVER = -1e4
"""The logit of a class without a clip."""

_PREFIX = "perceptron."

_LOCK = Lock()
"""Filters of warnings are those of all threads of a process."""


@dataclass(frozen=True)
class Perceptrons:
    """Means and inverse scales of the inputs, and the layers of each start."""

    mean_D: Floats
    scale_D: Floats
    hidden_RDH: Floats
    hidden_bias_RH: Floats
    weight_RHK: Floats
    bias_RK: Floats

    def combine(self, answers_SMK: Floats) -> Floats:
        """Return the logarithm of the starts' mean probabilities, [M, K]."""
        x_MD = (side_by_side(answers_SMK) - self.mean_D) * self.scale_D
        hidden_RMH = np.maximum(x_MD @ self.hidden_RDH + self.hidden_bias_RH[:, None], 0.0)
        logits_RMK = hidden_RMH @ self.weight_RHK + self.bias_RK[:, None]
        each = np.stack([log_softmax(logits_MK) for logits_MK in logits_RMK])
        return log_softmax(np.logaddexp.reduce(each, axis=0))

    def state(self) -> dict[str, Floats]:
        """Return the arrays."""
        return {_PREFIX + name: array for name, array in asdict(self).items()}


def fit_mlp(training: Training) -> Fitted:
    """Fit networks on the members' out-of-fold answers."""
    return fit_over_fresh_answers(training, fit_perceptrons)


def restore(state: Mapping[str, Floats]) -> OverAnswers:
    """Return the fusion whose ``state`` this is."""
    own = {name.removeprefix(_PREFIX): a for name, a in state.items() if name.startswith(_PREFIX)}
    return OverAnswers(probes_of(state), Perceptrons(**own))


def fit_perceptrons(answers_SMK: Floats, labels_M: Indices, _folds_M: Indices) -> Perceptrons:
    """Fit one network a start on answers [S, M, K], each at least e^-8."""
    x_MD = side_by_side(answers_SMK)
    mean_D, deviation_D = x_MD.mean(axis=0), x_MD.std(axis=0)
    # What hardly changes must not be blown up: a class that is always ruled out says nothing.
    scale_D = np.where(deviation_D > 1e-3, 1.0 / np.maximum(deviation_D, 1e-3), 0.0)
    scale_D = scale_D.astype(np.float32)
    networks = [fitted((x_MD - mean_D) * scale_D, labels_M, start) for start in range(STARTS)]
    layers = [_layers(network, answers_SMK.shape[2]) for network in networks]
    return Perceptrons(
        mean_D, scale_D, *(np.stack(part).astype(np.float32) for part in zip(*layers, strict=True))
    )


def fitted(x_MD: Floats, labels_M: Indices, start: int) -> MLPClassifier:
    """Return scikit-learn's network, fitted from the random weights of a start."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(
        hidden_layer_sizes=(_HIDDEN,),
        alpha=_ALPHA,
        solver="lbfgs",
        max_iter=_ITERATIONS,
        random_state=start,
    )
    with _LOCK, warnings.catch_warnings():  # to stop before the minimum regularises, too
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(x_MD.astype(np.float64), labels_M)
    return network


def _layers(network: MLPClassifier, classes: int) -> tuple[NDArray[np.float64], ...]:
    """Return weights and biases of both layers, with an output for each class."""
    (hidden_DH, own_HK), (bias_H, own_K) = network.coefs_, network.intercepts_
    present = network.classes_
    weight_HK, bias_K = np.zeros((_HIDDEN, classes)), np.full(classes, _NEVER)
    bias_K[present] = 0.0
    outputs = present[-1:] if len(present) == 2 else present  # one output is the log-odds
    weight_HK[:, outputs], bias_K[outputs] = own_HK, own_K
    return hidden_DH, bias_H, weight_HK, bias_K
