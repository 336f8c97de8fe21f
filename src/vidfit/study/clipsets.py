"""From labelled clips to a set that a network can be trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Backbone, Clip, Failure, Floats, Seconds, clip_key
from vidfit.errors import BackboneError, VideoError
from vidfit.features import FeatureStore, time_steps
from vidfit.features.digests import row_key
from vidfit.features.extract import extract
from vidfit.features.frames import are_stored, check_stored, write_frames
from vidfit.progress import Progress
from vidfit.runtime import accelerate
from vidfit.study.subject import Sight
from vidfit.training.clipset import UNLABELLED, ClipSet, FilesOfFrames
from vidfit.training.sharded import FramesInShards
from vidfit.video import VideoReader
from vidfit.video.member import find
from vidfit.work import Launcher


@dataclass(frozen=True)
class Prepared:
    """Clips as a network sees them.

    Parameters
    ----------
    clips
        Those that can be read, in the order of the set's rows.
    set
        Tokens are those of the backbone in steps of time, as they come; frames are files.
    seconds_M
        How long each clip is.
    failures
        Clips that cannot be read, with reasons.
    """

    clips: tuple[Clip, ...]
    classes: tuple[str, ...]
    set: ClipSet
    seconds_M: Seconds
    failures: tuple[Failure, ...]

    @property
    def groups(self) -> list[str]:
        """The recording of each clip."""
        return [clip.recording for clip in self.clips]


def frame_set(
    clips: Sequence[Clip], seen: Sight, folder: Path, place: Launcher, progress: Progress
) -> Prepared:
    """Decode the frames that a network looks at, as far as they are not on disk.

    Frames in shards are used as they are.

    Raises
    ------
    StoreError
        If the folder cannot be written, or shards hold other frames than the network looks at.
    """
    check_stored(clips, seen)
    if are_stored(clips):
        return _stored_set(clips, seen)
    files = write_frames(clips, seen, folder, place, progress)
    readable = [clip for clip in clips if clip in files.paths]
    frames = FilesOfFrames(tuple(files.paths[clip].resolve() for clip in readable))
    return _prepared(readable, "frames", frames, files.failures)


def _stored_set(clips: Sequence[Clip], seen: Sight) -> Prepared:
    """Return clips whose frames stand in shards."""
    readable, failures = [], []
    for clip in clips:
        try:
            find(clip.path)
            readable.append(clip)
        except VideoError as error:
            failures.append(Failure(clip_key(clip), str(error).removeprefix(f"{clip.path}: ")))
    sampling, size = seen.sampling, seen.preprocessing
    views = (sampling.num_clips, sampling.clip_len)
    shape = (*views, size.height_pixels, size.width_pixels, 3)
    frames = FramesInShards.of([clip.path for clip in readable], shape)
    return _prepared(readable, "frames", frames, tuple(failures))


def token_set(
    clips: Sequence[Clip],
    backbone: Backbone,
    store: FeatureStore,
    place: Launcher,
    progress: Progress,
) -> Prepared:
    """Extract what a frozen backbone sees in clips, as far as it is not in the store.

    Raises
    ------
    BackboneError
        If the backbone fails.
    StoreError
        If features cannot be written, or shards hold other frames than the backbone looks at.
    """
    check_stored(clips, backbone.spec)
    tokens, unread = _extracted(clips, backbone, store, place, progress)
    readable = [clip for clip in clips if clip in tokens]
    steps = [time_steps(tokens[clip]).reshape(-1, backbone.spec.dim) for clip in readable]
    failures = tuple(
        Failure(clip_key(clip), reason.removeprefix(f"{clip.path}: "))
        for clip, reason in unread.items()
    )
    return _prepared(readable, "tokens", np.stack(steps), failures)


def tokens_of(
    clips: Sequence[Clip],
    backbone: Backbone,
    store: FeatureStore,
    place: Launcher,
    progress: Progress,
) -> dict[Clip, Floats]:
    """Return the tokens [N, D] that a backbone gives for clips, by the code of `predict`."""
    return _extracted(clips, backbone, store, place, progress)[0]


def _extracted(
    clips: Sequence[Clip],
    backbone: Backbone,
    store: FeatureStore,
    place: Launcher,
    progress: Progress,
) -> tuple[dict[Clip, Floats], dict[Clip, str]]:
    """Return tokens by clip, and why clips have none."""
    progress.start("decode and extract", len(clips))
    done = extract(clips, [accelerate(backbone)], store, place, progress)
    if done.backbone_failures:
        raise BackboneError(f"{backbone.spec.name} failed: {done.backbone_failures}")
    keys = {clip: row_key(backbone.spec, clip, digest) for clip, digest in done.digests.items()}
    wanted = set(keys.values())
    seen = {key: f.tokens_ND for key, f in store.rows(backbone.spec) if key in wanted}
    tokens = {clip: seen[key] for clip, key in keys.items() if key in seen}
    return tokens, done.failures


def _prepared(
    clips: Sequence[Clip],
    name: str,
    rows: Floats | FilesOfFrames | FramesInShards,
    failures: tuple[Failure, ...],
) -> Prepared:
    classes = tuple(sorted({clip.label for clip in clips if clip.label is not None}))
    labels_M = [UNLABELLED if c.label is None else classes.index(c.label) for c in clips]
    seconds = [_seconds(clip) for clip in clips]
    clip_set = ClipSet(np.array(labels_M, np.int64), {name: rows})
    return Prepared(tuple(clips), classes, clip_set, np.array(seconds), failures)


def _seconds(clip: Clip) -> float:
    if clip.end_seconds is not None:
        return clip.end_seconds - clip.start_seconds
    with VideoReader(clip.path) as reader:
        whole = reader.stored.duration_seconds if reader.stored else reader.info.duration_seconds
        return whole - clip.start_seconds
