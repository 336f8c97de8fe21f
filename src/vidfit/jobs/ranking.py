"""From a finished race to the ranking: estimates, ties, the recommendation, the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.backbones import catalogue
from vidfit.contracts import BackboneSpec, Estimate, Failure, Floats, seconds_a_clip
from vidfit.errors import BackboneError
from vidfit.hardware import hardware
from vidfit.jobs.candidates import Loaded
from vidfit.jobs.contest import Contest, Entry
from vidfit.jobs.findings import provenance
from vidfit.jobs.options import Preference
from vidfit.manifest import Manifest
from vidfit.metrics import mean_interval
from vidfit.ranking import Baseline, Ranked, Ranking, Regime, Rung, Standing, Temporal
from vidfit.reported import Stage
from vidfit.selection import bias_corrected, tied_with_best
from vidfit.selection.scores import PROBES, SCORES

_FROZEN_LABELS, _ADAPTED_LABELS = 10, 100
_NO_MATTER = 0.02
_PUBLISHED = ("Kinetics-400 top-1", "ImageNet-1k top-1")


@dataclass(frozen=True)
class Searched:
    """All that a search for a model found: what was read, loaded, raced and left out."""

    data: str
    manifest: Manifest
    candidates: Sequence[Loaded]
    dropped: Sequence[Failure]
    contest: Contest
    prefer: Preference
    stages: Sequence[Stage]

    @property
    def best(self) -> str:
        """The finalist of the highest accuracy."""
        return self.contest.race.finalists[0]

    def hits(self, name: str) -> Floats:
        """Return a candidate's hits [M] in its last round."""
        return self.contest.last[name].hits_M

    def loaded(self, name: str) -> Loaded:
        """Return a candidate with its cost."""
        return next(c for c in self.candidates if c.name == name)

    def behind(self, name: str) -> Floats:
        """Return the best candidate's hits minus another's, [M], in the other's last round."""
        trial = next(r.trial for r in reversed(self.contest.race.rounds) if name in r.trial.hits)
        difference_M: Floats = trial.hits[self.best] - trial.hits[name]
        return difference_M

    def groups(self, name: str) -> list[str]:
        """Return the recordings of the clips of a candidate's last round."""
        return self.contest.last[name].table.groups


def build_ranking(found: Searched) -> Ranking:
    """Return the ranking."""
    race, table = found.contest.race, found.contest.last[found.best].table
    tied = _tied(found)
    recommended = _recommended(found, tied)
    naive = mean_interval(found.hits(found.best), table.groups)
    labels_M = table.labels_M
    clips = [clip for clip in found.manifest.clips if clip.label is not None]
    rarest = int(np.unique([str(clip.label) for clip in clips], return_counts=True)[1].min())
    rows = [_ranked(found, name, recommended, tied) for name in found.contest.last]
    return Ranking(
        data=found.data,
        classes=table.classes,
        clip_count=len(clips),
        group_count=len({clip.group or clip.path for clip in clips}),
        grouping=found.manifest.grouping,
        recommended=recommended,
        why=_why(found, recommended, tied),
        best=found.best,
        score=_expected(found, recommended, naive),
        naive=naive,
        majority=mean_interval(labels_M == np.bincount(labels_M).argmax(), table.groups),
        candidates=tuple(sorted(rows, key=lambda row: (-row.clips, row.behind_best.value))),
        dropped=(*found.dropped, *race.untried),
        rungs=tuple(
            Rung(
                len(r.trial.groups),
                len(set(r.trial.groups)),
                {name: float(hits_M.mean()) for name, hits_M in r.trial.hits.items()},
                r.dropped,
                r.trial.seconds,
            )
            for r in race.rounds
        ),
        ended=race.ended,
        baselines=tuple(_baselines(found)),
        temporal=_temporal(found.contest),
        labels_per_class=rarest,
        regime=regime(rarest),
        spent_seconds=found.contest.seconds,
        exhaustive_seconds=len(clips) * seconds_a_clip([c.cost for c in found.candidates]),
        failures=(*found.manifest.rejected, *found.contest.unread),
        stages=tuple(found.stages),
        machine=hardware().describe(),
        provenance=provenance(found.manifest, found.candidates),
        warnings=(*found.manifest.warnings, *_unproven(found)),
    )


def regime(labels_per_class: int) -> Regime:
    """Return how to train with so many labels a class.

    Few labels cannot teach a whole network: a frozen encoder under a linear probe is then best;
    with more, the probe comes first and the network is tuned after it (Kumar et al. 2022,
    "Fine-tuning can distort pretrained features and underperform out-of-distribution").
    """
    if labels_per_class <= _FROZEN_LABELS:
        return "frozen probe"
    return "LP-FT or LoRA" if labels_per_class <= _ADAPTED_LABELS else "LP-FT, full"


def _tied(found: Searched) -> list[str]:
    """Return the finalists among which the truly best one is, the best by estimate included."""
    finalists = found.contest.race.finalists
    is_tied_C = tied_with_best(
        np.stack([found.hits(name) for name in finalists]), found.groups(found.best)
    )
    return [
        name
        for name, is_tied in zip(finalists, is_tied_C, strict=True)
        if is_tied or name == found.best
    ]


def _recommended(found: Searched, tied: Sequence[str]) -> str:
    if found.prefer == "best":
        return found.best
    return min(tied, key=lambda name: found.loaded(name).cost.seconds)


