"""Copies of one clip in several recordings: what is learned from one would answer the other.

`joined` is the one place where they are looked for, before anything is split.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vidfit.contracts import Backbone, Clip, ClipFeatures, clip_key
from vidfit.errors import BackboneError
from vidfit.evaluate import merge_groups, near_duplicates
from vidfit.features import FeatureStore
from vidfit.features.extract import Extraction, extract_all
from vidfit.features.fingerprint import NAME, fingerprint
from vidfit.features.frames import are_stored
from vidfit.manifest import Manifest, counted
from vidfit.progress import Progress
from vidfit.reported import NearDuplicate
from vidfit.video.names import is_sound_path
from vidfit.work import Launcher

COPY_BITS = 2.0
"""Clips nearer than that, of 64 bits a frame, are copies of one another.

So that no more clips are called so that one fixed camera took at two times than when four frames
at fixed places were compared, within 3 bits (`benchmarks.copies`).
"""

_NAMED = 5


@dataclass(frozen=True)
class Joined:
    """Clips whose recordings hold no copies of one another.

    Parameters
    ----------
    manifest
        The clips with joined recordings; its warnings say what was joined and left out, and
        which labels contradict each other.
    look_alikes
        Pairs of clips that look the same, of recordings as they were before, nearest first.
    seconds
        Seconds of decode and inference, added over threads, that were spent now.
    """

    manifest: Manifest
    look_alikes: tuple[NearDuplicate, ...]
    seconds: float


def joined(  # noqa: PLR0913  (where clips are seen, and what copies are)
    manifest: Manifest,
    store: FeatureStore,
    place: Launcher,
    progress: Progress,
    *,
    beside: Sequence[Backbone] = (),
    join_bits: float = COPY_BITS,
    windows: bool = False,
) -> Joined:
    """Count recordings that hold copies of one clip as one, and name what follows from that.

    Clips are copies when their content is the same to the byte, or their fingerprints lie near
    each other. Where the data has a test split of its own, it stays as it is, and what is a copy
    of one of its clips is left out of the others: no joined recording stands on both sides.

    Parameters
    ----------
    manifest
        Clips that a job works with. Those that cannot be read keep their recording.
    store
        Where fingerprints are kept: later runs read them.
    beside
        Encoders that will run on all of these clips anyway: they share the decode.
    join_bits
        Clips nearer than that, of 64 bits a frame, join their recordings.
    windows
        Whether clips are windows of long videos: a camera that stands still sees the same empty
        room in all of them, so that only windows that are the same to the byte are copies.

    Raises
    ------
    BackboneError
        If clips cannot be fingerprinted.
    StoreError
        If fingerprints cannot be written, or are gone when they are read.
    """
    if not manifest.clips:
        return Joined(manifest, (), 0.0)
    if are_stored(manifest.clips):  # frames of one network's size, from which no hash is made
        line = "Shards hold frames alone: copies of clips in several recordings are not looked for."
        return Joined(_warned(manifest, [line], progress), (), 0.0)
    audit = fingerprint()

    def read(done: Extraction) -> dict[str, ClipFeatures] | None:
        if NAME in done.backbone_failures:
            raise BackboneError(f"clips cannot be fingerprinted: {done.backbone_failures[NAME]}")
        wanted = set(done.digests.values())
        seen = {digest: one for digest, one in store.rows(audit.spec) if digest in wanted}
        return seen if wanted <= seen.keys() else None

    encoders = [*beside, audit]
    done, seen = extract_all(manifest.clips, encoders, store, place, progress, read)
    heard = {clip: digest for clip, digest in done.unseen.items() if is_sound_path(clip.path)}
    known = {**heard, **done.digests}  # sound has no pictures, and may be the same to the byte
    clips = [clip for clip in manifest.clips if clip in known]
    digests = [known[clip] for clip in clips]
    pairs: tuple[NearDuplicate, ...] = ()
    if not windows:
        pairs = near_duplicates(
            [clip_key(clip) for clip in clips],
            [clip.recording for clip in clips],
            [seen[d].tokens_ND if d in seen else np.zeros((0, 1), np.float32) for d in digests],
        )
    found = _Found(tuple(clips), tuple(digests), pairs, join_bits)
    lines = [found.left_out_line, found.joined_line]
    if not windows and manifest.kind.averages:  # boxes and masks are never drawn alike twice
        lines += found.contradictions
    return Joined(
        _warned(found.applied_to(manifest), [line for line in lines if line], progress),
        found.look_alikes,
        done.decode_seconds + sum(done.forward_seconds.values()),
    )


def _warned(manifest: Manifest, lines: Sequence[str], progress: Progress) -> Manifest:
    for line in lines:
        progress.note(line)
    return replace(manifest, warnings=(*manifest.warnings, *lines))


@dataclass(frozen=True)
class _Found:
    """Readable clips [M] with their digests, and the pairs of recordings that look the same."""

    clips: tuple[Clip, ...]
    digests: tuple[str, ...]
    near: tuple[NearDuplicate, ...]
    join_bits: float

    def applied_to(self, manifest: Manifest) -> Manifest:
        """Return the clips with joined recordings, without those that are left out."""
        gone = {self.clips[i] for i in self.left_out}
        kept = [clip for clip in manifest.clips if clip not in gone]
        kind = manifest.kind
        learned = kind.classes([clip for clip in kept if clip.split != "test"])
        emptied = {*kind.classes([*gone])}.difference(learned)
        group_of = self.groups
        clips = (
            replace(clip, group=group_of.get(clip.recording, clip.group))
            for clip in kept
            if clip.label is None or not _is_of(kind.classes([clip]), emptied)
        )
        return replace(manifest, clips=tuple(clips))

    @cached_property
    def look_alikes(self) -> tuple[NearDuplicate, ...]:
        """Pairs of different recordings, those that are the same to the byte included."""
        hashed = {(pair.first, pair.second) for pair in self.near}
        flat = [
            pair
            for pair in (self._pair(i, j) for i, j in self._same if self._apart(i, j))
            if (pair.first, pair.second) not in hashed
        ]
        return (*flat, *self.near)

    @cached_property
    def _same(self) -> list[tuple[int, int]]:
        """Rows of clips of the same content: the first of them with each of the others."""
        rows: dict[str, list[int]] = defaultdict(list)
        for i, digest in enumerate(self.digests):
            rows[digest].append(i)
        return [(first, other) for first, *others in rows.values() for other in others]

    def _pair(self, i: int, j: int) -> NearDuplicate:
        return NearDuplicate(clip_key(self.clips[i]), clip_key(self.clips[j]), 0.0)

    def _apart(self, i: int, j: int) -> bool:
        first, other = self.clips[i], self.clips[j]
        return first.recording != other.recording

    def _within(self, bits: float) -> list[NearDuplicate]:
        return [pair for pair in self.look_alikes if pair.distance_bits < bits]

    @cached_property
    def left_out(self) -> list[int]:
        """Rows of clips outside the test split that are copies of one inside it."""
        tested = {clip_key(clip) for clip in self.clips if clip.split == "test"}
        content = {d for d, c in zip(self.digests, self.clips, strict=True) if c.split == "test"}
        copies = {
            key
            for pair in self._within(self.join_bits)
            for key, other in ((pair.first, pair.second), (pair.second, pair.first))
            if other in tested
        }
        return [
            i
            for i, (clip, digest) in enumerate(zip(self.clips, self.digests, strict=True))
            if clip.split != "test" and (digest in content or clip_key(clip) in copies)
        ]

    @cached_property
    def _to_join(self) -> list[NearDuplicate]:
        gone = {clip_key(self.clips[i]) for i in self.left_out}
        return [p for p in self._within(self.join_bits) if not {p.first, p.second} & gone]

    @cached_property
    def groups(self) -> dict[str, str]:
        """The joined recording of each recording."""
        keys = [clip_key(clip) for clip in self.clips]
        names = [clip.recording for clip in self.clips]
        return dict(zip(names, merge_groups(keys, names, self._to_join), strict=True))

    @property
    def joined_line(self) -> str:
        """What was joined, or nothing."""
        before, after = len(self.groups), len(set(self.groups.values()))
        if before == after:
            return ""
        what = "copies of one clip" if self.join_bits <= COPY_BITS else "clips that look the same"
        first = self._to_join[0]
        return (
            f"Recordings that hold {what} count as one ({first.first} and {first.second}): "
            f"{after} instead of {before}."
        )

    @property
    def left_out_line(self) -> str:
        """Which clips were left out of the training side, or nothing."""
        names = [clip_key(self.clips[i]) for i in self.left_out]
        if not names:
            return ""
        return (
            f"Not learned from, for they are copies of clips of the test split: "
            f"{counted(len(names), 'clip')} ({_listed(names)}). A class of which no other clip is "
            "left is not tested either."
        )

    @property
    def contradictions(self) -> list[str]:
        """One sentence on copies that bear different labels, or none."""
        by_key = {clip_key(clip): clip for clip in self.clips}
        pairs = [(by_key[p.first], by_key[p.second]) for p in self._within(COPY_BITS)]
        inside = [(i, j) for i, j in self._same if not self._apart(i, j)]
        pairs += [(self.clips[i], self.clips[j]) for i, j in inside]
        against = [
            f"{clip_key(a)} ({a.label}) and {clip_key(b)} ({b.label})"
            for a, b in pairs
            if a.label is not None and b.label is not None and a.label != b.label
        ]
        if not against:
            return []
        count = counted(len(against), "pair of copies bears", "pairs of copies bear")
        return [
            f"{count} labels that contradict each other: {_listed(against)}. At most one of two "
            "such labels is right."
        ]


def _is_of(classes: Sequence[str], emptied: set[str]) -> bool:
    """Return whether a clip shows nothing but classes that no clip is left to learn."""
    return bool(classes) and emptied.issuperset(classes)


def _listed(names: Sequence[str]) -> str:
    more = f"; and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + more
