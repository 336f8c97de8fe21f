"""Bring the features of clips into a store, wherever the work runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from vidfit.contracts import Backbone, Clip, ClipFeatures
from vidfit.errors import StoreError
from vidfit.features.digests import row_key
from vidfit.features.outcome import ClipOutcome, stream
from vidfit.features.store import FeatureStore
from vidfit.progress import SILENT, Progress
from vidfit.work import Launcher, Work

_FLUSH_CLIPS = 32
_FLUSH_SECONDS = 5.0

Read = TypeVar("Read")


@dataclass
class Extraction:
    """What an extraction did.

    ``digests`` names each readable clip in the store; ``failures`` says why the others
    are not, and ``unseen`` names those of them whose bytes could be read. ``decode_seconds`` and
    ``forward_seconds`` (by backbone) add up the workers' time over the ``computed`` clips; what
    the store already had costs nothing.
    """

    digests: dict[Clip, str] = field(default_factory=dict)
    failures: dict[Clip, str] = field(default_factory=dict)
    unseen: dict[Clip, str] = field(default_factory=dict)
    backbone_failures: dict[str, str] = field(default_factory=dict)
    decode_seconds: float = 0.0
    forward_seconds: dict[str, float] = field(default_factory=dict)
    computed: int = 0
    wall_seconds: float = 0.0

    def add(self, one: Extracted) -> None:
        """Account for one clip."""
        if one.failure:
            self.failures[one.clip] = one.failure
            if one.digest:
                self.unseen[one.clip] = one.digest
            return
        self.digests[one.clip] = one.digest
        self.backbone_failures.update(one.backbone_failures)
        self.decode_seconds += one.decode_seconds
        self.computed += bool(one.forward_seconds)
        for name, seconds in one.forward_seconds.items():
            self.forward_seconds[name] = self.forward_seconds.get(name, 0.0) + seconds


@dataclass(frozen=True)
class Extracted:
    """A clip whose features are in the store: `ClipOutcome` without them.

    ``forward_seconds`` by backbone, of what was computed now.
    """

    clip: Clip
    digest: str
    failure: str
    decode_seconds: float
    forward_seconds: dict[str, float]
    backbone_failures: dict[str, str]


@dataclass(frozen=True)
class Extract:
    """The task of bringing features into a store, wherever it runs (`vidfit.work.Workload`).

    ``exact`` reads what the store has of packed clips, too, rather than an index of it.
    """

    backbones: tuple[Backbone, ...]
    root: str
    exact: bool = False
    item: type[Clip] = Clip
    result: type[Extracted] = Extracted

    def open(self, workers: int) -> Work[Clip, Extracted]:
        """Look up what the store has, and return what brings in the rest."""
        store = FeatureStore(Path(self.root))
        look = store.known if self.exact else store.held
        known = {backbone.spec.name: look(backbone.spec) for backbone in self.backbones}

        def work(clips: Iterable[Clip]) -> Iterator[Extracted]:
            with _StoreBuffer(store, self.backbones) as buffer:
                for one in stream(list(clips), self.backbones, workers=workers, known=known):
                    buffer.add(one)
                    seconds = {name: seen.forward_seconds for name, seen in one.features.items()}
                    yield Extracted(
                        one.clip,
                        one.digest,
                        one.failure,
                        one.decode_seconds,
                        seconds,
                        one.backbone_failures,
                    )

        return work


def extract(
    clips: Sequence[Clip],
    backbones: Sequence[Backbone],
    store: FeatureStore,
    place: Launcher,
    progress: Progress = SILENT,
    *,
    exact: bool = False,
) -> Extraction:
    """Bring the features of all clips by all backbones into the store.

    What is there is not computed again. A clip that cannot be read, or a backbone that
    fails, stops nothing. On an interrupt the clips that were finished are kept. In the end small
    files of the store are joined, if they are many.

    Parameters
    ----------
    exact
        Whether to read all that the store has, and not the indexes of its packs.

    Raises
    ------
    StoreError
        If the disk is full or the store cannot be written.
    """
    started = time.perf_counter()
    result = Extraction()
    largest_first = sorted(clips, key=lambda clip: (-_file_bytes(clip.path), clip.path))
    task = Extract(tuple(backbones), str(store.root.absolute()), exact)
    for one in place.map(task, largest_first, progress):
        result.add(one)
    with suppress(StoreError):  # what was computed is there, in small files
        for backbone in backbones:
            store.compact(backbone.spec)
    result.wall_seconds = time.perf_counter() - started
    return result


def extract_all(
    clips: Sequence[Clip],
    backbones: Sequence[Backbone],
    store: FeatureStore,
    place: Launcher,
    progress: Progress,
    read: Callable[[Extraction], Read | None],
) -> tuple[Extraction, Read]:
    """Extract what is missing and read it; once more where a stored part was damaged.

    Parameters
    ----------
    read
        Reads the features of all readable clips; ``None`` when some are not there.

    Raises
    ------
    StoreError
        If features cannot be written, or are gone when they are read.
    """
    progress.start("decode and extract", len(clips))
    for exact in (False, True):  # a part that was found damaged is set aside by then
        told = SILENT if exact else progress
        done = extract(clips, backbones, store, place, told, exact=exact)
        found = read(done)
        if found is not None:
            return done, found
    raise StoreError(
        f"features in {store.root} are gone as soon as they are written; does another "
        "process delete them? Choose another output folder"
    )


def _file_bytes(path: str) -> int:
    """Return the size of a video; 0 for what is no file of its own, or cannot be read.

    A large video at the end would keep one worker busy while the others have nothing left:
    taken first, they end together (Graham 1969, longest processing time first).
    """
    try:
        return Path(path).stat().st_size
    except OSError:  # a URL; or a file that is gone, which is reported when it is its turn
        return 0


class _StoreBuffer:
    """Rows on their way to the store.

    They are written often enough to lose little, seldom enough to make few files.
    """

    def __init__(self, store: FeatureStore, backbones: Sequence[Backbone]) -> None:
        self._store = store
        self._specs = {backbone.spec.name: backbone.spec for backbone in backbones}
        self._rows: dict[str, dict[str, ClipFeatures]] = {name: {} for name in self._specs}
        self._clips = 0
        self._flushed = time.monotonic()

    def __enter__(self) -> _StoreBuffer:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def add(self, outcome: ClipOutcome) -> None:
        for name, features in outcome.features.items():
            key = row_key(self._specs[name], outcome.clip, outcome.digest)
            self._rows[name][key] = features
        self._clips += 1
        late = time.monotonic() - self._flushed > _FLUSH_SECONDS
        if late or self._clips >= _FLUSH_CLIPS:
            self.flush()

    def flush(self) -> None:
        for name, rows in self._rows.items():
            self._store.write(self._specs[name], rows)
            rows.clear()
        self._clips, self._flushed = 0, time.monotonic()
