"""Indexes of the libraries that are open, read when they are first asked and when they grew."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.contracts import Clip, Failure
from vidfit.manifest.subtitles import subtitles_in, subtitles_of
from vidfit.manifest.value import common_folder, relative_name
from vidfit.serve.library import Library, clip_ids
from vidfit.serve.problems import ProblemError
from vidfit.serve.roots import Roots
from vidfit.serve.shots.places import VIDEOS

if TYPE_CHECKING:
    from vidfit.jobs.search.kept import KeptShots
    from vidfit.jobs.search.segments import KnownVideo
    from vidfit.jobs.search.transcripts import Passage

_KEPT = 4
"""Indexes that are held."""


class OpenIndex:
    """An index, as far as its videos lie below the roots.

    Parameters
    ----------
    folder
        Of its segments.
    shots
        As they lie there.
    """

    def __init__(self, folder: Path, shots: KeptShots, roots: Roots) -> None:
        self.folder, self.shots, self._roots = folder, shots, roots
        reached = {path: roots.real(path) for path in shots.videos}
        self.videos: tuple[KnownVideo, ...] = tuple(
            known for path, known in shots.videos.items() if reached[path] is not None
        )
        self._by_real = {str(reached[known.path]): known for known in self.videos}

    @property
    def unreachable_count(self) -> int:
        """Videos that lie outside of the roots, or are gone."""
        return len(self.shots.videos) - len(self.videos)

    @cached_property
    def shot_count(self) -> int:
        """Shots of all videos."""
        return sum(len(segment.rows) for segment in self.shots.segments)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What videos are called, by path: below the folder that holds all."""
        folder = common_folder(known.path for known in self.videos)
        return {
            one.path: relative_name(one.path, folder).encode("utf-8", "replace").decode()
            for one in self.videos
        }

    @cached_property
    def by_id(self) -> Mapping[str, Clip]:
        """Its videos as clips, by their ids."""
        clips = tuple(Clip(one.path) for one in self.videos)
        return dict(zip(clip_ids(clips), clips, strict=True))

    def known(self, clip: Clip) -> KnownVideo | None:
        """Return the video of a clip as the index has it, if it does."""
        real = self._roots.real(clip.path)
        return None if real is None else self._by_real.get(str(real))

    @cached_property
    def knows_words(self) -> bool:
        """Whether its pictures are found by words: the model that looked knows some."""
        from vidfit.jobs.search.encoders import noted_encoders
        from vidfit.jobs.search.texts import knows_words

        noted = noted_encoders(self.folder)
        return noted is not None and knows_words(noted.backbone)

    def file(self, clip: Clip) -> Path | None:
        """Return the file of a clip, if it is there and below a root."""
        return self._roots.file(clip.path)

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """What is said in the videos, by the subtitles beside them."""
        from vidfit.jobs.search.transcripts import passages_in

        failures: list[Failure] = []  # what cannot be read says nothing
        beside: dict[Path, tuple[Path, ...]] = {}
        found: list[Passage] = []
        for path in (one.path for one in self.videos):
            folder = Path(path).parent
            if folder not in beside:
                beside[folder] = subtitles_in(folder)
            file = subtitles_of(path, beside[folder])
            if file is not None and self._roots.file(str(file)) is not None:
                found += passages_in(path, file, failures)
        return tuple(found)


class IndexShelf:
    """Indexes by their folders; safe to use from several threads."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, tuple[object, OpenIndex]] = OrderedDict()

    def of(self, library: Library) -> OpenIndex:
        """Return the index of a library.

        Raises
        ------
        ProblemError
            404 where it has none, or it is damaged.
        """
        folder = library.index
        if folder is None:
            raise ProblemError(404, "this library has no index; `vidfit search` makes one")
        with self._lock:  # of two that ask at once, one reads
            try:
                state = _state(folder)
                if folder not in self._kept or self._kept[folder][0] != state:
                    self._kept[folder] = state, self._read(folder)
            except (OSError, ValueError) as error:
                why = f"the index cannot be read ({type(error).__name__}); run `vidfit search` anew"
                raise ProblemError(404, why) from error
            self._kept.move_to_end(folder)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[folder][1]

    def _read(self, folder: Path) -> OpenIndex:
        from vidfit.jobs.search.kept import read_index

        found = OpenIndex(folder, read_index(folder), self._roots)
        if not found.shots.segments:
            raise ValueError("no segment of it can be read")
        return found


def _state(folder: Path) -> object:
    """Return what changes when the index does."""
    return (folder / VIDEOS).stat().st_mtime_ns, frozenset(p.name for p in folder.glob("*.parquet"))
