"""What can be asked of `convert`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from vidfit.errors import VidfitError

To = Literal["coco", "yolo", "voc", "cvat", "mot", "label-studio", "csv", "masks"]

WITH_PICTURES = ("yolo", "voc")
"""Formats in which labels and pictures are one folder."""


@dataclass(frozen=True)
class ConvertOptions:
    """What is written, and where pictures lie.

    Parameters
    ----------
    to
        The format.
    media
        Folder of the pictures and videos that are named; if not said, they lie in the folder of
        the annotations or beside it. They need not be there unless the format needs their sizes.
    pictures
        Whether to write the pictures, too, frames of videos as JPEG.
    """

    to: To = "coco"
    media: Path | None = None
    pictures: bool = False

    def check(self) -> None:
        """Raise VidfitError if they ask for what is not there."""
        if self.to not in get_args(To):
            raise VidfitError(
                f"there is no format {self.to!r}; valid are {', '.join(get_args(To))}"
            )
        if self.pictures and self.to not in WITH_PICTURES:
            raise VidfitError(
                f"pictures are written with {' and '.join(WITH_PICTURES)}; in {self.to} they are "
                "named where they lie"
            )
