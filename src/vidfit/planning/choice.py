"""Which layout: the fastest of those that fit, with what was refused and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from vidfit.errors import BudgetError
from vidfit.planning.halving import even_sizes
from vidfit.planning.loading import shard_choice, shard_clips_for, waiting_seconds, workers_for
from vidfit.planning.measured import Known
from vidfit.planning.memory import CUDA_CONTEXT_BYTES, rank_bytes
from vidfit.plans import (
    Data,
    Layout,
    Machine,
    PlanOption,
    Precision,
    Prediction,
    Recipe,
    Sharding,
)
from vidfit.shown import counted

MARGIN = 0.05
"""Share of the memory that a plan leaves free: predictions are not exact, nor is training."""

DESCRIBED_MARGIN = 0.10
"""The same on a machine that was described: its kernels and allocator were not measured."""

EFFICIENCY = 0.35
"""Share of a data sheet's operations that training reaches; an estimate, as described."""

TRAFFIC = 3.0
"""Times that activations pass through a described device's memory: written, read, gradient."""

GIB = 2**30


@dataclass(frozen=True)
class Setting:
    """What a layout is chosen for.

    Parameters
    ----------
    batch_clips
        Clips that a step is to have.
    alive
        By checkpointing, the largest micro-batch that lived when it was really run.
    """

    known: Known
    recipe: Recipe
    data: Data
    machine: Machine
    batch_clips: int
    precision: Precision = "fp32"
    alive: Mapping[bool, int] = field(default_factory=dict)

    def computed(self, layout: Layout) -> Layout:
        """Return a layout with all that a step computes: clips without a label are more of it."""
        return replace(
            layout, accumulation=layout.accumulation * (1 + self.recipe.unlabelled_ratio)
        )

    @property
    def answered(self) -> float:
        """What a step costs, in that of the forward and backward passes that it learns by."""
        return self.recipe.passes / (1 + self.recipe.unlabelled_ratio)

    @property
    def margin(self) -> float:
        """Share of the memory that is left free."""
        return DESCRIBED_MARGIN if self.machine.device == "cuda" else MARGIN

    @property
    def most_bytes(self) -> float:
        """What a process may come to hold."""
        return self.machine.memory_bytes * (1 - self.margin)

    @property
    def base_bytes(self) -> float:
        """What a process holds before it trains."""
        cuda = self.machine.device == "cuda"
        return CUDA_CONTEXT_BYTES if cuda else self.known.base_bytes

    @property
    def room_bytes(self) -> float:
        """What training may take in a process."""
        return self.most_bytes - self.base_bytes


def choose(setting: Setting) -> tuple[PlanOption, ...]:
    """Return the layouts that were considered, the chosen one first.

    For each way to save memory the largest micro-batch that fits is taken, and of these the
    fastest; where two take about the same, the simpler.

    Raises
    ------
    BudgetError
        If none fits; the message says how much the smallest would need.
    """
    ways = [
        _largest(setting, checkpointing, sharding)
        for sharding in _shardings(setting.machine)
        for checkpointing in sorted(setting.known.peaks)
    ]
    fitting = [option for option in ways if not option.refused]
    if not fitting:
        raise _too_large(setting, ways)
    # Simpler ways come first, and stay there when they are about as fast.
    least = min(option.predicted.total_seconds for option in fitting)
    chosen = next(o for o in fitting if o.predicted.total_seconds <= 1.02 * least)
    others = [_option(setting, layout) for option in ways for layout in _others(option.layout)]
    return (chosen, *(option for option in (*ways, *others) if option is not chosen))


def _shardings(machine: Machine) -> tuple[Sharding, ...]:
    return ("none",) if machine.devices == 1 else ("ddp", "fsdp")


