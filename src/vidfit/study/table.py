"""Clips with one vector each from every backbone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import (
    Backbone,
    Clip,
    ClipFeatures,
    Failure,
    Floats,
    Note,
    Seconds,
    Truth,
    clip_key,
)
from vidfit.errors import BackboneError, NotEnoughDataError
from vidfit.features import FeatureStore, Pooling, time_steps
from vidfit.features.digests import row_key
from vidfit.features.extract import Extraction, extract_all
from vidfit.features.fingerprint import NAME, fingerprint
from vidfit.features.on_disk import Shelf
from vidfit.labels import Kind
from vidfit.manifest import counted, losses, refusal
from vidfit.progress import Progress
from vidfit.selection import Rows
from vidfit.tasks import CLASSIFY, Task
from vidfit.work import Launcher


@dataclass(frozen=True)
class Table:
    """Clips with their vectors: one row, or entry, a clip.

    ``vectors`` [M, D] by backbone; ``hashes`` are fingerprints for the leak audit; ``seconds_M``
    is how long each clip is; ``steps`` [M, STEPS * D] by backbone, where a network wants them.
    ``labels_M`` is the truth of any kind of label (`vidfit.labels`).
    """

    clips: tuple[Clip, ...]
    classes: tuple[str, ...]
    labels_M: Truth
    vectors: dict[str, Floats]
    hashes: tuple[Floats, ...]
    seconds_M: Seconds
    steps: dict[str, Floats] = field(default_factory=dict)
    task: Task = CLASSIFY

    @property
    def kind(self) -> Kind:
        """What labels and answers are."""
        return self.task.kind

    @property
    def groups(self) -> list[str]:
        """The recording of each clip."""
        return [clip.recording for clip in self.clips]

    @property
    def keys(self) -> list[str]:
        """The name of each clip in reports."""
        return [clip_key(clip) for clip in self.clips]

    @property
    def rows(self) -> Rows:
        """Vectors, labels and recordings."""
        return Rows(self.vectors, self.labels_M, self.groups, self.steps, self.task)

    def only(self, backbones: Sequence[str]) -> Table:
        """Return the same clips with the vectors of some backbones."""
        return replace(
            self,
            vectors={name: self.vectors[name] for name in backbones},
            steps={name: self.steps[name] for name in backbones if name in self.steps},
        )

    def split(self) -> tuple[Table, Table]:
        """Return the clips to learn from, and those of the test split."""
        test_M = np.array([clip.split == "test" for clip in self.clips])
        return self.where(~test_M), self.where(test_M)

    def of_classes(self, classes: Sequence[str]) -> Table:
        """Return the clips of some classes, numbered anew."""
        if tuple(classes) == self.classes:
            return self
        some = self
        kept = [bool(self.kind.of_classes([clip], classes)) for clip in self.clips]
        if not all(kept):
            some = self.where(np.array(kept, np.bool_))
        truth = self.kind.truth(some.clips, classes)
        return replace(some, classes=tuple(classes), labels_M=truth)

    def where(self, keep_M: NDArray[np.bool_]) -> Table:
        """Return the clips for which ``keep_M`` is true."""
        rows = np.flatnonzero(keep_M)
        return Table(
            tuple(self.clips[i] for i in rows),
            self.classes,
            self.labels_M[rows],
            {name: x_MD[rows] for name, x_MD in self.vectors.items()},
            tuple(self.hashes[i] for i in rows),
            self.seconds_M[rows],
            {name: x_MX[rows] for name, x_MX in self.steps.items()},
            self.task,
        )


@dataclass(frozen=True)
class Tally:
    """Clips that could not be read and backbones that could not answer, with reasons.

    ``seconds`` of decode and inference, added over threads, that were spent now; ``notes`` says
    what should be known of clips that were read.
    """

    clips: tuple[Failure, ...]
    backbones: tuple[Failure, ...]
    seconds: float
    notes: tuple[Note, ...] = ()


def build_table(  # noqa: PLR0913  (where clips are seen, and what is kept of them)
    clips: Sequence[Clip],
    backbones: Sequence[Backbone],
    store: FeatureStore,
    place: Launcher,
    progress: Progress,
    *,
    steps: bool = False,
    task: Task = CLASSIFY,
) -> tuple[Table, Tally]:
    """Extract the features that are missing, then pool them.

    Parameters
    ----------
    steps
        Whether to keep them by steps in time, too.
    task
        What is asked of the clips.

    Raises
    ------
    NotEnoughDataError
        If fewer than two classes have readable clips.
    BackboneError
        If every backbone failed.
    StoreError
        If features cannot be written, or are gone when they are read.
    """
    audit = fingerprint()
    encoders = [*backbones, audit]

    def read(done: Extraction) -> _Rows | None:
        rows = _rows(store, encoders, done, task.pooling, steps)
        return rows if rows.complete(done) else None

    done, rows = extract_all(clips, encoders, store, place, progress, read)
    tally = Tally(
        tuple(
            Failure(clip_key(clip), reason.removeprefix(f"{clip.path}: "))
            for clip, reason in done.failures.items()
        ),
        tuple(Failure(name, reason) for name, reason in done.backbone_failures.items()),
        done.decode_seconds + sum(done.forward_seconds.values()),
    )
    blind = [Failure(name, f"no clip has what it sees: {why}") for name, why in rows.lacks.items()]
    tally, rows = replace(tally, backbones=(*tally.backbones, *blind)), rows.without_lacking()
    if not rows.vectors:
        raise BackboneError(f"every backbone failed: {tally.backbones}")
    readable = [clip for clip in clips if clip in done.digests]
    tally = replace(tally, notes=tuple(rows.noted(readable)))
    classes = _classes(readable, len(clips), tally, task)
    digests = [done.digests[clip] for clip in readable]
    seen = [rows.seen[digest] for digest in digests]
    return Table(
        tuple(readable),
        classes,
        task.kind.truth(readable, classes),
        {name: of.rows(rows.of(name, readable)) for name, of in rows.vectors.items()},
        tuple(features.tokens_ND for features in seen),
        np.array([_seconds(c, rows, d) for c, d in zip(readable, digests, strict=True)]),
        {
            name: np.stack([of[key] for key in rows.of(name, readable)])
            for name, of in rows.steps.items()
            if name in rows.vectors
        },
        task,
    ), tally


@dataclass(frozen=True)
class _Rows:
    """Vectors by backbone and row of the store, fingerprints by digest of the clip.

    ``keys`` says which row is a clip's, by backbone; ``notes`` what should be known of it;
    ``lacks`` why backbones saw nothing in any clip; ``lengths`` how long sound is, in seconds.
    """

    vectors: dict[str, Shelf]
    steps: dict[str, dict[str, Floats]]
    seen: dict[str, ClipFeatures]
    keys: dict[str, dict[Clip, str]]
    lengths: dict[str, float] = field(default_factory=dict)
    notes: dict[str, dict[str, str]] = field(default_factory=dict)
    lacks: dict[str, str] = field(default_factory=dict)

    def complete(self, done: Extraction) -> bool:
        """Whether every readable clip has its rows."""
        wanted = set(done.digests.values())
        return wanted <= self.seen.keys() and all(
            set(self.keys[name].values()) <= set(of) for name, of in self.vectors.items()
        )

    def of(self, name: str, clips: Sequence[Clip]) -> list[str]:
        """Return the rows of clips by one backbone."""
        return [self.keys[name][clip] for clip in clips]

    def without_lacking(self) -> _Rows:
        """Return the rows of backbones that saw something."""
        vectors = {name: of for name, of in self.vectors.items() if name not in self.lacks}
        return replace(self, vectors=vectors)

    def noted(self, clips: Sequence[Clip]) -> Iterator[Note]:
        """Yield what should be known of clips."""
        for clip in clips:
            found = (of.get(self.keys[name][clip], "") for name, of in self.notes.items())
            said = dict.fromkeys(text.replace(f"{clip.path}: ", "") for text in found if text)
            if said:
                yield Note(clip_key(clip), "; ".join(said))


def _rows(
    store: FeatureStore,
    encoders: Sequence[Backbone],
    done: Extraction,
    pooling: Pooling,
    steps: bool,
) -> _Rows:
    """Read what the backbones that did not fail, and the fingerprint, saw in the clips."""
    if NAME in done.backbone_failures:
        raise BackboneError(f"clips cannot be fingerprinted: {done.backbone_failures[NAME]}")
    *alive, audit = [b for b in encoders if b.spec.name not in done.backbone_failures]
    digests = set(done.digests.values())
    rows = _Rows({}, {}, {d: seen for d, seen in store.rows(audit.spec) if d in digests}, {})
    for backbone in alive:
        spec, pool = backbone.spec, pooling.of(backbone)
        keys = rows.keys[spec.name] = {c: row_key(spec, c, d) for c, d in done.digests.items()}
        wanted = set(keys.values())
        vectors = rows.vectors[spec.name] = Shelf(store.root if pooling.on_disk else None)
        in_time = rows.steps.setdefault(spec.name, {}) if steps else None
        notes = rows.notes.setdefault(spec.name, {})
        sees = False
        for key, features in store.rows(spec):
            if key in wanted:
                sees = sees or len(features.tokens_ND) > 0
                if spec.sees == "sound":
                    rows.lengths[key] = _span_of(features)
                lacks = "" if len(features.tokens_ND) else f"nothing for {spec.name}: "
                if features.note:
                    notes[key] = lacks + features.note
                vectors.put(key, pool(features.tokens_ND))
                if in_time is not None:
                    in_time[key] = time_steps(features.tokens_ND)
        if notes and not sees:
            rows.lacks[spec.name] = next(iter(notes.values()))
    return rows


def _classes(readable: Sequence[Clip], asked: int, tally: Tally, task: Task) -> tuple[str, ...]:
    kind = task.kind
    classes = kind.classes(readable)
    if len(classes) < (2 if kind.exclusive else 1):
        consequence = (
            f"{len(readable)} of {counted(asked, task.row)} can be read, of "
            f"{', '.join(map(repr, classes)) or 'no class'}; two classes or more are needed"
        )
        raise NotEnoughDataError(refusal(losses(tally.clips, asked), consequence))
    return classes


def _seconds(clip: Clip, rows: _Rows, digest: str) -> float:
    """Return how long a clip is: by its frames, or else its sound; 0 of words alone."""
    if clip.end_seconds is not None:
        return clip.end_seconds - clip.start_seconds
    seen = rows.seen[digest]
    return _span_of(seen) if len(seen.pts_seconds) else rows.lengths.get(digest, 0.0)


def _span_of(seen: ClipFeatures) -> float:
    """Return the seconds that moments at the centres of n equal parts stand for.

    They span (n - 1) / n of it.
    """
    count = len(seen.pts_seconds)
    return float(np.ptp(seen.pts_seconds)) * count / max(count - 1, 1) if count else 0.0
