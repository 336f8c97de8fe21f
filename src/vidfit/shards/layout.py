"""Which clips go into which shard: a pure function of the clips, their sizes and the split.

Shards hold clips of one split. Recordings stand in a mixed but fixed order, by the hash of
their names, so that a shard holds several classes; the clips of a recording stand together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vidfit.contracts import Clip
from vidfit.documents import to_json
from vidfit.errors import ManifestError
from vidfit.shown import counted
from vidfit.video import FrameLook
from vidfit.video.archive import BLOCK_BYTES, blocks

SPLITS = ("train", "val", "test", None)
NO_SPLIT = "clips"
"""What shards of clips without a split are called."""

NPY_HEADER_BYTES = 128
"""Of numpy's format 1.0, for an array of three dimensions."""

END_BYTES = 2 * BLOCK_BYTES
"""A tar ends in two empty blocks."""

_WIDEST = {
    "view": 10**6, "time": 10**6, "index": 10**10,
    "pts_seconds": -1.2345678901234567e-300, "duration_seconds": -1.2345678901234567e-300,
}  # fmt: skip
"""What is not known before a clip is decoded, at its longest."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What stands together in a shard: a video with its clips, or the frames of one clip.

    Parameters
    ----------
    key
        Its name in the shard, without a suffix.
    path
        Where it is read from.
    name
        The path below the folder of the clips, or the path itself.
    suffix
        Of the video's name in the shard, with its dot.
    clips, rows
        The spans of the video, and their places in the list of clips.
    size_bytes
        Of the video.
    stamp
        When the video was changed last, in nanoseconds; 0 where that is not known. It decides
        on whether a shard must be written again, never on what is in it.
    """

    key: str
    path: str
    name: str
    suffix: str
    clips: tuple[Clip, ...]
    rows: tuple[int, ...]
    size_bytes: int
    stamp: int = 0


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """A shard that is to be written: ``look`` says which frames, or is ``None`` for videos."""

    name: str
    units: tuple[Unit, ...]
    look: FrameLook | None = None

    @property
    def digest(self) -> str:
        """What identifies the shard: the same plan of unchanged videos gives the same bytes."""
        return hashlib.sha256(f"vidfit shard 1 {self!r}".encode()).hexdigest()

    @property
    def size_bytes(self) -> int:
        """How large the shard becomes, where all of its clips can be read."""
        return sum(unit_bytes(unit, self.look) for unit in self.units) + END_BYTES


@dataclass(frozen=True, slots=True)
class ShardSize:
    """When a shard is full: by its bytes, or by its clips."""

    most_bytes: int | None = None
    most_clips: int | None = None


def layout(
    units: Sequence[Unit], size: ShardSize, look: FrameLook | None = None
) -> list[ShardPlan]:
    """Deal units to shards, in a fixed order.

    Parameters
    ----------
    units
        As `vidfit.shards.units_of` gives them.
    size
        When a shard is full. A unit that is larger is a shard of its own.
    look
        Which frames are stored; ``None`` stores videos.

    Raises
    ------
    ManifestError
        If the splits cut a recording.
    """
    by_split: dict[str | None, dict[str, list[Unit]]] = {split: {} for split in SPLITS}
    for unit in units:
        by_split[unit.clips[0].split].setdefault(recording(unit.clips[0]), []).append(unit)
    _check_uncut(units)
    plans = []
    for split, recordings in by_split.items():
        names = sorted(recordings, key=lambda name: hashlib.sha256(name.encode()).digest())
        ordered = (unit for name in names for unit in recordings[name])
        for number, some in enumerate(_filled(ordered, size, look)):
            plans.append(ShardPlan(f"{split or NO_SPLIT}-{number:06d}.tar", some, look))
    return plans


def recording(clip: Clip) -> str:
    """Return the recording of a clip; one without is its own."""
    return clip.path if clip.group is None else clip.group


def _check_uncut(units: Iterable[Unit]) -> None:
    first: dict[str, str | None] = {}
    splits: dict[str, set[str | None]] = {}
    for unit in units:
        for clip in unit.clips:
            name = recording(clip)
            if clip.split != (split := first.setdefault(name, clip.split)):
                splits.setdefault(name, {split}).add(clip.split)
    cut = sorted(splits)
    if cut:
        parts = ", ".join(sorted(str(split or "none") for split in splits[cut[0]]))
        raise ManifestError(
            f"the split of these clips cuts {counted(len(cut), 'recording')}: {cut[0]!r} stands "
            f"in {parts}. "
            "Correct the split, say which clips come from one recording (--groups), or leave the "
            "split away and put recordings aside with --holdout"
        )


def _filled(
    units: Iterable[Unit], size: ShardSize, look: FrameLook | None
) -> Iterator[tuple[Unit, ...]]:
    shard: list[Unit] = []
    total = clips = 0
    for unit in units:
        added = unit_bytes(unit, look)
        full = size.most_bytes is not None and total + added + END_BYTES > size.most_bytes
        full = full or (size.most_clips is not None and clips + len(unit.clips) > size.most_clips)
        if shard and full:
            yield tuple(shard)
            shard, total, clips = [], 0, 0
        shard.append(unit)
        total, clips = total + added, clips + len(unit.clips)
    if shard:
        yield tuple(shard)


# ---------------------------------------------------------------- sizes


def unit_bytes(unit: Unit, look: FrameLook | None) -> int:
    """Return the bytes that a unit takes in a shard, headers included; known before reading."""
    if look is None:
        told = video_json(unit, "0" * 64)
        return 2 * BLOCK_BYTES + blocks(unit.size_bytes) + blocks(len(told))
    frames = look.sampling.num_clips * look.sampling.clip_len
    size = look.preprocessing
    pixels = NPY_HEADER_BYTES + size.height_pixels * size.width_pixels * 3
    return frames * (2 * BLOCK_BYTES + blocks(pixels) + frame_json_bytes(unit, look))


def video_json(unit: Unit, digest: str) -> bytes:
    """Return what is written beside a video."""
    facts = {**_facts(unit), "sha256": digest, "clips": [_span(clip) for clip in unit.clips]}
    return _encoded(facts)


def frame_json(unit: Unit, look: FrameLook, known: dict[str, Any]) -> bytes:
    """Return what is written beside a frame; filled up, so that all of a clip are equally long."""
    facts = {**_facts(unit), **look.facts, **_span(unit.clips[0]), **known}
    return _encoded(facts).ljust(frame_json_bytes(unit, look))


def frame_json_bytes(unit: Unit, look: FrameLook) -> int:
    """Return how long the texts beside the frames of a clip are."""
    widest = {**_facts(unit), **look.facts, **_span(unit.clips[0]), **_WIDEST, "content": "0" * 64}
    return blocks(len(_encoded(widest)))


def _facts(unit: Unit) -> dict[str, Any]:
    clip = unit.clips[0]
    return {
        "label": clip.label, "group": clip.group, "split": clip.split, "text": clip.text,
        "path": unit.name,
    }  # fmt: skip


def _span(clip: Clip) -> dict[str, Any]:
    return {
        "start_seconds": clip.start_seconds, "end_seconds": clip.end_seconds,
        "label": clip.label, "text": clip.text,
    }  # fmt: skip


def _encoded(facts: dict[str, Any]) -> bytes:
    return to_json(facts, ascii_only=False, sort_keys=True).encode("utf-8", "backslashreplace")
