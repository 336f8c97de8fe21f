"""What the header of a video says, held against what is shown, before anything is decoded."""

from __future__ import annotations

from pathlib import Path

from vidfit.serve.stills import check_count, check_size
from vidfit.video.names import is_photo
from vidfit.video.opened import open_lightly


def check_header(path: str) -> None:
    """Refuse a video whose header says that it is larger, or longer, than what is shown.

    Not all containers say how many frames they hold: there, packets are counted, and decoded is
    what is within the bound.

    Raises
    ------
    VideoError
        If it is, or if the header cannot be read.
    """
    if Path(path).is_dir() or is_photo(Path(path)):
        return
    opened = open_lightly(path)
    try:
        check_size(path, opened.stream.codec_context.width, opened.stream.codec_context.height)
        check_count(path, opened.stream.frames)
    finally:
        opened.close()
