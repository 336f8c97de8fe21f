"""What a training run says in sentences: on the page, in a terminal, in the picture.

And what its plan foresaw beside what training took, and each choice of it with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from typing import TYPE_CHECKING, Literal

from vidfit.report import wording

if TYPE_CHECKING:
    from vidfit.jobs.train.value import Teaching, TrainingReport
    from vidfit.plans import Layout, Plan, Prediction, Regime, Sharding, Subject


Standing = Literal["above", "open", "below", "unsure", "unknown", "untested"]
"""Where the score's interval lies to the majority class; ``"unsure"`` has no interval."""

REGIMES: dict[Regime, str] = {
    "probe": "the network alone learns, on cached tokens of the frozen backbone",
    "lp-ft": "the network learns on frozen tokens first, then the backbone's weights with it",
    "lora": "the network learns on frozen tokens first, then low-rank additions to the "
    "backbone's weights with it",
    "full": "all weights learn from the start",
}
SHARDINGS: dict[Sharding, str] = {
    "none": "",
    "dp": "spread over the devices by one process",
    "ddp": "all weights in each process (DDP)",
    "fsdp": "weights, gradients and optimizer state shared out among the processes (FSDP)",
}


def headline(report: TrainingReport) -> str:
    """Return the answer in one sentence."""
    return f"{name(report.plan.subject)}: {answer(report)}."


def name(subject: Subject) -> str:
    """Return ``"attention on videomae-small"``, or what sees frames itself."""
    return f"{subject.network} on {subject.backbone or 'frames'}"


def answer(report: TrainingReport) -> str:
    """Return what the model is worth on recordings that it has not seen."""
    found, score = standing(report), report.score
    if score is None:
        return "trained, and not tested on unseen recordings"
    if found == "unknown":
        return "trained; what it is worth on unseen recordings was not measured"
    text = f"{wording.figure(score)} on unseen recordings"
    majority = wording.percent(_majority(report))
    if found == "above":
        return f"{text} (majority class {majority})"
    if found == "open":
        return f"{text}, not proven better than the majority class ({majority})"
    if found == "below":
        return f"{text}, worse than the majority class ({majority})"
    return f"{text}; the majority class: {majority}"


def standing(report: TrainingReport) -> Standing:
    """Tell where the interval of the score lies to the majority class."""
    score, majority = report.score, _majority(report)
    if score is None:
        return "untested"
    if not isfinite(score.value):
        return "unknown"
    if not wording.has_interval(score) or not isfinite(majority):
        return "unsure"
    if score.low > majority:
        return "above"
    return "below" if score.high < majority else "open"


def _majority(report: TrainingReport) -> float:
    return float("nan") if report.majority is None else report.majority.value


def verdict(report: TrainingReport) -> str:
    """Say what the answer rests on, and what it does not show."""
    clips = wording.counted(report.tested, "clip")
    share = wording.percent(_majority(report))
    majority = f"the {share} of always answering the most frequent class"
    return {
        "above": f"Measured on {clips} of recordings that neither the weights nor the choice of "
        "the epoch have seen; the whole 95 % interval lies above the majority class.",
        "open": f"The 95 % interval holds {majority}: {clips} of unseen recordings do not show "
        "that it has learned anything. More recordings may.",
        "below": f"The whole 95 % interval lies below {majority}. Look at the labels, and at the "
        "curves, before anything else.",
        "unsure": f"Measured on {clips} of unseen recordings; how sure that is was not measured. "
        "An interval needs several recordings.",
        "unknown": "The clips put aside gave no score.",
        "untested": "No recordings were put aside, so that nobody knows what it is worth on new "
        "ones. Put some aside to know.",
    }[standing(report)]  # fmt: skip


def layout(plan: Layout) -> str:
    """Say how a step is computed, and how it fits into memory."""
    parts = [f"micro-batches of {plan.micro_batch}"]
    if plan.accumulation > 1:
        parts.append(f"{plan.accumulation} added up")
    if plan.processes > 1:
        parts.append(f"{plan.processes} processes")
    text = f"Steps of {wording.counted(plan.batch_clips, 'clip')}"
    if len(parts) > 1:
        text += f" ({f' {wording.TIMES} '.join(parts)})"
    rest = [f"{text} in {plan.precision}"]
    if plan.checkpointing:
        rest.append("activations computed again in the backward pass (checkpointing)")
    rest += [words for words in (SHARDINGS[plan.sharding],) if words]
    return f"{'; '.join(rest)}."


def subject(plan: Subject) -> str:
    """Say which network was trained, of which size, and which weights learned."""
    size = (
        f"width {plan.width}, {wording.counted(plan.layers, 'layer')}, "
        f"{wording.counted(plan.heads, 'attention head')}"
    )
    learns = REGIMES[plan.regime] if plan.backbone else "all weights learn, from frames"
    return f"{name(plan)} ({size}): {learns}."


def epochs(report: TrainingReport) -> str:
    """Say how long it learned, and whose weights were kept."""
    ran, planned = len(report.history), report.plan.recipe.epochs
    if not ran:
        return "No epoch was recorded."
    text = f"It learned for {wording.counted(ran, 'epoch')}"
    if ran < planned:
        text += f" of {planned}, and stopped as no better one came"
    kept = f"weights of epoch {report.best_epoch + 1} were kept"
    if not report.chosen_by:
        return f"{text}; the {kept}, for without validation clips there is nothing to choose by."
    clips = wording.counted(report.chosen_by, "validation clip")
    return f"{text}; the {kept}, the lowest log-loss on {clips}."


