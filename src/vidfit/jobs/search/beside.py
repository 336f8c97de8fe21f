"""Shots of videos that are answered by models, from the same decode."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vidfit.contracts import Backbone, Clip
from vidfit.features import ClipOutcome
from vidfit.jobs.search.grow import ArrivingShots, known_video
from vidfit.jobs.search.index import ShotIndex
from vidfit.jobs.search.options import SearchOptions
from vidfit.jobs.search.run import open_index


class Indexing:
    """Adds the shots of videos to an index while they are looked at (`predict.run.LooksBeside`)."""

    def __init__(
        self, index: ShotIndex, arriving: ArrivingShots, encoders: Sequence[Backbone]
    ) -> None:
        self._index, self._arriving, self._encoders = index, arriving, encoders
        self._lock = threading.Lock()

    def to_see(self, path: str) -> list[tuple[Clip, Sequence[Backbone]]]:
        """Return the windows of a video whose shots are missing, and the encoders.

        Raises
        ------
        VideoError
            If the video cannot be read.
        """
        video = known_video(path, self._index.videos.get(path))
        with self._lock:
            self._index.save_videos([*self._index.videos.values(), video])
        return [(clip, self._encoders) for clip in self._arriving.missing(video)]

    def add(self, outcome: ClipOutcome) -> None:
        """Take what was seen of a window."""
        self._arriving.add(outcome)


@contextmanager
def indexing(folder: Path, options: SearchOptions = SearchOptions()) -> Iterator[Indexing]:
    """Open the index in a folder, as `run_search` finds it, and write the last shots at the end.

    Raises
    ------
    BackboneError
        If an encoder cannot be loaded.
    StoreError
        If the folder cannot be read or written.
    """
    index, encoders, _ = open_index(folder, options)
    with ArrivingShots(index, encoders, options.shot_seconds) as arriving:
        yield Indexing(index, arriving, [*encoders.values()])
