"""What a plan foresaw beside what training took, and each of its choices with the reason."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from typing import TYPE_CHECKING

from vidfit.jobs.train import words
from vidfit.report import wording

if TYPE_CHECKING:
    from vidfit.jobs.train.value import TrainingReport
    from vidfit.plans import Plan, Prediction


@dataclass(frozen=True, slots=True)
class Compared:
    """A quantity in words: predicted, measured, and how many times the one is of the other."""

    name: str
    predicted: str
    measured: str
    times: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting, its value and the reason for it, which may be empty."""

    name: str
    value: str
    reason: str


def compared(report: TrainingReport) -> list[Compared]:
    """Return memory, step and run as they were predicted and measured."""
    foreseen = report.plan.predicted
    ran, planned = len(report.history), report.plan.recipe.epochs
    took = sum(epoch.seconds for epoch in report.history)
    return [
        Compared(
            "memory that training took", words.size(foreseen.peak_bytes),
            words.size(report.peak_bytes), words.times(report.peak_bytes, foreseen.peak_bytes),
        ),
        _timed("step, reading included", step_seconds(foreseen), report.step_seconds),
        _timed(f"{ran} of {planned} epochs", foreseen.total_seconds * ran / planned, took),
    ]  # fmt: skip


def step_seconds(foreseen: Prediction) -> float:
    """Return the time of a step with its waiting for data, as epochs are timed."""
    share = foreseen.waiting_share
    return foreseen.step_seconds / (1 - share) if share < 1 else float("inf")


def _timed(name: str, predicted: float, measured: float) -> Compared:
    return Compared(name, seconds(predicted), seconds(measured), words.times(measured, predicted))


def seconds(value: float) -> str:
    """Return a time; what is not known is a dash."""
    return wording.duration(value) if value > 0 and isfinite(value) else wording.DASH


def choices(plan: Plan) -> list[Choice]:
    """Return the settings of subject, layout and recipe, those with a reason first."""
    found = [
        Choice(field.name, _value(getattr(part, field.name)), plan.reasons.get(field.name, ""))
        for part in (plan.subject, plan.layout, plan.recipe)
        for field in fields(part)
    ]
    batch = wording.counted(plan.layout.batch_clips, "clip")  # follows from three of the layout
    found.append(Choice("batch", batch, plan.reasons.get("batch", "")))
    named = {choice.name for choice in found}
    found += [
        Choice(key, "not a setting of this version", why)
        for key, why in plan.reasons.items()
        if key not in named
    ]
    return sorted(found, key=lambda choice: not choice.reason)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(
            f"from {wording.percent(at, 0)}: {wording.TIMES}{factor:g}" for at, factor in value
        )
    return words.number(value) if isinstance(value, float) else str(value) or "none"
