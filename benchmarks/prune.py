"""Half the latency by pruning and distillation: what it costs a linear probe.

EfficientNet-Lite0 loses channels until it runs twice as fast (exported to ONNX Runtime, one thread,
two views at once, both networks by turns), then learns the tokens of the whole network again.
Recordings are dealt in two: distillation sees frames of the one part, without labels; probes are
cross-validated on the clips of the other. The share is chosen by latency alone, and the settings
of distillation are the defaults: no label has a part in them.

The loss is the paired difference of hits, averaged over several dealings of folds, with its
interval over recordings.

Shape letters: M clips, D features, T frames, H height, W width, C channels.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import nn

from benchmarks._harness import (
    arguments,
    environment,
    finish,
    interleaved,
    measure,
    median_ratio,
    table,
    walls,
)
from benchmarks._study import CACHE
from benchmarks._tasks import build
from vidfit import backbones
from vidfit.backbones.encoder import FrameBackbone, count_gmacs, count_parameters
from vidfit.compression.distil import Distillation, distil
from vidfit.compression.prune import prune_groups, rank_groups
from vidfit.contracts import Clip, Estimate, Floats, Frames, Sampling
from vidfit.features import temporal_statistics
from vidfit.features.frames import write_frames
from vidfit.fusion.linear import cross_fit
from vidfit.launch import Here
from vidfit.manifest import grouped_folds, read_manifest
from vidfit.metrics import mean_interval
from vidfit.runtime import malloc, onnx

VIEWS = 16
"""Frames of a clip that are decoded: all for distillation, every second one for the probe."""

MEASURED_VIEWS = 64
SHARES = (0.55, 0.6, 0.65, 0.7)
"""Of the multiply-accumulates, tried in this order until the network is fast enough."""

SPEED_BAR, LOSS_BAR = 2.0, 0.01
_FOLDS, _DEALINGS = 5, 5
_ROUNDS = 30


@dataclass(frozen=True)
class Part:
    """Clips and the files of their frames."""

    clips: list[Clip]
    paths: dict[Clip, Path]

    def __len__(self) -> int:
        """Count frames."""
        return len(self.clips) * VIEWS

    def __getitem__(self, number: int) -> Frames:
        """Return one view of one frame [T, H, W, C]."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        path = self.paths[self.clips[number // VIEWS]]
        view_THWC: Frames = np.load(path, mmap_mode="r")[number % VIEWS]
        return view_THWC


