"""The process that runs steps for a plan: ``python -m vidfit.planning.probe < request.json``.

Planning runs it as a child (`vidfit.planning.child`): a network that takes all memory, or that
crashes, takes the child with it and not the plan; and only a fresh process tells how much memory
it came to hold.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from vidfit.networks.step import main_blocks
from vidfit.networks.tuned import Tuned, checkpoint_blocks
from vidfit.planning.flops import count_flops
from vidfit.planning.tracker import PeakTracker, held, without_numbers
from vidfit.planning.trial import Times, Trainee, take_steps
from vidfit.plans import Layout, Recipe
from vidfit.runtime import malloc

_RESET_PEAK = "5"
"""Written to ``clear_refs``, sets the peak of resident memory to what is resident now."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Sizes that do not depend on the layout.

    Parameters
    ----------
    weights_bytes, learned_bytes
        All weights and buffers; those of them that learn.
    block_bytes
        The largest block of the encoder, of so many ``blocks``.
    clip_bytes
        What the network sees of one clip.
    """

    weights_bytes: int
    learned_bytes: int
    block_bytes: int
    blocks: int
    clip_bytes: int


def main() -> None:
    """Answer the request on standard input with JSON on standard output."""
    request = json.load(sys.stdin)
    # What a network prints must not be taken for the answer.
    answer_to, sys.stdout = sys.stdout, sys.stderr
    torch.set_num_threads(request["threads"])
    if request["kind"] == "real":
        _prepare(request)
        for module in request["code"]:
            importlib.import_module(module)
    recipe = Recipe(**request["recipe"])
    runs = [Layout(**layout) for layout in request["layouts"]]
    answer = (
        _dry(request, recipe, runs) if request["kind"] == "dry" else _real(request, recipe, runs)
    )
    json.dump(answer, answer_to)


def _prepare(request: Mapping[str, Any]) -> None:
    """Set the allocator as training does, and the limit."""
    import resource

    if not request["returning"]:
        malloc.tune()
        malloc.share_heap()
    limit = request["limit_bytes"]
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _dry(request: Mapping[str, Any], recipe: Recipe, layouts: list[Layout]) -> dict[str, Any]:
    """Run on shapes alone; layouts that differ in checkpointing get a network each."""
    found: dict[str, Any] = {"runs": []}
    made: dict[bool, tuple[Trainee, FakeTensorMode, float]] = {}
    for layout in layouts:
        if layout.checkpointing not in made:
            trainee, mode = (
                _trainee(request, layout.checkpointing),
                FakeTensorMode(allow_non_fake_inputs=True),
            )
            found.setdefault("facts", asdict(_facts(trainee)))
            without_numbers(trainee.network, mode)
            with mode:
                made[layout.checkpointing] = trainee, mode, count_flops(trainee)
        trainee, mode, flops = made[layout.checkpointing]
        with mode, PeakTracker(held(trainee.network)) as tracker:
            take_steps(trainee, recipe, layout)
        gc.collect()
        found["runs"].append({"peak_bytes": tracker.peak_bytes, "flops_a_clip": flops})
    return found


def _real(request: Mapping[str, Any], recipe: Recipe, layouts: list[Layout]) -> dict[str, Any]:
    """Run with numbers: seconds, resident memory, and the allocator's peak when asked."""
    found: dict[str, Any] = {"runs": []}
    clock = time.process_time if request.get("clock") == "cpu" else time.perf_counter
    for layout in layouts:
        trainee = _trainee(request, layout.checkpointing)
        found.setdefault("facts", asdict(_facts(trainee)))
        _reset_peak()
        times = take_steps(trainee, recipe, layout, request["steps"], clock)
        run = {"resident_bytes": _peak_resident(), **_seconds(times)}
        if request.get("traced"):
            run["peak_bytes"] = _allocated(trainee, recipe, layout)
        found["runs"].append(run)
        del trainee
        gc.collect()
    return found


def _trainee(request: Mapping[str, Any], checkpointing: bool) -> Trainee:
    module, _, name = request["target"].partition(":")
    trainee: Trainee = getattr(importlib.import_module(module), name)(request["arguments"])
    if checkpointing and isinstance(trainee.network, Tuned):
        checkpoint_blocks(trainee.network.encoder)
    return trainee


def _facts(trainee: Trainee) -> Facts:
    network = trainee.network
    learned = sum(_bytes(p) for p in network.parameters() if p.requires_grad)
    blocks = main_blocks(network.encoder) if isinstance(network, Tuned) else []
    return Facts(
        weights_bytes=sum(map(_bytes, held(network))),
        learned_bytes=learned,
        block_bytes=max((sum(map(_bytes, b.parameters())) for b in blocks), default=0),
        blocks=len(blocks),
        clip_bytes=sum(_bytes(t) for t in trainee.batch(1).tensors if t is not None),
    )


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _seconds(times: Times) -> dict[str, float]:
    """Return seconds of a micro-batch and an update; the fastest is what else runs least in."""
    return {"micro_seconds": min(times.micro), "update_seconds": min(times.update)}


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    except OSError:  # not Linux, or not allowed: then the peak is that since the start
        return


def _peak_resident() -> int:
    import resource

    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _allocated(trainee: Trainee, recipe: Recipe, layout: Layout) -> int:
    """Return the peak that torch's allocator reports, what is inside operations included."""
    from torch.profiler import ProfilerActivity, profile

    there = sum(map(_bytes, held(trainee.network)))
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        take_steps(trainee, recipe, layout)
    events: list[tuple[int, int]] = []
    results: Any = profiler.profiler
    waiting = list(results.kineto_results.experimental_event_tree())
    while waiting:
        event = waiting.pop()
        waiting += event.children
        if event.name == "[memory]":
            events.append((event.start_time_ns, event.typed[1].alloc_size))
    live = peak = 0
    for _, change in sorted(events, key=lambda pair: pair[0]):
        live += change
        peak = max(peak, live)
    return there + peak


if __name__ == "__main__":
    main()
