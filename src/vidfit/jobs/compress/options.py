"""What a user may ask of `compress`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from vidfit.errors import VidfitError
from vidfit.jobs.compress.value import Target


@dataclass(frozen=True)
class CompressOptions:
    """What a user may ask of `compress`.

    Parameters
    ----------
    max_loss
        Most points of accuracy that may be lost. Kept is what is proven to lose at most half of
        them in the calibrated probability of the true class.
    target
        What is to become small.
    techniques
        Keys of `TECHNIQUES`; empty means all that suit the networks.
    distil_steps
        Updates by which the original teaches each pruned network; with 0 those
        techniques are left out.
    groups
        File that maps clips to recordings.
    workers
        Threads that decode and infer; ``None`` means one for each usable core.
    unlabelled
        Folder or list of clips on which answers are compared with the original's, beside those
        without a label among the clips themselves; labels are not looked at.
    own
        ``FILE.py:NAME`` of encoders of one's own that the model may hold.
    task
        What is asked of the clips: a name of `vidfit.tasks`; ``None`` goes by their labels.
    """

    max_loss: float = 0.5
    target: Target = "latency"
    techniques: tuple[str, ...] = ()
    distil_steps: int = 200
    groups: Path | None = None
    workers: int | None = None
    unlabelled: str | Path | None = None
    own: tuple[str, ...] = ()
    task: str | None = None

    def check(self) -> None:
        """Refuse what has no meaning."""
        from vidfit.jobs.compress.techniques import TECHNIQUES

        if self.workers is not None and self.workers < 1:
            raise VidfitError(f"workers is {self.workers}; give 1 or more, or None for all cores")
        if not 0 <= self.max_loss < 100:
            raise VidfitError(f"max_loss is {self.max_loss}; it is points of accuracy in [0, 100)")
        if self.distil_steps < 0:
            raise VidfitError(f"distil_steps is {self.distil_steps}; give 0 or more")
        if self.target not in get_args(Target):
            raise VidfitError(f"target is {self.target!r}; valid are {', '.join(get_args(Target))}")
        for name in self.techniques:
            if name not in TECHNIQUES:
                near = get_close_matches(name, TECHNIQUES, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise VidfitError(
                    f"{name!r} is no technique{hint} Valid are {', '.join(TECHNIQUES)}"
                )
