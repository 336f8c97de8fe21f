"""Reading samples from shards against loose files, plain WebDataset, and the speed of the disk.

Each way gives the same samples with their labels: frames as arrays, or the bytes of videos.
"Cold" has asked the system to drop the files from its cache (``posix_fadvise``) before each
pass; what lies below this machine may keep them. "Shuffled" is as each way does it: files and
vidfit by a permutation, WebDataset by shards and a buffer.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _clips
from benchmarks._harness import (
    arguments,
    environment,
    finish,
    interleaved,
    load,
    measure,
    median_ratio,
    median_wall,
    table,
    walls,
)

ENCODER = "efficientnet-lite0"
BUFFER_SAMPLES = 1000
"""Of WebDataset's shuffling."""

WAYS = ("loose files", "webdataset", "vidfit")
LIMIT = "sequential read"


@dataclass(frozen=True, slots=True)
class Stored:
    """The same samples as shards and as loose files."""

    kind: str
    shards: Path
    loose: Path
    samples: int
    size_bytes: int


def main() -> None:
    options = _options()
    start = environment()
    print(f"{start['machine']['processor']}, {start['load']}")
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        clips = _source(options.clips, Path(scratch), options.count)
        stored = [_stored(kind, clips, Path(scratch)) for kind in ("frame", "video")]
        figures: dict[str, Any] = {}
        for one in stored:
            figures |= _read(one, options.rounds)
        figures["write"] = _written(clips, Path(scratch), options.rounds)
        figures["open"] = _opened(clips, stored[1], options.rounds)
    ratio = figures["frame"]["shuffled, warm"]["over webdataset"]
    headline = (
        f"frames in shuffled order, warm: vidfit reads {ratio:.2f} times as fast as plain "
        f"WebDataset (bar 1.00), {figures['frame']['shuffled, cold']['over loose files']:.2f} "
        "times as fast as loose files when cold"
    )
    finish(options, figures, start, headline, met=ratio >= 1)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--clips", type=Path, help="folder of clips (surveillance, else demo)")
    parser.add_argument("--count", type=int, help="clips (300; quick 40)")
    parser.add_argument("--rounds", type=int, help="interleaved passes (7; quick 3)")
    parser.add_argument("--scratch", type=Path, help="folder on the disk to measure")
    options = parser.parse_args()
    options.count = options.count or (40 if options.quick else 300)
    options.rounds = options.rounds or (3 if options.quick else 7)
    return options


def _source(given: Path | None, scratch: Path, count: int) -> Path:
    """Write a list of clips: those given, surveillance, or cuts of the demo's footage."""
    from vidfit.manifest import read_manifest, write_manifest

    folder = given or _clips.SURVEILLANCE
    if not folder.is_dir():
        folder = scratch / "footage" / "clips"
        folder.mkdir(parents=True)
        _clips.high_definition(folder, min(count, 24))
    manifest = read_manifest(folder)
    some = np.unique(np.linspace(0, len(manifest) - 1, count).astype(int))
    path = scratch / "clips.csv"
    write_manifest(replace(manifest, clips=tuple(manifest.clips[i] for i in some)), path)
    return path


def _stored(kind: str, clips: Path, scratch: Path) -> Stored:
    from vidfit.jobs.shard.options import ShardOptions
    from vidfit.jobs.shard.run import run_shard
    from vidfit.shards.stream import Samples

    shards, loose = scratch / kind, scratch / f"loose-{kind}"
    like = ENCODER if kind == "frame" else None
    done = run_shard(clips, shards, ShardOptions(kind, like=like))  # type: ignore[arg-type]
    for sample in Samples(shards, shuffle=False):
        for suffix, content in sample.members.items():
            path = loose / f"{sample.key}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    totals = done.document["totals"]
    os.sync()
    print(
        f"by {kind}: {totals['samples']} samples, {totals['bytes'] / 1e6:.0f} MB in "
        f"{totals['shards']} shards"
    )
    return Stored(kind, shards, loose, totals["samples"], totals["bytes"])


# ---------------------------------------------------------------- reading


