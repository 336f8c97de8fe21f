"""What a user may ask of `compare`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError
from vidfit.jobs.compare.architectures import ARCHITECTURES, check_architectures
from vidfit.study.options import check_metric


@dataclass(frozen=True)
class CompareOptions:
    """What a user may ask of `compare`.

    Parameters
    ----------
    architectures
        Keys of `vidfit.jobs.compare.architectures.ARCHITECTURES`.
    backbones
        Encoders that are compared frozen; over the tokens of those that are networks the
        architectures learn.
    groups
        File that maps clips to recordings.
    cpu_seconds
        Processor time in which a row learns, all folds together, self-supervised learning
        included.
    pretrained
        Folder of `vidfit pretrain`, from which the self-supervised rows start; ``None``: they
        learn in each fold from its training clips, without their labels.
    metric
        What is compared by; ``None`` takes accuracy, or balanced accuracy of uneven classes.
    side_pixels
        Of the square frames that networks over frames see; with ``pretrained`` those that it saw.
    workers
        Threads that decode and infer; ``None`` means one for each usable core.
    """

    architectures: tuple[str, ...] = tuple(ARCHITECTURES)
    backbones: tuple[str, ...] = ("motion", "efficientnet-lite0")
    groups: Path | None = None
    cpu_seconds: float = 60.0
    pretrained: Path | None = None
    metric: str | None = None
    side_pixels: int = 64
    workers: int | None = None

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        check_architectures(self.architectures)
        check_metric(self.metric)
        if not self.backbones:
            raise VidfitError("name an encoder with --backbone, such as motion")
        if self.cpu_seconds <= 0:
            raise VidfitError(f"cpu_seconds is {self.cpu_seconds}; give more than 0")
        if not 32 <= self.side_pixels <= 512:
            raise VidfitError(f"side_pixels is {self.side_pixels}; it is 32 to 512")
        if self.workers is not None and self.workers < 1:
            raise VidfitError(f"workers is {self.workers}; give 1 or more, or None for all cores")
