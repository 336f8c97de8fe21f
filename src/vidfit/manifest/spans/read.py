"""From a file of spans, whatever tool wrote it, to the clips of its videos."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from vidfit.contracts import Failure
from vidfit.errors import ManifestError, VideoError
from vidfit.manifest.names import LIST_SUFFIXES, is_image, is_video_file
from vidfit.manifest.sheets import encoding_of
from vidfit.manifest.spans.activitynet import parse_activitynet
from vidfit.manifest.spans.ava import action_names, is_ava, parse_ava
from vidfit.manifest.spans.boris import is_boris, parse_boris
from vidfit.manifest.spans.boris_project import parse_boris_project
from vidfit.manifest.spans.elan import parse_eaf
from vidfit.manifest.spans.elan_text import is_elan_text, parse_elan_text
from vidfit.manifest.spans.found import Videos
from vidfit.manifest.spans.frames import parse_frames
from vidfit.manifest.spans.value import SpanRows
from vidfit.manifest.told import counted
from vidfit.manifest.value import Listing, is_there
from vidfit.video import VideoReader, probe
from vidfit.video.policy import in_force

_TEXTS = (".csv", ".tsv", ".txt")
_HEAD_BYTES, _MOST_BYTES = 1 << 16, 1 << 29
_NEAR_SECONDS = 1.0
"""By which a video may be shorter than a list says."""


def read_spans(path: Path) -> Listing | None:
    """Read a file of ActivityNet, AVA, BORIS or ELAN; ``None`` where it is none of these.

    Raises
    ------
    ManifestError
        If it is, and cannot be read.
    """
    try:
        rows = _rows(path)
    except csv.Error as error:
        raise ManifestError(f"{path} cannot be read as a table ({error}).") from error
    return None if rows is None else _listing(path.parent, [rows])


def _rows(path: Path) -> SpanRows | None:
    suffix = path.suffix.lower()
    if suffix not in (".json", ".eaf", ".boris", *_TEXTS):
        return None
    if suffix in _TEXTS and not (lines := _head(path)):
        return None
    if path.stat().st_size > _MOST_BYTES:
        raise ManifestError(f"{path} has more than {_MOST_BYTES >> 20} MiB; give a part of it")
    if suffix == ".eaf":
        return parse_eaf(path.read_bytes(), path.name)
    if suffix == ".boris":
        return parse_boris_project(_text(path), path.name)
    if suffix == ".json":
        return parse_activitynet(_text(path), path.name)
    if is_ava(lines[0]):
        lists = sorted(path.parent.glob("*.pbtxt"))
        names = action_names(_text(lists[0])) if lists else {}
        return parse_ava(_text(path), path.name, names)
    if is_boris(lines):
        return parse_boris(_text(path), path.name)
    return parse_elan_text(_text(path), path.name) if is_elan_text(lines) else None


def _head(path: Path) -> list[str]:
    """Return the first lines of a text; nothing where it is of no known encoding."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = head.decode(encoding, errors="replace").splitlines()
    return [line for line in lines if line.strip()]


def _text(path: Path) -> str:
    return path.read_text(encoding=encoding_of(path, table=True))


def _listing(folder: Path, files: list[SpanRows]) -> Listing:
    """Return the spans with the paths of their videos."""
    layout = files[0].layout if len(files) == 1 else f"{len(files)} files of spans"
    listing, videos = Listing(folder, layout), Videos(folder)
    for rows in files:
        listing.rejected += rows.rejected
        listing.warnings += rows.warnings
        places = {clip.path: _place(clip.path, videos) for clip in rows.clips}
        lost = {
            video: why
            for video, path in places.items()
            if (why := _why_lost(path, rows.lengths.get(video, 0.0), folder))
        }
        listing.clips += [
            replace(clip, path=str(places[clip.path]))
            for clip in rows.clips
            if clip.path not in lost
        ]
        listing.unread += [
            replace(time, path=str(places[time.path]))
            for time in rows.unread
            if time.path in places and time.path not in lost
        ]
        for video, why in lost.items():
            count = sum(clip.path == video for clip in rows.clips)
            failure = Failure(
                f"{rows.name}: {video}",
                f"{why}; {counted(count, 'span')} {'is' if count == 1 else 'are'} lost",
            )
            listing.rejected.append(failure)
    return listing


def _place(video: str, videos: Videos) -> str | None:
    """Return the path of a video, as it is written or by its name."""
    return video if Path(video).is_absolute() and is_there(video) else videos.path(video)


def _why_lost(path: str | None, seconds: float, folder: Path) -> str:
    """Return why the spans of a video cannot be used, nothing where they can.

    Parameters
    ----------
    seconds
        How long a list says that it lasts, 0 where it does not.
    """
    if path is None:
        return f"no video, or more than one, of that name is in {folder} or beside it"
    if not seconds or in_force().refusal(path):  # what is refused is not opened
        return ""
    try:
        is_shorter = probe(path).duration_seconds < seconds - _NEAR_SECONDS
    except VideoError:
        return ""
    if not is_shorter:
        return ""
    return (
        f"it is shorter than its observation, {seconds:g} s, which played several videos one after "
        "another; give the project (.boris), which says how long each lasts"
    )


def read_span_files(folder: Path) -> Listing | None:
    """Read a folder of lists of frames, or of files of ELAN; ``None`` where it is neither.

    A list of frames has the name of its video, which lies in the folder or beside it.
    """
    inside = sorted(folder.iterdir())
    if elan := [path for path in inside if path.suffix.lower() == ".eaf"]:
        return _listing(folder, [parse_eaf(path.read_bytes(), path.name) for path in elan])
    lists = [path for path in inside if path.suffix.lower() in LIST_SUFFIXES]
    if not lists or any(is_image(p.name) or p.is_dir() or is_video_file(p) for p in inside):
        return None
    videos = Videos(folder)
    if not any(videos.path(path.stem) for path in lists):
        return None
    return _listing(folder, [_frames(path, videos) for path in lists])


def _frames(path: Path, videos: Videos) -> SpanRows:
    """Read a list of frames."""
    video = videos.path(path.stem)
    rows = SpanRows(path.name, f"the frames of {path.name}")
    if video is None:
        rows.rejected.append(Failure(path.name, f"there is no video of the name {path.stem!r}"))
        return rows
    try:
        with VideoReader(video) as reader:
            return parse_frames(_text(path), path.name, video, reader.pts_seconds)
    except VideoError as error:
        rows.rejected.append(Failure(path.name, str(error)))
        return rows
