"""A benchmark as text, as JSON, and its picture as a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidfit.documents import to_json
from vidfit.files import write_whole
from vidfit.jobs.benchmark.picture import ENGINE_NAMES, benchmark_svg
from vidfit.report.wording import counted, frames_seen

if TYPE_CHECKING:
    from vidfit.jobs.benchmark.value import Benchmark, BenchmarkedMember, ClipWay, EngineRun

MIB = 2**20
_BATCHES = (1, 2, 4, 8)
ABOVE_PEAK = (
    "Above 100% of the peak: the peak is that of a float32 matrix product, and the share counts "
    "all multiply-accumulates of the network. An engine that computes fewer (Winograd), or in "
    "smaller numbers (int8, bf16), passes it, and so does one that ran while the machine was less "
    "busy than for the peak."
)
"""What is said below a table with such a share."""


def benchmark_markdown(found: Benchmark) -> str:
    """Return tables: the machine's roofs, each member on each engine, and the way of a clip."""
    lines = [
        f"**{found.model}** on {found.machine.get('processor', 'this machine')}, "
        f"load {found.load[0]:.1f} before and {found.load[1]:.1f} after",
        "",
        "| this machine | float32 peak, GFLOP/s | memory, GB/s |",
        "|---|---|---|",
    ]
    lines += [
        f"| {_threads(roof.threads)} | {roof.flops_per_second / 1e9:.0f} | "
        f"{roof.bytes_per_second / 1e9:.1f} |"
        for roof in found.roofs
    ]
    if found.load[0] > 1:
        lines += ["", "Other programs were running: times on the clock, and the peak, are rough."]
    for member in found.members:
        lines += ["", *_member(found, member)]
    if found.clip:
        lines += ["", *_clip(found.clip)]
    return "\n".join(lines)


def _member(found: Benchmark, member: BenchmarkedMember) -> list[str]:
    """Return the table of a member; what does not run stands below it."""
    views = " | ".join(f"views/s at {views}" for views in _BATCHES)
    lines = [
        f"**{member.name}**: {_size(member)}; a clip is {frames_seen(member.sampling)}",
        "",
        f"| engine | threads | one view, ms (p95) | {views} | clips/s | CPU ms a view | "
        "of the peak | memory |",
        "|---" * (7 + len(_BATCHES)) + "|",
    ]
    lines += [_row(found, member, run) for run in member.runs if run.timings]
    shares = [found.share_of_peak(member, run) for run in member.runs if run.timings]
    if max(shares, default=0.0) > 1 and member.gmacs_per_view > 0:
        lines += ["", ABOVE_PEAK]
    timings = [timing for run in member.runs for timing in run.timings]
    if member.traffic_bytes and timings:
        largest = max(timings, key=lambda timing: timing.views)
        lines += [
            "",
            f"{member.intensity(largest):.0f} operations a byte at {largest.views} views: bytes "
            "that convolutions and matrix products read and write, each once.",
        ]
    lines += [
        f"\n{_name(run.engine)}, {_threads(run.threads)}: {run.failure}"
        for run in member.runs
        if run.failure
    ]
    return lines


def _row(found: Benchmark, member: BenchmarkedMember, run: EngineRun) -> str:
    first, best = run.timings[0], run.best
    by_views = {timing.views: f"{timing.views_per_second:.3g}" for timing in run.timings}
    has_cost = member.gmacs_per_view > 0
    cells = [
        f"**{_name(run.engine)}**" if run.engine == member.chosen else _name(run.engine),
        str(run.threads),
        f"{first.median_seconds * 1e3:.3g} ({first.p95_seconds * 1e3:.3g})",
        *(by_views.get(views, "") for views in _BATCHES),
        f"{best.views_per_second / member.num_clips:.3g}",
        f"{best.cpu_seconds / best.views * 1e3:.3g}",
        f"{found.share_of_peak(member, run):.0%}" if has_cost else "",
        f"{run.resident_bytes / MIB:.0f} MiB",
    ]
    return f"| {' | '.join(cells)} |"


def _clip(clip: ClipWay) -> list[str]:
    """Return where the time of a clip goes."""
    parts = {"decode": clip.decode_seconds, **clip.member_seconds, "answer": clip.head_seconds}
    lines = [f"The way of {clip.video} in one thread, medians of {clip.repeats}:", ""]
    lines += ["| part | ms | share |", "|---|---|---|"]
    lines += [
        f"| {name} | {seconds * 1e3:.3g} | {seconds / clip.seconds:.0%} |"
        for name, seconds in parts.items()
    ]
    return [*lines, f"| all | {clip.seconds * 1e3:.3g} | |"]


def _size(member: BenchmarkedMember) -> str:
    if not member.gmacs_per_view:
        return "no network, its own code"
    return f"{member.parameters / 1e6:.3g} M parameters, {member.gmacs_per_view:.3g} GMACs a view"


def _name(engine: str) -> str:
    return ENGINE_NAMES.get(engine, engine)


def _threads(count: int) -> str:
    return counted(count, "thread")


def benchmark_json(found: Benchmark) -> str:
    """Return all that was measured, and what follows from it, as JSON."""
    document: dict[str, Any] = {"format": "vidfit.benchmark/1", **asdict(found)}
    for member, facts in zip(found.members, document["members"], strict=True):
        for run, shown in zip(member.runs, facts["runs"], strict=True):
            for timing, row in zip(run.timings, shown["timings"], strict=True):
                row["views_per_second"] = timing.views_per_second
                row["clips_per_second"] = timing.views_per_second / member.num_clips
                row["flops_per_second"] = member.flops_per_second(timing)
                row["flops_per_byte"] = member.intensity(timing)
            if run.timings and member.gmacs_per_view:
                shown["share_of_peak"] = found.share_of_peak(member, run)
    return to_json(document, indent=1) + "\n"


def write_benchmark(found: Benchmark, directory: Path) -> Path:
    """Write ``benchmark.json`` and ``benchmark.svg``; return the path of the first."""
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / "benchmark.svg", benchmark_svg(found).encode())
    return write_whole(directory / "benchmark.json", benchmark_json(found).encode())
