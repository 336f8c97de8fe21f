"""Fewer bits: what they save in bytes and time, and how far tokens and clipping scales are off.

Three questions:

- What do static and dynamic integers and stored weights of 16, 8 and 4 bits cost and save, on
  ONNX Runtime and OpenVINO? Size, cosine of tokens with fp32 on ONNX Runtime (and the same after
  the mean token is taken off both), and the latency of fp32 on the same engine over that of the
  way: medians over rounds, by turns, one thread. EfficientNet-Lite0 as it was trained; a small
  ResNet, ViT and VideoMAE with random weights. Two views at once, or one of a video.
- How does ONNX Runtime's own toolkit do on Lite0, and weights that are stored otherwise?
- How far is the error of OCTAV's scale above that of a fine search over scales, with and without
  the refinement that follows it? On the tensors of Lite0 and on samples of known laws. Channels
  are compared by the sum of their errors over a layer.

Frames are of surveillance clips, where they are at hand: scales are chosen on every second clip
and tokens compared on the others. Else frames are generated, and the figures of Lite0 mean little.

Shape letters: B views, T frames, H height, W width, C channels, N tokens, D features, R rows with
a scale each, K values of a row.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from benchmarks._clips import SURVEILLANCE, folder
from benchmarks._harness import arguments, environment, finish, load, median_ratio, table
from benchmarks._plan_subjects import KINDS
from benchmarks._quantize_peers import by_dequantize_linear, by_direct_cast, toolkit
from vidfit.compression import clipping, onnx_graph, ranges
from vidfit.compression.quantize import quantize_dynamic, quantize_static
from vidfit.compression.store import store_weights
from vidfit.contracts import Clip, Floats, Frames, Preprocessing, Sampling
from vidfit.errors import BackboneError
from vidfit.features.views import gather_views
from vidfit.runtime import onnx as onnx_runtime
from vidfit.runtime import openvino
from vidfit.video import VideoReader

SUBJECTS = ("lite0", "resnet", "vit", "videomae")
ENGINES = {"onnx": onnx_runtime.open_session, "openvino": openvino.open_session}
BITS = (4, 8)
TENSOR_VALUES = 16_384
SAMPLE_VALUES = 100_000
BAR = 0.01

Way = Callable[[Path, Path], None]


@dataclass(frozen=True)
class Spec:
    """What `gather_views` and an export ask of an encoder."""

    sampling: Sampling
    preprocessing: Preprocessing


@dataclass(frozen=True)
class Subject:
    """A network, where its graph is, and frames to choose scales on and to compare on."""

    name: str
    path: Path
    calibration_BTHWC: Frames
    test_BTHWC: Frames


def main() -> None:
    options = _options()
    start = environment()
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        for name in options.subjects:
            subject = _subject(name, Path(work), options.quick)
            print(f"\n{name}: {len(subject.calibration_BTHWC)} views to calibrate on, {load()}")
            ways = _ways(subject) | (_of_lite0(subject) if name == "lite0" else {})
            figures[name] = _compare(subject, ways, options.rounds, Path(work))
            _show(figures[name])
            if name == "lite0":
                tensors = {**_tensors(subject, options.quick), **_samples()}
    figures["clipping"] = {name: _clipping(of, options.scales) for name, of in tensors.items()}
    _show_clipping(figures["clipping"])
    headline, met = _headline(figures)
    finish(options, figures, start, headline, met=met)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, help="of latency; 15, or 5 with --quick")
    options = parser.parse_args()
    options.subjects = SUBJECTS[:1] if options.quick else SUBJECTS
    options.rounds = options.rounds or (5 if options.quick else 15)
    options.scales = 100 if options.quick else 300
    return options


def _subject(name: str, work: Path, quick: bool) -> Subject:
    torch.manual_seed(0)
    kind = KINDS[name]
    if kind.encoder is None:
        raise SystemExit(f"{name} has no encoder to export")
    _, length, height, width, _ = kind.shape
    views = Sampling(length, 8 if length == 1 else 1)
    spec = Spec(views, Preprocessing(height, width))
    path = work / f"{name}.onnx"
    network = kind.encoder().eval().requires_grad_(False)
    onnx_runtime.export(_Exported(network, spec), path)
    frames_VBTHWC = [_few(v, 4) for v in _videos(spec, 8 if quick else 24)]
    calibration, test = np.concatenate(frames_VBTHWC[::2]), np.concatenate(frames_VBTHWC[1::2])
    return Subject(name, path, _few(calibration, 8 if quick else 32), _few(test, 12))


@dataclass(frozen=True)
class _Exported:
    network: torch.nn.Module
    spec: Spec


def _few(frames_BTHWC: Frames, count: int) -> Frames:
    """Return views that are evenly spread."""
    last = len(frames_BTHWC) - 1
    return frames_BTHWC[np.unique(np.linspace(0, last, count).round().astype(int))]


def _videos(spec: Spec, count: int) -> Iterator[Frames]:
    """Return the views of each video [B, T, H, W, C]."""
    if SURVEILLANCE.is_dir():
        for path in folder(SURVEILLANCE, count):
            with VideoReader(str(path)) as reader:
                yield gather_views(reader, Clip(str(path)), [spec])[0][1]
        return
    print(f"no clips in {SURVEILLANCE}: frames are generated")
    rng = np.random.default_rng(0)
    size = spec.preprocessing
    shape = (spec.sampling.num_clips, spec.sampling.clip_len, size.height_pixels, size.width_pixels)
    for _ in range(count):
        y, x = np.ogrid[: shape[2], : shape[3]]
        slope = rng.normal(size=(2, *shape[:2], 1, 1, 3)) * 1.5
        plane = slope[0] * y[:, :, None] + slope[1] * x[:, :, None]
        noisy = 128 + plane + rng.normal(size=(*shape, 3)) * 20
        yield np.clip(noisy, 0, 255).astype(np.uint8)


def _ways(subject: Subject) -> dict[str, Way]:
    return {
        "static": partial(quantize_static, frames_BTHWC=subject.calibration_BTHWC),
        "dynamic": quantize_dynamic,
        "weights of 16 bits": partial(store_weights, bits=16),
        "weights of 8 bits": partial(store_weights, bits=8),
        "weights of 4 bits": partial(store_weights, bits=4),
    }


def _of_lite0(subject: Subject) -> dict[str, Way]:
    """Return the toolkit's ways, and other ways to store."""
    frames_BTHWC = subject.calibration_BTHWC
    return {
        "toolkit": partial(toolkit, frames_BTHWC=frames_BTHWC, reduce_range=False),
        "toolkit, reduce_range": partial(toolkit, frames_BTHWC=frames_BTHWC, reduce_range=True),
        "8 bits by DequantizeLinear": by_dequantize_linear,
        "8 bits, no int32 between": partial(by_direct_cast, bits=8),
        "4 bits, no int32 between": partial(by_direct_cast, bits=4),
    }


