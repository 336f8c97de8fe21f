"""What is asked for: a video, a part of one, a picture, or words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from vidfit.contracts import Backbone, Floats
from vidfit.errors import VideoError, VidfitError
from vidfit.features.digests import file_digest
from vidfit.features.outcome import stream
from vidfit.hardware import hardware
from vidfit.jobs.search.options import SearchOptions
from vidfit.jobs.search.shots import Shot, refusal, shots_of, windows
from vidfit.video import is_video_path, probe
from vidfit.video.names import IMAGE_SUFFIXES, is_photo

_SPAN = re.compile(r"(?P<path>.+)#(?P<start>\d+(?:\.\d+)?)-(?P<end>\d+(?:\.\d+)?)")


_VALID = "a query is a video, VIDEO#START-END in seconds such as v.mp4#12-15, a picture, or words"


@dataclass(frozen=True)
class Query:
    """A query: words, or what is seen in a file, and the bytes that it is of.

    ``span`` in seconds is what of the file is asked for.
    """

    text: str
    kind: Literal["video", "picture", "words"]
    path: str = ""
    span: tuple[float, float] = (0.0, 0.0)
    digest: str = ""


def understood(query: str) -> Query:
    """Return what a query means: a file, ``FILE#START-END`` in seconds, or else words.

    Raises
    ------
    VidfitError
        If it is empty.
    VideoError
        If the words are the name of a video or a picture that is not there, the file cannot be
        read, or it ends before the span.
    """
    if not query.strip():
        raise VidfitError(f"the query is empty; {_VALID}")
    path, span = query, None
    if not Path(query).exists() and (found := _SPAN.fullmatch(query)):
        path, span = found["path"], (float(found["start"]), float(found["end"]))
    if "://" not in path and not Path(path).exists():
        if is_video_path(path) or Path(path).suffix.lower() in IMAGE_SUFFIXES:
            raise VideoError(f"{path}: there is no such file; {_VALID}")
        file, is_span, times = query.rpartition("#")
        if is_span and Path(file).is_file():
            raise VideoError(f"{file}: {times!r} is no span; {_VALID}")
        return Query(query, "words")
    if is_photo(Path(path)):
        return Query(query, "picture", path, (0.0, 1.0), file_digest(path))
    try:
        duration_seconds = probe(path).duration_seconds
    except VideoError as error:
        raise VideoError(f"{error}; {_VALID}") from error
    start, end = span or (0.0, duration_seconds)
    if not start < min(end, duration_seconds):
        raise VideoError(
            f"{path}: the span {start:g}-{end:g} s holds nothing: the video has "
            f"{duration_seconds:g} s, and START lies before END"
        )
    return Query(query, "video", path, (start, min(end, duration_seconds)), file_digest(path))


def looked_at(
    asked: Query, encoders: Mapping[str, Backbone], options: SearchOptions
) -> dict[str, Floats]:
    """Return the vectors [Q, D] of the shots that are asked for, by way.

    Raises
    ------
    VideoError
        If nothing of the file can be read.
    """
    if asked.kind == "picture":
        encoders = {"look": encoders["look"]}
    clips = windows(asked.path, asked.span, options.shot_seconds)
    shots: list[Shot] = []
    failure = ""
    workers = options.workers or hardware().cores
    for outcome in stream(clips, [*encoders.values()], workers=workers):
        if why := refusal(outcome):
            failure = failure or why
            continue
        seen = {way: outcome.features[one.spec.name] for way, one in encoders.items()}
        shots += shots_of(outcome.clip, seen)
    if not shots:
        raise VideoError(failure)
    return {way: np.stack([shot.vectors[way] for shot in shots]) for way in encoders}
