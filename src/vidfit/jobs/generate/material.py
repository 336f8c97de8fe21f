"""The clips that a generator learns from, those that choose, and those that judge.

Whole clips are held back, with all that is cut from them: a fifth chooses between stages, a fifth
judges the result. Not whole recordings, as elsewhere: a generator is asked for more clips of the
kind that was seen, and clips of recordings that were not seen are none. Measured by those, real
clips come out as bad as blurred ones (docs/generate.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure, Indices, Preprocessing, Sampling, clip_key
from vidfit.errors import NotEnoughDataError
from vidfit.jobs.generate.options import GenerateOptions
from vidfit.pixels.generate.bank import ClipBank
from vidfit.pixels.generate.sizes import ClipSizes
from vidfit.progress import Progress
from vidfit.shown import counted
from vidfit.study.clipsets import Prepared, frame_set
from vidfit.study.opened import open_study
from vidfit.study.subject import Sight

LEAST_CLIPS, LEAST_WINDOWS = 5, 6
"""Clips in all, and windows of those that choose and of those that judge."""

_HELD_BACK = 0.2
_MOST_WINDOWS = 8_000
"""Of all clips; of more, some clips are drawn at random, and a note says so."""


@dataclass(frozen=True, eq=False)
class GeneratorClips:
    """Clips in three parts that share no file, and what they are like.

    Parameters
    ----------
    learned, choosing, judging
        What is learned from, what stages are chosen on, and what the result is judged on.
    failures
        Clips that were left out, with reasons.
    """

    sizes: ClipSizes
    learned: ClipBank
    choosing: ClipBank
    judging: ClipBank
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CutClips:
    """Windows that were cut from clips.

    Parameters
    ----------
    clips
        That can be read and last long enough.
    sizes
        Without classes.
    """

    bank: ClipBank
    clips: tuple[Clip, ...]
    sizes: ClipSizes
    classes: tuple[str, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]


def cut_clips(
    source: str | Path, output: Path, options: GenerateOptions, progress: Progress
) -> CutClips:
    """Decode clips and cut windows from them.

    Raises
    ------
    NotEnoughDataError
        If no clip is left.
    VidfitError
        If the sizes are none that clips can have.
    """
    sizes = ClipSizes(options.frames, options.side, fps=1 / options.interval_seconds)
    sizes.check()
    study = open_study(source, output, options, progress)
    clips = study.manifest.clips
    size = Preprocessing(options.side, options.side, mean=(127.0,) * 3, std=(128.0,) * 3)
    sampling = Sampling(options.frames, options.windows, options.interval_seconds)
    seen = Sight(sampling, size, tokens=options.frames, dim=0, sees_frames=True)
    prepared = frame_set(clips, seen, output / "frames", study.place, progress)
    kept, failures = _long_enough(prepared, options)
    bank, classes = _bank(prepared, kept, options)
    if len(bank) < len(kept) * options.windows:
        used = counted(len(bank) // options.windows, "clip")
        study.notes.append(f"{used} of {len(kept)} are used, drawn at random")
        progress.note(study.notes[-1])
    return CutClips(
        bank, tuple(prepared.clips[row] for row in kept), sizes, classes,
        (*prepared.failures, *failures), tuple(study.notes),
    )  # fmt: skip


def read_material(
    source: str | Path, output: Path, options: GenerateOptions, progress: Progress
) -> GeneratorClips:
    """Decode clips, and hold some back.

    Raises
    ------
    NotEnoughDataError
        If there are too few clips.
    VidfitError
        If the sizes are none that clips can have.
    """
    cut = cut_clips(source, output, options, progress)
    learned, choosing, judging = _parts(cut.bank, cut.clips, options)
    classes = cut.classes
    counts = np.bincount(learned.labels_N[learned.labels_N >= 0], minlength=len(classes))
    shares = tuple(float(n / counts.sum()) for n in counts)
    if 0 in counts.tolist():  # of a class that is held back as a whole none can be asked for
        present = np.cumsum(counts > 0) - 1
        parts = [_renamed(part, counts, present) for part in (learned, choosing, judging)]
        learned, choosing, judging = parts
        classes = tuple(c for c, n in zip(classes, counts, strict=True) if n)
        shares = tuple(share for share in shares if share)
    whole = replace(cut.sizes, classes=classes, shares=shares)
    return GeneratorClips(whole, learned, choosing, judging, cut.failures, cut.notes)


def halves(bank: ClipBank, seed: int) -> tuple[ClipBank, ClipBank]:
    """Return the windows of half of the clips, and of the other half.

    Raises
    ------
    NotEnoughDataError
        If there are too few of either.
    """
    names = list(dict.fromkeys(bank.names))
    order = np.random.default_rng([seed, 5]).permutation(len(names))
    first = {names[place] for place in order[: len(names) // 2]}
    in_first = np.array([name in first for name in bank.names])
    parts = bank.rows(np.flatnonzero(in_first)), bank.rows(np.flatnonzero(~in_first))
    if any(len(part) < LEAST_WINDOWS for part in parts):
        raise NotEnoughDataError(
            f"{counted(len(names), 'clip')} can be used; half of them choose and half judge, each "
            f"with {LEAST_WINDOWS} windows or more: give more clips"
        )
    return parts


def _renamed(bank: ClipBank, counts: Indices, present: Indices) -> ClipBank:
    """Return a bank with numbers of those classes that have clips to learn from."""
    known_N = (bank.labels_N >= 0) & (counts[np.maximum(bank.labels_N, 0)] > 0)
    return replace(bank, labels_N=np.where(known_N, present[np.maximum(bank.labels_N, 0)], -1))


def _long_enough(prepared: Prepared, options: GenerateOptions) -> tuple[list[int], list[Failure]]:
    """Return rows of clips that last as long as one that is drawn, and why others do not count."""
    least = (options.frames - 1) * options.interval_seconds
    kept, failures = [], []
    for row, clip in enumerate(prepared.clips):
        seconds = prepared.seconds_M[row]
        if seconds + options.interval_seconds >= least:
            kept.append(row)
        else:
            why = f"it lasts {seconds:.2g} s; {options.frames} frames take {least:.2g} s"
            failures.append(Failure(clip_key(clip), why))
    if not kept:
        gone = (*prepared.failures, *failures)
        why = f": {gone[0].name}: {gone[0].reason}" if gone else ""
        raise NotEnoughDataError(f"no clip is left to learn from{why}")
    return kept, failures


def _bank(
    prepared: Prepared, kept: Sequence[int], options: GenerateOptions
) -> tuple[ClipBank, tuple[str, ...]]:
    """Return all windows of clips as one bank; of too many clips some, drawn at random."""
    rows = np.asarray(kept)
    most = _MOST_WINDOWS // options.windows
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(options.seed).permutation(rows)[:most])
    files = prepared.set.arrays["frames"]
    frames = np.concatenate([files[rows[i : i + 1]][0] for i in range(len(rows))])
    clips = [prepared.clips[row] for row in rows]
    labels = np.repeat(prepared.set.labels_M[rows], options.windows)
    groups = [c.recording for c in clips for _ in range(options.windows)]
    names = [clip_key(c) for c in clips for _ in range(options.windows)]
    return ClipBank(np.asarray(frames, np.uint8), labels, tuple(groups), tuple(names)), (
        prepared.classes
    )


def _parts(bank: ClipBank, clips: Sequence[Clip], options: GenerateOptions) -> tuple[ClipBank, ...]:
    """Return what is learned from, what chooses and what judges; a given test split judges.

    Of a clip that is held back every second window counts: its windows are much alike.
    """
    names = list(dict.fromkeys(bank.names))
    tested = {clip_key(clip) for clip in clips if clip.split == "test"}
    rest = [n for n in names if n not in tested]
    drawn = [rest[i] for i in np.random.default_rng([options.seed, 3]).permutation(len(rest))]
    held = max(1, round(_HELD_BACK * len(names)))
    judging = tested or set(drawn[:held])
    choosing = set([n for n in drawn if n not in judging][:held])
    in_choosing, in_judging = (
        np.array([n in of for n in bank.names]) for of in (choosing, judging)
    )
    second = np.arange(len(bank)) % options.windows % 2 == 0
    if len(names) < LEAST_CLIPS * 4:  # of few clips all windows count
        second[:] = True
    masks = ~(in_choosing | in_judging), in_choosing & second, in_judging & second
    parts = [bank.rows(np.flatnonzero(mask)) for mask in masks]
    if len(names) < LEAST_CLIPS or any(len(part) < LEAST_WINDOWS for part in parts):
        raise NotEnoughDataError(
            f"{counted(len(names), 'clip')} can be used; of all clips a fifth is held back to "
            f"choose and a fifth to judge, so {LEAST_CLIPS} or more are needed, better some "
            "hundred: give more clips"
        )
    return tuple(parts)
