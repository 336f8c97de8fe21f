"""What a user may ask of `search`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from vidfit.errors import VidfitError, not_known

Way = Literal["look", "motion"]

SHOT_SECONDS = 4.0


@dataclass(frozen=True)
class SearchOptions:
    """What a user may ask of `search`.

    Parameters
    ----------
    by
        What is answered first: ``"look"`` finds the same recording and what looks alike,
        ``"motion"`` what moves alike, whoever and wherever it is.
    top
        Shots to name.
    backbone
        Who looks: a name that `vidfit.backbones.load` takes. A SigLIP model (``hf:FOLDER``) also
        finds pictures by words.
    shot_seconds
        A shot is no longer.
    index
        Folder of the index; ``None`` is ``index`` in the output folder.
    workers
        Threads that decode and infer; ``None`` means one for each usable core.
    download
        Whether weights may be fetched over the network.
    """

    by: Way = "look"
    top: int = 12
    backbone: str = "efficientnet-lite0"
    shot_seconds: float = SHOT_SECONDS
    index: Path | None = None
    workers: int | None = None
    download: bool = False

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if self.by not in get_args(Way):
            raise VidfitError(not_known("way to search", self.by, get_args(Way)))
        if self.top < 1:
            raise VidfitError(f"top is {self.top}; give the shots to name, 1 or more")
        if not 0.5 <= self.shot_seconds <= 60:
            raise VidfitError(f"shots of {self.shot_seconds:g} s are none; give 0.5 to 60")
        if self.workers is not None and self.workers < 1:
            raise VidfitError(f"workers is {self.workers}; give 1 or more, or None for all cores")
