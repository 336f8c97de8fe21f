"""Pictures beside labels: photos as they are, frames of videos as JPEG."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from vidfit.boxes import LabelledFrame
from vidfit.contracts import Failure, Frames
from vidfit.errors import VideoError
from vidfit.manifest.annotations import Media
from vidfit.manifest.annotations.named import picture_names
from vidfit.video import VideoReader

_QUALITY = 95
"""Of JPEG: twice the size of what video codecs keep, and no blocks of its own to see."""

Named = tuple[LabelledFrame, str]


def pictures(
    frames: Sequence[LabelledFrame], media: Media
) -> Iterator[tuple[str, bytes] | Failure]:
    """Yield a file below ``images/`` for each frame, named as labels are, or why there is none."""
    for path, of_path in groupby(picture_names(frames), lambda named: named[0].path):
        found = media.path(path)
        if found is None or media.size_pixels(path) is None:
            yield Failure(path, f"is not there, not alone, or no picture, in {media.folder}")
            continue
        try:
            yield from _of_path(found, list(of_path))
        except (VideoError, OSError) as error:
            yield Failure(path, str(error).removeprefix(f"{found}: "))


def _of_path(path: str, named: list[Named]) -> Iterator[tuple[str, bytes]]:
    if named[0][0].index is None:
        for frame, name in named:
            yield _place(frame, name), Path(path).read_bytes()
        return
    with VideoReader(path) as reader:
        wanted = [frame.index or 0 for frame, _ in named]
        for decoded, (frame, name) in zip(reader.frames(wanted), named, strict=True):
            yield _place(frame, name), _jpeg(decoded.rgb())


def _place(frame: LabelledFrame, name: str) -> str:
    return f"images/{frame.split}/{name}" if frame.split else f"images/{name}"


def _jpeg(frame_HW3: Frames) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(frame_HW3).save(out, "JPEG", quality=_QUALITY, subsampling=0)
    return out.getvalue()
