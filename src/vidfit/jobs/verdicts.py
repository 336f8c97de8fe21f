"""From measurements to verdicts: which artefact is kept, and why not the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vidfit.compressed import Artefact, Footprint, Target, Verdict
from vidfit.jobs.artefacts import Made
from vidfit.jobs.judged import Judgement

if TYPE_CHECKING:
    from vidfit.jobs.options import CompressOptions

LEAST_GAIN = 0.03
"""Share of the target that an artefact must save to be judged; less is noise."""

_BEST: dict[Target, str] = {"latency": "fastest", "size": "smallest", "memory": "lightest"}
_NOUNS: dict[Target, str] = {"latency": "time", "size": "size", "memory": "memory"}


def is_gain(made: Made, original: Made, target: Target) -> bool:
    """Whether an artefact takes so much less that its answers are worth measuring."""
    if made.footprint is None or original.footprint is None:
        return False
    return made.footprint.of(target) <= (1 - LEAST_GAIN) * original.footprint.of(target)


def artefact(made: Made, judged: Judgement, tolerance: float) -> Artefact:
    """Return an artefact with its verdict by the interval of its loss."""
    loss, allowed = judged.loss, f"the {points(tolerance)} allowed"
    verdict: Verdict
    if loss.high <= tolerance:
        verdict, reason = "within", f"within {allowed}"
    elif loss.low > tolerance:
        verdict, reason = "worse", f"more than {allowed}"
    else:
        verdict, reason = "open", f"reaches over {allowed}"
    return Artefact(
        made.name, made.details, made.footprint, made.similarity, judged.accuracy, loss,
        judged.changed, verdict, reason,
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
        made.name, made.details, made.footprint, similarity, None, None, math.nan, verdict, reason
    )


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
            f"The whole interval of its loss lies within the {points(options.max_loss / 100)} "
            f"allowed, and of {_counted(artefacts)} it is the {_BEST[options.target]}."
        )
    losses = {a.name: a.loss for a in artefacts if a.loss is not None}
    if not losses:
        failed = sum(a.verdict == "failed" for a in artefacts)
        return (
            f"None of {len(artefacts)} techniques saves {_NOUNS[options.target]} here"
            f"{f'; {failed} failed' if failed else ''}."
        )
    nearest = min(losses, key=lambda name: losses[name].high)
    # Rounded up: what is named must be enough.
    enough = math.ceil(1000 * losses[nearest].high - 1e-9) / 10
    return (
        f"The nearest is {nearest}, whose loss may reach {enough:g} points: --max-loss {enough:g} "
        "would keep it. More recordings would narrow the interval."
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
