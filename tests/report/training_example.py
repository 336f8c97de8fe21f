"""Made-up training runs with every kind of content that a page must be able to show."""

from __future__ import annotations

from dataclasses import replace
from math import cos, exp, pi

from vidfit.contracts import Estimate, Failure
from vidfit.jobs.train.value import ReadWords, Teaching, TrainingReport
from vidfit.plans import Data, Layout, Machine, Plan, PlanOption, Prediction, Recipe, Subject
from vidfit.reported import Stage
from vidfit.training.epoch import Epoch

NAN = float("nan")
GIB = 2**30


def epoch(number: int, count: int = 30) -> Epoch:
    """Return an epoch of a run that overfits after two thirds, its batch doubled half-way."""
    share = (number + 1) / count
    batch = 32 if share <= 0.5 else 64
    rate = 1e-3 * min(1.0, 10 * share) * (1 + cos(pi * share)) / 2
    log_loss = 0.55 + 0.9 * exp(-5 * share) + 0.5 * max(0.0, share - 0.66) ** 2
    wave = 0.02 * cos(9 * number)
    return Epoch(
        number, 0.12 + 1.5 * exp(-4 * share) + wave, 480 // batch, batch, rate,
        log_loss - wave / 2, 0.83 - 0.5 * exp(-5 * share) + wave, 3.2 + wave,
    )  # fmt: skip


def trained_example() -> TrainingReport:
    """Return a run that is better than the majority class, of a plan with reasons and options."""
    history = tuple(epoch(number) for number in range(26))
    return TrainingReport(
        data="/data/demo/two-questions",
        classes=("pan left", "pan right", "day", "night"),
        plan=plan(),
        learned=480,
        chosen_by=120,
        tested=144,
        score=Estimate(0.8194, 0.7014, 0.9028),
        majority=Estimate(0.2778, 0.1875, 0.3889),
        history=history,
        best_epoch=min(history, key=lambda e: e.log_loss).number,
        step_seconds=0.231,
        peak_bytes=int(1.31 * GIB),
        failures=(
            Failure("clips/pan left/camera02_take044.mp4", "no video stream"),
            Failure("clips/day/camera05_take010.mp4", "ends after 0.1 s: moov atom not found"),
        ),
        stages=(
            Stage("prepare clips", None, 41.2),
            Stage("train", 96.0, 83.4),
            Stage("test on unseen recordings", None, 3.9),
        ),
        machine={"processor": "AMD EPYC, 2 cores, AVX2", "memory available": "7.8 GiB"},
        warnings=("Class 'night' has 22 clips of 6 recordings: its part is rough.",),
    )  # fmt: skip


def plan() -> Plan:
    """Return a plan of low-rank additions to a video transformer."""
    layout = Layout(8, 2, "bf16", True, "fsdp", 2, 1)
    chosen = Prediction(int(1.18 * GIB), 0.19, 0.08, 96.0)
    others = [
        PlanOption(replace(layout, micro_batch=2**i, accumulation=32 // 2**i // 2 or 1,
                           checkpointing=i % 2 == 0, sharding="ddp"),
                   Prediction(int(0.4 * GIB * 2**i), 0.2 + 0.01 * i, 0.02 * i, 120.0 + i),
                   "" if i < 3 else f"needs {0.4 * 2**i:.1f} GiB of 3.0 GiB")
        for i in range(6)
    ]  # fmt: skip
    return Plan(
        Subject("attention", "videomae-small-kinetics", "lora", 256, 1, 4),
        layout,
        Recipe(epochs=30, batch_schedule=((0.0, 1.0), (0.5, 2.0)), patience=6),
        chosen,
        Data(600, 4, 22, 1568, 0.02),
        Machine("AMD EPYC, 2 cores", "cpu", 2, 3 * GIB, {"fp32": 6e10, "bf16": 1.4e11}, 2e10, 2),
        {
            "regime": "the rarest class has 22 clips: fewer weights learn by heart less",
            "micro_batch": "the largest that leaves a tenth of the memory free",
            "checkpointing": "without it a step needs 4.1 GiB of 3.0 GiB",
            "precision": "a matrix product in bf16 takes 0.43 of the time in fp32 here",
        },
        (PlanOption(layout, chosen), *others),
        ("Times are of a machine that others use too.",),
    )


def untested_example() -> TrainingReport:
    """Return a run of a network over frames, with nothing put aside and nothing measured."""
    base = trained_example()
    bare = tuple(replace(e, log_loss=NAN, accuracy=NAN, batch_clips=32) for e in base.history[:1])
    subject = Subject("cnn-lstm", "", "full")
    small = replace(
        base.plan, subject=subject, layout=Layout(), recipe=Recipe(epochs=1), reasons={},
        options=(), warnings=(), predicted=Prediction(0, NAN, 0.0, NAN),
    )  # fmt: skip
    return replace(
        base, plan=small, chosen_by=0, tested=0, score=None, majority=None, history=bare,
        best_epoch=0, step_seconds=NAN, peak_bytes=0, failures=(), stages=(), machine={},
        warnings=(),
    )  # fmt: skip


def open_example() -> TrainingReport:
    """Return a run whose interval holds the majority class."""
    return replace(trained_example(), score=Estimate(0.31, 0.22, 0.41))


def taught_example() -> TrainingReport:
    """Return a run that was taught by its average and read words, both of which paid."""
    base = trained_example()
    recipe = replace(base.plan.recipe, unlabelled_ratio=4, ema=0.99, threshold=0.9)
    history = tuple(replace(e, taught=0.5 + 0.01 * e.number) for e in base.history)
    return replace(
        base, plan=replace(base.plan, recipe=recipe), history=history,
        teaching=Teaching(
            1900, 61, 37, 0.66, 83.4, 127, Estimate(0.75, 0.63, 0.86), Estimate(0.07, 0.01, 0.13)
        ),
        read=ReadWords(
            812, 401, 120, 3, Estimate(0.61, 0.5, 0.72), Estimate(0.21, 0.1, 0.33)
        ),
    )  # fmt: skip


def empty_example() -> TrainingReport:
    """Return a run of which no epoch was recorded and no figure is a number."""
    nothing = Estimate(NAN, NAN, NAN)
    return replace(untested_example(), history=(), tested=3, score=nothing, majority=nothing)


def long_example() -> TrainingReport:
    """Return a run of many epochs, some of them without a figure."""
    history = tuple(epoch(number, 300) for number in range(300))
    torn = tuple(replace(e, log_loss=NAN, accuracy=NAN) if e.number % 7 == 3 else e
                 for e in history)  # fmt: skip
    base = trained_example()
    whole = replace(base.plan, recipe=replace(base.plan.recipe, epochs=300, patience=0))
    return replace(base, plan=whole, history=torn, best_epoch=299,
                   score=Estimate(0.75, NAN, NAN))  # fmt: skip


def hostile_example() -> TrainingReport:
    """Return a run whose names try to leave their places."""
    script, quote = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'
    base = trained_example()
    named = replace(
        base.plan, subject=replace(base.plan.subject, network=script, backbone=quote),
        machine=replace(base.plan.machine, name=script),
        reasons={script: quote, "regime": "{{ 7 * 7 }}"}, warnings=(quote,),
        options=tuple(replace(o, refused=script) for o in base.plan.options),
    )  # fmt: skip
    return replace(
        base, data=f"/data/{quote}", classes=(script, quote), plan=named,
        failures=(Failure(quote, script),), stages=(Stage(script, 1.0, 2.0),),
        machine={script: quote}, warnings=(f"</style>{script}",),
    )  # fmt: skip
