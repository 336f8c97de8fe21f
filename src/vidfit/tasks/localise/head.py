"""Probes of windows and of what stands beside them, and the chain that smooths what they say.

Shape letters: M windows, D numbers of a vector, K answers, E clues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.errors import ModelError
from vidfit.fusion.answers import FLOOR
from vidfit.fusion.arrays import check_arrays
from vidfit.fusion.linear import Linear, log_softmax
from vidfit.tasks.localise.chain import MarkovChain, smoothed
from vidfit.tasks.localise.context import Context, Order

_CHAIN, _CONTEXT, _SHARES = "chain_2", "context_2", "log_share_K"

_MOST_WINDOWS, _LONGEST_SECONDS = 1000, 1e6


@dataclass(frozen=True)
class Beside:
    """A probe of the vectors of one encoder, and of means of those before and after if it sees any.

    What it says of a window by itself, of windows after it and of windows before it are clues;
    means of these are what it says of means of vectors.
    """

    probe: Linear
    context: Context

    def clues(self, x_MD: Floats) -> Floats:
        """Return clues [M, E]."""
        each = [
            ((x_MD - self.probe.mean_D[part]) * self.probe.scale_D[part])
            @ self.probe.weight_KD[:, part].T
            for part in np.split(np.arange(len(self.probe.mean_D)), self.context.parts)
        ]
        found: Floats = np.concatenate(each, axis=1)
        return found

    def answers(self, clues_ME: Floats, order: Order) -> Floats:
        """Return log-probabilities [M, K]."""
        own_MK, *sides = np.split(clues_ME, self.context.parts, axis=1)
        scores_MK = own_MK + self.probe.bias_K
        if sides:
            scores_MK = scores_MK + self.context.before(sides[0], order)
            scores_MK = scores_MK + self.context.after(sides[1], order)
        return log_softmax(scores_MK)

    def alone(self, x_MD: Floats) -> Floats:
        """Return log-probabilities [M, K] of windows as if each were the whole video."""
        return self.probe.log_probabilities([x_MD] * self.context.parts)

    def novelty(self, x_MD: Floats) -> Floats:
        """Return the mean squared standard score [M] of the windows themselves."""
        own = slice(len(self.probe.mean_D) // self.context.parts)
        z_MD = (x_MD - self.probe.mean_D[own]) * self.probe.scale_D[own]
        result: Floats = (z_MD**2).sum(axis=1)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that restore it."""
        context_2 = np.array([self.context.windows, self.context.step_seconds], np.float32)
        return {**self.probe.state(), _CONTEXT: context_2}


@dataclass(frozen=True)
class Chained:
    """What is seen by each member, the shares of classes that was learned, and a chain."""

    members: tuple[Beside, ...]
    log_share_K: Floats
    chain: MarkovChain

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return answers [M, K] to windows as if each were the whole video."""
        pairs = zip(self.members, blocks, strict=True)
        return pooled([member.alone(x_MD) for member, x_MD in pairs])

    def clues(self, blocks: Sequence[Floats]) -> Floats:
        """Return the clues of all members, [M, E]."""
        pairs = zip(self.members, blocks, strict=True)
        return np.concatenate([member.clues(x_MD) for member, x_MD in pairs], axis=1)

    def in_time(self, clues_ME: Floats, video_M: Indices, start_M: NDArray[np.floating]) -> Floats:
        """Return answers in the light of the windows before and after, videos apart."""
        classes, order = len(self.log_share_K), (video_M, start_M)
        ends = np.cumsum([classes * member.context.parts for member in self.members])
        each = zip(self.members, np.split(clues_ME, ends[:-1], axis=1), strict=True)
        answers_MK = pooled([member.answers(own_ME, order) for member, own_ME in each])
        found_1MK = smoothed(answers_MK, self.log_share_K, (self.chain,), video_M, start_M)
        result: Floats = found_1MK[0]
        return result

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean of the members' novelty, [M]."""
        pairs = zip(self.members, blocks, strict=True)
        result: Floats = np.mean([member.novelty(x_MD) for member, x_MD in pairs], axis=0)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore` needs."""
        return {
            _SHARES: self.log_share_K,
            _CHAIN: np.array([self.chain.stay, self.chain.evidence], np.float32),
            **{
                f"member{i}.{name}": array
                for i, member in enumerate(self.members)
                for name, array in member.state().items()
            },
        }


def pooled(answers: Sequence[Floats]) -> Floats:
    """Return the mean of the members' log-probabilities, normalised; of one member its own."""
    if len(answers) == 1:
        return answers[0]
    floored: Floats = np.mean([np.maximum(answers_MK, FLOOR) for answers_MK in answers], axis=0)
    return log_softmax(floored)


def restore(state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Chained:
    """Check the arrays and rebuild the head.

    Raises
    ------
    ModelError
        If they are not those of such a head.
    """
    own = {name: state[name] for name in (_CHAIN, _SHARES) if name in state}
    rest = {name: array for name, array in state.items() if name not in own}
    _check(own, classes)
    members = []
    for i, width in enumerate(widths):
        named = f"member{i}."
        mine = {n.removeprefix(named): rest.pop(n) for n in list(rest) if n.startswith(named)}
        members.append(_restored(mine, width, classes))
    if rest:
        raise ModelError(f"the head's array {min(rest)!r} is none of its own")
    return Chained(tuple(members), own[_SHARES], MarkovChain(*map(float, own[_CHAIN])))


def _restored(state: dict[str, Floats], width: int, classes: int) -> Beside:
    """Return what one member sees."""
    if _CONTEXT not in state:
        raise ModelError(f"the head's array {_CONTEXT!r} is missing; fit the spans again")
    context_2 = _sound(_CONTEXT, state.pop(_CONTEXT), (2,))
    windows, step = map(float, context_2)
    if windows not in range(_MOST_WINDOWS) or not 0 <= step <= _LONGEST_SECONDS:
        raise ModelError(
            f"the head's context is {context_2.tolist()}; valid are whole windows below "
            f"{_MOST_WINDOWS} and seconds"
        )
    context = Context(int(windows), step)
    check_arrays("linear", state, [width] * context.parts, classes)
    return Beside(Linear.of(state), context)


def _check(own: Mapping[str, Floats], classes: int) -> None:
    for name, shape in ((_CHAIN, (2,)), (_SHARES, (classes,))):
        if name not in own:
            raise ModelError(f"the head's array {name!r} is missing; fit the spans again")
        _sound(name, own[name], shape)
    stay, evidence = own[_CHAIN]
    if not (own[_SHARES] >= -30).all() or not (own[_SHARES] <= 0).all():
        raise ModelError("the head's shares of classes are no logarithms of shares")
    if not (0 <= stay < 1 and 0 < evidence <= 1):
        raise ModelError(f"the head's chain is {own[_CHAIN].tolist()}; valid are [0, 1) and (0, 1]")


def _sound(name: str, array: Floats, shape: tuple[int, ...]) -> Floats:
    if array.shape != shape or not np.isfinite(array).all():
        raise ModelError(
            f"the head's array {name!r} is of another shape than {shape}, or holds NaN or infinity"
        )
    return array
