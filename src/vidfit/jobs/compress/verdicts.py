"""From measurements to verdicts: which artefact is kept, and why not the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vidfit.jobs.compress.artefacts import Made
from vidfit.jobs.compress.losses import Judgement
from vidfit.jobs.compress.value import Artefact, Footprint, Target, Verdict
from vidfit.metrics.noninferior import LEVEL, holm
from vidfit.shown import counted

if TYPE_CHECKING:
    from vidfit.jobs.compress.options import CompressOptions

HALF = 0.5
"""Share of the tolerance that the probability of the true class may lose.

Accuracy can fall faster than that probability: 1.5 times where answers become noisier
(`benchmarks.compression_verdicts`), so that half leaves room.
"""

LEAST_GAIN = 0.03
"""Share of the target that an artefact must save to be judged; less is noise."""

_BEST: dict[Target, str] = {"latency": "fastest", "size": "smallest", "memory": "lightest"}
_NOUNS: dict[Target, str] = {"latency": "time", "size": "size", "memory": "memory"}


def is_gain(made: Made, original: Made, target: Target) -> bool:
    """Whether an artefact saves enough for its answers to be worth measuring."""
    if made.footprint is None or original.footprint is None:
        return False
    return made.footprint.of(target) <= (1 - LEAST_GAIN) * original.footprint.of(target)


def rated(
    made: Sequence[Made],
    original: Made,
    judgements: Mapping[str, Judgement],
    options: CompressOptions,
) -> list[Artefact]:
    """Return all artefacts with their verdicts; several are tested together (Holm 1979)."""
    tolerance = options.max_loss / 100
    chances = holm([j.probability_loss.chance_of(HALF * tolerance) for j in judgements.values()])
    chance = dict(zip(judgements, chances, strict=True))
    return [
        artefact(one, judgements[one.name], tolerance, (chance[one.name], len(chance)))
        if one.name in judgements
        else unjudged(one, original, options.target)
        for one in made
    ]


def artefact(
    made: Made, judged: Judgement, tolerance: float, tested: tuple[float, int] = (0.0, 1)
) -> Artefact:
    """Return an artefact with its verdict.

    Parameters
    ----------
    tested
        The p-value of a loss beyond the tolerance, adjusted for how many are tested, and that
        number.
    """
    chance, count = tested
    loss, allowed = judged.probability_loss.interval(), f"the {points(tolerance)} allowed"
    verdict: Verdict
    if chance <= LEVEL:
        verdict, beside = "within", f"at most half of {allowed}"
    elif judged.loss.low > tolerance or loss.low > tolerance:
        verdict, beside = "worse", f"and answers prove more than {allowed}"
    else:
        verdict, beside = "open", f"not proven to be at most half of {allowed}"
    value, low, high = (
        f"{round(100 * part, 2) or 0.0:.2f}" for part in (loss.value, loss.low, loss.high)
    )
    reason = f"probability of the true class: {value} points less [{low}, {high}], {beside}"
    enough = judged.probability_loss.upper(LEVEL / count) / HALF
    return Artefact(
        made.name, made.details, made.footprint, made.similarity, judged.accuracy, judged.loss,
        loss, enough, judged.changed, verdict, reason,
    )  # fmt: skip


def unjudged(made: Made, original: Made, target: Target) -> Artefact:
    """Return an artefact whose answers were not measured, with the reason."""
    verdict: Verdict = "failed"
    reason = made.failure or "its network failed on the clips"
    if made.footprint and not is_gain(made, original, target):
        verdict = "no gain"
        reason = f"saves less than {LEAST_GAIN:.0%} of the {_NOUNS[target]}: answers not measured"
    similarity = math.nan if made.footprint is None else made.similarity
    return Artefact(
        made.name, made.details, made.footprint, similarity, None, None, None, math.nan, math.nan,
        verdict, reason,
    )  # fmt: skip


def chosen_of(rated: Sequence[Artefact], target: Target) -> tuple[str, tuple[Artefact, ...]]:
    """Return the name of the smallest of those within the tolerance, and all, it first."""
    within = [a for a in rated if a.verdict == "within" and a.footprint]
    if not within:
        return "", tuple(rated)
    best = min(within, key=lambda a: _of(a.footprint, target))
    others = [a for a in rated if a is not best]
    return best.name, (replace(best, verdict="kept"), *others)


def verdict_words(chosen: str, artefacts: Sequence[Artefact], options: CompressOptions) -> str:
    """Say what follows for the user."""
    if chosen:
        return (
            "The probability that it gives the true class is proven to fall by at most half of "
            f"the {points(options.max_loss / 100)} allowed, and of {_counted(artefacts)} it is "
            f"the {_BEST[options.target]}."
        )
    enough = {a.name: a.enough for a in artefacts if a.loss is not None}
    if not enough:
        failed = sum(a.verdict == "failed" for a in artefacts)
        return (
            f"Of {counted(len(artefacts), 'technique')} none saves {_NOUNS[options.target]} here"
            f"{f'; {failed} failed' if failed else ''}."
        )
    nearest = min(enough, key=lambda name: enough[name])
    if not math.isfinite(enough[nearest]):
        return "One recording says nothing of others: give clips of more."
    # Rounded up: what is named must be enough.
    needed = math.ceil(1000 * enough[nearest] - 1e-9) / 10
    return (
        f"The nearest is {nearest}: --max-loss {needed:g} would keep it. More recordings would "
        "narrow the interval."
    )


def points(share: float) -> str:
    """Return a share of clips as points of accuracy."""
    value = round(100 * share, 2)
    return f"{value:g} {'point' if value == 1 else 'points'}"


def _counted(artefacts: Sequence[Artefact]) -> str:
    count = sum(a.verdict in ("kept", "within") for a in artefacts)
    return "1 such artefact" if count == 1 else f"{count} such artefacts"


def _of(footprint: Footprint | None, target: Target) -> float:
    return footprint.of(target) if footprint else float("inf")
