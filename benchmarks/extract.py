"""Features of clips: vidfit against the usual ways, and against what this machine can do.

The same clips, frames, network and precision everywhere. Wall time decides, with as many
threads as each way takes by itself; CPU time stands beside it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _clips, _peers, _vidfit
from benchmarks._harness import (
    Cost,
    arguments,
    cpus,
    environment,
    finish,
    interleaved,
    median_cpu,
    median_ratio,
    median_wall,
    table,
    walls,
)
from benchmarks._workers import Worker, together
from vidfit import backbones as zoo
from vidfit.hardware import hardware

FASTER, EFFICIENT, COSINE, FOUR_OVER, GUARD = 3.5, 0.97, 0.999, 1.05, 0.02
BUSY = " on all cores"
SAME_PIXELS = "same pixels, torch"
SGEMM_SIZE = 2048

WAYS = {
    "opencv": (_peers.opencv_untuned, "opencv", "OpenCV read() + torch, as they come"),
    "opencv tuned": (_peers.opencv_tuned, "opencv", "the same, malloc tuned"),
    "opencv grab": (_peers.opencv_tuned, "opencv grab", "the same, grab() what is not wanted"),
    "hugging face": (_peers.hugging_face, "hugging face", "transformers: PyAV + PIL + torch"),
    "vidfit": (_vidfit.whole, "vidfit", "vidfit, into its store"),
}
"""Way -> who runs it, the stage there, what a reader is told."""


def main() -> None:
    options = _options()
    start = environment()
    print(f"{start['machine']['processor']}, {hardware().cores} cores, {start['load']}")
    print(f"network {_peers.NETWORK}, fp32, 8 frames a clip, {options.repeats} interleaved rounds")
    figures: dict[str, Any] = {"sgemm_gflops_1_thread": sgemm_gflops()}
    with tempfile.TemporaryDirectory() as scratch:
        for name, paths in _sets(options, Path(scratch)).items():
            print(f"\n{name}: {_clips.describe(paths)}")
            ways = {"vidfit": WAYS["vidfit"]} if options.no_peers else WAYS
            costs, parity, guard = _measured(paths, options.repeats, ways)
            sgemm = figures["sgemm_gflops_1_thread"]
            figures[name] = _figures(costs, parity, guard, len(paths), sgemm)
            _show(costs, figures[name], len(paths))
    headline, met = _headline(figures)
    finish(options, figures, start, headline, met=met)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--clips", type=Path, metavar="DIR", help="measure on these videos")
    parser.add_argument("--720p", dest="large", action="store_true", help="these clips alone")
    parser.add_argument(
        "--no-peers", action="store_true", help="vidfit against its own parts, and no other way"
    )
    parser.add_argument("--count", type=int, help="clips of each set (48; quick 6)")
    parser.add_argument("--repeats", type=int, help="rounds (5; quick 2)")
    options = parser.parse_args()
    options.count = options.count or (6 if options.quick else 48)
    options.repeats = options.repeats or (2 if options.quick else 5)
    return options


def _sets(options: argparse.Namespace, scratch: Path) -> dict[str, list[Path]]:
    if options.clips:
        return {str(options.clips): _clips.folder(options.clips, options.count)}
    sets = {}
    if _clips.SURVEILLANCE.is_dir() and not options.large:
        sets["surveillance"] = _clips.folder(_clips.SURVEILLANCE, options.count)
    if not sets or not options.quick:
        sets["720p"] = _clips.high_definition(scratch, options.count)
    return sets


def sgemm_gflops() -> float:
    """Return the best rate of a large float32 matrix product in one thread: the core's limit."""
    import torch

    from benchmarks._harness import measure

    torch.set_num_threads(1)
    a = torch.randn(SGEMM_SIZE, SGEMM_SIZE)
    best = min(measure(lambda: a @ a).wall_seconds for _ in range(7))
    return 2e-9 * SGEMM_SIZE**3 / best


