"""A mixture of experts: for each clip a gate says how far to believe each member.

The members are the experts (Jacobs, Jordan, Nowlan and Hinton 1991, Adaptive mixtures of local
experts): ``p(k|x) = sum_s g_s(x) p_s(k|x)`` with ``g = softmax(W z + b)`` and z each member's
leading principal components. The experts stay as they are; the gate is fitted on their
out-of-fold answers, with a penalty that pulls it to the plain average.

Shape letters: S members, M clips, K classes, D dimensions side by side, R those of the gate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.answers import FLOOR, probes_of, probes_state
from vidfit.fusion.linear import Linear, log_softmax
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.nested import without_fold
from vidfit.fusion.projected import block_diagonal, principal_axes

Doubles = NDArray[np.float64]

DIMENSIONS = 16
"""Components of a member that the gate sees at most: a gate of all would learn clips by heart."""

_PENALTY, _BIAS_PENALTY = 0.003, 0.003

_PREFIX = "gate."


@dataclass(frozen=True)
class Gated:
    """The members' probes, and a gate: a probe of all vectors whose classes are the members."""

    members: tuple[Linear, ...]
    gate: Linear

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return log-probabilities [M, K] of vectors [M, D_i] of each member."""
        answers = [
            member.log_probabilities([block])
            for member, block in zip(self.members, blocks, strict=True)
        ]
        return mixed(self.gate.log_probabilities(blocks), np.stack(answers))

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean of the members' novelty, [M]."""
        each = [member.novelty([block]) for member, block in zip(self.members, blocks, strict=True)]
        result: Floats = np.mean(each, axis=0)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore` needs."""
        own = {_PREFIX + name: array for name, array in self.gate.state().items()}
        return {**probes_state(self.members), **own}


def fit_gated(training: Training) -> Fitted:
    """Fit the gate; a fold is answered by one that never saw its labels.

    Nor did the answers that it was fitted on (`vidfit.fusion.nested`).
    """
    out_MK = np.empty_like(training.members[0].out_of_fold_MK)
    for fold in np.unique(training.folds_M):
        test = training.folds_M == fold
        learned = [block[~test] for block in training.blocks]
        gate = fit_gate(without_fold(training, int(fold)), learned)
        gates_MS = gate.log_probabilities([block[test] for block in training.blocks])
        out_MK[test] = mixed(gates_MS, training.answers_SMK[:, test])
    probes = tuple(member.probe for member in training.members)
    return Fitted(Gated(probes, fit_gate(training)), out_MK, tuple(range(len(probes))))


def restore(state: Mapping[str, Floats]) -> Gated:
    """Return the fusion whose ``state`` this is."""
    own = {name.removeprefix(_PREFIX): a for name, a in state.items() if name.startswith(_PREFIX)}
    return Gated(probes_of(state), Linear.of(own))


def mixed(log_gates_MS: Floats, answers_SMK: Floats) -> Floats:
    """Return log-probabilities [M, K] of the members' answers, weighed by their gates."""
    joint_SMK = log_gates_MS.T[:, :, None].astype(np.float64) + answers_SMK
    return log_softmax(np.logaddexp.reduce(joint_SMK, axis=0))


def fit_gate(training: Training, blocks: Sequence[Floats] | None = None) -> Linear:
    """Fit the gate on the members' out-of-fold answers.

    Parameters
    ----------
    blocks
        The members' vectors [M, D_i], where the training comes without.
    """
    from scipy.optimize import minimize

    probes = [member.probe for member in training.members]
    mean_D = np.concatenate([probe.mean_D for probe in probes])
    scale_D = np.concatenate([probe.scale_D for probe in probes])
    standard_MD = ((np.concatenate(blocks or training.blocks, axis=1) - mean_D) * scale_D).astype(
        np.float64
    )
    ends = np.cumsum([len(probe.mean_D) for probe in probes])[:-1]
    map_RD = block_diagonal([_components(x_MD) for x_MD in np.split(standard_MD, ends, axis=1)])
    z_MR = standard_MD @ map_RD.T
    center_R = z_MR.mean(axis=0)
    log_p_MS = _of_labels(training.answers_SMK, training.labels_M)
    start = np.zeros(len(probes) * (len(map_RD) + 1))
    found = minimize(gate_loss, start, (z_MR - center_R, log_p_MS), "L-BFGS-B", jac=True).x
    bias_S, weight_SR = np.split(found.reshape(len(probes), -1), [1], axis=1)
    weight_SD = (weight_SR @ map_RD).astype(np.float32)
    bias_S = (bias_S[:, 0] - weight_SR @ center_R).astype(np.float32)
    return Linear(mean_D, scale_D, weight_SD, bias_S)


def gate_loss(parameters: Doubles, z_MR: Doubles, log_p_MS: Doubles) -> tuple[float, Doubles]:
    """Return the penalised mean log-loss of the mixture, and its gradient.

    Parameters
    ----------
    parameters
        Biases and weights [S, 1 + R] of the gate, flat.
    z_MR
        What the gate sees.
    log_p_MS
        Log-probability that each member gave to the true class.

    Notes
    -----
    With the posterior ``h_s = g_s p_s / sum_t g_t p_t`` of member s the gradient by its logit is
    ``g_s - h_s``.
    """
    clips, members = log_p_MS.shape
    parameters_SR = parameters.reshape(members, -1)
    z_MR = np.concatenate([np.ones((clips, 1)), z_MR], axis=1)
    logits_MS = z_MR @ parameters_SR.T
    log_g_MS = logits_MS - np.logaddexp.reduce(logits_MS, axis=1)[:, None]
    joint_MS = log_g_MS + log_p_MS
    log_p_M = np.logaddexp.reduce(joint_MS, axis=1)
    error_MS = (np.exp(log_g_MS) - np.exp(joint_MS - log_p_M[:, None])) / clips
    penalty_R = np.r_[_BIAS_PENALTY, np.full(z_MR.shape[1] - 1, _PENALTY)]
    value = -log_p_M.mean() + (penalty_R * parameters_SR**2).sum()
    gradient_SR = error_MS.T @ z_MR + 2 * penalty_R * parameters_SR
    return float(value), gradient_SR.ravel()


def _components(x_MD: Doubles) -> Doubles:
    """Return the map to a member's leading components, with total variance 1."""
    values_R, axes_RD = principal_axes(x_MD)
    values_R, axes_RD = values_R[:DIMENSIONS], axes_RD[:DIMENSIONS]
    map_RD: Doubles = axes_RD / np.sqrt(max(values_R.sum(), 1e-12))
    return map_RD


def _of_labels(answers_SMK: Floats, labels_M: Indices) -> Doubles:
    """Return the log-probability [M, S] of the true class, at least e^-8."""
    of_label_SM = answers_SMK[:, np.arange(len(labels_M)), labels_M].astype(np.float64)
    return np.maximum(of_label_SM, FLOOR).T