class Lines:
    """Says every fifth of a stage."""

    def start(self, stage: str, total: int) -> None:
        """Begin."""
        self.stage, self.total, self.done = stage, total, 0

    def advance(self, count: int = 1) -> None:
        """Count."""
        self.done += count
        if self.done % max(1, self.total // 5) == 0:
            print(f"  {self.stage}: {self.done} of {self.total}", flush=True)

    def note(self, text: str) -> None:
        """Say."""
        print(f"  {text}", flush=True)


def main() -> None:
    options = _options()
    start, began = environment(), time.monotonic()
    malloc.tune()
    backbone = cast(FrameBackbone, backbones.load("efficientnet-lite0"))
    settings = Distillation(steps=options.steps, batch_views=8)
    unlabelled, probed = _parts(options.task, backbone)
    if options.quick:
        probed = replace(probed, clips=probed.clips[::3])
    print(f"{len(unlabelled.clips)} clips to distil on, {len(probed.clips)} to probe")
    with tempfile.TemporaryDirectory() as folder:
        runs = {"whole": _exported(backbone, Path(folder) / "whole.onnx")}
        networks: dict[str, nn.Module] = {"whole": backbone.network}
        share, speed = _fast_enough(backbone, unlabelled, runs, networks, Path(folder))
        networks["distilled"] = distil(
            networks["pruned"], backbone.network, unlabelled, settings, Lines()
        )
        small = backbones.with_network(backbone, networks["distilled"])
        runs["distilled"] = _exported(small, Path(folder) / "distilled.onnx")
        seconds = _latency(runs, probed[0])
        vectors = {name: _vectors(run, probed) for name, run in runs.items()}
    figures = _figures(probed.clips, vectors)
    figures |= {
        "share": share,
        "speed-up while choosing": speed,
        "speed-up": median_ratio(seconds["whole"], seconds["distilled"]),
        "milliseconds": {n: 1e3 * float(np.median(s)) for n, s in seconds.items()},
        "gmacs": {n: _gmacs(backbone, m) for n, m in networks.items()},
        "parameters": {n: count_parameters(m) for n, m in networks.items()},
        "steps": options.steps,
        "minutes": (time.monotonic() - began) / 60,
    }
    _show(figures)
    headline, met = _headline(options.task, figures)
    finish(options, figures, start, headline, met=met)


def _parts(task: str, backbone: FrameBackbone) -> tuple[Part, Part]:
    """Deal recordings in two and decode all clips."""
    clips = list(read_manifest(build(task, CACHE / task)).clips)
    look = replace(backbone.spec, sampling=Sampling(1, VIEWS))
    files = write_frames(clips, look, CACHE / "frames", Here(2))
    if files.failures:
        raise SystemExit(f"unreadable clips: {files.failures}")
    names = sorted({str(clip.group) for clip in clips})
    order = np.random.default_rng(0).permutation(len(names))
    first = {names[i] for i in order[: len(names) // 2]}
    here = [clip for clip in clips if str(clip.group) in first]
    there = [clip for clip in clips if str(clip.group) not in first]
    return Part(here, files.paths), Part(there, files.paths)


def _fast_enough(
    backbone: FrameBackbone,
    part: Part,
    runs: dict[str, Callable[[Frames], Floats]],
    networks: dict[str, nn.Module],
    folder: Path,
) -> tuple[float, float]:
    """Prune until the speed is reached; adds the network and its run under "pruned"."""
    chosen = np.random.default_rng(0).permutation(len(part))[:MEASURED_VIEWS]
    frames_BTHWC = np.stack([part[int(i)] for i in chosen])
    groups = rank_groups(backbone.network, frames_BTHWC)
    share = speed = 0.0
    for share in SHARES:
        networks["pruned"] = prune_groups(backbone.network, groups, frames_BTHWC, share)
        small = backbones.with_network(backbone, networks["pruned"])
        runs["pruned"] = _exported(small, folder / f"{share}.onnx")
        seconds = _latency(runs, frames_BTHWC[0])
        speed = median_ratio(seconds["whole"], seconds["pruned"])
        print(f"  share {share:g}: {speed:.2f} times as fast", flush=True)
        if speed >= SPEED_BAR:
            break
    return share, speed


def _exported(backbone: FrameBackbone, path: Path) -> Callable[[Frames], Floats]:
    onnx.export_traced(backbone, path)
    return onnx.open_session(path, 1)


def _latency(
    runs: dict[str, Callable[[Frames], Floats]], view_THWC: Frames
) -> dict[str, list[float]]:
    """Return seconds of two views, round by round."""
    views_BTHWC = np.stack([view_THWC] * 2)
    stages = {name: _timed(run, views_BTHWC) for name, run in runs.items()}
    costs = interleaved(stages, _ROUNDS, report=lambda text: None)
    return {name: walls(cost) for name, cost in costs.items()}


def _timed(run: Callable[[Frames], Floats], views_BTHWC: Frames) -> Callable[[], Any]:
    run(views_BTHWC)
    return lambda: measure(lambda: run(views_BTHWC))


def _vectors(run: Callable[[Frames], Floats], part: Part) -> Floats:
    """Return vectors [M, D], pooled as vidfit does."""
    vectors = []
    for clip in part.clips:
        frames_VTHWC = np.load(part.paths[clip])[::2]
        tokens = [run(frames_VTHWC[v : v + 2]) for v in range(0, len(frames_VTHWC), 2)]
        vectors.append(temporal_statistics(np.concatenate(tokens).reshape(len(frames_VTHWC), -1)))
    return np.stack(vectors)


def _figures(clips: Sequence[Clip], vectors: dict[str, Floats]) -> dict[str, Any]:
    labels, groups = [str(clip.label) for clip in clips], [str(clip.group) for clip in clips]
    names = sorted(set(labels))
    labels_M = np.array([names.index(label) for label in labels], np.int64)
    dealings = [grouped_folds(labels, groups, folds=_FOLDS, seed=seed) for seed in range(_DEALINGS)]
    hits: dict[str, Floats] = {}
    for name, x_MD in vectors.items():
        answers = [cross_fit([x_MD], labels_M, folds_M)[1].argmax(axis=1) for folds_M in dealings]
        hits[name] = np.mean([answer == labels_M for answer in answers], axis=0)
    loss = {name: _list(mean_interval(hits["whole"] - h, groups)) for name, h in hits.items()}
    return {
        "clips": len(clips),
        "recordings": len(set(groups)),
        "accuracy": {name: _list(mean_interval(h, groups)) for name, h in hits.items()},
        "loss": loss,
    }


def _gmacs(backbone: FrameBackbone, network: nn.Module) -> float:
    return count_gmacs(network, backbone.spec.preprocessing, 1)


def _list(estimate: Estimate) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]


def _show(figures: dict[str, Any]) -> None:
    rows = []
    for name, (value, low, high) in figures["accuracy"].items():
        lost = "" if name == "whole" else _points(figures["loss"][name])
        gmacs, size = figures["gmacs"][name], figures["parameters"][name] / 1e6
        cost = f"{figures['milliseconds'][name]:.1f}", f"{gmacs:.3f}", f"{size:.2f}"
        rows.append((name, *cost, f"{value:.1%}", f"[{low:.1%}, {high:.1%}]", lost))
    heads = ("network", "ms, 2 views", "GMACs a view", "M parameters", "accuracy", "95 %", "loss")
    table(heads, rows)
    print(f"{figures['minutes']:.1f} min")


def _points(estimate: Sequence[float]) -> str:
    value, low, high = (100 * number for number in estimate)
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def _headline(task: str, figures: dict[str, Any]) -> tuple[str, bool]:
    speed, loss = figures["speed-up"], figures["loss"]["distilled"]
    return (
        f"{task}: {speed:.2f} times as fast, {_points(loss)} points lost on "
        f"{figures['recordings']} unseen recordings (bar: {SPEED_BAR:g} times at no more than "
        f"{100 * LOSS_BAR:g} point)",
        speed >= SPEED_BAR and loss[0] <= LOSS_BAR,
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--task", default="fights", help="of benchmarks._tasks")
    parser.add_argument("--steps", type=int, default=None, help="400, or 20 with --quick")
    options = parser.parse_args()
    options.steps = options.steps or (20 if options.quick else 400)
    return options


if __name__ == "__main__":
    main()
