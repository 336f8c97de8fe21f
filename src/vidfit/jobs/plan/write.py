"""A plan as text, and its picture as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.files import write_whole
from vidfit.jobs.plan.picture import plan_svg, way

if TYPE_CHECKING:
    from vidfit.plans import Plan, PlanOption

_SHOWN = 10
MIB, GIB = 2**20, 2**30


def plan_markdown(plan: Plan) -> str:
    """Return what is trained and how, and a table of layouts that fit, the chosen one first."""
    subject, layout, recipe = plan.subject, plan.layout, plan.recipe
    over = f" over {subject.backbone}" if subject.backbone else ""
    lines = [
        f"**{subject.network}{over}, {subject.regime}**: {recipe.epochs} epochs of "
        f"{plan.data.clips} clips, {duration(plan.predicted.total_seconds)} on {plan.machine.name}",
        "",
        "| layout | clips a step | memory | step | waits | run |",
        "|---|---|---|---|---|---|",
    ]
    fitting = [option for option in plan.options if not option.refused]
    lines += [_row(option, option is plan.options[0]) for option in fitting[:_SHOWN]]
    refused = [option for option in plan.options if option.refused]
    if refused:
        lines += ["", f"{len(refused)} more do not fit: {way(refused[0].layout)} with "
                  f"{refused[0].layout.micro_batch} clips {refused[0].refused}."]  # fmt: skip
    lines += ["", "| choice | value | because |", "|---|---|---|"]
    values = {"batch": layout.batch_clips}
    for part in (subject, layout, recipe):
        values |= {name: getattr(part, name) for name in part.__dataclass_fields__}
    lines += [f"| {name} | {values[name]} | {why} |" for name, why in plan.reasons.items()]
    lines += [f"\nNote: {warning}" for warning in plan.warnings]
    return "\n".join(lines)


def _row(option: PlanOption, chosen: bool) -> str:
    layout, predicted = option.layout, option.predicted
    clips = f"{layout.micro_batch} x {layout.accumulation}"
    clips += f" x {layout.processes}" if layout.processes > 1 else ""
    name = f"**{way(layout)}**" if chosen else way(layout)
    return (
        f"| {name} | {clips} | {size(predicted.peak_bytes)} | {predicted.step_seconds:.3g} s | "
        f"{predicted.waiting_share:.1%} | {duration(predicted.total_seconds)} |"
    )


def size(count_bytes: float) -> str:
    """Return bytes as a person reads them."""
    if count_bytes < GIB:
        return f"{count_bytes / MIB:.0f} MiB"
    return f"{count_bytes / GIB:.2f} GiB"


def duration(seconds: float) -> str:
    """Return seconds as a person reads them."""
    if seconds < 90:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def write_plan_picture(plan: Plan, path: Path) -> Path:
    """Write the picture of a plan as an SVG file."""
    return write_whole(path, plan_svg(plan).encode())
