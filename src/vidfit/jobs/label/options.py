"""What a user may ask of `label`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError


@dataclass(frozen=True)
class LabelOptions:
    """What a user may ask of `label`.

    Parameters
    ----------
    count
        Clips to propose.
    answers
        List of proposed clips whose labels a person has filled in, as `label` wrote it.
    backbones
        Names that `vidfit.backbones.load` takes; what all of them see counts alike. Empty means
        ``motion`` and ``efficientnet-lite0``: cheap, and one sees motion, the other looks.
    groups
        File that maps clips to recordings.
    workers
        Threads that decode and infer; ``None`` means one for each usable core.
    download
        Whether weights may be fetched over the network.
    seed
        The same seed proposes the same clips.
    on
        Where clips are looked at: ``"here"``, ``"spark"`` or the address of a cluster; see
        `vidfit.launch.launcher`.
    task
        What is asked of the clips: a name of `vidfit.tasks`; ``None`` goes by their labels.
    model
        Directory of a model of ``--task localise``, which proposes spans of long videos; of texts
        that of a language model, whose states count beside the words.
    """

    count: int = 10
    answers: Path | None = None
    backbones: tuple[str, ...] = ()
    groups: Path | None = None
    workers: int | None = None
    download: bool = False
    seed: int = 0
    on: str = "here"
    task: str | None = None
    model: Path | None = None

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if self.count < 1:
            raise VidfitError(f"count is {self.count}; give the clips to propose, 1 or more")
        if self.workers is not None and self.workers < 1:
            raise VidfitError(f"workers is {self.workers}; give 1 or more, or None for all cores")
