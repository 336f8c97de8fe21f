"""Where a video comes from: files, GIFs, folders of frames, URLs and shards, opened for PyAV.

A file is looked at before FFmpeg opens it, and FFmpeg may use no protocol but the one that reads
the file, and no format that follows names found in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import av
import av.error
from av.stream import Disposition

from vidfit.errors import VideoError
from vidfit.video import address as addresses
from vidfit.video import mp4_boxes
from vidfit.video.limits import FRAMES_MAX, PIXELS_MAX
from vidfit.video.member import is_url as is_url
from vidfit.video.member import openable, split_member
from vidfit.video.names import IMAGE_SUFFIXES, is_flow, is_photo, natural_key
from vidfit.video.signature import LOOK_BYTES, refusal

if TYPE_CHECKING:
    from collections.abc import Generator

    from av import Packet
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

AnyStream = TypeVar("AnyStream", "VideoStream", "AudioStream")

# fmt: off
_IMAGES = (
    "apng,bmp_pipe,gif,j2k_pipe,jpeg_pipe,jpegls_pipe,mjpeg,pam_pipe,pbm_pipe,pgm_pipe,png_pipe,"
    "ppm_pipe,tiff_pipe,webp_pipe"
)
_VIDEOS = (
    "apv,asf,av1,avi,avs2,avs3,bink,cavsvideo,cine,dhav,dirac,dnxhd,dv,ea,evc,film_cpk,flic,"
    "flv,gxf,h261,h263,h264,hevc,hxvs,ifv,ingenient,iv8,ivf,ivr,jpegxl_anim,kux,live_flv,luodat,"
    "lxf,m4v,matroska,mjpeg_2000,mlv,mov,mpeg,mpegts,mpegvideo,mpjpeg,mtv,mxf,mxg,nsv,nut,nuv,obu,"
    "ogg,pmp,pva,r3d,rm,roq,ser,smjpeg,smk,swf,ty,vc1,vc1test,vivo,vvc,wtv,xmv,yuv4mpegpipe"
)
_SOUND = "aac,ac3,aiff,amr,ape,au,caf,flac,mp3,wav"
# fmt: on

DECODER_OPTIONS = {"max_pixels": str(PIXELS_MAX)}
"""Larger pictures are refused before memory is asked for."""


def frame_files(folder: Path) -> list[Path]:
    """Return the images of a folder of frames, in natural order; a photo is its own only frame.

    Images of optical flow that lie beside the frames are left out.

    Raises
    ------
    VideoError
        The folder cannot be listed or holds no images.
    """
    if is_photo(folder):
        return [folder]
    try:
        files = [f for f in folder.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES]
    except OSError as error:
        raise VideoError(f"{folder}: cannot list this folder ({error.strerror})") from error
    if not files:
        known = ", ".join(sorted(IMAGE_SUFFIXES))
        raise VideoError(f"{folder}: this folder holds no frames; expected files named {known}")
    files = [file for file in files if not is_flow(file.name)] or files
    return sorted(files, key=lambda file: natural_key(file.name))


def open_container(path: str, *, look_inside: bool = True, sound: bool = False) -> InputContainer:
    """Open a file or URL with PyAV, for its pictures or its sound.

    Parameters
    ----------
    path
        File, URL, or member of a shard.
    look_inside
        FFmpeg decodes up to 20 frames of H.264 to guess how far they are out of order. Where
        header and timestamps say so, as in MP4, that can be left out.
    sound
        Whether it is opened for its sound, rather than its pictures.

    Raises
    ------
    VideoError
        It cannot be opened as a video; the message gives the reason in one line.
    """
    options = DECODER_OPTIONS if look_inside else {**DECODER_OPTIONS, "skip_frame": "all"}
    source = _source(path)
    try:
        _look(path, source.file)
        container = _open(path, source, options)
        refused = _without_sound(container) if sound else _refusal(container)
        if refused:
            container.close()
            raise VideoError(f"{path}: {refused}")
    except BaseException as error:
        source.file.close()
        if isinstance(error, VideoError) and is_url(path):
            addresses.remember(path, str(error).removeprefix(f"{path}: "))
        raise
    if source.address is not None:
        source.file.close()
    return container


def open_image(file: Path) -> InputContainer:
    """Open an image file with PyAV; the caller closes ``container.file.file``, too.

    Raises
    ------
    VideoError
        It is no image.
    """
    opened = _image_file(file)
    try:
        return _open(str(file), _Source(opened), DECODER_OPTIONS, "an image", _IMAGES)
    except BaseException:
        opened.close()
        raise


def check_photo(file: Path) -> None:
    """Refuse a file that is no picture by its first bytes, or one that is not read.

    Raises
    ------
    VideoError
        The message gives the reason in one line.
    """
    opened = _image_file(file)
    try:
        _look(str(file), opened)
    finally:
        opened.close()


def _image_file(file: Path) -> Unnamed:
    try:
        return Unnamed(file.open("rb"))
    except OSError as error:
        raise VideoError(f"{file}: cannot be read as an image: {reason(error)}") from error


@dataclass(frozen=True)
class _Source:
    """An open file, and how FFmpeg opens it: by an address, or else by reading the open file."""

    file: Any
    address: str | None = None
    protocols: str = "none"


class Unnamed:
    """An open file without its name, in which FFmpeg would see a pattern of names ("%d")."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401
        self._file, self._first = file, b""
        if file.seekable():
            self.seek, self.tell = file.seek, file.tell

    def peek(self, size: int) -> bytes:
        """Return the first bytes of what was not read yet, and read them again next."""
        self._first = self._file.read(size)
        if hasattr(self, "seek"):
            self.seek(0)
            first, self._first = self._first, b""
            return first
        return self._first

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        if self._first:
            end = len(self._first) if size < 0 else size
            first, self._first = self._first[:end], self._first[end:]
            return first
        return bytes(self._file.read(size))

    def close(self) -> None:
        """Close the file, and with it the archive that it lies in."""
        self._file.close()


