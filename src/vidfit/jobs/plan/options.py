"""What a user may ask of `plan`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from vidfit.errors import VidfitError
from vidfit.plans import Regime


@dataclass(frozen=True)
class PlanOptions:
    """What a user may ask of `plan`; ``None`` leaves it to the plan.

    Parameters
    ----------
    backbone
        As `vidfit.backbones.load` takes it; left away for a network that sees frames itself.
    network
        Key of ``vidfit.networks.NETWORKS``.
    regime
        Which weights learn; by the labels of the rarest class when not given.
    gpu
        A machine of graphics processors, such as ``"24GiB x 4"`` or ``"H100 x 8"``; this
        machine when not given.
    memory_bytes
        That training may use on this machine.
    cores
        That it may use.
    epochs, batch
        Passes over the clips; clips of a step.
    minutes
        Longest training: epochs are cut to fit it, and then the regime.
    groups
        File that maps clips to recordings.
    unlabelled
        Folder or list of clips without a label to learn from as well, by a teacher
        (`vidfit.training.teacher`); clips of the data without a label count, too.
    """

    backbone: str = "efficientnet-lite0"
    network: str = "lstm"
    regime: Regime | None = None
    gpu: str | None = None
    memory_bytes: int | None = None
    cores: int | None = None
    epochs: int | None = None
    batch: int | None = None
    minutes: float | None = None
    groups: Path | None = None
    unlabelled: str | Path | None = None

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        for name in ("memory_bytes", "cores", "epochs", "batch", "minutes"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise VidfitError(f"{name} is {value}; give more than 0, or None to leave it open")
        if self.regime is not None and self.regime not in get_args(Regime):
            raise VidfitError(
                f"regime is {self.regime!r}; valid are {', '.join(map(repr, get_args(Regime)))}"
            )
        if self.gpu and self.memory_bytes:
            raise VidfitError("gpu says its own memory; leave memory_bytes away")
