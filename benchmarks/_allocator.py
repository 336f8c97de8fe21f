"""The peak of torch's allocator, which predictions of memory are held against."""

from __future__ import annotations

from typing import Any

from vidfit.planning.tracker import held
from vidfit.planning.trial import Trainee, take_steps
from vidfit.plans import Layout, Recipe


def allocated_bytes(trainee: Trainee, recipe: Recipe, layout: Layout) -> int:
    """Return the peak that torch's allocator reports, what is inside operations included."""
    from torch.profiler import ProfilerActivity, profile

    there = sum(t.numel() * t.element_size() for t in held(trainee.network))
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