def _source(path: str) -> _Source:
    if split_member(path):
        part, address = openable(path)
        return _Source(Unnamed(part), address, "subfile,file")
    if is_url(path):
        return _Source(Unnamed(addresses.open_url(path)))
    address = _checked_file(path)
    try:
        return _Source(Unnamed(Path(path).open("rb")), address, "file")
    except OSError as error:
        raise VideoError(f"{path}: cannot be read as a video: {reason(error)}") from error


def _look(path: str, file: Unnamed) -> None:
    """Raise VideoError for a file that is no video, or claims to be too large, by its bytes."""
    try:
        first = file.peek(LOOK_BYTES)
        refused = refusal(first)
        if not refused and hasattr(file, "seek"):
            size_bytes = file.seek(0, os.SEEK_END)
            refused = mp4_boxes.trouble(file, first, size_bytes)
            file.seek(0)
    except Exception as error:  # every fsspec backend has errors of its own
        raise VideoError(f"{path}: cannot be read: {reason(error)}") from error
    if refused:
        raise VideoError(f"{path}: {refused}")


def _open(
    path: str,
    source: _Source,
    options: dict[str, str],
    kind: str = "a video",
    formats: str = f"{_VIDEOS},{_IMAGES},{_SOUND}",
) -> InputContainer:
    try:
        return av.open(
            source.address or source.file,
            mode="r",
            options=options,
            container_options={"protocol_whitelist": source.protocols, "format_whitelist": formats},
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, av.error.ArgumentError):  # so FFmpeg has it for `format_whitelist`
            why = "the data is in no format that vidfit reads, or damaged; convert it to MP4"
        else:
            why = reason(error)
        raise VideoError(f"{path}: cannot be read as {kind}: {why}") from error


def reason(error: BaseException) -> str:
    """Return what went wrong in one line, without FFmpeg's error numbers."""
    if isinstance(error, av.error.InvalidDataError):
        return "the data is not a known video format, or its header is damaged"
    if isinstance(error, av.error.ArgumentError):  # so FFmpeg has it for `max_pixels`, too
        return f"the data is damaged, or its pictures have more than {PIXELS_MAX:,} pixels"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


@contextmanager
def demuxed(container: InputContainer, stream: AnyStream) -> Iterator[Iterator[Packet[AnyStream]]]:
    """Give the packets of a stream.

    PyAV frees what it holds for packets to come where it is told that there is an end, and not
    where the container is closed: 170 bytes of each file that is not read to its end.
    """
    packets = cast("Generator[Packet[AnyStream]]", container.demux(stream))
    try:
        yield packets
    finally:
        packets.close()


def best_video(container: InputContainer) -> VideoStream | None:
    """Return the stream of pictures to be read; a cover picture is none."""
    best = container.streams.best("video")
    pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    return next((s for s in pictures if best and s.index == best.index), next(iter(pictures), None))


def _without_sound(container: InputContainer) -> str | None:
    return None if container.streams.best("audio") else "has no sound, only pictures"


def _refusal(container: InputContainer) -> str | None:
    stream = best_video(container)
    if stream is None:
        kinds = {stream.type for stream in container.streams if stream.type != "video"}
        found = [", ".join(sorted(kinds)) or "a header without streams"]
        if container.streams.video:
            found = [*sorted(kinds), "a cover picture"]
        return f"holds no video stream, only {' with '.join(found)}"
    if stream.frames > FRAMES_MAX:
        return (
            f"its header says {stream.frames:,} frames, at most {FRAMES_MAX:,} are read; "
            "cut it in parts"
        )
    return None


def _checked_file(path: str) -> str:
    try:
        facts = os.stat(path)  # noqa: PTH116  (a third of the time)
    except FileNotFoundError as error:
        what = "a link to a file that is gone" if Path(path).is_symlink() else "no such file"
        raise VideoError(f"{path}: {what}; check the path") from error
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise VideoError(f"{path!r}: no file can be called so ({error})") from error
    if not stat.S_ISREG(facts.st_mode):
        raise VideoError(f"{path}: not a regular file; give a video file or a folder of frames")
    if facts.st_size == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes); copy or download it again")
    return path if os.path.isabs(path) else f"./{path}"  # noqa: PTH117
