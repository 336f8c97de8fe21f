"""Frames of a clip in a shard, decoded and scaled before: ``/data/train-000000.tar::boxing/v1``.

Beside each frame ``boxing/v1/000017.npy`` lies ``000017.json``, which says what it is a frame
of. All samples of a clip are equally long, and stand in the order of views and frames.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from vidfit.contracts import Frames, Indices, Preprocessing, Sampling
from vidfit.documents import json_in, shown, value_of
from vidfit.errors import VideoError
from vidfit.video.archive import BLOCK_BYTES, blocks, parse_header, read_span
from vidfit.video.contents import contents
from vidfit.video.frame import Orientation, Picture
from vidfit.video.info import Timing
from vidfit.video.limits import FRAMES_MAX, SECONDS_MAX
from vidfit.video.member import find, read_member, split_member

if TYPE_CHECKING:
    from av import VideoFrame


Sample = tuple[Frames, dict[str, Any]]
"""A frame [H, W, 3], and what is known of it."""


@dataclass(frozen=True, slots=True)
class FrameLook:
    """What decides on the frames of a clip: which, and their size."""

    sampling: Sampling
    preprocessing: Preprocessing

    @property
    def facts(self) -> dict[str, Any]:
        """The same as JSON has it; mean and deviation do not matter to a frame."""
        size = self.preprocessing
        return {
            "sampling": self.sampling.facts,
            "size": [size.height_pixels, size.width_pixels, size.short_side_pixels],
        }

    def __str__(self) -> str:
        """Return sampling and size, such as ``1xevenx8 of 224x224``."""
        size = self.preprocessing
        cut = f", cut from a shorter side of {size.short_side_pixels}"
        whole = f"{self.sampling} of {size.height_pixels}x{size.width_pixels}"
        return whole + (cut if size.short_side_pixels else "")


def look_of(facts: Mapping[str, Any]) -> FrameLook:
    """Read what `FrameLook.facts` gave.

    Raises
    ------
    ValueError
        If it is something else.
    """
    try:
        height_pixels, width_pixels, short_pixels = facts["size"]
        size = {"height_pixels": height_pixels, "width_pixels": width_pixels}
        size["short_side_pixels"] = short_pixels
        sampling = value_of(Sampling, facts["sampling"], {})
        return FrameLook(sampling, value_of(Preprocessing, size, {}))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"does not say how frames were sampled and sized ({error})") from error


def holds_frames(path: str) -> bool:
    """Return whether a member of a shard is a folder of frames."""
    return find(path)[2]


def stored_digest(path: str) -> str:
    """Return the digest of the video that stored frames were taken from.

    Raises
    ------
    VideoError
        If they are missing or damaged.
    """
    archive, name = split_member(path) or (path, "")
    inside = contents(archive)
    if name in inside.digests:
        return inside.digests[name]
    try:
        return str(json_in(read_member(f"{path}/{0:06d}.json"))["content"])
    except (ValueError, KeyError, TypeError) as error:
        raise VideoError(f"{path}: these frames are damaged; shard the clips again") from error


class StoredFrames:
    """The frames of a clip in a shard; read as a whole, not by their place in a video.

    Raises
    ------
    VideoError
        If they are missing or damaged.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._archive, self._span, _ = find(path)
        self.keyframe_count = self.declared_count = 0
        self.pixel_aspect = 1.0
        self.cut_short = False

    def close(self) -> None:
        """Nothing is held open."""

    @cached_property
    def _samples(self) -> list[Sample]:
        data = read_span(self._archive, self._span)
        try:
            return _of_one_video(list(parse_frames(data)))
        except (ValueError, KeyError) as error:
            raise VideoError(
                f"{self.path}: these frames are damaged ({error}); shard the clips again"
            ) from error

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the first frame and its clip."""
        return self._samples[0][1]

    @cached_property
    def look(self) -> FrameLook:
        """How they were sampled and sized."""
        try:
            return look_of(self.facts)
        except ValueError as error:
            raise VideoError(f"{self.path}: {error}; shard the clips again") from error

    @property
    def duration_seconds(self) -> float:
        """How long the whole video was."""
        return float(self.facts["duration_seconds"])

    @cached_property
    def timing(self) -> Timing:
        """Timestamps by place in the video; exact for frames that are here, between them even."""
        known = sorted({(int(f["index"]), float(f["pts_seconds"])) for _, f in self._samples})
        index_K, pts_K = (np.array(column) for column in zip(*known, strict=True))
        pts_F = np.interp(np.arange(index_K[-1] + 1), index_K, pts_K)
        pts_F[index_K] = pts_K
        return Timing(pts_F, self.duration_seconds - float(pts_F[-1]), 0.0)

    def picture(self) -> Picture:
        """Look at a frame."""
        height, width, _ = self._samples[0][0].shape
        return Picture(width, height, Orientation(), "rgb24", "npy")

    def views(self, look: FrameLook) -> tuple[Indices, Frames]:
        """Return the frames' places in the video [V, T], and the frames [V, T, H, W, 3].

        Raises
        ------
        VideoError
            If they were not sampled and sized so.
        """
        if look.facts != self.look.facts:
            raise VideoError(f"{self.path}: {mismatch(self.look, look)}")
        sampling = self.look.sampling
        views = (sampling.num_clips, sampling.clip_len)
        if len(self._samples) != views[0] * views[1]:
            raise VideoError(
                f"{self.path}: holds {len(self._samples)} frames, {views[0] * views[1]} expected; "
                "shard the clips again"
            )
        index_N = np.array([int(facts["index"]) for _, facts in self._samples], np.int64)
        frames_NHWC = np.stack([frame_HWC for frame_HWC, _ in self._samples])
        return index_N.reshape(views), frames_NHWC.reshape(*views, *frames_NHWC.shape[1:])

    def sound(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return which of the frames ``first`` to ``last`` are stored."""
        kept = [int(facts["index"]) for _, facts in self._samples]
        return np.isin(np.arange(first, last + 1), kept)

    def frames(self, wanted: Indices) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (index, frame) of frames that are stored.

        Raises
        ------
        VideoError
            If one is not.
        """
        import av

        kept = {int(facts["index"]): frame_HWC for frame_HWC, facts in self._samples}
        for index in wanted.tolist():
            if index not in kept:
                raise VideoError(
                    f"{self.path}: frame {index} is not stored, only {len(kept)} frames are; "
                    "use shards by video"
                )
            yield index, av.VideoFrame.from_ndarray(kept[index], format="rgb24")


def mismatch(stored: FrameLook, wanted: FrameLook) -> str:
    """Say that frames do not suit, and what to do."""
    return (
        f"these shards hold frames {stored}, and frames {wanted} are wanted; shard the clips "
        "themselves anew, `vidfit shard CLIPS OUT --by frame --like BACKBONE` (or --plan "
        "plan.json), or by video, which suits every network"
    )


def parse_frames(data: bytes) -> Iterator[Sample]:
    """Yield each frame with its facts, of the bytes of a folder of frames.

    Raises
    ------
    ValueError
        If they are damaged.
    """
    at, frame_HWC = 0, None
    while at < len(data):
        name, size = parse_header(data[at : at + BLOCK_BYTES], at)
        content = data[at + BLOCK_BYTES : at + BLOCK_BYTES + size]
        if name.endswith(".npy"):
            frame_HWC = _frame_in(content)
        elif frame_HWC is not None:
            yield frame_HWC, _facts_in(content)
        at += BLOCK_BYTES + blocks(size)


def _of_one_video(samples: list[Sample]) -> list[Sample]:
    """Return frames as they are if they can be those of one video, one size and its order of time.

    Raises
    ------
    ValueError
        If they cannot.
    """
    if not samples:
        raise ValueError("none is there")
    if len({frame_HWC.shape for frame_HWC, _ in samples}) > 1:
        raise ValueError("they differ in size")
    times = [pts for _, pts in sorted((f["index"], f["pts_seconds"]) for _, f in samples)]
    if times != sorted(times):
        raise ValueError("their timestamps do not increase")
    return samples


def _frame_in(content: bytes) -> Frames:
    """Return the frame [H, W, 3] of a .npy; its header is checked before memory is asked for."""
    stream = io.BytesIO(content)
    try:
        if npy.read_magic(stream) != (1, 0):
            raise ValueError("another version")
        shape, by_column, kind = npy.read_array_header_1_0(stream)
    except (ValueError, TypeError, SyntaxError, TokenError) as error:
        raise ValueError(f"no .npy of a frame: {error}") from error
    start = stream.tell()
    is_frame = kind == np.uint8 and not by_column and len(shape) == 3 and shape[2] == 3
    if not is_frame or min(shape) < 1 or math.prod(shape) != len(content) - start:
        raise ValueError(f"no .npy of a frame, but of {kind} {list(shape)}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def _facts_in(content: bytes) -> dict[str, Any]:
    facts = json_in(content)
    if not isinstance(facts, dict):
        raise ValueError("what is known of a frame is no object")
    if missing := {"index", "pts_seconds", "duration_seconds"} - facts.keys():
        raise ValueError(f"a frame lacks {', '.join(sorted(missing))}")
    index = facts["index"]
    if type(index) is not int or not 0 <= index < FRAMES_MAX:
        raise ValueError(f"a frame has the index {shown(index)}; valid is 0 to {FRAMES_MAX - 1:,}")
    for name in ("pts_seconds", "duration_seconds"):
        seconds = facts[name]
        if type(seconds) not in (int, float) or not 0 <= seconds <= SECONDS_MAX:
            valid = f"valid is 0 to {SECONDS_MAX:,.0f}"
            raise ValueError(f"a frame has the {name} {shown(seconds)}; {valid}")
    return facts