def _read(stored: Stored, rounds: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    rows = []
    for shuffled in (False, True):
        for cold in (True, False):
            name = f"{'shuffled' if shuffled else 'in order'}, {'cold' if cold else 'warm'}"
            figures[name], some = _setting(stored, shuffled, cold, rounds, name)
            rows += some
    print(f"\nby {stored.kind}")
    table(["order", "way", "samples/s", "MB/s", "of the limit"], rows)
    return {stored.kind: figures}


def _setting(
    stored: Stored, shuffled: bool, cold: bool, rounds: int, name: str
) -> tuple[dict[str, Any], list[list[str]]]:
    readers = {way: _reader(way, stored, shuffled) for way in WAYS}
    readers[LIMIT] = lambda: _sequential(stored.shards)

    def stage(way: str) -> Callable[[], Any]:
        def run() -> Any:
            _prepare(stored, cold)
            counts: list[int] = []
            cost = measure(lambda: counts.append(sum(1 for _ in readers[way]())))
            if way != LIMIT and counts != [stored.samples]:
                raise SystemExit(f"{way} gave {counts} samples, {stored.samples} expected")
            return cost

        return run

    costs = interleaved({way: stage(way) for way in readers}, rounds, lambda text: None)
    limit = median_wall(costs[LIMIT])
    figures: dict[str, Any] = {
        way: {"walls": walls(of_way), "samples/s": stored.samples / median_wall(of_way)}
        for way, of_way in costs.items()
    }
    for way in ("loose files", "webdataset"):
        figures[f"over {way}"] = median_ratio(walls(costs[way]), walls(costs["vidfit"]))
    rows = [
        [
            f"{name}" if way == WAYS[0] else "",
            way,
            "" if way == LIMIT else f"{stored.samples / median_wall(of_way):.0f}",
            f"{stored.size_bytes / 1e6 / median_wall(of_way):.0f}",
            f"{limit / median_wall(of_way):.0%}",
        ]
        for way, of_way in costs.items()
    ]
    return figures, rows


def _prepare(stored: Stored, cold: bool) -> None:
    """Drop the files from the cache, or bring them into it."""
    for root in (stored.shards, stored.loose):
        for path in root.rglob("*"):
            if not path.is_file():
                continue
            with path.open("rb", buffering=0) as stream:
                if cold:
                    os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                else:
                    while stream.read(1 << 22):
                        pass


def _reader(way: str, stored: Stored, shuffled: bool) -> Callable[[], Iterable[Any]]:
    if way == "loose files":
        return lambda: _loose(stored, shuffled)
    if way == "webdataset":
        return lambda: _webdataset(stored, shuffled)
    return lambda: _vidfit(stored, shuffled)


def _loose(stored: Stored, shuffled: bool) -> Iterator[Any]:
    facts = sorted(stored.loose.rglob("*.json"))
    if shuffled:
        random.Random(0).shuffle(facts)
    suffix = ".npy" if stored.kind == "frame" else ".mp4"
    for path in facts:
        told = json.loads(path.read_bytes())
        content = path.with_suffix(suffix)
        yield (np.load(content) if stored.kind == "frame" else content.read_bytes()), told


def _webdataset(stored: Stored, shuffled: bool) -> Iterable[Any]:
    import webdataset

    urls = sorted(str(path) for path in stored.shards.glob("*.tar"))
    data = webdataset.WebDataset(urls, shardshuffle=len(urls) if shuffled else False, seed=0)
    if shuffled:
        data = data.shuffle(BUFFER_SAMPLES, seed=0)
    decoded: Iterable[Any] = data.decode(only=None if stored.kind == "frame" else ["json"])
    return decoded


def _vidfit(stored: Stored, shuffled: bool) -> Iterator[Any]:
    from vidfit.shards.stream import Samples

    for sample in Samples(stored.shards, shuffle=shuffled):
        yield (sample.frame_HWC if stored.kind == "frame" else sample.video), sample.facts


def _sequential(folder: Path) -> Iterator[int]:
    """Read shards from end to end: what the disk, or its cache, gives at most."""
    block = bytearray(1 << 22)
    for path in sorted(folder.glob("*.tar")):
        with path.open("rb", buffering=0) as stream:
            while size := stream.readinto(block):
                yield size


# ---------------------------------------------------------------- writing and opening


def _written(clips: Path, scratch: Path, rounds: int) -> dict[str, Any]:
    """Write videos as shards: vidfit with digests and an index, WebDataset without."""
    import shutil

    import webdataset

    from vidfit.jobs.shard.options import ShardOptions
    from vidfit.jobs.shard.run import run_shard
    from vidfit.manifest import read_manifest

    manifest = read_manifest(clips)
    size = sum(Path(clip.path).stat().st_size for clip in manifest.clips)

    def own(workers: int) -> Any:
        shutil.rmtree(scratch / "written", ignore_errors=True)
        return measure(lambda: run_shard(clips, scratch / "written", ShardOptions(workers=workers)))

    def peer() -> Any:
        shutil.rmtree(scratch / "peer", ignore_errors=True)
        (scratch / "peer").mkdir()

        def work() -> None:
            pattern = str(scratch / "peer" / "clips-%06d.tar")
            with webdataset.ShardWriter(pattern, maxcount=16, verbose=0) as sink:
                for number, clip in enumerate(manifest.clips):
                    video = Path(clip.path).read_bytes()
                    facts = json.dumps({"label": clip.label}).encode()
                    sink.write({"__key__": f"{number:06d}", "mp4": video, "json": facts})

        return measure(work)

    stages = {"vidfit, 1 thread": lambda: own(1), "vidfit, 2 threads": lambda: own(2)}
    costs = interleaved({**stages, "webdataset": peer}, min(rounds, 5), lambda text: None)
    print("\nwriting videos as shards")
    rows = [
        [way, f"{len(manifest) / median_wall(c):.0f}", f"{size / 1e6 / median_wall(c):.0f}"]
        for way, c in costs.items()
    ]
    table(["way", "videos/s", "MB/s"], rows)
    return {way: [asdict(cost) for cost in of_way] for way, of_way in costs.items()}


def _opened(clips: Path, stored: Stored, rounds: int) -> dict[str, Any]:
    """Decode eight frames of each clip, from a loose file and from its shard."""
    from vidfit.contracts import Sampling
    from vidfit.manifest import read_manifest
    from vidfit.video import VideoReader, frame_indices

    def decode(source: Path) -> Any:
        paths = [clip.path for clip in read_manifest(source).clips]

        def work() -> None:
            for path in paths:
                with VideoReader(path) as reader:
                    wanted = frame_indices(reader.pts_seconds, 0.0, None, Sampling())
                    for frame in reader.frames(np.unique(wanted)):
                        frame.rgb()

        return measure(work)

    stages = {"loose file": lambda: decode(clips), "in a shard": lambda: decode(stored.shards)}
    costs = interleaved(stages, min(rounds, 3), lambda text: None)
    print("\ndecoding 8 frames of a clip")
    rows = [
        [
            way,
            f"{median_wall(c) / stored.samples * 1e3:.1f}",
            f"{statistics.median(cost.cpu_seconds for cost in c) / stored.samples * 1e3:.1f}",
        ]
        for way, c in costs.items()
    ]
    table(["from", "wall, ms a clip", "CPU, ms a clip"], rows)
    print(load())
    return {way: [asdict(cost) for cost in of_way] for way, of_way in costs.items()}


if __name__ == "__main__":
    main()
