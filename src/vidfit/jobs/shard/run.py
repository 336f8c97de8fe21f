"""The job for many clips: store them as WebDataset tar shards, for any loop and any machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vidfit.contracts import Failure
from vidfit.errors import NotEnoughDataError, VidfitError
from vidfit.jobs.shard.options import ShardOptions
from vidfit.jobs.shard.value import Sharded
from vidfit.manifest import Manifest, counted, losses, refusal
from vidfit.planning.loading import ShardChoice, shard_choice, shards_of
from vidfit.plans import Data, Layout, Plan
from vidfit.progress import Progress
from vidfit.shards import ShardSize, layout, units_of
from vidfit.shards.index import claim, outdated, settings, unfinish, write_document, write_index
from vidfit.shards.layout import recording
from vidfit.shards.write import WriteShards, failures_of, read_part, sweep
from vidfit.study.folds import put_aside
from vidfit.study.opened import open_study
from vidfit.video import FrameLook

USUAL_READERS = 8
"""Where no plan says how many will read; not those of this machine: layouts are the same on all."""

MOST_BYTES = 2**30
"""Of a shard whose size was not asked for; a larger one takes long to copy, or to fetch again."""


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
    old = outdated(output, {shard.name for shard in plans})
    if old or any(read_part(shard, output) is None for shard in plans):
        unfinish(output, old)
    study.progress.start("shard", len(plans))
    task = WriteShards(str(output.absolute()))
    parts = list(place.map(task, plans, study.progress))
    failures += failures_of(parts)
    if not any(part.samples for part in parts):
        raise _nothing_stored(manifest, failures)
    totals = write_index(output, parts)
    document = write_document(output, facts, parts, totals, failures)
    return Sharded(
        document,
        _reason(choice, options, plan, (len(manifest.clips), len(plans))),
        totals.splits,
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
