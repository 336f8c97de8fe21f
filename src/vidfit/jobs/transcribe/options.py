"""What is asked of ``vidfit transcribe``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from vidfit.backbones.whisper import NAME
from vidfit.errors import VidfitError
from vidfit.launch import HERE

Format = Literal["srt", "vtt", "json"]
FORMATS: tuple[str, ...] = get_args(Format)


@dataclass(frozen=True)
class TranscribeOptions:
    """How recordings are written down.

    Parameters
    ----------
    output
        Folder for the files; ``None`` writes them beside each recording.
    formats
        Of ``srt``, ``vtt`` and ``json``; the last has the time of each word.
    model
        As `vidfit.backbones.speech.open_speech` takes it.
    language
        Code of what is spoken; empty to have it told from the sound.
    download
        Whether the hub may be asked for the model.
    replace
        Whether files of other content are written over.
    workers
        Threads; ``None`` takes all usable cores.
    on
        Where it runs; see `vidfit.launch.launcher`.
    """

    output: Path | None = None
    formats: tuple[str, ...] = ("srt",)
    model: str = NAME
    language: str = ""
    download: bool = False
    replace: bool = False
    workers: int | None = None
    on: str = HERE

    def __post_init__(self) -> None:
        unknown = [one for one in self.formats if one not in FORMATS]
        if unknown or not self.formats:
            raise VidfitError(
                f"there is no format {', '.join(unknown) or 'given'}; valid are "
                f"{', '.join(FORMATS)}"
            )
