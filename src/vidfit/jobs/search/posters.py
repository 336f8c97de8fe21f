"""Pictures of the key frames of shots, for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vidfit.errors import VideoError
from vidfit.jobs.search.value import Hit
from vidfit.report.thumbnail import jpeg
from vidfit.video import decode


def with_posters(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return hits with a small JPEG of each key frame; a picture is not worth a failure."""
    return tuple(replace(hit, poster=_poster(hit)) for hit in hits)


def _poster(hit: Hit) -> bytes:
    try:
        frames_THWC = decode(hit.path, timestamps_seconds=[hit.key_seconds]).frames_THWC
    except VideoError:
        return b""
    return jpeg(frames_THWC[0])
