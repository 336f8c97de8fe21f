"""What a user may ask of `fit`."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.errors import VidfitError
from vidfit.study.options import SelectOptions


@dataclass(frozen=True)
class FitOptions(SelectOptions):
    """What a user may ask of `fit`: what may be asked of `select`, and four things more.

    Parameters
    ----------
    holdout
        Share of the recordings, in [0, 1), put aside as test set; 0 scores by nested
        cross-validation instead.
    merge_duplicates
        Whether recordings with clips that look the same count as one; otherwise such clips
        are only reported.
    keep_untested
        Whether the model learns classes that too few recordings hold to be tested, too.
    train
        Whether to train a network over the best candidate as well, and keep it if it is proven
        better; ``None`` does so where ``minutes`` are given and some are left.
    """

    holdout: float = 0.0
    merge_duplicates: bool = False
    keep_untested: bool = False
    train: bool | None = None

    @property
    def trains(self) -> bool:
        """Whether a network is trained, unless time runs out."""
        return self.minutes is not None if self.train is None else self.train

    def check(self) -> None:
        """Refuse what has no meaning."""
        super().check()
        if not 0 <= self.holdout < 1:
            raise VidfitError(f"holdout is {self.holdout}; it is a share of recordings in [0, 1)")
