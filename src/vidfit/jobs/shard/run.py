"""The job for many clips: store them as WebDataset tar shards, for any loop and any machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from vidfit.contracts import Clip, Failure, Progress
from vidfit.errors import NotEnoughDataError, VidfitError
from vidfit.launch import HERE
from vidfit.manifest import Manifest, counted, losses, refusal
from vidfit.planning.loading import ShardChoice, shard_choice, shards_of
from vidfit.plans import Data, Layout, Plan
from vidfit.shards import ShardPart, ShardSize, layout, units_of
from vidfit.shards.index import claim, settings, unfinish, write_document, write_index
from vidfit.shards.layout import recording
from vidfit.shards.write import WriteShards, failures_of, read_part, sweep
from vidfit.study.folds import put_aside
from vidfit.study.opened import open_study
from vidfit.video import FrameLook

By = Literal["video", "frame"]

USUAL_READERS = 8
"""Where no plan says how many will read; not those of this machine: layouts are the same on all."""

MOST_BYTES = 2**30
"""Of a shard whose size was not asked for; a larger one takes long to copy, or to fetch again."""


@dataclass(frozen=True)
class ShardOptions:
    """What a user may ask of `shard`.

    Parameters
    ----------
    by
        ``"video"`` stores the files, ``"frame"`` the frames that a network looks at.
    shard_bytes, shard_clips
        When a shard is full; by the plan, or for `USUAL_READERS`, when neither is given.
    like
        Backbone whose frames are stored.
    plan
        A ``plan.json``: whose frames are stored, and how many will read.
    groups
        File that maps clips to recordings.
    holdout
        Share of the recordings, in [0, 1), put aside as test split, unless the data has one.
    workers
        Threads that read, or decode; ``None`` means one for each usable core.
    on
        Where shards are written: ``"here"``, ``"spark"`` or the address of a cluster; see
        `vidfit.launch.launcher`.
    own
        ``FILE.py:NAME`` of an encoder of one's own that the plan names.
    """

    by: By = "video"
    shard_bytes: int | None = None
    shard_clips: int | None = None
    like: str | None = None
    plan: Path | None = None
    groups: Path | None = None
    holdout: float = 0.0
    workers: int | None = None
    on: str = HERE
    own: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        for name in ("shard_bytes", "shard_clips", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise VidfitError(f"{name} is {value}; give 1 or more, or None to leave it open")
        if self.by not in get_args(By):
            raise VidfitError(f"by is {self.by!r}; valid are 'video' and 'frame'")
        if self.shard_bytes and self.shard_clips:
            raise VidfitError("give a shard's bytes or its clips, not both")
        if not 0 <= self.holdout < 1:
            raise VidfitError(f"holdout is {self.holdout}; it is a share of recordings in [0, 1)")
        if self.by == "video" and self.like:
            raise VidfitError(
                "like says which frames are stored, and by video none are; leave it away, or "
                "shard by frame"
            )
        if self.by == "frame" and not (self.like or self.plan):
            raise VidfitError(
                "by frame needs to know which frames: name a backbone with like, or a plan.json"
            )


@dataclass(frozen=True)
class Sharded:
    """What `shard` did.

    Parameters
    ----------
    document
        As ``shards.json`` has it.
    reason
        Why shards are of their size, and what is waited for.
    splits
        By split, clips and recordings.
    were_there
        Shards that an earlier run had finished.
    failures
        Clips that are not in the shards, with reasons.
    """

    document: dict[str, Any]
    reason: str
    splits: dict[str, tuple[int, int]]
    were_there: int
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...]
    wall_seconds: float


def run_shard(
    source: str | Path,
    output: Path,
    options: ShardOptions = ShardOptions(),
    progress: Progress | None = None,
) -> Sharded:
    """Store clips as tar shards in ``output``, with ``index.parquet`` and ``shards.json``.

    The same clips, split and size give the same bytes. An interrupted run is gone on with by
    the same call. What was written is itself a list of clips: ``read_manifest(output)``.

    Raises
    ------
    ManifestError
        If the clips' list cannot be understood, or its splits cut a recording.
    NotEnoughDataError
        If none of the clips can be stored, or no recordings of two classes can be held out.
    BackboneError
        If there is no such backbone.
    StoreError
        If the disk is full, or ``output`` holds shards of other settings.
    """
    options.check()
    started = time.perf_counter()
    study = open_study(source, output, options, progress, only_one_class="shard")
    place, notes = study.place, study.notes
    manifest = _split(study.manifest, options.holdout, notes)
    plan = _plan(options)
    look = _look(options, plan)
    size, choice = _size(options, plan, len(manifest.clips))
    units, failures = units_of(manifest.clips, look is not None)
    if not units:
        raise _nothing_stored(manifest, failures)
    plans = layout(units, size, look)
    facts = settings(look, size, manifest.digest)
    claim(output, facts)
    sweep(output)
    if any(read_part(shard, output) is None for shard in plans):
        unfinish(output, {shard.name for shard in plans})
    study.progress.start("shard", len(plans))
    task = WriteShards(str(output.absolute()))
    parts = [stored.part for stored in place.map(task, plans, study.progress)]
    failures += failures_of(parts)
    if not any(part.rows for part in parts):
        raise _nothing_stored(manifest, failures)
    write_index(output, parts)
    document = write_document(output, facts, parts, failures)
    return Sharded(
        document,
        _reason(choice, options, plan, (len(manifest.clips), len(plans))),
        _splits(parts),
        sum(part.was_there for part in parts),
        (*manifest.rejected, *failures),
        (*manifest.warnings, *notes),
        time.perf_counter() - started,
    )


def _nothing_stored(manifest: Manifest, failures: Sequence[Failure]) -> NotEnoughDataError:
    known = losses([*manifest.rejected, *failures], len(manifest.rejected) + len(failures))
    consequence = f"none of {counted(len(failures), 'clip')} can be stored"
    return NotEnoughDataError(refusal(known, consequence))


def _split(manifest: Manifest, share: float, notes: list[str]) -> Manifest:
    """Put recordings aside as `fit` does; clips without a label go with their recordings."""
    divided = put_aside(manifest, share, notes)
    if divided is manifest:
        return manifest
    split = {recording(clip): clip.split for clip in divided.clips}
    clips = (replace(c, split=split.get(recording(c), "train")) for c in manifest.clips)
    return replace(manifest, clips=tuple(clips))


def _plan(options: ShardOptions) -> Plan | None:
    if options.plan is None:
        return None
    from vidfit.planning.file import read_plan

    return read_plan(options.plan, options.own)


def _look(options: ShardOptions, plan: Plan | None) -> FrameLook | None:
    """Return which frames are stored; ``None`` for videos."""
    if options.by == "video":
        return None
    if options.like:
        from vidfit.backbones import load

        spec = load(options.like).spec
        return FrameLook(spec.sampling, spec.preprocessing)
    from vidfit.study.subject import sight

    if plan is None:
        raise VidfitError("by frame needs a backbone or a plan")
    seen = sight(plan.subject)
    return FrameLook(seen.sampling, seen.preprocessing)


def _size(options: ShardOptions, plan: Plan | None, clips: int) -> tuple[ShardSize, ShardChoice]:
    """Return when a shard is full, and what readers wait for with shards like that."""
    choice = shard_choice(*_readers(plan, clips))
    if options.shard_bytes or options.shard_clips:
        return ShardSize(options.shard_bytes, options.shard_clips), choice
    return ShardSize(MOST_BYTES, choice.clips), choice


def _readers(plan: Plan | None, clips: int) -> tuple[Data, Layout]:
    """Return what is read, and by how many."""
    if plan is None:
        return Data(clips, 1, clips, 0), Layout(loader_workers=USUAL_READERS)
    return replace(plan.data, clips=clips), plan.layout


def _reason(
    choice: ShardChoice, options: ShardOptions, plan: Plan | None, counts: tuple[int, int]
) -> str:
    """Say why shards are of their size, and what is waited for."""
    clips, shards = counts
    if not (options.shard_bytes or options.shard_clips):
        return choice.reason
    found = shards_of(max(1, round(clips / shards)), *_readers(plan, clips))
    return (
        f"{counted(shards, 'shard')} of about {counted(found.clips, 'clip')}, as asked for; "
        f"{found.waiting}"
    )


def _splits(parts: Sequence[ShardPart]) -> dict[str, tuple[int, int]]:
    clips: Counter[str] = Counter()
    groups: dict[str, set[str]] = {}
    for part in parts:
        for row in part.rows:
            split = row["split"] or "no split"
            clips[split] += len(row["spans"])
            groups.setdefault(split, set()).update(
                recording(Clip(row["path"], group=span["group"])) for span in row["spans"]
            )
    return {split: (count, len(groups[split])) for split, count in clips.items()}
