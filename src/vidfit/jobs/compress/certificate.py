"""Do two models answer alike? On clips without a label: a change of answer needs none to be seen.

What a compressed model loses is at most the share of answers that it changes. 740 independent
windows without a change certify that less than 0.5 % of all change.

Shape letters: M windows, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure, Floats
from vidfit.errors import VideoError
from vidfit.evaluate import merge_groups, near_duplicates
from vidfit.jobs.compress.value import Certificate
from vidfit.jobs.predict.windows import windows
from vidfit.manifest import Manifest, read_manifest
from vidfit.metrics.noninferior import independent_trials, share_bound
from vidfit.study.copies import COPY_BITS
from vidfit.study.table import Table
from vidfit.video import VideoReader


def unlabelled_windows(
    manifest: Manifest, more: str | Path | None, window_seconds: float
) -> tuple[list[Clip], tuple[Failure, ...]]:
    """Return the clips without a label, long ones cut into windows, and what is no clip.

    Recordings that hold a clip with a label are left out. Each window knows its recording.

    Parameters
    ----------
    more
        Folder or list of further clips, whose labels are not looked at.
    window_seconds
        How long a window is about to be.
    """
    others = read_manifest(more) if more is not None else Manifest(())
    own = [clip for clip in manifest.clips if clip.label is None]
    bare = dict.fromkeys([*own, *(replace(clip, label=None) for clip in others.clips)])
    known = {n for c in manifest.clips if c.label is not None for n in (c.path, c.group)}
    found = [
        replace(window, group=clip.recording)
        for clip in bare
        if not {clip.path, clip.recording} & known
        for window in _windows(clip, window_seconds)
    ]
    return found, others.rejected


def _windows(clip: Clip, window_seconds: float) -> list[Clip]:
    """Cut a clip of unknown length into windows; a span of a video stays as it is."""
    if clip.start_seconds or clip.end_seconds is not None:
        return [clip]
    try:
        with VideoReader(clip.path) as reader:
            seconds = reader.info.duration_seconds
    except VideoError:
        return [clip]  # is told with its reason where it is decoded
    return list(windows(clip.path, seconds, window_seconds))


def of_other_recordings(everyone: Table) -> Table:
    """Return the clips without a label of recordings that hold none with one.

    Recordings that hold copies of one clip count as one.
    """
    keys, groups = everyone.keys, everyone.groups
    pairs = near_duplicates(keys, groups, everyone.hashes, threshold_bits=COPY_BITS)
    joined = merge_groups(keys, groups, pairs)
    taught = {
        group for clip, group in zip(everyone.clips, joined, strict=True) if clip.label is not None
    }
    clips = [replace(c, group=group) for c, group in zip(everyone.clips, joined, strict=True)]
    unseen_M = np.array([group not in taught for group in joined])
    return replace(everyone, clips=tuple(clips)).where(unseen_M)


def certificate(
    answers_MK: Floats, original_MK: Floats, groups: Sequence[str]
) -> Certificate | None:
    """Compare probabilities of the same windows; ``None`` where there are not two recordings.

    How far windows of one recording count for less than one each is told by how far the
    probability of the original's answer moves on them, up or down. The share of answers that
    change is rarer than that and less alike, so that the bound is a careful one.
    """
    recordings = len(set(groups))
    if recordings < 2:
        return None
    top_M = original_MK.argmax(axis=1)
    changed = float((answers_MK.argmax(axis=1) != top_M).mean())
    rows = np.arange(len(top_M))
    moved_M = np.abs(original_MK - answers_MK)[rows, top_M].astype(float)
    trials = independent_trials(moved_M, groups)
    bound = share_bound(changed * trials, trials)
    return Certificate(len(top_M), recordings, trials, changed, bound)
