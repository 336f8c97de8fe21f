"""Probes of windows, one an encoder, and the chain that smooths what they say.

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

_CHAIN, _SHARES = "chain_2", "log_share_K"
_OLDER = ".context_2"
"""Of heads that also saw means of the windows beside each; no figure supported them."""


@dataclass(frozen=True)
class Chained:
    """A probe of each encoder, the shares of classes that were learned, and a chain."""

    members: tuple[Linear, ...]
    log_share_K: Floats
    chain: MarkovChain

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return answers [M, K] to windows as if each were the whole video."""
        return pooled(self._each(blocks))

    def clues(self, blocks: Sequence[Floats]) -> Floats:
        """Return what is kept of windows until their video is read: all answers, [M, E]."""
        return np.concatenate(self._each(blocks), axis=1)

    def in_time(self, clues_ME: Floats, video_M: Indices, start_M: NDArray[np.floating]) -> Floats:
        """Return answers in the light of the windows before and after, videos apart."""
        answers_MK = pooled(np.split(clues_ME, len(self.members), axis=1))
        found_1MK = smoothed(answers_MK, self.log_share_K, (self.chain,), video_M, start_M)
        result: Floats = found_1MK[0]
        return result

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean of the members' novelty, [M]."""
        pairs = zip(self.members, blocks, strict=True)
        result: Floats = np.mean([member.novelty([x_MD]) for member, x_MD in pairs], axis=0)
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

    def _each(self, blocks: Sequence[Floats]) -> list[Floats]:
        pairs = zip(self.members, blocks, strict=True)
        return [member.log_probabilities([x_MD]) for member, x_MD in pairs]


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
    if any(name.endswith(_OLDER) for name in state):
        raise ModelError("the head was fitted by an older vidfit; fit the spans again")
    own = {name: state[name] for name in (_CHAIN, _SHARES) if name in state}
    rest = {name: array for name, array in state.items() if name not in own}
    _check(own, classes)
    members = []
    for i, width in enumerate(widths):
        named = f"member{i}."
        mine = {n.removeprefix(named): rest.pop(n) for n in list(rest) if n.startswith(named)}
        check_arrays("linear", mine, [width], classes)
        members.append(Linear.of(mine))
    if rest:
        raise ModelError(f"the head's array {min(rest)!r} is none of its own")
    return Chained(tuple(members), own[_SHARES], MarkovChain(*map(float, own[_CHAIN])))


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
