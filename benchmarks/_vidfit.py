"""What vidfit does, as a whole and in its parts, and the limits of the parts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks._harness import measure
from benchmarks._peers import NETWORK, Features, chosen_frames
from benchmarks._workers import Stages
from vidfit import backbones as zoo
from vidfit.contracts import Backbone, Clip, Frames
from vidfit.features import FeatureStore
from vidfit.features.extract import extract
from vidfit.features.views import gather_views
from vidfit.hardware import hardware
from vidfit.launch import Here
from vidfit.runtime import accelerate
from vidfit.video import VideoReader
from vidfit.video.stream import StreamDecoder

_TURNS = 10
FOUR = (NETWORK, "efficientnet-lite1", "efficientnet-lite2", "motion")


def whole(paths: Sequence[Path]) -> Stages:
    """Extract as `fit` does: into a new store, digests and writing included."""
    backbones = {name: accelerate(zoo.load(name)) for name in FOUR}
    clips = [Clip(str(path)) for path in paths]
    scratch = tempfile.TemporaryDirectory()
    stores = (FeatureStore(Path(scratch.name) / str(number)) for number in range(1 << 30))

    def run(names: Sequence[str]) -> FeatureStore:
        store = next(stores)
        chosen = [backbones[name] for name in names]
        extract(clips, chosen, store, Here(hardware().cores))
        return store

    def one_by_one() -> None:
        for name in FOUR:
            run([name])

    return {
        "vidfit": lambda: _Stored(run([NETWORK]), backbones[NETWORK], scratch),
        "four, one decode": lambda: _done(run(FOUR)),
        "four, one by one": one_by_one,
    }


class _Stored:
    """Where features lie; they are read when they are sent to another process."""

    def __init__(
        self, store: FeatureStore, backbone: Backbone, scratch: tempfile.TemporaryDirectory[str]
    ) -> None:
        self.store, self.backbone, self.scratch = store, backbone, scratch

    def __reduce__(self) -> tuple[Callable[..., Features], tuple[Any, ...]]:
        rows = self.store.rows(self.backbone.spec)
        return dict, ({digest: np.array(features.tokens_ND) for digest, features in rows},)


def _done(_: object) -> None:
    """Keep nothing."""


def alone(paths: Sequence[Path]) -> Stages:
    """Run the parts, each in one thread with nothing beside it."""
    backbones = {name: accelerate(zoo.load(name)) for name in FOUR}
    views = {name: _views(paths, [backbone])[0] for name, backbone in backbones.items()}
    stages: dict[str, Callable[[], Any]] = {
        "decode": lambda: _views(paths, [backbones[NETWORK]])[0],
        "decode for four": lambda: _done(_views(paths, list(backbones.values()))),
        "codec": _codec_alone(paths),
        "guard": lambda: _guard(paths),
    }
    for name, backbone in backbones.items():
        stages[name] = _forward(backbone, views[name])
    return stages


def _forward(backbone: Backbone, views: Sequence[Frames]) -> Callable[[], list[Any]]:
    return lambda: [backbone.forward(view) for view in views]


def _views(paths: Sequence[Path], backbones: Sequence[Backbone]) -> list[list[Frames]]:
    """Return the views of each backbone, clip by clip."""
    clips = []
    for path in paths:
        with VideoReader(str(path)) as reader:
            views = gather_views(reader, Clip(str(path)), [b.spec for b in backbones])
            clips.append([frames for _, frames in views])
    return [list(of_backbone) for of_backbone in zip(*clips, strict=True)]


def _guard(paths: Sequence[Path]) -> float:
    """Return CPU seconds that a look for what a seek would lose adds to indexing all clips.

    With it and without take turns, clip by clip; the least counts, as other load only adds.
    """
    extra = 0.0
    for path in paths:
        guarded, bare = [], []
        for _ in range(_TURNS):
            guarded.append(_index_seconds(path))
            with (
                patch("vidfit.video.carried.Told.note", lambda told, packet: None),
                patch("vidfit.video.survey._tried", lambda index, path: index),
            ):
                bare.append(_index_seconds(path))
        extra += min(guarded) - min(bare)
    return extra


def _index_seconds(path: Path) -> float:
    return measure(lambda: StreamDecoder(str(path)).close()).cpu_seconds


def _codec_alone(paths: Sequence[Path]) -> Callable[[], int]:
    """Return a run of the codec alone: packets read beforehand, no conversion, no index.

    Of each clip it decodes what the wanted frames depend on, no packet more.
    """
    import av

    wanted = chosen_frames(paths)
    needed = {path: _needed(path, wanted[path]) for path in paths}

    def run() -> int:
        frames = 0
        for path in paths:
            with av.open(str(path), options={"skip_frame": "all"}) as container:
                stream = container.streams.video[0]
                codec = stream.codec_context
                codec.thread_count = 1
                for position, packet in enumerate(container.demux(stream)):
                    if position in needed[path]:
                        codec.skip_frame = needed[path][position]
                        frames += len(codec.decode(packet))
                frames += len(codec.decode(None))
        return frames

    return run


def _needed(path: Path, wanted: np.ndarray) -> dict[int, str]:
    """Return the packets to decode, each with what the codec may leave out of it."""
    decoder = StreamDecoder(str(path))
    try:
        index = decoder.index
        needed: dict[int, str] = {}
        for frame in wanted.tolist():
            for position in range(index.start_of_F[frame], index.position_of_F[frame] + 1):
                shown = int(index.frame_of_P[position])
                droppable = shown not in wanted and decoder._can_drop
                needed[position] = "NONREF" if droppable else "DEFAULT"
        return needed
    finally:
        decoder.close()
