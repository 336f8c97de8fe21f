"""A trained network as the head of a model directory.

It satisfies `vidfit.fitted.FittedFusion` for one member whose block are its steps in time
(pooling ``"steps"``; `vidfit.features.pool.time_steps`). What is saved are arrays only: the
network is built anew from its name and its `Shape`, and no code is ever loaded.

Shape letters: M clips, N = STEPS tokens in time order, D features of a token, X = N * D numbers
of a clip, K classes.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from vidfit.contracts import Floats
from vidfit.documents import from_json, to_json
from vidfit.errors import ModelError
from vidfit.features.pool import STEPS
from vidfit.networks import NETWORKS, Shape
from vidfit.networks.clips import Clips
from vidfit.networks.rebuilt import read_shape, rebuild

_NETWORK, _WEIGHTS = "network", "weights."


@dataclass(frozen=True, eq=False)
class NetworkHead:
    """A network over standardised tokens, for good in evaluation; make it with `of`.

    Parameters
    ----------
    name
        Key of ``NETWORKS``; the network looks at tokens.
    shape
        What the network was made for.
    module
        The network.
    mean_D, scale_D
        Means of the tokens' features and inverses of their standard deviations; a scale of 0
        leaves a feature out. See `standards`.
    """

    name: str
    shape: Shape
    module: nn.Module
    mean_D: Floats
    scale_D: Floats

    @classmethod
    def of(
        cls, name: str, shape: Shape, module: nn.Module, mean_D: Floats, scale_D: Floats
    ) -> NetworkHead:
        """Return a head with a copy of a trained network, on the CPU.

        Raises
        ------
        ModelError
            If the network is unknown or looks at frames, was made for fewer than ``STEPS``
            tokens, or means and scales are not [D].
        """
        _check(name, shape, mean_D, scale_D)
        # A copy: whoever trains on must not change the answers.
        own = copy.deepcopy(module).to("cpu", torch.float32).eval().requires_grad_(False)
        return cls(name, shape, own, mean_D.astype(np.float32), scale_D.astype(np.float32))

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return log-probabilities [M, K] of steps [M, X] of the one member.

        Raises
        ------
        ModelError
            If the blocks are not one of [M, STEPS * D].
        """
        tokens_MND = torch.from_numpy(self._standardised(blocks))
        with torch.inference_mode():
            logits_MK = self.module(Clips(tokens_MND))
            answer_MK: Floats = torch.log_softmax(logits_MK.float(), dim=1).numpy()
        return answer_MK

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared standard score [M] of the clips' steps."""
        alive = max(int((self.scale_D > 0).sum()), 1)
        squares_MND = self._standardised(blocks) ** 2
        novelty_M: Floats = squares_MND.mean(axis=1).sum(axis=1) / np.float32(alive)
        return novelty_M

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore` needs: standards, weights, and what to build."""
        facts = to_json({"name": self.name, "shape": asdict(self.shape)})
        arrays: dict[str, Any] = {
            _NETWORK: np.frombuffer(facts.encode(), np.uint8).copy(),
            "mean_D": self.mean_D,
            "scale_D": self.scale_D,
        }
        weights = self.module.state_dict()
        return arrays | {_WEIGHTS + key: tensor.numpy() for key, tensor in weights.items()}

    def _standardised(self, blocks: Sequence[Floats]) -> Floats:
        """Return the steps as standardised tokens [M, N, D]."""
        shapes = [block.shape for block in blocks]
        if len(blocks) != 1 or blocks[0].ndim != 2 or blocks[0].shape[1] != STEPS * self.shape.dim:
            raise ModelError(
                f"The network {self.name!r} takes one block [M, {STEPS * self.shape.dim}], "
                f"{STEPS} steps of {self.shape.dim} features (vidfit.features.time_steps), and "
                f"received {shapes}; give it the backbone that it was trained on."
            )
        tokens_MND = blocks[0].reshape(len(blocks[0]), STEPS, self.shape.dim)
        return standard_tokens(tokens_MND, self.mean_D, self.scale_D)


def standards(steps_MX: Floats, dim: int) -> tuple[Floats, Floats]:
    """Return means and inverse standard deviations [D] of the features of training steps.

    A feature that never changes gets the scale 0: it says nothing, and must not explode later.
    Steps of clips that lack what the encoder sees are NaN, and left out.
    """
    rows_RD = steps_MX.reshape(-1, dim)
    rows_RD = rows_RD[~np.isnan(rows_RD).any(axis=1)]
    deviation_D = rows_RD.std(axis=0)
    alive_D = deviation_D > 1e-6 * (np.abs(rows_RD).max(initial=0.0) + 1e-12)
    scale_D = np.where(alive_D, 1.0 / np.where(alive_D, deviation_D, 1.0), 0.0)
    return rows_RD.mean(axis=0).astype(np.float32), scale_D.astype(np.float32)


def standard_tokens(tokens_MND: Floats, mean_D: Floats, scale_D: Floats) -> Floats:
    """Return tokens less their means, in units of their scales; NaN stands at the mean, 0."""
    standard_MND: Floats = ((tokens_MND - mean_D) * scale_D).astype(np.float32, copy=False)
    standard_MND[np.isnan(standard_MND)] = 0.0
    return standard_MND


def restore(state: Mapping[str, Floats]) -> NetworkHead:
    """Return the head whose ``state`` this is.

    Raises
    ------
    ModelError
        If the network is unknown, or its arrays are missing, too many, or misshapen.
    """
    try:
        facts = from_json(state[_NETWORK].tobytes())
        name, shape = str(facts["name"]), read_shape(facts["shape"])
        mean_D, scale_D = state["mean_D"], state["scale_D"]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The head does not say which network it is ({error}); fit or copy the model again, "
            "or update vidfit if a newer one wrote it."
        ) from error
    _check(name, shape, mean_D, scale_D)
    weights = {
        key.removeprefix(_WEIGHTS): torch.tensor(array)
        for key, array in state.items()
        if key.startswith(_WEIGHTS)
    }
    try:
        module = rebuild(name, shape, weights)
    except ValueError as error:
        raise ModelError(f"The network {name!r}: {error}; fit or copy the model again.") from error
    return NetworkHead.of(name, shape, module, mean_D, scale_D)


def _check(name: str, shape: Shape, mean_D: Floats, scale_D: Floats) -> None:
    known = [key for key, network in NETWORKS.items() if network.sees == "tokens"]
    if name not in known:
        raise ModelError(
            f"The head is a network {name!r}; known over tokens are {', '.join(known)}. Update "
            "vidfit if a newer one wrote it."
        )
    if shape.tokens < STEPS:
        raise ModelError(
            f"The network {name!r} was made for {shape.tokens} tokens; a head is shown {STEPS} "
            f"steps. Train it with Shape.tokens of {STEPS} or more."
        )
    if mean_D.shape != (shape.dim,) or scale_D.shape != (shape.dim,):
        raise ModelError(
            f"Means {mean_D.shape} and scales {scale_D.shape} do not fit the tokens of "
            f"{shape.dim} features; make them with vidfit.networks.head.standards."
        )
