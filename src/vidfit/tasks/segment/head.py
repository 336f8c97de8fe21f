"""What is fitted: a linear softmax of each place, of one encoder or several that are averaged.

The softmax is linear, and so is the interpolation of what larger cells say: each level of places
is weighed at its own size, and what it says is interpolated, at a quarter of the time.

Shape letters: M pictures, D numbers of one (tokens one after the other), F numbers of a cell,
C classes, K numbers of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Floats
from vidfit.errors import ModelError
from vidfit.features.places import MOST_BLOCKS, TOLD, Places, places_of, scaled
from vidfit.fusion.linear import log_softmax
from vidfit.metrics.areas import answer_of

_ARRAYS = ("mean_F", "scale_F", "weight_FC", "bias_C", "levels_3")
_PLACE = 2
"""Numbers of a cell that say where it is; the last ones."""

FLOOR = -12.0
"""No log-probability of an answer is below it."""


@dataclass(frozen=True)
class PlaceProbe:
    """A linear softmax of the cells that one encoder sees.

    ``mean_F`` and ``scale_F`` standardise the numbers of a cell; ``levels_3`` says how many of
    them a fine, a middle and a coarse cell has.
    """

    mean_F: Floats
    scale_F: Floats
    weight_FC: Floats
    bias_C: Floats
    levels_3: Floats

    def log_probabilities(self, places: Places) -> Floats:
        """Return log-probabilities of the fine cells, [Y, X, C].

        Raises
        ------
        ModelError
            If the encoder sees other numbers than were learned from.
        """
        if places.levels != tuple(int(x) for x in self.levels_3):
            raise ModelError(
                f"a cell has {places.levels} numbers, and {self.levels_3.astype(int).tolist()} "
                "were learned from; fit the model again"
            )
        weight_FC = self.weight_FC * self.scale_F[:, None]
        edges = np.cumsum(places.levels)
        parts = np.split(weight_FC, edges)
        levels = (places.fine_YXF, places.middle_YXG, places.coarse_YXE)
        pairs = zip(levels, parts, strict=False)
        scores_YXC = sum(scaled(level @ part, places.grid) for level, part in pairs if len(part))
        own_YXC = (places_of(places.grid) @ parts[3]).reshape(*places.grid, -1)
        scores_YXC = scores_YXC + own_YXC + (self.bias_C - self.mean_F @ weight_FC)
        flat = log_softmax(scores_YXC.reshape(-1, scores_YXC.shape[2]))
        found: Floats = np.maximum(flat, FLOOR).reshape(scores_YXC.shape)
        return found

    def state(self) -> dict[str, Floats]:
        """Return the arrays that restore it."""
        return {name: getattr(self, name) for name in _ARRAYS}


@dataclass(frozen=True)
class PlaceHead:
    """Probes of one encoder or several, whose log-probabilities are averaged by place.

    ``usual`` says of each encoder what its coarse numbers are on average and their scale.
    """

    members: tuple[PlaceProbe, ...]

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return answers [M, K] (`vidfit.metrics.areas.answer_of`)."""
        return np.stack(
            [
                self.answer([Places.of(rows_D) for rows_D in rows])
                for rows in zip(*blocks, strict=True)
            ]
        )

    def answer(self, seen: Sequence[Places]) -> Floats:
        """Return the answer [K] to one picture, by what each encoder saw."""
        return answer_of(self.of_places(seen))

    def of_places(self, seen: Sequence[Places]) -> Floats:
        """Return log-probabilities of cells [Y, X, C], on the grid of the first encoder."""
        pairs = zip(self.members, seen, strict=True)
        return averaged([member.log_probabilities(places) for member, places in pairs])

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared standard score [M] of what a picture's blocks hold."""
        each = [
            [_novelty(member, np.asarray(row_D, np.float32)) for row_D in rows_MD]
            for member, rows_MD in zip(self.members, blocks, strict=True)
        ]
        found: Floats = np.mean(each, axis=0).astype(np.float32)
        return found

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore` needs."""
        return {
            f"member{i}.{name}": array
            for i, member in enumerate(self.members)
            for name, array in member.state().items()
        }


def averaged(answers: Sequence[Floats]) -> Floats:
    """Return the normalised mean of log-probabilities by place, [Y, X, C]; of one its own."""
    if len(answers) == 1:
        return answers[0]
    grid = answers[0].shape[:2]
    mean_YXC: Floats = np.mean([scaled(answer_YXC, grid) for answer_YXC in answers], axis=0)
    return log_softmax(mean_YXC.reshape(-1, mean_YXC.shape[2])).reshape(mean_YXC.shape)


def _novelty(member: PlaceProbe, row_D: Floats) -> float:
    """Return the mean squared standard score of the fine, middle and coarse cells of a picture."""
    tokens_ND = row_D.reshape(MOST_BLOCKS, -1)
    tokens_ND = tokens_ND[np.any(tokens_ND != 0, axis=1)]
    if not len(tokens_ND):
        return 0.0
    fine, middle, coarse = (int(x) for x in member.levels_3)
    mean_F, scale_F = member.mean_F[:-_PLACE], member.scale_F[:-_PLACE]
    repeat = np.concatenate(
        [
            np.tile(np.arange(fine), 16),
            np.tile(fine + np.arange(middle), 4),
            fine + middle + np.arange(coarse),
        ]
    )
    z_ND = (tokens_ND[:, :-TOLD] - mean_F[repeat]) * scale_F[repeat]
    return float((z_ND**2).mean())


def restore(state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> PlaceHead:
    """Check the arrays, which may be anybody's, and rebuild the head.

    Raises
    ------
    ModelError
        If they are not those of such a head.
    """
    rest, members = dict(state), []
    for i, width in enumerate(widths):
        named = f"member{i}."
        mine = {n.removeprefix(named): rest.pop(n) for n in list(rest) if n.startswith(named)}
        members.append(_restored(mine, width, classes))
    if rest:
        raise ModelError(f"the head's array {min(rest)!r} is none of its own")
    return PlaceHead(tuple(members))


def _restored(mine: Mapping[str, Floats], width: int, classes: int) -> PlaceProbe:
    if set(mine) != set(_ARRAYS):
        wrong = min(set(mine) ^ set(_ARRAYS))
        raise ModelError(f"the head's array {wrong!r} is missing, or none of its own; fit it again")
    for name, array in mine.items():
        if not np.isfinite(array).all():
            raise ModelError(f"the head's array {name!r} holds NaN or infinity")
    levels = mine["levels_3"]
    if levels.shape != (3,) or (levels < 0).any() or (levels != np.round(levels)).any():
        raise ModelError("the head's levels are no three whole numbers")
    fine, middle, coarse = (int(x) for x in levels)
    numbers = fine + middle + coarse + _PLACE
    expected = {
        "mean_F": (numbers,), "scale_F": (numbers,), "weight_FC": (numbers, classes),
        "bias_C": (classes,), "levels_3": (3,),
    }  # fmt: skip
    for name, shape in expected.items():
        if mine[name].shape != shape:
            raise ModelError(f"the head's array {name!r} is {mine[name].shape}, not {shape}")
    if MOST_BLOCKS * (16 * fine + 4 * middle + coarse + TOLD) != width:
        raise ModelError(f"the head's levels do not make the {width} numbers of its encoder")
    return PlaceProbe(**mine)
