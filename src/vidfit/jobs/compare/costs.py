"""What a clip costs by each row, measured on a few of the clips."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from vidfit.contracts import Clip, Cost
from vidfit.errors import VideoError
from vidfit.features.views import gather_views
from vidfit.jobs.compare.architectures import RowPlan
from vidfit.jobs.compare.fits import HEADS, LAYERS, WIDTH
from vidfit.networks import Shape
from vidfit.study.candidates import Loaded
from vidfit.study.subject import Sight
from vidfit.video import VideoReader

_CLIPS, _TIMES = 4, 3


def row_cost(
    row: RowPlan, candidates: Sequence[Loaded], clips: Sequence[Clip], seen: Sight, classes: int
) -> Cost:
    """Return the cost of a clip; that of a linear probe is nothing beside its encoder's."""
    if row.encoder:
        cost = next(c.cost for c in candidates if c.name == row.encoder)
        return cost if not row.network else _over(cost, row, classes, _dim(row, candidates))
    return _of_frames(row, clips, seen, classes)


def _dim(row: RowPlan, candidates: Sequence[Loaded]) -> int:
    return next(c.backbone.spec.dim for c in candidates if c.name == row.encoder)


def _over(cost: Cost, row: RowPlan, classes: int, dim: int) -> Cost:
    """Return the cost of an encoder, and of a network over its tokens."""
    import torch

    from vidfit.features import STEPS
    from vidfit.networks.clips import Clips

    clips = Clips(tokens_BND=torch.zeros(1, STEPS, dim))
    shape = Shape(dim, STEPS, classes, WIDTH, LAYERS, HEADS)
    seconds, gmacs, parameters = _forward(row.network, shape, clips)
    return Cost(
        cost.decode_seconds, cost.forward_seconds + seconds, cost.memory_bytes,
        cost.gmacs + gmacs, cost.parameters + parameters,
    )  # fmt: skip


def _of_frames(row: RowPlan, clips: Sequence[Clip], seen: Sight, classes: int) -> Cost:
    import torch

    from vidfit.networks.clips import Clips

    views = seen.sampling.num_clips, seen.sampling.clip_len
    size = seen.preprocessing.height_pixels, seen.preprocessing.width_pixels
    frames = Clips(frames_BVTHWC=torch.zeros(1, *views, *size, 3, dtype=torch.uint8))
    shape = Shape(0, seen.tokens, classes, WIDTH, LAYERS, HEADS)
    seconds, gmacs, parameters = _forward(row.network, shape, frames)
    return Cost(_decode(clips, seen), seconds, 0, gmacs, parameters)


def _forward(name: str, shape: Shape, clips: object) -> tuple[float, float, int]:
    """Return seconds, 10^9 multiply-accumulates and parameters of a network on one clip."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from vidfit.networks import build

    network = build(name, shape).eval()
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            network(clips)
        seconds = min(_timed(lambda: network(clips)) for _ in range(_TIMES))
    gmacs = counter.get_total_flops() / 2e9
    return seconds, gmacs, sum(p.numel() for p in network.parameters())


def _decode(clips: Sequence[Clip], seen: Sight) -> float:
    """Return mean seconds of the decode of a clip, the faster of two."""
    found = []
    for clip in clips[:_CLIPS]:
        try:
            found.append(min(_timed(lambda one=clip: _read(one, seen)) for _ in range(2)))  # type: ignore[misc]
        except VideoError:
            continue
    return float(np.mean(found)) if found else 0.0


def _read(clip: Clip, seen: Sight) -> None:
    with VideoReader(clip.path) as reader:
        list(gather_views(reader, clip, [seen]))


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
