"""Why the chosen layout is what it is, in plain words."""

from __future__ import annotations

from vidfit.planning.choice import EFFICIENCY, Setting
from vidfit.planning.loading import shard_choice
from vidfit.plans import PlanOption


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
        return f"a step of {chosen.layout.batch_clips} clips needs no second micro-batch"
    return f"brings a step to {chosen.layout.batch_clips} clips, of {setting.batch_clips} wanted"


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
