"""What a user may ask of `benchmark`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError


@dataclass(frozen=True)
class BenchmarkOptions:
    """What a user may ask of `benchmark`.

    Parameters
    ----------
    video
        A clip whose whole way is timed, too: decode, networks and answer.
    compiled
        Whether to measure ``torch.compile`` as well, which takes about a minute more.
    seconds
        Of measuring for each batch on each engine.
    backbones
        ``FILE.py:NAME`` of encoders of one's own in the model.
    """

    video: Path | None = None
    compiled: bool = False
    seconds: float = 0.3
    backbones: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if not 0 < self.seconds <= 600:
            raise VidfitError(f"seconds is {self.seconds:g}; give more than 0, at most 600")
        if self.video is not None and not self.video.is_file():
            raise VidfitError(f"there is no video {self.video}; give the path of a file")