def _compare(
    subject: Subject, ways: Mapping[str, Way], rounds: int, work: Path
) -> dict[str, dict[str, Any]]:
    paths = {"fp32": subject.path}
    figures: dict[str, dict[str, Any]] = {}
    for name, way in ways.items():
        target = work / f"{subject.name}-{name}.onnx"
        try:
            way(subject.path, target)
            paths[name] = target
        except BackboneError as error:
            figures[name] = {"refused": str(error)}
    runs = {
        (name, engine): opened(path, 1)
        for name, path in paths.items()
        for engine, opened in ENGINES.items()
    }
    expected_BND = runs["fp32", "onnx"](subject.test_BTHWC)
    is_video = subject.test_BTHWC.shape[1] > 1
    seconds = _by_turns(runs, subject.test_BTHWC[: 1 if is_video else 2], rounds)
    for name, path in paths.items():
        figures[name] = {"bytes": path.stat().st_size}
        figures[name]["smaller"] = subject.path.stat().st_size / path.stat().st_size
        for engine in ENGINES:
            tokens_BND = runs[name, engine](subject.test_BTHWC)
            floats, own = seconds["fp32", engine], seconds[name, engine]
            figures[name][engine] = {
                **_likeness(expected_BND, tokens_BND),
                "speed-up": median_ratio(floats, own),
                "median seconds": float(np.median(own)),
            }
    return {name: figures[name] for name in ("fp32", *ways)}


def _by_turns(
    runs: Mapping[tuple[str, str], Callable[[Frames], Floats]], frames_BTHWC: Frames, rounds: int
) -> dict[tuple[str, str], list[float]]:
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for number in range(rounds + 1):
        for key, run in runs.items():
            began = time.perf_counter()
            run(frames_BTHWC)
            if number:  # the first round warms up
                seconds[key].append(time.perf_counter() - began)
    return seconds


def _likeness(expected_BND: Floats, tokens_BND: Floats) -> dict[str, float]:
    mean_ND = expected_BND.mean(axis=0)
    return {
        "cosine": _cosine(expected_BND, tokens_BND),
        "centred cosine": _cosine(expected_BND - mean_ND, tokens_BND - mean_ND),
    }


def _cosine(a: Floats, b: Floats) -> float:
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    with np.errstate(invalid="ignore"):  # an engine that gives only zeros: the cosine is none
        return float(np.mean(np.sum(a * b, axis=-1) / norms))