def _largest(setting: Setting, checkpointing: bool, sharding: Sharding) -> PlanOption:
    """Return the largest micro-batch of a way that fits, or that of one clip, refused."""
    processes = setting.machine.devices
    share = max(1, setting.batch_clips // processes)
    way = Layout(
        1, precision=setting.precision, checkpointing=checkpointing, sharding=sharding,
        processes=processes,
    )  # fmt: skip
    layouts = [_of(way, micro_batch, share) for micro_batch in even_sizes(share)]
    fitting = [layout for layout in layouts if not _refusal(setting, layout)]
    return _option(setting, fitting[-1] if fitting else layouts[0])


def _of(way: Layout, micro_batch: int, share: int) -> Layout:
    return replace(way, micro_batch=micro_batch, accumulation=math.ceil(share / micro_batch))


def _others(layout: Layout) -> Iterator[Layout]:
    """Yield the same way with other micro-batches, for comparison: powers of two."""
    share, micro = layout.micro_batch * layout.accumulation, 1
    while micro <= share:
        if micro != layout.micro_batch:
            yield _of(layout, micro, share)
        micro *= 2


def _option(setting: Setting, layout: Layout) -> PlanOption:
    """Return a layout with what it takes."""
    layout, predicted = _predicted(setting, layout)
    return PlanOption(layout, predicted, _refusal(setting, layout))


def _peak(setting: Setting, layout: Layout) -> int:
    """Return what training takes in each process."""
    tensors = rank_bytes(
        setting.known.peak_bytes(setting.computed(layout)), setting.known.sizes, setting.recipe,
        layout, setting.machine,
    )  # fmt: skip
    cuda = setting.machine.device == "cuda"
    return int(tensors if cuda else setting.known.taken(tensors, layout.checkpointing))


def _refusal(setting: Setting, layout: Layout) -> str:
    peak, room = _peak(setting, layout), setting.room_bytes
    alive = setting.alive.get(layout.checkpointing)
    if layout.micro_batch <= alive if alive is not None else peak <= room:
        return ""
    if alive is not None:
        return f"needs about {_gib(peak)}; in real runs no more than {counted(alive, 'clip')} lived"
    return (
        f"needs {_gib(peak)}; there is room for {_gib(max(0, room))} of "
        f"{_gib(setting.machine.memory_bytes)}, less {setting.margin:.0%} and what the process "
        "itself takes"
    )


def _predicted(setting: Setting, layout: Layout) -> tuple[Layout, Prediction]:
    """Return the layout with its readers, and what it takes."""
    data, machine, whole = setting.data, setting.machine, setting.computed(layout)
    seconds = setting.known.seconds(whole, setting.answered)
    if seconds is None or machine.described:
        seconds = described_seconds(setting, whole)
    layout = replace(layout, loader_workers=workers_for(whole, data, machine, seconds))
    layout = replace(layout, shard_clips=shard_clips_for(data, layout))
    waiting = waiting_seconds(setting.computed(layout), data, machine, seconds)
    steps = setting.recipe.epochs * math.ceil(data.clips / layout.batch_clips)
    step = seconds + waiting
    return layout, Prediction(
        _peak(setting, layout), seconds, waiting / step if step else 0.0, steps * step
    )


def described_seconds(setting: Setting, layout: Layout) -> float:
    """Estimate a step's seconds from operations and traffic, on a machine that was described.

    The larger of operations over `EFFICIENCY` of the peak and activations over the bandwidth
    (Williams et al. 2009, Roofline); the update moves weights, gradients and state.

    Parameters
    ----------
    layout
        With all that a step computes (`Setting.computed`).
    """
    known, machine = setting.known, setting.machine
    peak = machine.flops_per_second.get(layout.precision, machine.flops_per_second["fp32"])
    flops = known.flops_a_clip[layout.checkpointing] * layout.micro_batch
    slope = known.peaks[layout.checkpointing].slope * layout.micro_batch
    share = EFFICIENCY if machine.device == "cuda" else 1.0
    bandwidth = machine.bandwidth_bytes_per_second
    micro = max(flops / (share * peak), TRAFFIC * slope / bandwidth)
    moved = 2 * (known.sizes.weights_bytes + known.sizes.state_bytes(setting.recipe))
    return layout.accumulation * setting.answered * micro + moved / bandwidth


def _too_large(setting: Setting, options: list[PlanOption]) -> BudgetError:
    process = setting.base_bytes + min(option.predicted.peak_bytes for option in options)
    return BudgetError(
        f"nothing fits into {_gib(setting.machine.memory_bytes)}: one clip at a time needs "
        f"{_gib(process / (1 - setting.margin))}. Give more memory, train with the regime "
        "'probe' or 'lora', or choose a smaller backbone or fewer views (NAME@VIEWS)."
    )


def _gib(count_bytes: float) -> str:
    return f"{count_bytes / GIB:.2f} GiB"


def layout_reasons(setting: Setting, chosen: PlanOption) -> dict[str, str]:
    """Return by field of the layout why it has its value."""
    return {
        "micro_batch": _micro_batch(setting, chosen),
        "accumulation": _accumulation(setting, chosen),
        "precision": _precision(setting),
        "checkpointing": _checkpointing(setting, chosen),
        "sharding": _sharding(setting, chosen),
        "loader_workers": _loading(chosen),
        "shard_clips": shard_choice(setting.data, chosen.layout).reason,
    }


def _micro_batch(setting: Setting, chosen: PlanOption) -> str:
    layout = chosen.layout
    left = f"{setting.margin:.0%} of the memory is left free"
    if layout.accumulation == 1:
        return f"the whole batch fits at once; {left}"
    return f"the largest that fits, evened out over the batch; {left}"


def _accumulation(setting: Setting, chosen: PlanOption) -> str:
    if chosen.layout.accumulation == 1:
        return f"a step of {counted(chosen.layout.batch_clips, 'clip')} needs no second micro-batch"
    return (
        f"brings a step to {counted(chosen.layout.batch_clips, 'clip')}, of "
        f"{setting.batch_clips} wanted"
    )


def _precision(setting: Setting) -> str:
    if setting.precision != "fp32":
        return f"{setting.machine.name} computes {setting.precision} faster than fp32"
    if setting.machine.device == "cpu":
        return "this processor has no instructions for bf16, which would be slower"
    return "nothing else is faster here"


def _checkpointing(setting: Setting, chosen: PlanOption) -> str:
    if True not in setting.known.peaks:
        return "there are no blocks of a backbone to compute again"
    costs = setting.known.flops_a_clip[True] / setting.known.flops_a_clip[False] - 1
    if chosen.layout.checkpointing:
        return f"else it would not fit, or be slower; it costs {costs:.0%} more operations"
    return f"not needed to fit, and {costs:.0%} more operations would gain nothing"


def _sharding(setting: Setting, chosen: PlanOption) -> str:
    name, count = chosen.layout.sharding, setting.machine.devices
    if name == "none":
        return "there is one device"
    if name == "ddp":
        return f"all weights fit on each of {count} devices; only gradients are exchanged"
    return f"a copy on each of {count} devices does not fit, or leaves less room for clips"


def _loading(chosen: PlanOption) -> str:
    share = chosen.predicted.waiting_share
    return f"a step waits for clips in {share:.1%} of its time"


def time_words(setting: Setting) -> str:
    """Return how far times can be trusted, or nothing when they were measured here."""
    if not setting.machine.described:
        return ""
    if setting.machine.device == "cpu":
        return "Times are estimates from operations and traffic: the machine was described."
    return (
        f"Times are estimates at {EFFICIENCY:.0%} of the data sheet's operations, and memory is "
        "that of the processor's kernels: the machine was described, not measured."
    )
