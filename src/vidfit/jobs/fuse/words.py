"""What a combination says in sentences: on the page, in a terminal, in the picture."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from vidfit.report import wording
from vidfit.report.leaderboard import nothing_proven

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.contracts import Estimate
    from vidfit.jobs.fuse.value import Combination, Option, Pair, Student
    from vidfit.report.wording import Metric

UNSEEN = "on recordings that no choice has seen"
FAMILIES = {
    "single": ("one model alone", "one backbone, and a linear probe on its vectors"),
    "concatenation": ("concatenation", "the vectors side by side, under one head"),
    "integration": ("integration", "each model answers, and the answers are weighed"),
    "complement": (
        "complement",
        "one model helps another: it is asked where the other is not sure, or is told its answers",
    ),
    "student": ("student", "one model that learned to answer as the fusion does"),
}
"""Kind of option -> what it is called, and what it does."""


def headline(combination: Combination) -> str:
    """Return the answer in a sentence or two, with the interval that it rests on."""
    c, metric = combination, wording.metric_of(combination)
    if not c.beats_majority:
        nothing = nothing_proven(c)
        return f"{nothing} Best by estimate: {chosen_of(c)}."
    if c.gain is None:
        return f"Use {c.chosen}: with one candidate there is nothing to combine."
    if c.keeps_fusion:
        return (
            f"Fusion kept: {chosen_of(c)} beats {c.best_single} by {metric.gain(c.gain)} {UNSEEN}."
        )
    if c.proven:
        return (
            f"Gain proven, fusion not taken: use {c.chosen}. The best fusion comes to "
            f"{metric.gain(c.gain)} against {rival(c)} {UNSEEN}, which is not worth its time."
        )
    return (
        f"No proven gain: use {c.chosen}. The best fusion comes to {metric.gain(c.gain)} "
        f"against {rival(c)} {UNSEEN}."
    )


def rival(combination: Combination) -> str:
    """Name the best single model after the chosen was named."""
    same = combination.chosen == combination.best_single
    return "it" if same else combination.best_single


def chosen_of(combination: Combination) -> str:
    """Return ``"stack-2 of motion and efficientnet-lite0"``."""
    chosen = option(combination, combination.chosen)
    if chosen is None or chosen.family == "single":
        return combination.chosen
    return f"{chosen.name} of {listed(chosen.members)}"


def option(combination: Combination, name: str) -> Option | None:
    """Return the option of a name."""
    return next((found for found in combination.options if found.name == name), None)


def rule_sentence(combination: Combination) -> str:
    """Say how it was decided, and what the figure in the headline is the gain of."""
    if combination.gain is None:
        return "No decision was needed."
    text = (
        "In each fold the best fusion is chosen without the fold's recordings, then tested on "
        "them. Held against the single model that turned out best there, its answers over all "
        "folds make the gain in the headline, so that the luck of choosing among many is paid "
        "for. A fusion is kept only if the whole interval lies above zero, and, where it takes "
        "more than half as long again, if the gain is more than --give-up"
    )
    return f"{text}: here it is." if combination.keeps_fusion else f"{text}: here it is not."


def score_sentence(combination: Combination) -> str:
    """Say what the whole procedure is worth."""
    metric = wording.metric_of(combination)
    score, majority = combination.score, combination.majority.value
    if not isfinite(score.value):
        return "What the whole procedure is worth was not measured."
    whole = "It" if combination.gain is None else "The whole procedure, decision included,"
    scores = "scores" if metric is wording.ACCURACY else f"has a {metric.name} of"
    text = f"{whole} {scores} {metric.figure(score)} on recordings that it has not seen"
    if not isfinite(majority):
        return f"{text}."
    share = metric.value(majority)
    return f"{text}; the baseline ({combination.baseline}) comes to {share}."


def proven(estimate: Estimate) -> bool:
    """Tell whether the interval of a difference excludes zero."""
    return wording.has_interval(estimate) and (estimate.low > 0 or estimate.high < 0)


def number(value: float) -> str:
    """Return a coefficient in [-1, 1]."""
    return f"{value:.2f}" if isfinite(value) else wording.NOT_MEASURED


def mebibytes(count: int) -> str:
    """Return bytes as MiB; none is a dash."""
    return f"{count / 1048576:,.0f} MiB" if count else wording.DASH


def pair_sentence(pair: Pair, metric: Metric) -> str:
    """Say what the second of two models adds to the first, and what they have in common."""
    return (
        f"{pair.second} adds {metric.gain(pair.added)} to {pair.first}. "
        f"{agreement(pair.agreement)}; at least one of them is right on "
        f"{wording.figure(pair.oracle)}."
    )


def agreement(kappa: float) -> str:
    """Say how far two models give the same answers (kappa)."""
    if not isfinite(kappa):
        return "How far they agree was not measured"
    return f"They agree with kappa {number(kappa)}"


def calls_sentence(found: Option, options: Sequence[Option]) -> str:
    """Say how many of its members a cascade asks, and what that saves."""
    asked, members = sum(found.calls.values()), len(found.calls)
    text = (
        f"asks {asked:.2f} of its {members} models per clip: "
        f"{wording.percent(1 - asked / members, 0)} of the calls saved"
    )
    whole = _asks_all(found, options)
    if whole is None or not isfinite(found.seconds_per_clip):
        return f"{text}."
    return (
        f"{text}. It takes {wording.milliseconds(found.seconds_per_clip)} per clip; "
        f"{whole.name}, which always asks all of them, takes "
        f"{wording.milliseconds(whole.seconds_per_clip)}."
    )


def _asks_all(found: Option, options: Sequence[Option]) -> Option | None:
    """Return the best fusion of the same members that asks all of them."""
    return next(
        (o for o in options if not o.calls and {*o.members} == {*found.members}
         and isfinite(o.seconds_per_clip)),
        None,
    )  # fmt: skip


def student_sentence(student: Student, metric: Metric) -> str:
    """Say what a student is, and what it kept of the gain."""
    text = (
        f"A head on {student.name} alone that learned to answer as the fusion does: "
        f"{metric.figure(student.score)}, {metric.gain(student.gain)} against the best single "
        f"model, at {wording.milliseconds(student.seconds_per_clip)} per clip."
    )
    if student.kept is None:
        return f"{text} The fusion has no proven gain, so there was none to be kept."
    return f"{text} It keeps {wording.figure(student.kept)} of the fusion's gain."


def listed(names: Sequence[str]) -> str:
    """Return ``"a, b and c"``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