def _tensors(subject: Subject, quick: bool) -> dict[str, list[Floats]]:
    """Return rows [R, K] of what the layers of Lite0 read and of their weights, by kind.

    The first layer reads pixels, whose range is not clipped: it is left out.
    """
    model = onnx_graph.tidied(subject.path)
    nodes = onnx_graph.layer_nodes(model)[:: 3 if quick else 1]
    stored = onnx_graph.weights(model)
    seen = ranges.observe(model, {n.input[0] for n in nodes[1:]}, subject.calibration_BTHWC[:4])
    weights = [
        onnx_graph.channel_rows(onnx_graph.array(stored[n.input[1]]), onnx_graph.channel_axis(n))
        for n in nodes
    ]
    values = [seen[node.input[0]].values for node in nodes[1:]]
    return {
        "activations": [x[:: -(-len(x) // TENSOR_VALUES)][None] for x in values],
        "weights": [rows_RK.reshape(1, -1)[:, :TENSOR_VALUES] for rows_RK in weights],
        "weights by channel": weights,
    }


def _samples() -> dict[str, list[Floats]]:
    rng = np.random.default_rng(0)
    drawn = [
        rng.normal(size=SAMPLE_VALUES),
        rng.laplace(size=SAMPLE_VALUES),
        rng.standard_t(3, size=SAMPLE_VALUES),
        np.abs(rng.normal(size=SAMPLE_VALUES)),
        np.maximum(rng.normal(size=SAMPLE_VALUES), 0),
    ]
    return {"samples": [values.astype(np.float32)[None] for values in drawn]}


def _clipping(tensors: list[Floats], scales: int) -> dict[str, dict[str, float]]:
    """Return the worst and the median share by which each clipping is above the best error."""
    found: dict[str, dict[str, float]] = {}
    for bits in BITS:
        excesses: dict[str, list[float]] = {"OCTAV alone": [], "OCTAV refined": [], "mse": []}
        for rows_RK in tensors:
            signed = bool(rows_RK.min() < 0)
            best = _searched(rows_RK, bits, signed, scales)
            with patch.object(clipping, "NEAR", ()):
                alone_R = clipping.row_scales(rows_RK, bits, signed, "octav")
            refined_R = clipping.row_scales(rows_RK, bits, signed, "octav")
            mse_R = clipping.row_scales(rows_RK, bits, signed, "mse")
            for name, scale_R in zip(excesses, (alone_R, refined_R, mse_R), strict=True):
                excesses[name].append(_errors(rows_RK, scale_R, bits, signed).sum() / best - 1)
        for name, of in excesses.items():
            found[f"{name}, {bits} bits"] = {"worst": max(of), "median": float(np.median(of))}
    return found


def _searched(rows_RK: Floats, bits: int, signed: bool, scales: int) -> float:
    """Return the sum over rows of the least error on a grid from the mean to the largest value."""
    sides_RK = np.abs(rows_RK)
    low_R, high_R = sides_RK.mean(axis=1) + 1e-12, sides_RK.max(axis=1) + 1e-12
    best_R = np.full(len(rows_RK), np.inf)
    for share in np.linspace(0, 1, scales):
        scale_R = low_R ** (1 - share) * high_R**share
        best_R = np.minimum(best_R, _errors(rows_RK, scale_R, bits, signed))
    return float(best_R.sum())


def _errors(rows_RK: Floats, scale_R: Floats, bits: int, signed: bool) -> Floats:
    """Return the mean squared error of each row, as the definition in `clipping` has it."""
    steps = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    step_R1 = (scale_R / steps)[:, None].astype(np.float32)
    codes_RK = np.clip(np.rint(rows_RK / step_R1), -steps if signed else 0, steps)
    errors_R: Floats = np.mean((codes_RK * step_R1 - rows_RK) ** 2, axis=1, dtype=np.float64)
    return errors_R


def _show(figures: Mapping[str, Mapping[str, Any]]) -> None:
    headers = ["", "MB", "smaller"]
    headers += [
        f"{engine}: {what}" for engine in ENGINES for what in ("cosine", "centred", "speed")
    ]
    rows = []
    for name, of in figures.items():
        if "refused" in of:
            rows.append([name, "refused", *["-"] * (len(headers) - 2)])
            continue
        row = [name, f"{of['bytes'] / 1e6:.2f}", f"{of['smaller']:.2f}"]
        for engine in ENGINES:
            own = of[engine]
            row += [f"{own['cosine']:.5f}", f"{own['centred cosine']:.4f}"]
            row.append(f"{own['speed-up']:.2f}")
        rows.append(row)
    table(headers, rows)
    fp32 = {engine: figures["fp32"][engine]["median seconds"] * 1e3 for engine in ENGINES}
    print("fp32: " + ", ".join(f"{engine} {ms:.1f} ms" for engine, ms in fp32.items()))


def _show_clipping(figures: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    print("\nerror above that of a fine search, worst (median)")
    names = list(next(iter(figures.values())))
    rows = [
        [name, *(f"{of[name]['worst']:.2%} ({of[name]['median']:.2%})" for of in figures.values())]
        for name in names
    ]
    table(["", *figures], rows)


def _headline(figures: Mapping[str, Any]) -> tuple[str, bool]:
    static = figures["lite0"]["static"]
    worst = max(
        of[f"OCTAV refined, {bits} bits"]["worst"]
        for kind, of in figures["clipping"].items()
        for bits in BITS
        if kind != "weights by channel"
    )
    return (
        f"EfficientNet-Lite0 static: cosine {static['onnx']['cosine']:.4f}, "
        f"{static['smaller']:.2f} times smaller, {static['onnx']['speed-up']:.2f} times as fast on "
        f"ONNX Runtime and {static['openvino']['speed-up']:.2f} on OpenVINO; OCTAV on whole "
        f"tensors at worst {worst:.2%} above the best error (bar {BAR:.0%})",
        worst <= BAR,
    )


if __name__ == "__main__":
    main()
