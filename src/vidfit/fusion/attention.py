"""Attention over models and time: what each model sees at each step is one token.

Each member's steps (`vidfit.features.time_steps`) are standardised, reduced to their principal
components and brought to a common width; a token carries an embedding of its model and step, so
that "this one first, then that one" can be told. Learned queries attend over the tokens of all
models (pooling by multihead attention; Lee et al. 2019, Set transformer), and a linear layer
answers. torch fits (`vidfit.fusion.attention_fit`); here the arrays are evaluated by numpy.

Shape letters: S members, M clips, K classes, T steps, X = T * D numbers of a member's clip,
E common width, N = S * T tokens, Q queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from vidfit.contracts import Floats
from vidfit.features.pool import STEPS
from vidfit.fusion.linear import log_softmax
from vidfit.fusion.member import Fitted, Training

EPSILON = 1e-5
"""Added to the variance in layer norm."""

_ENCODER = "encoder{}."


@dataclass(frozen=True)
class Encoder:
    """Means and inverse scales of a member's steps, and the map of a step to the common width.

    As in a probe, scales are divided by the root of the width: standardised steps have a
    squared length of 1 on the training clips' average.
    """

    mean_X: Floats
    scale_X: Floats
    weight_DE: Floats

    def standardised(self, steps_MX: Floats) -> Floats:
        """Return standard scores, divided by the root of their number."""
        return (steps_MX - self.mean_X) * self.scale_X

    def tokens(self, steps_MX: Floats) -> Floats:
        """Return tokens [M, T, E]."""
        dim = len(self.weight_DE)
        return self.standardised(steps_MX).reshape(len(steps_MX), -1, dim) @ self.weight_DE


@dataclass(frozen=True)
class Pooling:
    """Embeddings of model and step, queries, layer norms, and the answer."""

    place_NE: Floats
    gain_E: Floats
    shift_E: Floats
    query_EQ: Floats
    pooled_gain_F: Floats
    pooled_shift_F: Floats
    weight_FK: Floats
    bias_K: Floats

    def log_probabilities(self, tokens_MNE: Floats) -> Floats:
        """Return log-probabilities [M, K]; F = Q * E numbers are pooled."""
        tokens_MNE = _layer_norm(tokens_MNE + self.place_NE, self.gain_E, self.shift_E)
        pooled_MF = _attended(tokens_MNE, self.query_EQ)
        pooled_MF = _layer_norm(pooled_MF, self.pooled_gain_F, self.pooled_shift_F)
        return log_softmax(pooled_MF @ self.weight_FK + self.bias_K)


@dataclass(frozen=True)
class Attention:
    """Encoders of the members' steps, and the pooling of their tokens. Blocks are steps."""

    encoders: tuple[Encoder, ...]
    pooling: Pooling

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return log-probabilities [M, K] of steps [M, X_i] of each member."""
        pairs = zip(self.encoders, blocks, strict=True)
        tokens_MNE = np.concatenate([encoder.tokens(block) for encoder, block in pairs], axis=1)
        return self.pooling.log_probabilities(tokens_MNE)

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared standard score [M] of the clips' steps."""
        pairs = zip(self.encoders, blocks, strict=True)
        each = [(encoder.standardised(block) ** 2).sum(axis=1) for encoder, block in pairs]
        result: Floats = np.mean(each, axis=0)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore` needs."""
        arrays = dict(asdict(self.pooling))
        for i, encoder in enumerate(self.encoders):
            arrays |= {_ENCODER.format(i) + name: a for name, a in asdict(encoder).items()}
        return arrays


def fit_attention(training: Training) -> Fitted:
    """Fit on the members' steps, and once more without each fold.

    Raises
    ------
    ValueError
        If a member lacks its steps.
    """
    from vidfit.fusion.attention_fit import fit_steps

    blocks, labels_M, folds_M = _steps(training), training.labels_M, training.folds_M
    out_MK = np.empty((len(labels_M), training.classes), np.float32)
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        fusion = fit_steps([block[train] for block in blocks], labels_M[train], training.classes)
        out_MK[test] = fusion.log_probabilities([block[test] for block in blocks])
    fusion = fit_steps(blocks, labels_M, training.classes)
    return Fitted(fusion, out_MK, tuple(range(len(blocks))))


def restore(state: Mapping[str, Floats]) -> Attention:
    """Return the fusion whose ``state`` this is."""
    pooling = Pooling(**{name: state[name] for name in Pooling.__dataclass_fields__})
    names = Encoder.__dataclass_fields__
    count = len(pooling.place_NE) // STEPS
    encoders = (
        Encoder(**{name: state[_ENCODER.format(i) + name] for name in names}) for i in range(count)
    )
    return Attention(tuple(encoders), pooling)


def _steps(training: Training) -> list[Floats]:
    blocks = [member.steps_MX for member in training.members if member.steps_MX is not None]
    if len(blocks) < len(training.members):
        raise ValueError(
            f"Attention looks at steps in time, which {len(training.members) - len(blocks)} of "
            f"{len(training.members)} members lack; give each Member its steps_MX "
            "(vidfit.features.time_steps)."
        )
    return blocks


def _layer_norm(x: Floats, gain: Floats, shift: Floats) -> Floats:
    """Normalise the last axis (Ba, Kiros and Hinton 2016)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
    normal: Floats = centred / deviation * gain + shift
    return normal


def _attended(tokens_MNE: Floats, query_EQ: Floats) -> Floats:
    """Return the tokens' mean [M, Q * E] by the attention of each query."""
    scores_MNQ = tokens_MNE @ query_EQ
    weights_MNQ = np.exp(scores_MNQ - scores_MNQ.max(axis=1, keepdims=True))
    weights_MNQ /= weights_MNQ.sum(axis=1, keepdims=True)
    pooled_MQE = weights_MNQ.transpose(0, 2, 1) @ tokens_MNE
    pooled_MF: Floats = pooled_MQE.reshape(len(tokens_MNE), -1)
    return pooled_MF
