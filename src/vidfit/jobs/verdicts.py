"""From measurements to verdicts: which artefact is kept, and why not the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vidfit.compressed import Artefact, Footprint, Target
from vidfit.jobs.artefacts import Made
from vidfit.jobs.judged import Judgement

if TYPE_CHECKING:
    from vidfit.jobs.options import CompressOptions

LEAST_GAIN = 0.03
"""Share of the target that an artefact must save to be judged; less is noise."""

_NOUNS: dict[Target, str] = {"latency": "time", "size": "size", "memory": "memory"}


def is_gain(made: Made, original: Made, target: Target) -> bool:
    """Whether an artefact takes so much less that its answers are worth measuring."""
    if made.footprint is None or original.footprint is None:
        return False
    return made.footprint.of(target) <= (1 - LEAST_GAIN) * original.footprint.of(target)


def artefact(made: Made, judged: Judgement, tolerance: float) -> Artefact:
    """Return an artefact with its verdict by the interval of its loss."""
    loss = judged.loss
    interval = f"{100 * loss.value:+.1f} points [{100 * loss.low:+.1f}, {100 * loss.high:+.1f}]"
    allowed = f"{100 * tolerance:g} allowed"
    if loss.high <= tolerance:
        verdict, reason = "within", f"loses {interval}: within the {allowed}"
    elif loss.low > tolerance:
        verdict, reason = "worse", f"loses {interval}: more than the {allowed}"
    else:
        verdict, reason = "open", f"loses {interval}: not proven within the {allowed}"
    return Artefact(
        made.name, made.details, made.footprint, made.similarity, judged.accuracy, loss,
        judged.changed, verdict, reason,  # type: ignore[arg-type]
    )  # fmt: skip


def unjudged(made: Made, original: Made, target: Target) -> Artefact:
    """Return an artefact whose answers were not measured, with the reason."""
    bare = Artefact(
        made.name, made.details, made.footprint, made.similarity, None, None, 0.0, "failed",
        made.failure or "its network failed on the clips",
    )  # fmt: skip
    if made.footprint is None or original.footprint is None or is_gain(made, original, target):
        return bare
    share = made.footprint.of(target) / original.footprint.of(target)
    reason = f"takes {share:.2f} of the original's {_NOUNS[target]}: rejected, answers not judged"
    return replace(bare, verdict="no gain", reason=reason)


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
        return f"{chosen} kept: it {artefacts[0].reason}."
    judged = [a for a in artefacts if a.loss is not None]
    if not judged:
        return f"Nothing kept: no technique saves {_NOUNS[options.target]} here."
    nearest = min(judged, key=lambda a: a.loss.high if a.loss else 1.0)
    least = 100 * (nearest.loss.high if nearest.loss else 1.0)
    return (
        f"Nothing kept: no artefact is proven to lose at most {options.max_loss:g} points. The "
        f"nearest, {nearest.name}, {nearest.reason}; --max-loss {least:.1f} would keep it, and "
        "more recordings may prove less."
    )


def _of(footprint: Footprint | None, target: Target) -> float:
    return footprint.of(target) if footprint else float("inf")
