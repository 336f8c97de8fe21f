"""What is known of a video that was looked at frame by frame, whatever was looked for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from vidfit.contracts import Clip, Indices, Note, clip_key
from vidfit.video import VideoReader

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class LookedVideo:
    """The facts of a video, and which of its frames were looked at.

    Parameters
    ----------
    path
        The video.
    duration_seconds, width_pixels, height_pixels, frame_count
        Its facts.
    first_frame, last_frame
        Frames from and to which answers are told, both included.
    frames_seen
        Frames that were looked at, of those.
    every
        Each how manieth was to be looked at.
    """

    path: str
    duration_seconds: float
    width_pixels: int
    height_pixels: int
    frame_count: int
    first_frame: int
    last_frame: int
    frames_seen: int
    every: int

    @classmethod
    def of(
        cls, reader: VideoReader, path: str, span: tuple[int, int], wanted: Indices, seen: int
    ) -> LookedVideo:
        """Return the facts of an open video, of the frames that were ``wanted`` and ``seen``."""
        info = reader.info
        return cls(
            path,
            info.duration_seconds,
            info.width_pixels,
            info.height_pixels,
            info.frame_count,
            *span,
            seen,
            int(wanted[1] - wanted[0]) if len(wanted) > 1 else 1,
        )


def notes_of(clip: Clip, reader: VideoReader, wanted: int, seen: int) -> tuple[Note, ...]:
    """Return what should be known of a clip: where its video ends early, and what is damaged."""
    said = [reader.shortfall] if reader.shortfall else []
    if wanted > seen:
        said.append(f"{wanted - seen} of {wanted} frames to look at are damaged; they are left out")
    return tuple(Note(clip_key(clip), text) for text in said)


def as_data(answers: DataclassInstance) -> dict[str, Any]:
    """Return answers with a field ``video`` as JSON takes them: its facts stand first."""
    data = asdict(answers)
    return {**data.pop("video"), **data}
