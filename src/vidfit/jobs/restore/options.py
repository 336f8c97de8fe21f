"""What a run of `vidfit fit --task restore` is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError
from vidfit.pixels.learn import StepBudget
from vidfit.pixels.restore.learned import RestoreRecipe
from vidfit.pixels.restore.restorer import SCALES

FOLDS = 5


@dataclass(frozen=True)
class RestoreOptions:
    """How a restorer is made.

    Parameters
    ----------
    scale
        2 or 4: so many times as wide and high.
    like
        A video of the quality that is to be mended; ``None`` learns from antialiased bicubic.
    cpu_seconds
        Of the processor, for all that is learned: the networks of all folds, and the last one.
    steps
        So many steps a network, whatever they take; ``None`` counts them by ``cpu_seconds``.
    pretrained
        Networks that are measured beside the one that learns, as `load_pretrained` takes them.
    groups
        File that maps clips to recordings.
    most_bytes
        That the frames to learn from may take in memory.
    width, blocks
        Of the networks; see `vidfit.pixels.restore.network`.
    """

    scale: int = 2
    like: Path | None = None
    cpu_seconds: float = 600.0
    steps: int | None = None
    pretrained: tuple[str, ...] = ()
    groups: Path | None = None
    most_bytes: int = 500_000_000
    width: int = 32
    blocks: int = 3
    recipe: RestoreRecipe = RestoreRecipe()
    workers: int | None = None

    def check(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        VidfitError
            Says what is valid.
        """
        if self.scale not in SCALES:
            raise VidfitError(f"--scale {self.scale} is not known; valid are 2 and 4")
        if not self.cpu_seconds > 0:
            raise VidfitError(f"--cpu-seconds {self.cpu_seconds:g} leaves no time to learn")

    def budget(self, networks: int) -> StepBudget:
        """Return what each of some networks may take."""
        return StepBudget(self.cpu_seconds / networks, self.steps)
