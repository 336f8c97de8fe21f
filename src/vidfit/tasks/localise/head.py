"""A probe of windows and of what stands beside them, and the chain that smooths what it says.

Shape letters: M windows, D numbers of a vector, K answers, E clues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.errors import ModelError
from vidfit.fusion.arrays import check_arrays
from vidfit.fusion.linear import Linear, log_softmax
from vidfit.tasks.localise.chain import MarkovChain, smoothed
from vidfit.tasks.localise.context import Context

_CHAIN, _CONTEXT, _SHARES = "chain_2", "context_2", "log_share_K"

_MOST_WINDOWS, _LONGEST_SECONDS = 1000, 1e6


@dataclass(frozen=True)
class Chained:
    """A probe, what it sees beside a window, the shares of classes that it learned, and a chain.

    The probe is over vectors, and over means of those before and after where it sees them.
    """

    probe: Linear
    log_share_K: Floats
    chain: MarkovChain
    context: Context

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return the answers [M, K] of the probe, each window as if it were the whole video."""
        return self.probe.log_probabilities([*blocks] * self.context.parts)

    def clues(self, blocks: Sequence[Floats]) -> Floats:
        """Return what each window says of itself, of windows after it and of windows before it."""
        x_MD = np.concatenate(blocks, axis=1)
        parts = np.split(np.arange(len(self.probe.mean_D)), self.context.parts)
        each = [
            ((x_MD - self.probe.mean_D[part]) * self.probe.scale_D[part])
            @ self.probe.weight_KD[:, part].T
            for part in parts
        ]
        found: Floats = np.concatenate(each, axis=1)
        return found

    def in_time(self, clues_ME: Floats, video_M: Indices, start_M: NDArray[np.floating]) -> Floats:
        """Return answers in the light of the windows before and after, videos apart."""
        own_MK, *sides = np.split(clues_ME, self.context.parts, axis=1)
        scores_MK = own_MK + self.probe.bias_K
        if sides:
            order = video_M, start_M
            scores_MK = scores_MK + self.context.before(sides[0], order)
            scores_MK = scores_MK + self.context.after(sides[1], order)
        answers_MK = log_softmax(scores_MK)
        found_1MK = smoothed(answers_MK, self.log_share_K, (self.chain,), video_M, start_M)
        result: Floats = found_1MK[0]
        return result

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared standard score [M] of the windows themselves."""
        own = slice(len(self.probe.mean_D) // self.context.parts)
        x_MD = (np.concatenate(blocks, axis=1) - self.probe.mean_D[own]) * self.probe.scale_D[own]
        result: Floats = (x_MD**2).sum(axis=1) / len(blocks)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore` needs."""
        return {
            **self.probe.state(),
            _SHARES: self.log_share_K,
            _CHAIN: np.array([self.chain.stay, self.chain.evidence], np.float32),
            _CONTEXT: np.array([self.context.windows, self.context.step_seconds], np.float32),
        }


def restore(state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Chained:
    """Check the arrays and rebuild the head.

    Raises
    ------
    ModelError
        If they are not those of such a head.
    """
    own = {name: state[name] for name in (_CHAIN, _CONTEXT, _SHARES) if name in state}
    if len(own) < 3:
        missing = sorted({_CHAIN, _CONTEXT, _SHARES} - own.keys())
        raise ModelError(f"the head's array {missing[0]!r} is missing; fit the spans again")
    _check(own, classes)
    windows, step = map(float, own[_CONTEXT])
    context = Context(int(windows), step)
    probe = {name: array for name, array in state.items() if name not in own}
    check_arrays("linear", probe, [*widths] * context.parts, classes)
    chain = MarkovChain(*map(float, own[_CHAIN]))
    return Chained(Linear.of(probe), own[_SHARES], chain, context)


def _check(own: Mapping[str, Floats], classes: int) -> None:
    for name, shape in ((_CHAIN, (2,)), (_CONTEXT, (2,)), (_SHARES, (classes,))):
        if own[name].shape != shape or not np.isfinite(own[name]).all():
            raise ModelError(
                f"the head's array {name!r} is of another shape than {shape}, or holds NaN or "
                "infinity"
            )
    stay, evidence = own[_CHAIN]
    windows, step = own[_CONTEXT]
    if not (own[_SHARES] >= -30).all() or not (own[_SHARES] <= 0).all():
        raise ModelError("the head's shares of classes are no logarithms of shares")
    if not (0 <= stay < 1 and 0 < evidence <= 1):
        raise ModelError(f"the head's chain is {own[_CHAIN].tolist()}; valid are [0, 1) and (0, 1]")
    if windows not in range(_MOST_WINDOWS) or not 0 <= step <= _LONGEST_SECONDS:
        raise ModelError(
            f"the head's context is {own[_CONTEXT].tolist()}; valid are whole windows below "
            f"{_MOST_WINDOWS} and seconds"
        )
