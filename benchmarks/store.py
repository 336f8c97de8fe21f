"""What a store of very many clips is in files, and what going on with it reads.

Synthetic keys and features of 8 numbers, 32 clips a part as `extract` writes them, by one writer
that joins its parts; nothing is flushed to the disk while they are made. Each look at the store is
in a process of its own: "index" is what `extract` does before it begins, "names" what it did before
there were packs. Bytes are those that the process asked the system for (``rchar``). What ten
million clips take follows from the two largest sizes by a straight line; bars are for one encoder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, load, table
from vidfit import backbones as zoo
from vidfit.contracts import ClipFeatures
from vidfit.features import FeatureStore
from vidfit.features.digests import spec_key
from vidfit.features.joining import FEW
from vidfit.hardware import peak_bytes

MANY = 10**7
MOST_READ_BYTES, MOST_FILES = 200e6, 5_000
_ROWS = 32


@dataclass(frozen=True)
class Look:
    """What a look at a store took."""

    read_bytes: int
    wall_seconds: float
    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class Filled:
    """A store that was filled: its files, and those at most while it was."""

    clips: int
    files: int
    packed_files: int
    most_files: int
    write_cpu_seconds: float
    index: Look
    names: Look


def main() -> None:
    options = _options()
    if options.child:
        what, root, clips = options.child
        print(json.dumps(_child(what, Path(root), int(clips))))
        return
    sizes = (10_000, 50_000) if options.quick else (10_000, 100_000, 1_000_000)
    start = environment()
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
            found.append(_filled(Path(scratch), size))
        print(f"  {size:,} clips, {load()}")
    law = _law(found[-2], found[-1])
    _show(found, law)
    read, files = law["index, MB"], law["files"]
    headline = (
        f"ten million clips, reckoned from {sizes[-1]:,}: going on reads {read:,.0f} MB an encoder "
        f"(bar {MOST_READ_BYTES / 1e6:.0f}), {files:,.0f} files in its folder (bar {MOST_FILES:,})"
    )
    met = read <= MOST_READ_BYTES / 1e6 and files <= MOST_FILES
    figures = {"stores": [asdict(one) for one in found], "ten million clips": law}
    finish(options, figures, start, headline, met=met)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--scratch", type=Path, help="where stores are written")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def _filled(root: Path, clips: int) -> Filled:
    made = _run("fill", root, clips)
    index, names = (Look(**_run(what, root, clips)) for what in ("index", "names"))
    return Filled(clips, made["files"], made["packed"], made["most"], made["cpu"], index, names)


def _run(what: str, root: Path, clips: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.store", "--child", what, str(root), str(clips)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr[-2000:])
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def _child(what: str, root: Path, clips: int) -> dict[str, float]:
    spec = zoo.load("motion").spec
    store = FeatureStore(root)
    folder = root / spec_key(spec)
    if what == "fill":
        os.fsync = lambda handle: None  # type: ignore[assignment]
        began, most = time.process_time(), 0
        for number, rows in enumerate(_rows(clips)):
            store.write(spec, rows)
            if number % 64 == 0:
                most = max(most, len([*folder.iterdir()]))
        store.compact(spec)
        cpu = time.process_time() - began
        names = [path.name for path in folder.iterdir()]
        packed = sum(name.startswith("pack-") for name in names)
        return {
            "files": len(names), "packed": packed, "most": max(most, len(names)), "cpu": cpu
        }  # fmt: skip
    memory, read = peak_bytes(), _read_bytes()
    began, cpu = time.perf_counter(), time.process_time()
    held = store.held(spec) if what == "index" else store.known(spec)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert all(_key(number) in held for number in range(0, clips, 997))  # noqa: S101
    assert _key(clips) not in held  # noqa: S101
    return asdict(Look(_read_bytes() - read, wall, cpu, peak_bytes() - memory))


def _rows(clips: int) -> Iterator[dict[str, ClipFeatures]]:
    rng = np.random.default_rng(0)
    index, seconds = np.arange(2), np.arange(2.0)
    for first in range(0, clips, _ROWS):
        yield {
            _key(i): ClipFeatures(rng.normal(size=(1, 8)).astype(np.float32), index, seconds, 0.1)
            for i in range(first, min(first + _ROWS, clips))
        }


def _key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _read_bytes() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("rchar")))


def _law(first: Filled, last: Filled) -> dict[str, float]:
    """Return what ten million clips take, by what two stores took."""

    def line(low: float, high: float) -> float:
        return max(0.0, low + (high - low) / (last.clips - first.clips) * (MANY - first.clips))

    times = MANY / last.clips
    law = {"files": last.packed_files * times + FEW}
    for name in ("index", "names"):
        one, other = getattr(first, name), getattr(last, name)
        law[f"{name}, MB"] = other.read_bytes * times / 1e6
        law[f"{name}, seconds"] = line(one.cpu_seconds, other.cpu_seconds)
        law[f"{name}, memory, MB"] = line(one.memory_bytes, other.memory_bytes) / 1e6
    return law


def _show(found: list[Filled], law: dict[str, float]) -> None:
    rows = [
        (
            f"{one.clips:,}", f"{one.files:,}", f"{one.most_files:,}",
            f"{one.write_cpu_seconds / one.clips * 1e3:.2f}",
            *(f"{look.read_bytes / 1e6:,.1f}" for look in (one.index, one.names)),
            *(f"{look.cpu_seconds:,.2f}" for look in (one.index, one.names)),
            *(f"{look.memory_bytes / 1e6:,.0f}" for look in (one.index, one.names)),
        )
        for one in found
    ]  # fmt: skip
    rows.append(
        (
            f"{MANY:,}, reckoned", f"{law['files']:,.0f}", "", "",
            *(f"{law[f'{what}, MB']:,.1f}" for what in ("index", "names")),
            *(f"{law[f'{what}, seconds']:,.2f}" for what in ("index", "names")),
            *(f"{law[f'{what}, memory, MB']:,.0f}" for what in ("index", "names")),
        )
    )  # fmt: skip
    heads = ("clips", "files", "at most", "write, CPU ms a clip")
    looks = (f"{w}, {f}" for f in ("MB read", "CPU s", "MB held") for w in ("index", "names"))
    table((*heads, *looks), rows)


if __name__ == "__main__":
    main()