def _why(found: Searched, recommended: str, tied: Sequence[str]) -> str:
    if len(tied) == 1:
        return f"{recommended} is proven better than every other candidate that ran to the end."
    count = f"{len(tied)} candidates are tied with the best"
    if recommended == found.best and found.prefer == "best":
        return f"{count}; {recommended} has the highest accuracy."
    if recommended == found.best:
        return f"{count}; {recommended} has the highest accuracy and is the cheapest of them."
    behind = mean_interval(found.behind(recommended), found.groups(recommended))
    times = found.loaded(found.best).cost.seconds / found.loaded(recommended).cost.seconds
    return (
        f"{count}; {recommended} is the cheapest of them. {found.best}, the best by estimate, is "
        f"{_points(behind)} ahead at {times:.1f} times the cost; --prefer best takes it."
    )


def _points(difference: Estimate) -> str:
    value, low, high = (100 * x for x in (difference.value, difference.low, difference.high))
    return f"{value:.1f} points [{low:.1f}, {high:.1f}]"


def _expected(found: Searched, recommended: str, naive: Estimate) -> Estimate:
    """Return what the recommended one is worth: its own figure less the optimism of choosing.

    The interval is as wide as that of the best, which knows of the choice.
    """
    finalists = [found.hits(name) for name in found.contest.race.finalists]
    corrected = bias_corrected(np.stack(finalists), found.groups(found.best))
    if recommended == found.best:
        return corrected
    optimism = max(0.0, naive.value - corrected.value)
    value = float(found.hits(recommended).mean()) - optimism
    return Estimate(
        value,
        max(0.0, value - (corrected.value - corrected.low)),
        min(1.0, value + (corrected.high - corrected.value)),
    )


def _ranked(found: Searched, name: str, recommended: str, tied: Sequence[str]) -> Ranked:
    loaded, entry = found.loaded(name), found.contest.last[name]
    spec = loaded.backbone.spec
    standing, reason = _standing(found, name, recommended, tied)
    return Ranked(
        name=name,
        standing=standing,
        reason=reason,
        accuracy=mean_interval(entry.hits_M, entry.table.groups),
        behind_best=mean_interval(found.behind(name), entry.table.groups),
        clips=len(entry.hits_M),
        seconds_per_clip=loaded.cost.seconds,
        memory_bytes=loaded.cost.memory_bytes,
        parameters=spec.parameters,
        gmacs_per_clip=spec.gmacs_per_clip,
        dim=spec.dim,
        sampling=str(spec.sampling),
        modality=_modality(spec),
        licence=spec.licence,
        commercial_use=spec.commercial_use,
        scores=_scores(entry),
    )


def _scores(entry: Entry) -> dict[str, float]:
    """Return transferability scores on the clips of a candidate's last round."""
    (vectors_MD,) = entry.table.vectors.values()
    labels_M = entry.table.labels_M
    found = {name: score(vectors_MD, labels_M) for name, score in SCORES.items()}
    return found | {"knn": PROBES["knn"](vectors_MD, labels_M, entry.folds_M)}


def _standing(
    found: Searched, name: str, recommended: str, tied: Sequence[str]
) -> tuple[Standing, str]:
    if name == recommended:
        return "recommended", "the best" if name == found.best else "the cheapest of the tied"
    if name in tied:
        return "tied", "the best by estimate" if name == found.best else "no proven difference"
    if name in found.contest.race.finalists:
        return "behind", "proven worse than another candidate"
    losses = (f for r in found.contest.race.rounds for f in r.dropped if f.name == name)
    return "dropped", next(losses).reason


def _modality(spec: BackboneSpec) -> str:
    if spec.architecture == "algorithm":
        return "none"
    return "video" if spec.sampling.clip_len > 1 else "image"


def _baselines(found: Searched) -> list[Baseline]:
    """Return what would have been taken without the clips, of those that ran."""
    ran = list(found.contest.last)
    largest = max(ran, key=lambda name: found.loaded(name).backbone.spec.parameters)
    parameters = found.loaded(largest).backbone.spec.parameters / 1e6
    rows = [_baseline(found, "largest", largest, f"{parameters:.2f} M parameters")]
    for metric in _PUBLISHED:
        figures = {name: _published(name, metric) for name in ran}
        known = {name: figure for name, figure in figures.items() if figure is not None}
        if known:
            best = max(known, key=lambda name: known[name])
            evidence = f"{metric} {known[best]:.1f} %"
            return [*rows, _baseline(found, "best published", best, evidence)]
    return rows


def _baseline(found: Searched, rule: str, name: str, evidence: str) -> Baseline:
    groups = found.groups(name)
    return Baseline(
        rule,
        name,
        evidence,
        mean_interval(found.hits(name), groups),
        mean_interval(found.behind(name), groups),
    )


def _published(name: str, metric: str) -> float | None:
    """Return a published figure of a candidate, in percent, if there is one."""
    try:
        entry = catalogue.find(name.partition("@")[0])
    except BackboneError:
        return None
    return next((value for key, value in entry.metrics.items() if key.startswith(metric)), None)


def _temporal(contest: Contest) -> Temporal | None:
    if contest.twin is None:
        return None
    name, shuffled = contest.twin
    groups, ordered_M = shuffled.table.groups, contest.last[name].hits_M
    gain = mean_interval(ordered_M - shuffled.hits_M, groups)
    return Temporal(
        name,
        mean_interval(ordered_M, groups),
        mean_interval(shuffled.hits_M, groups),
        gain,
        len(groups),
        _verdict(gain),
    )


def _verdict(gain: Estimate) -> str:
    if gain.low > 0:
        return "The order of frames matters: the task is bound to motion."
    if gain.high < _NO_MATTER:
        return "The order of frames does not matter: the task is bound to appearance."
    return "These clips do not tell whether the order of frames matters."


def _unproven(found: Searched) -> list[str]:
    lost = [f for r in found.contest.race.rounds for f in r.dropped if "unproven" in f.reason]
    if not lost:
        return []
    return [
        f"The budget dropped {len(lost)} candidates that were not proven behind; with more "
        "minutes one of them may turn out better."
    ]