def _measured(
    paths: Sequence[Path], rounds: int, ways: Mapping[str, tuple[Any, str, str]]
) -> tuple[dict[str, list[Cost]], dict[str, list[float]], float]:
    """Return costs by stage, cosines to vidfit's features by way, and seconds of the guard."""
    makers = dict.fromkeys(way[0] for way in ways.values())
    workers = {maker: Worker(maker, paths) for maker in (*makers, _vidfit.alone)}
    stages = {name: (workers[maker], stage) for name, (maker, stage, _) in ways.items()}
    for worker in (workers[_vidfit.whole], workers[_vidfit.alone]):
        stages |= {name: (worker, name) for name in worker.names if name not in stages}
    others = [Worker(_vidfit.alone, paths) for _ in range(hardware().cores - 1)]
    busy = [workers[_vidfit.alone], *others]
    parts = [name for name in busy[0].names if name not in ("guard", "codec")]
    costs = interleaved(
        {name: (lambda w=worker, s=stage: w.run(s)) for name, (worker, stage) in stages.items()}
        | {f"{name}{BUSY}": (lambda s=name: together(busy, s)) for name in parts},
        rounds,
    )
    parity, guard = _parity(paths, workers), workers[_vidfit.alone].result("guard")
    for worker in (*workers.values(), *others):
        worker.close()
    return costs, parity, guard


def _parity(paths: Sequence[Path], workers: Mapping[Any, Worker]) -> dict[str, list[float]]:
    """Return the cosine of every frame's features to those in vidfit's store."""
    from vidfit.contracts import Clip
    from vidfit.features import clip_digest

    stored = workers[_vidfit.whole].result("vidfit")
    ours = {str(path): stored[clip_digest(Clip(str(path)))] for path in paths}
    eager = zoo.load(_peers.NETWORK)
    views = workers[_vidfit.alone].result("decode")
    theirs = {
        SAME_PIXELS: {
            str(path): eager.forward(view)[:, 0] for path, view in zip(paths, views, strict=True)
        },
    }
    if _peers.hugging_face in workers:
        theirs |= _of_peers(paths, workers)
    return {
        name: np.concatenate([_cosines(ours[path], features[path]) for path in ours]).tolist()
        for name, features in theirs.items()
    }


def _of_peers(paths: Sequence[Path], workers: Mapping[Any, Worker]) -> dict[str, _peers.Features]:
    """Return the features that other ways give, by what is done otherwise."""
    reference = Worker(_peers.antialiased, paths)
    theirs = {
        "accurate RGB, PIL antialiased, torch": reference.result("accurate"),
        "OpenCV frames, PIL antialiased, torch": reference.result("opencv"),
        "OpenCV, cv2.resize linear, torch": workers[_peers.opencv_untuned].result("opencv"),
        "transformers": workers[_peers.hugging_face].result("hugging face"),
    }
    reference.close()
    return theirs


def _cosines(a_ND: np.ndarray, b_ND: np.ndarray) -> np.ndarray:
    a_ND, b_ND = np.asarray(a_ND, np.float64), np.asarray(b_ND, np.float64)
    return (a_ND * b_ND).sum(1) / np.linalg.norm(a_ND, axis=1) / np.linalg.norm(b_ND, axis=1)


def _figures(
    costs: Mapping[str, list[Cost]],
    parity: Mapping[str, list[float]],
    guard: float,
    clips: int,
    sgemm: float,
) -> dict[str, Any]:
    cores = hardware().cores
    ours = walls(costs["vidfit"])
    ideal = _ideal(costs, "decode", [_peers.NETWORK], cores)
    ideal_of_four = _ideal(costs, "decode for four", _vidfit.FOUR, cores)
    busy = _ideal(costs, f"decode{BUSY}", [f"{_peers.NETWORK}{BUSY}"], cores)
    four_busy = _ideal(
        costs, f"decode for four{BUSY}", [f"{name}{BUSY}" for name in _vidfit.FOUR], cores
    )
    gmacs = zoo.load(_peers.NETWORK).spec.gmacs_per_clip
    return {
        "clips": clips,
        "times_faster_than": {
            name: median_ratio(walls(costs[name]), ours)
            for name in WAYS
            if name in costs and name != "vidfit"
        },
        "share_of_ideal": median_ratio(ideal, ours),
        "share_of_busy": median_ratio(busy, ours),
        "four_over_busy": median_ratio(walls(costs["four, one decode"]), four_busy),
        "four_over_ideal": median_ratio(walls(costs["four, one decode"]), ideal_of_four),
        "four_cpu_over_parts": median_ratio(
            cpus(costs["four, one decode"]), [cores * seconds for seconds in ideal_of_four]
        ),
        "one_by_one_over_four": median_ratio(
            walls(costs["four, one by one"]), walls(costs["four, one decode"])
        ),
        "codec_share_of_decode": median_ratio(cpus(costs["codec"]), cpus(costs["decode"])),
        "guard_over_decode": guard / median_cpu(costs["decode"]),
        "inference_gflops": 2 * gmacs * clips / median_cpu(costs[_peers.NETWORK]),
        "inference_share_of_sgemm": 2 * gmacs * clips / median_cpu(costs[_peers.NETWORK]) / sgemm,
        "cosine": {
            name: {"least": min(values), "median": float(np.median(values))}
            for name, values in parity.items()
        },
        "seconds": {
            name: {"wall": walls(values), "cpu": cpus(values)} for name, values in costs.items()
        },
    }


