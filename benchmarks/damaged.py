"""Use all that can be used of damaged clips, and give nothing wrong out as sound.

Clips of many codecs and containers are damaged from a seed, and each is read in processes of
its own: by vidfit as `fit` reads (`gather_views`), by PyAV in the plain way, and once more with
every check of FFmpeg switched on. The last tells which pictures carry a sign of damage: from
their keyframe on, a packet was refused, marked, or complained of. An altered picture without any
comes from data that is a valid stream; no decoder can know of it, and it is counted apart.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks._damage import HEIGHT_PIXELS, KINDS, WIDTH_PIXELS, damaged, write_bases
from benchmarks._damage_read import (
    Given,
    Read,
    by_plain_pyav,
    by_vidfit,
    in_child,
    with_every_check,
)
from benchmarks._harness import arguments, environment, finish, table
from vidfit.video.frame import Scalers

CLIPS, QUICK_CLIPS = 1000, 150
_COLUMNS = ("used", "refused", "ended", "hung", "wrong", "unmarked", "PyAV", "refused, PyAV reads")


@dataclass(frozen=True)
class Case:
    """One damaged clip."""

    base: str
    kind: str
    number: int


def main() -> None:
    options = _options()
    start = environment()
    multiprocessing.get_context("forkserver").set_forkserver_preload(["benchmarks._damage_read"])
    with tempfile.TemporaryDirectory() as scratch:
        cases, figures = _cases(options, Path(scratch)), Counter[tuple[str, str]]()
        listed: list[dict[str, Any]] = []
        with ThreadPoolExecutor(options.workers) as pool:
            readings = pool.map(lambda c: _read(c, options.seed, Path(scratch)), cases)
            for case, found in zip(cases, readings, strict=True):
                counts = _counts(*found)
                figures.update({(case.kind, name): n for name, n in counts.items()})
                figures.update({(case.base, name): n for name, n in counts.items()})
                listed.append({**vars(case), **counts, "said": found[0].said})
    _show(figures, cases)
    total = {
        name: sum(figures[kind, name] for kind in KINDS) for name in (*_COLUMNS, "right", "given")
    }
    headline, met = _headline(total, len(cases))
    finish(options, {"total": total, "clips": listed}, start, headline, met=met)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, help=f"clips ({CLIPS}; quick {QUICK_CLIPS})")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--only", metavar="TEXT", help="only kinds of clips whose name has this")
    options = parser.parse_args()
    options.count = options.count or (QUICK_CLIPS if options.quick else CLIPS)
    return options


def _cases(options: argparse.Namespace, scratch: Path) -> list[Case]:
    """Write the undamaged clips and their pictures, and deal the damage out over them."""
    names = []
    for path in write_bases(scratch):
        scalers = Scalers()
        with av.open(str(path)) as container:
            pictures = [
                scalers.scale(frame, WIDTH_PIXELS, HEIGHT_PIXELS)
                for frame in container.decode(video=0)
            ]
        np.save(path.with_suffix(f"{path.suffix}.npy"), np.stack(pictures))
        names.append(path.name)
    kinds = list(KINDS)
    cases = [
        Case(names[i % len(names)], kinds[i // len(names) % len(kinds)], i)
        for i in range(options.count)
    ]
    return [case for case in cases if (options.only or "") in case.base]


def _read(case: Case, seed: int, scratch: Path) -> tuple[Read, Read, Read]:
    original = scratch / case.base
    folder = scratch / f"{case.number}"
    folder.mkdir()
    clip = folder / case.base
    clip.write_bytes(damaged(original.read_bytes(), case.kind, f"{seed} {case.number}"))
    pictures = original.with_suffix(f"{original.suffix}.npy")
    try:
        return tuple(  # type: ignore[return-value]
            in_child(reading, clip, pictures)
            for reading in (by_vidfit, by_plain_pyav, with_every_check)
        )
    finally:
        clip.unlink()


def _counts(vidfit: Read, plain: Read, checked: Read) -> dict[str, int]:
    altered = [one for one in vidfit.pictures if one.original is None]
    unmarked = [one for one in altered if _is_unmarked(one, checked)]
    wrong = len(altered) - len(unmarked) + _misplaced(vidfit, checked)
    # A picture that the original has: what plain PyAV could be used for.
    right = any(one.original is not None for one in plain.pictures)
    return {
        "used": vidfit.verdict == "read",
        "refused": vidfit.verdict == "refused",
        "ended": vidfit.verdict == "ended",
        "hung": vidfit.verdict == "hung",
        "given": len(vidfit.pictures),
        "right": len(vidfit.pictures) - len(altered),
        "wrong": wrong,
        "unmarked": len(unmarked),
        "PyAV": right,
        "refused, PyAV reads": right and vidfit.verdict != "read",
    }


def _is_unmarked(one: Given, checked: Read) -> bool:
    """Whether a decode with every check gives an altered picture, too, and no sign.

    Where altered data decodes in some way, it may decode otherwise after a seek.
    """
    if one.digest in checked.signs:
        return not checked.signs[one.digest]
    same_time = [two for two in checked.pictures if abs(two.seconds - one.seconds) < 1e-3]
    return any(two.original is None and not checked.signs[two.digest] for two in same_time)


def _misplaced(vidfit: Read, checked: Read) -> int:
    """Count pictures that are given out at another time than the file has them at.

    Times count from the first frame of an index, which may be one that cannot be shown: all may
    be late by the same. Where the file's times go back or repeat, they say nothing.
    """
    file_seconds = [one.seconds for one in checked.pictures]
    if any(later <= earlier for earlier, later in pairwise(file_seconds)):
        return 0
    times: dict[str, list[float]] = {}
    for one in checked.pictures:
        times.setdefault(one.digest, []).append(one.seconds)
    lags = [
        min((one.seconds - at for at in times[one.digest]), key=abs)
        for one in vidfit.pictures
        if one.digest in times
    ]
    usual = statistics.median(lags) if lags else 0.0
    return sum(abs(lag - usual) > 1e-3 for lag in lags)


def _show(figures: Counter[tuple[str, str]], cases: list[Case]) -> None:
    for by in ("kind", "base"):
        names = sorted({getattr(case, by) for case in cases})
        rows = [[name, *(f"{figures[name, column]:,}" for column in _COLUMNS)] for name in names]
        table((by, *_COLUMNS), rows)
        print()


def _headline(total: dict[str, int], count: int) -> tuple[str, bool]:
    met = total["ended"] == total["hung"] == total["wrong"] == 0 and total["used"] >= total["PyAV"]
    return (
        f"{count} damaged clips: {total['ended']} ended, {total['hung']} hung, {total['wrong']} "
        f"wrong pictures of {total['given']:,} ({total['unmarked']:,} altered without any sign); "
        f"{total['used']} used, {total['PyAV']} by plain PyAV (bar 0, 0, 0, as many as PyAV)",
        met,
    )


if __name__ == "__main__":
    main()
