"""Boosted trees on the members' answers: what one member says can decide whom to believe.

Gradient boosting (Friedman 2001, Greedy function approximation): each round adds, for each
class, a shallow tree that is fitted to what the answers so far leave unexplained. scikit-learn
fits; the trees are kept as arrays and evaluated here, so that a model directory holds no code.

Shape letters: S members, M clips, K classes, D inputs, T trees, I inner nodes, L leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.answers import OverAnswers, probes_of
from vidfit.fusion.fresh import fit_over_fresh_answers
from vidfit.fusion.linear import log_softmax
from vidfit.fusion.logistic import side_by_side
from vidfit.fusion.member import Fitted, Training

if TYPE_CHECKING:
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.tree import DecisionTreeRegressor

DEPTH = 2
"""Questions a tree asks: with two, an answer can depend on two members at once."""

_LEARNING_RATE, _SUBSAMPLE, _CLIPS_A_LEAF = 0.1, 0.6, 5

_TREES = 480
"""Trees of a fit: a round costs one a class, so many classes get fewer rounds."""

_LEAST_ROUNDS, _MOST_ROUNDS = 30, 60

_NEVER = -1e4
"""The logit of a class without a clip."""


@dataclass(frozen=True)
class Trees:
    """Trees that are filled up to the same depth, in breadth-first order, and the class of each.

    At inner node i a clip whose input ``features_TI`` is at most ``thresholds_TI`` goes on to
    node 2i + 1, else to 2i + 2; the leaves follow the inner nodes.
    """

    start_K: Floats
    class_T: Indices
    features_TI: Indices
    thresholds_TI: Floats
    values_TL: Floats

    def combine(self, answers_SMK: Floats) -> Floats:
        """Return log-probabilities [M, K]: where to start, and what the trees add."""
        added_MT = self._leaves(side_by_side(answers_SMK))
        logits_MK = np.tile(self.start_K.astype(np.float64), (len(added_MT), 1))
        np.add.at(logits_MK.T, self.class_T, added_MT.T)
        return log_softmax(logits_MK)

    def state(self) -> dict[str, Floats]:
        """Return the arrays."""
        return asdict(self)

    def _leaves(self, x_MD: Floats) -> Floats:
        """Return the value [M, T] of the leaf that each clip comes to."""
        clips_M1, trees_T = np.arange(len(x_MD))[:, None], np.arange(len(self.class_T))
        inner = self.features_TI.shape[1]
        node_MT = np.zeros((len(x_MD), len(trees_T)), np.int64)
        for _ in range(inner.bit_length()):  # 2^depth - 1 inner nodes have as many bits as levels
            threshold_MT = self.thresholds_TI[trees_T, node_MT]
            right_MT = x_MD[clips_M1, self.features_TI[trees_T, node_MT]] > threshold_MT
            node_MT = 2 * node_MT + 1 + right_MT
        value_MT: Floats = self.values_TL[trees_T, node_MT - inner]
        return value_MT


def fit_boosted(training: Training) -> Fitted:
    """Fit boosted trees on the members' out-of-fold answers."""
    return fit_over_fresh_answers(training, fit_trees)


def restore(state: Mapping[str, Floats]) -> OverAnswers:
    """Return the fusion whose ``state`` this is."""
    own: dict[str, Any] = {name: state[name] for name in Trees.__dataclass_fields__}
    return OverAnswers(probes_of(state), Trees(**own))


def fit_trees(answers_SMK: Floats, labels_M: Indices, _folds_M: Indices) -> Trees:
    """Fit on answers [S, M, K], each at least e^-8."""
    boosting = booster(len(np.unique(labels_M)))
    boosting.fit(side_by_side(answers_SMK), labels_M)
    return exported(boosting, labels_M, answers_SMK.shape[2])


def booster(classes: int) -> GradientBoostingClassifier:
    """Return scikit-learn's boosting, not fitted yet, for so many classes."""
    from sklearn.ensemble import GradientBoostingClassifier

    rounds = max(_LEAST_ROUNDS, min(_MOST_ROUNDS, _TREES // classes))
    return GradientBoostingClassifier(
        n_estimators=rounds,
        max_depth=DEPTH,
        learning_rate=_LEARNING_RATE,
        subsample=_SUBSAMPLE,
        min_samples_leaf=_CLIPS_A_LEAF,
        max_features="sqrt",  # trees that ask different members, and a fifth of the time
        random_state=0,
    )


def exported(boosting: GradientBoostingClassifier, labels_M: Indices, classes: int) -> Trees:
    """Return what was fitted on labels [M] as arrays, with answers for all classes."""
    present = boosting.classes_
    shares = np.array([(labels_M == label).mean() for label in present])
    start_K = np.full(classes, _NEVER, np.float32)
    start_K[present] = np.log(shares)
    # Of two classes there is one tree a round: it adds to the log-odds of the second.
    of_column = present[-1:] if len(present) == 2 else present
    rounds = len(boosting.estimators_)
    filled = [_filled(tree) for tree in boosting.estimators_.ravel()]
    features, thresholds, values = (np.stack(part) for part in zip(*filled, strict=True))
    return Trees(
        start_K,
        np.tile(of_column, rounds).astype(np.int64),
        features,
        _rounded_down(thresholds),
        (boosting.learning_rate * values).astype(np.float32),
    )


def _filled(
    regressor: DecisionTreeRegressor,
) -> tuple[Indices, NDArray[np.float64], NDArray[np.float64]]:
    """Return features [I], thresholds [I] and values [L] of a tree, filled up to `DEPTH`.

    Below a leaf that comes early, all clips go left.
    """
    tree = regressor.tree_
    inner = 2**DEPTH - 1
    features, thresholds = np.zeros(inner, np.int64), np.full(inner, np.inf)
    node_of = np.zeros(2 * inner + 1, np.int64)
    for place in range(inner):
        node = node_of[place]
        left, right = tree.children_left[node], tree.children_right[node]
        if left < 0:
            left = right = node
        else:
            features[place], thresholds[place] = tree.feature[node], tree.threshold[node]
        node_of[2 * place + 1], node_of[2 * place + 2] = left, right
    return features, thresholds, tree.value[node_of[inner:], 0, 0]


def _rounded_down(thresholds: NDArray[np.float64]) -> Floats:
    """Return float32 thresholds that send each float32 input the same way as the float64 ones."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)
