"""What a fitted head answers; shape letters as in `vidfit.contracts`, E clues of a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices


@runtime_checkable
class FittedFusion(Protocol):
    """A fitted head over the vectors of one or more members.

    ``blocks`` holds one matrix [M, D_i] for each member, in the order of fitting.
    """

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return log-probabilities [M, K]."""
        ...

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return how far each clip lies from the training clips, [M], 1 on their average."""
        ...

    def state(self) -> dict[str, Floats]:
        """Return the arrays that ``restore`` needs."""
        ...


@runtime_checkable
class StagedFusion(FittedFusion, Protocol):
    """A fusion that asks some members only when the others are not sure.

    Its ``novelty`` is that of the members of the first stage, which every clip is shown to.
    """

    @property
    def stages(self) -> tuple[tuple[int, ...], ...]:
        """Members by stage, in the order in which they are asked."""
        ...

    def wanted(self, blocks: Sequence[Floats | None]) -> tuple[int, ...]:
        """Return which members to ask next for one clip; none when it can be answered.

        ``blocks`` holds [1, D_i] of the members that were asked, ``None`` of the others; once
        nothing is wanted, ``log_probabilities`` takes them as they are.
        """
        ...

    def depth(self, blocks: Sequence[Floats]) -> Indices:
        """Return how many stages each clip goes through, [M], from 1."""
        ...


@runtime_checkable
class InTime(FittedFusion, Protocol):
    """A head whose answers to windows of a video are better in the light of one another.

    Of a window that was read a few numbers are kept, its clues, in place of its vectors: so a
    video of any length is answered in little memory.
    """

    def clues(self, blocks: Sequence[Floats]) -> Floats:
        """Return what each window says of itself and of its neighbours, [M, E]."""
        ...

    def in_time(self, clues_ME: Floats, video_M: Indices, start_M: NDArray[np.floating]) -> Floats:
        """Return the answers [M, K] by the clues of windows before and after, videos apart."""
        ...


@runtime_checkable
class SaysWhere(FittedFusion, Protocol):
    """A head that says of which places of the picture its answer is."""

    def heat(self, blocks: Sequence[Floats]) -> Floats | None:
        """Return how much each feature of a token tells of one clip, [D]; ``None`` where none does.

        ``blocks`` holds [1, D_i] of each member.
        """
        ...
