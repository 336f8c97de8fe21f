"""From fitted fusions to the answer: which are worth it, at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from vidfit.contracts import BackboneSpec, Estimate, Failure, Indices
from vidfit.evaluate import few_recordings
from vidfit.fusion import METHODS
from vidfit.hardware import hardware
from vidfit.jobs.fuse.students import Graduate
from vidfit.jobs.fuse.value import Combination, Option, Pair
from vidfit.manifest import Manifest
from vidfit.reported import Stage
from vidfit.selection import FUSION, Contender
from vidfit.shown import public
from vidfit.study.candidates import Loaded
from vidfit.study.compare import Compared
from vidfit.study.figures import constant_of
from vidfit.study.provenance import provenance
from vidfit.study.table import Table


@dataclass(frozen=True)
class Found:
    """All that `fuse` computed: what was read, fitted, left out and measured."""

    data: str
    manifest: Manifest
    table: Table
    candidates: Sequence[Loaded]
    dropped: Sequence[Failure]
    unread: Sequence[Failure]
    compared: Compared
    pairs: tuple[Pair, ...]
    graduate: Graduate | None
    notes: Sequence[str]
    stages: Sequence[Stage]


def build_combination(found: Found) -> Combination:
    """Return what was found: options with gain and cost, pairs, the verdict."""
    table, compared = found.table, found.compared
    groups, measure = table.groups, compared.terms.measure
    baseline_MK = constant_of(table, measure)
    scored = compared.procedure(baseline_MK)
    return Combination(
        data=found.data,
        classes=table.classes,
        clip_count=len(table.clips),
        group_count=len(set(groups)),
        grouping=found.manifest.grouping,
        protocol=compared.protocol,
        chosen=compared.chosen.name,
        verdict=compared.verdict,
        best_single=compared.honest.best_single,
        metric=measure.name,
        higher_is_better=measure.higher_is_better,
        fusion=compared.scored([FUSION]).interval(0) if compared.honest.gain else None,
        gain=compared.honest.gain.points if compared.honest.gain else None,
        proven=bool(compared.honest.gain and compared.honest.gain.proven),
        score=scored.interval(0),
        majority=scored.interval(1),
        majority_class=table.kind.constant_words(baseline_MK, table.classes),
        baseline=table.task.baseline,
        task=table.task.asked,
        options=_options(found),
        pairs=found.pairs,
        student=found.graduate.student if found.graduate else None,
        failures=tuple(found.unread),
        dropped=tuple(found.dropped),
        stages=tuple(found.stages),
        machine=hardware().describe(),
        provenance=provenance(found.manifest, found.candidates),
        warnings=(
            *found.manifest.warnings,
            *dict.fromkeys(found.notes),
            *few_recordings(len(set(groups))),
        ),
    )


def combination_card(
    combination: Combination, members: Sequence[BackboneSpec]
) -> dict[str, object]:
    """Return what whoever receives the model should know: data, score, parts, limits."""
    return {
        "task": combination.task,
        "data": public(combination.data),
        "clips": combination.clip_count,
        "recordings": combination.group_count,
        "protocol": combination.protocol,
        "verdict": combination.verdict,
        "metric": combination.metric,
        "score": asdict(combination.score),
        **({"accuracy": asdict(combination.score)} if combination.metric == "accuracy" else {}),
        "majority": asdict(combination.majority),
        "baseline": combination.baseline,
        "members": [asdict(spec) for spec in members],
        "made_with": combination.provenance,
        "limits": "Scores hold for clips like the training clips; intervals are over recordings.",
    }


def _options(found: Found) -> tuple[Option, ...]:
    """Return every contender with its gain and its cost, best first."""
    honest = found.compared.honest
    contenders = found.compared.contenders
    names = [c.name for c in contenders]
    scored = found.compared.scored(names)
    merits = dict(zip(names, map(float, scored.merits_C), strict=True))
    seconds = {name: float(honest.seconds_M[name].mean()) for name in names}
    front = {
        name for name in names if not any(_beats(merits, seconds, other, name) for other in names)
    }
    best = names.index(found.compared.honest.best_single)
    options = [
        _option(
            found,
            contender,
            scored.interval(i),
            Estimate(0.0, 0.0, 0.0) if i == best else scored.lead(i, best),
            contender.name in front,
        )
        for i, contender in enumerate(contenders)
    ]
    return tuple(sorted(options, key=lambda option: (-merits[option.name], option.name)))


def _beats(merits: dict[str, float], seconds: dict[str, float], first: str, second: str) -> bool:
    """Whether the first is at least as good and as fast, and better in one of them."""
    no_worse = merits[first] >= merits[second] and seconds[first] <= seconds[second]
    better = merits[first] > merits[second] or seconds[first] < seconds[second]
    return no_worse and better


def _option(
    found: Found, contender: Contender, score: Estimate, gain: Estimate, pareto: bool
) -> Option:
    honest = found.compared.honest
    loaded = {candidate.name: candidate for candidate in found.candidates}
    members = [loaded[name] for name in contender.members]
    return Option(
        name=contender.name,
        family=METHODS[contender.method].family if contender.method else "single",
        members=contender.members,
        score=score,
        gain=gain,
        seconds_per_clip=float(honest.seconds_M[contender.name].mean()),
        memory_bytes=sum(member.cost.memory_bytes for member in members),
        parameters=sum(member.backbone.spec.parameters for member in members),
        calls=_calls(contender, honest.depth_M[contender.name]),
        pareto=pareto,
    )


def _calls(contender: Contender, depth_M: Indices) -> dict[str, float]:
    """Return the share of clips that members of a cascade are shown, in the order of asking.

    The final cascade's members by stage; the shares are those of the folds' cascades.
    """
    if len(contender.stages) == 1:
        return {}
    return {
        name: float((depth_M > stage).mean())
        for stage, names in enumerate(contender.stages)
        for name in names
    }
