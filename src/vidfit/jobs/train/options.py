"""What a user may ask of `train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError
from vidfit.jobs.plan.options import PlanOptions


@dataclass(frozen=True)
class TrainOptions:
    """What a user may ask of `train`.

    Parameters
    ----------
    plan
        A ``plan.json``; ``None`` plans first, as ``planning`` says.
    groups
        File that maps clips to recordings.
    holdout
        Share of the recordings, in [0, 1), put aside to test on, unless the data has a test
        split of its own; 0 tests on none.
    workers
        Threads that decode; ``None`` means one for each usable core.
    tensorboard
        Whether to write event files, too (needs the extra ``log``).
    on
        Where clips are looked at and processes train: ``"here"``, ``"spark"`` or the address of
        a cluster; see `vidfit.launch.launcher`.
    planning
        How to plan where no plan is given.
    unlabelled
        Folder or list of clips without a label, which a teacher gives labels while it learns
        (`vidfit.training.teacher`); clips of the data without a label are learned from as well.
    pretrained
        Folder of weights that `vidfit pretrain` learned from clips without labels, from which the
        network `video-text` starts; without a plan, that network is planned.
    own
        ``FILE.py:NAME`` of an encoder of one's own that the plan names: a plan alone never
        chooses code.
    """

    plan: Path | None = None
    groups: Path | None = None
    holdout: float = 0.2
    workers: int | None = None
    tensorboard: bool = False
    on: str = "here"
    planning: PlanOptions = PlanOptions()
    own: tuple[str, ...] = ()
    pretrained: Path | None = None
    unlabelled: str | Path | None = None

    def check(self) -> None:
        """Refuse what has no meaning."""
        if self.workers is not None and self.workers < 1:
            raise VidfitError(f"workers is {self.workers}; give 1 or more, or None for all cores")
        if not 0 <= self.holdout < 1:
            raise VidfitError(f"holdout is {self.holdout}; it is a share of recordings in [0, 1)")