def teaching(report: TrainingReport) -> list[str]:
    """Say what was learned without labels, and whether it paid; nothing where no clips were given.

    The verdict is over recordings that neither network has seen.
    """
    found, recipe = report.teaching, report.plan.recipe
    if found is None:
        return []
    clips, threshold = wording.counted(found.clips, "clip"), wording.percent(recipe.threshold, 0)
    sure = f"at least {threshold} sure of {wording.percent(found.taught, 0)} of them"
    if not found.taught > 0:
        sure = f"never {threshold} sure: nothing was learned from them then"
    else:
        sure += ", which had its answer as their label"
    said = (
        f"{clips} without a label of {wording.counted(found.recordings, 'recording')}, "
        f"{recipe.unlabelled_ratio} in a step for each clip with one. In the epoch that was kept "
        f"the teacher was {sure}."
    )
    if found.held:
        said += (
            f" {wording.counted(found.held, 'more clip')} of recordings that choose the epoch or "
            "test, or that hold copies of such clips, were left out."
        )
    return [said, _paid(report, found)]


def _paid(report: TrainingReport, found: Teaching) -> str:
    if found.gain is None or found.alone is None:
        why = "no recordings were put aside to test on"
        if report.tested:
            why = (
                f"training took {wording.duration(found.seconds)}, and as much again would be "
                "needed"
            )
        return f"Whether they pay was not measured: {why}."
    gain = found.gain
    told = (
        f"{wording.ACCURACY.gain(gain)} against labels alone for as much compute "
        f"({wording.ACCURACY.figure(found.alone)}, at most {found.epochs_alone} epochs)"
    )
    if gain.low > 0:
        return f"They pay, a proven gain: {told}."
    if gain.high < 0:
        return f"They do harm, a proven loss: {told}. Train without them."
    return f"No gain is proven: {told}."


def read(report: TrainingReport) -> list[str]:
    """Say what the network reads beside frames, and what words bring; nothing where it reads none.

    The verdict is over recordings that it has not seen.
    """
    found = report.read
    if found is None:
        return []
    said = (
        f"It reads what is said beside frames: {wording.counted(found.words, 'word')} known, from "
        f"{found.learned} of {report.learned} clips that were learned from. A clip without words "
        "is answered from its frames."
    )
    if found.gain is None or found.silent is None:
        return [said, "What words bring was not measured: no clip with words was put aside."]
    gain = found.gain
    verdict = "no gain is proven"
    if gain.low > 0:
        verdict = "a proven gain"
    elif gain.high < 0:
        verdict = "a proven loss"
    return [
        said,
        f"Words bring {wording.ACCURACY.gain(gain)}, {verdict}: without them the same network "
        f"answers {wording.ACCURACY.figure(found.silent)} ({found.tested} of {report.tested} "
        "tested clips have words).",
    ]


def size(count_bytes: int) -> str:
    """Return bytes in MiB or GiB; zero is a dash, for nobody knows them."""
    if count_bytes <= 0:
        return wording.DASH
    gib = count_bytes / 2**30
    return f"{gib:,.3g} GiB" if gib >= 1 else f"{count_bytes / 2**20:,.0f} MiB"


def number(value: float) -> str:
    """Return a loss or a rate with three significant digits."""
    return f"{value:.3g}" if isfinite(value) else wording.NOT_MEASURED


def times(measured: float, predicted: float) -> str:
    """Return how many times the prediction came true, or a dash."""
    if not isfinite(measured) or not isfinite(predicted) or measured <= 0 or predicted <= 0:
        return wording.DASH
    ratio = measured / predicted
    return f"{ratio:.2f} {wording.TIMES}" if ratio < 10 else f"{ratio:,.0f} {wording.TIMES}"


@dataclass(frozen=True, slots=True)
class Forecast:
    """A quantity in words: predicted, measured, and how many times the one is of the other."""

    name: str
    predicted: str
    measured: str
    times: str


@dataclass(frozen=True, slots=True)
class PlanSetting:
    """A setting, its value and the reason for it, which may be empty."""

    name: str
    value: str
    reason: str


def compared(report: TrainingReport) -> list[Forecast]:
    """Return memory, step and run as they were predicted and measured."""
    foreseen = report.plan.predicted
    ran, planned = len(report.history), report.plan.recipe.epochs
    took = sum(epoch.seconds for epoch in report.history)
    return [
        Forecast(
            "memory that training took", size(foreseen.peak_bytes),
            size(report.peak_bytes), times(report.peak_bytes, foreseen.peak_bytes),
        ),
        _timed("step, reading included", step_seconds(foreseen), report.step_seconds),
        _timed(f"{ran} of {planned} epochs", foreseen.total_seconds * ran / planned, took),
    ]  # fmt: skip


def step_seconds(foreseen: Prediction) -> float:
    """Return the time of a step with its waiting for data, as epochs are timed."""
    share = foreseen.waiting_share
    return foreseen.step_seconds / (1 - share) if share < 1 else float("inf")


def _timed(name: str, predicted: float, measured: float) -> Forecast:
    return Forecast(name, seconds(predicted), seconds(measured), times(measured, predicted))


def seconds(value: float) -> str:
    """Return a time; what is not known is a dash."""
    return wording.duration(value) if value > 0 and isfinite(value) else wording.DASH


def choices(plan: Plan) -> list[PlanSetting]:
    """Return the settings of subject, layout and recipe, those with a reason first."""
    found = [
        PlanSetting(field.name, _value(getattr(part, field.name)), plan.reasons.get(field.name, ""))
        for part in (plan.subject, plan.layout, plan.recipe)
        for field in fields(part)
    ]
    batch = wording.counted(plan.layout.batch_clips, "clip")  # follows from three of the layout
    found.append(PlanSetting("batch", batch, plan.reasons.get("batch", "")))
    named = {choice.name for choice in found}
    found += [
        PlanSetting(key, "not a setting of this version", why)
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
    return number(value) if isinstance(value, float) else str(value) or "none"