def _ideal(
    costs: Mapping[str, list[Cost]], decode: str, networks: Sequence[str], cores: int
) -> list[float]:
    """Return, round by round, the wall time if all cores did nothing but the needed work."""
    rounds = zip(cpus(costs[decode]), *[cpus(costs[name]) for name in networks], strict=True)
    return [sum(parts) / cores for parts in rounds]


def _show(costs: Mapping[str, list[Cost]], figures: Mapping[str, Any], clips: int) -> None:
    told = {name: text for name, (_, _, text) in WAYS.items() if name in costs}
    faster = figures["times_faster_than"]
    table(
        ["ms a clip", "wall", "CPU", "vidfit is faster"],
        [
            [text, *_milliseconds(costs[name], clips), f"{faster.get(name, 1):.2f} x"]
            for name, text in told.items()
        ],
    )
    print()
    rest = [name for name in costs if name not in told and name != "guard"]
    table(
        ["parts, ms a clip", "wall", "CPU"],
        [[name, *_milliseconds(costs[name], clips)] for name in rest],
    )
    print()
    table(
        ["cosine of vidfit's features with", "least", "median"],
        [
            [name, f"{values['least']:.5f}", f"{values['median']:.5f}"]
            for name, values in figures["cosine"].items()
        ],
    )
    print(
        f"\nwall: {figures['share_of_ideal']:.3f} of the ideal (decode + inference CPU over "
        f"cores; bar {EFFICIENT}), {figures['share_of_busy']:.3f} of the same with all cores at "
        "work on that part, which share caches and memory\n"
        f"decode: the codec alone takes {figures['codec_share_of_decode']:.2f} of it; "
        f"the guard against lost state adds {figures['guard_over_decode']:.2%} (bar {GUARD:.0%})\n"
        f"inference: {figures['inference_gflops']:.0f} GFLOP/s on a core, "
        f"{figures['inference_share_of_sgemm']:.2f} of a large matrix product\n"
        f"four backbones from one decode: {figures['four_over_ideal']:.3f} of the ideal "
        f"(bar {FOUR_OVER}), {figures['four_over_busy']:.3f} of that with all cores at work, "
        f"CPU {figures['four_cpu_over_parts']:.3f} of the parts; "
        f"one by one takes {figures['one_by_one_over_four']:.2f} x as long"
    )


def _milliseconds(costs: list[Cost], clips: int) -> list[str]:
    return [f"{1e3 * value / clips:.1f}" for value in (median_wall(costs), median_cpu(costs))]


def _headline(figures: Mapping[str, Any]) -> tuple[str, bool]:
    sets = [value for value in figures.values() if isinstance(value, dict)]
    faster = min(figure["times_faster_than"].get("opencv", 0.0) for figure in sets)
    tuned = min(figure["times_faster_than"].get("opencv tuned", 0.0) for figure in sets)
    efficient = min(figure["share_of_ideal"] for figure in sets)
    four = max(figure["four_over_ideal"] for figure in sets)
    cosine = min(f["cosine"][SAME_PIXELS]["least"] for f in sets)
    guard = max(f["guard_over_decode"] for f in sets)
    peers = (
        f"vidfit is {faster:.2f} x as fast as OpenCV + torch (bar {FASTER}; tuned {tuned:.2f} x), "
        if faster
        else "vidfit reaches "
    )
    headline = (
        f"{peers}{efficient:.3f} of the ideal (bar {EFFICIENT}), four backbones at {four:.3f} of "
        f"it (bar {FOUR_OVER}), cosine {cosine:.5f} on the same pixels (bar {COSINE}), "
        f"guard {guard:.2%} of decoding (bar {GUARD:.0%})"
    )
    met = (not faster or faster >= FASTER) and efficient >= EFFICIENT and four <= FOUR_OVER
    return headline, met and cosine >= COSINE and guard <= GUARD


if __name__ == "__main__":
    main()
