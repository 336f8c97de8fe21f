"""Make videos larger: a playable file beside each, with its sound, and JSON on it.

One frame is in memory at a time, and each is computed in tiles. The video is made in parts, which
lie in a hidden folder beside it until they are joined: a run that was killed goes on after the last
whole part, and makes the same video as one that was not. It appears under its name only when it is
whole. A video that is there already, made by the same model of the same file, is not made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from glob import escape
from itertools import chain, islice
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure, Frames
from vidfit.documents import read_json, to_json, value_of
from vidfit.errors import VideoError, VidfitError
from vidfit.files import sha256, write_whole
from vidfit.jobs.predict.annotated import held_frames
from vidfit.jobs.predict.by_task import AskedOfTask, ToldOfVideo
from vidfit.jobs.predict.restored.parts import VideoParts
from vidfit.pixels.restore.colour import enlarged
from vidfit.pixels.restore.material import rounded_luma
from vidfit.pixels.restore.pretrained import PretrainedRestorer
from vidfit.pixels.restore.restorer import Restorer, Running, load_restorer
from vidfit.pixels.saved import PIXELS
from vidfit.progress import Progress
from vidfit.shown import counted
from vidfit.video import Audio, VideoReader, join_videos, write_video
from vidfit.video.colours import Colours

FORMATS = ("json", "mp4")
_OPTIONS = {"crf": "14", "preset": "fast", "mbtree": "0"}
"""Of x264: little of what was restored is lost again. Its macroblock tree gives other bytes of the
same frames from run to run on processors with AVX2, and a run that was killed gives the same."""

PART_FRAMES = 64
"""Of a part: a run that is killed loses no more."""


@dataclass(frozen=True)
class RestoredVideo:
    """What is said of a video that was made larger.

    Parameters
    ----------
    made
        The model's digest, that of the video with its span, and how it is written: what the video
        was made of.
    """

    path: str
    file: str
    frames: int
    from_width: int
    from_height: int
    width_pixels: int
    height_pixels: int
    colours: str
    way: str
    made: str
    notes: tuple[str, ...] = ()


def run_restored(asked: AskedOfTask) -> Iterator[ToldOfVideo]:
    """Yield what is told of each video; a video that cannot be read stops nothing.

    Raises
    ------
    VidfitError
        If there is no folder for the videos, or a format is none.
    ModelError
        If the model is no restorer, or damaged.
    StoreError
        If a file cannot be written.
    """
    restorer = load_restorer(Path(asked.model))
    if asked.output is None:
        raise VidfitError(f"{asked.model} makes videos: say with --output where to")
    _check(asked.formats)
    model = sha256(Path(asked.model) / PIXELS)
    for video, name in zip(asked.videos, asked.names, strict=True):
        if isinstance(video, Failure):
            yield ToldOfVideo(video.name, failure=video.reason)
            continue
        try:
            yield _told(*_made(video, asked.output / name, restorer, model, asked.progress))
        except VideoError as error:
            yield ToldOfVideo(video.path, failure=str(error).removeprefix(f"{video.path}: "))


def _check(formats: Sequence[str]) -> None:
    """Refuse other formats: a video and its JSON are written, whichever of them is named."""
    for one in formats:
        if one not in FORMATS:
            raise VidfitError(f"restored videos are not written as {one!r}; valid are json, mp4")


def _told(found: RestoredVideo, was_there: bool) -> ToldOfVideo:
    size = f"{found.from_width}x{found.from_height} to {found.width_pixels}x{found.height_pixels}"
    again = ", there already" if was_there else ""
    line = f"{found.path}: {counted(found.frames, 'frame')}, {size}, {found.way}: {found.file}"
    return ToldOfVideo(
        found.path, (line + again, *(f"  {note}" for note in found.notes)), asdict(found)
    )


def _made(
    clip: Clip, place: Path, restorer: Restorer, model: str, progress: Progress
) -> tuple[RestoredVideo, bool]:
    """Write the video and what is said of it; return that, and whether it was there already."""
    path, document = place.parent / f"{place.name}.mp4", place.parent / f"{place.name}.json"
    made = f"{model} {_source_of(clip)} {_OPTIONS} {PART_FRAMES}"
    if (there := _there(document, path, made)) is not None:
        return there, True
    for left in path.parent.glob(f".{escape(path.stem)}.*{path.suffix}"):
        left.unlink()  # by a run that was killed: this one holds the folder
    parts = VideoParts.beside(path, made)
    with VideoReader(clip.path) as reader:
        info = reader.info
        first, last = reader.span_of(clip)
        colours = next(reader.sound_frames()).colours
        fps = info.average_fps or 1.0
        large = _LargeFrames(restorer, progress)
        progress.start(Path(clip.path).name, last - first + 1)
        try:
            large.write(parts, _one_size(_of_span(reader, first, last)), fps, colours)
            join_videos(path, parts.paths, fps, audio=_audio(reader, clip, first))
        except VideoError as error:
            if not parts.frames:
                parts.remove()
                raise
            kept = counted(sum(parts.frames), "frame")
            raise VideoError(f"{error}; {kept} are kept: the same command goes on") from error
        found = RestoredVideo(
            path=clip.path,
            file=path.name,
            frames=sum(parts.frames),
            from_width=info.width_pixels,
            from_height=info.height_pixels,
            width_pixels=info.width_pixels * restorer.scale,
            height_pixels=info.height_pixels * restorer.scale,
            colours=colours.text,
            way=_way(restorer),
            made=made,
            notes=tuple(filter(None, (reader.shortfall, _depth(info.pixel_format)))),
        )
    write_whole(document, (to_json(asdict(found), indent=1) + "\n").encode())
    parts.remove()
    return found, False


@dataclass
class _LargeFrames:
    """Goes through the frames of a video once and writes large ones, part by part."""

    restorer: Restorer
    progress: Progress

    def write(
        self, parts: VideoParts, pictures: Iterator[Frames], fps: float, colours: Colours
    ) -> None:
        """Write the parts that are not there yet."""
        running = Running(self.restorer)
        running.steadied.restore(parts.state)
        done = sum(parts.frames)
        self.progress.advance(done)
        left = islice(pictures, done, None)
        while (picture := next(left, None)) is not None:
            part = chain([picture], islice(left, PART_FRAMES - 1))
            parts.add(partial(self._part, part, running, fps, colours), running.steadied.state)

    def _part(
        self,
        pictures: Iterable[Frames],
        running: Running,
        fps: float,
        colours: Colours,
        path: Path,
    ) -> int:
        """Write a part and return how many frames it has."""
        count = 0

        def larger() -> Iterator[Frames]:
            nonlocal count
            for picture in pictures:
                luma_HW = running.restored(rounded_luma([picture])[0])
                yield enlarged(luma_HW, picture, self.restorer.scale)
                count += 1
                self.progress.advance()

        write_video(path, larger(), fps, options=_OPTIONS, colours=colours)
        return count


def _of_span(reader: VideoReader, first: int, last: int) -> Iterator[Frames]:
    """Yield the frames of a span; in place of a damaged one the sound one before is shown."""
    begin, end = (float(reader.pts_seconds[place]) for place in (first, last))
    for pts_seconds, picture in held_frames(reader):
        if pts_seconds > end:
            return
        if pts_seconds >= begin:
            yield picture


def _one_size(frames: Iterator[Frames]) -> Iterator[Frames]:
    """Yield frames of the size of the first, as a video wants them."""
    import cv2

    first = None
    for frame in frames:
        first = frame.shape if first is None else first
        same = frame.shape == first
        yield frame if same else np.asarray(cv2.resize(frame, (first[1], first[0])), np.uint8)


def _audio(reader: VideoReader, clip: Clip, first: int) -> Audio | None:
    if reader.stored is not None or Path(clip.path).is_dir():
        return None
    return Audio(clip.path, float(reader.pts_seconds[first]), clip.end_seconds)


def _there(document: Path, video: Path, made: str) -> RestoredVideo | None:
    """Return what an earlier run said, if it made the same of the same video."""
    if not (video.is_file() and document.is_file()):
        return None
    try:
        found = value_of(RestoredVideo, read_json(document), {})
    except (OSError, ValueError):
        return None
    return found if found.made == made else None


def _source_of(clip: Clip) -> str:
    """Return what a video is known by: its digest, or its name if it is no file; its span."""
    path = Path(clip.path)
    known = sha256(path) if path.is_file() else clip.path
    return f"{known} {clip.start_seconds:g} {clip.end_seconds}"


def _way(restorer: Restorer) -> str:
    if restorer.network is None:
        return restorer.by
    if isinstance(restorer.network, PretrainedRestorer):
        return restorer.network.name
    if restorer.evened:
        return f"one frame, evened by {restorer.evened:.2g}"
    return "one frame, steadied" if restorer.steady else "one frame"


def _depth(pixel_format: str) -> str:
    """Return a note where more than 8 bits are given up."""
    deep = any(part in pixel_format for part in ("10le", "10be", "12le", "12be", "16le", "16be"))
    return f"{pixel_format} is read and written with 8 bits" if deep else ""
