"""From a finished race to the ranking: estimates, ties, the recommendation, the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vidfit.backbones import catalogue
from vidfit.contracts import BackboneSpec, Cost, Estimate, Failure, seconds_a_clip
from vidfit.evaluate import few_recordings
from vidfit.hardware import hardware
from vidfit.jobs.select.race import Contest, Entry
from vidfit.jobs.select.value import Baseline, Ranked, Ranking, Rung, Standing, Temporal
from vidfit.manifest import Manifest
from vidfit.metrics import Scored, score_all
from vidfit.planning.recipes import usual_regime
from vidfit.report.wording import Metric, metric_named
from vidfit.reported import Stage
from vidfit.selection import Rule, Trial, bias_corrected, recommend, tied_with_best
from vidfit.selection.scores import knn, logme, parc
from vidfit.shown import counted
from vidfit.study.candidates import Loaded
from vidfit.study.figures import constant_of
from vidfit.study.provenance import provenance

_NO_MATTER = 0.02


@dataclass(frozen=True)
class Searched:
    """All that a search for a model found: what was read, loaded, raced and left out."""

    data: str
    manifest: Manifest
    candidates: Sequence[Loaded]
    dropped: Sequence[Failure]
    contest: Contest
    rule: Rule
    stages: Sequence[Stage]
    notes: Sequence[str] = ()

    @property
    def best(self) -> str:
        """The finalist of the best figure."""
        return self.contest.race.finalists[0]

    @cached_property
    def finals(self) -> Scored:
        """The finalists on all clips that they saw."""
        return self.contest.race.rounds[-1].trial.of(self.contest.race.finalists)

    def trial(self, name: str) -> Trial:
        """Return a candidate's last round."""
        return next(r.trial for r in reversed(self.contest.race.rounds) if name in r.trial.names)

    def figure(self, name: str) -> Estimate:
        """Return what a candidate scored in its last round."""
        return self.trial(name).of([name]).interval(0)

    def loaded(self, name: str) -> Loaded:
        """Return a candidate with its cost."""
        return next(c for c in self.candidates if c.name == name)

    def behind(self, name: str) -> Estimate:
        """Return by how much the best candidate is ahead of another, in the other's last round."""
        if name == self.best:
            return Estimate(0.0, 0.0, 0.0)
        return self.trial(name).lead(self.best, name)


def build_ranking(found: Searched) -> Ranking:
    """Return the ranking."""
    race, table = found.contest.race, found.contest.last[found.best].table
    tied = _tied(found)
    recommended = _recommended(found)
    labels_M = table.labels_M
    constant_MK = constant_of(table, found.contest.measure)
    baseline = score_all(found.contest.measure, labels_M, [constant_MK], table.groups)
    clips = [clip for clip in found.manifest.clips if clip.label is not None]
    kind = table.kind
    rarest = kind.rarest(kind.truth(clips, kind.classes(clips)))
    recordings = len({clip.recording for clip in clips})
    rows = [_ranked(found, name, recommended, tied) for name in found.contest.last]
    return Ranking(
        data=found.data,
        classes=table.classes,
        clip_count=len(clips),
        group_count=recordings,
        grouping=found.manifest.grouping,
        recommended=recommended,
        why=_why(found, recommended, tied),
        best=found.best,
        score=_expected(found),
        naive=found.figure(found.best),
        majority=baseline.interval(0),
        majority_class=kind.constant_words(constant_MK, table.classes),
        baseline=table.task.baseline,
        labels=kind.name,
        row=table.task.row,
        metric=found.contest.measure.name,
        higher_is_better=found.contest.measure.higher_is_better,
        candidates=tuple(sorted(rows, key=lambda row: (-row.clips, row.behind_best.value))),
        dropped=(*found.dropped, *race.untried),
        rungs=tuple(
            Rung(
                r.trial.clips,
                len(r.trial.scored.clips_G),
                dict(zip(r.trial.names, map(float, r.trial.scored.figures_C), strict=True)),
                r.dropped,
                r.trial.seconds,
            )
            for r in race.rounds
        ),
        ended=race.ended,
        baselines=tuple(_baselines(found)),
        temporal=_temporal(found.contest),
        labels_per_class=rarest,
        regime=usual_regime(rarest),
        spent_seconds=found.contest.seconds,
        exhaustive_seconds=len(clips) * seconds_a_clip([c.cost for c in found.candidates]),
        failures=(*found.manifest.rejected, *found.contest.unread),
        stages=tuple(found.stages),
        machine=hardware().describe(),
        provenance=provenance(found.manifest, found.candidates),
        warnings=(
            *found.manifest.warnings,
            *found.notes,
            *few_recordings(recordings),
            *_unproven(found),
        ),
    )


def _tied(found: Searched) -> list[str]:
    """Return the finalists among which the truly best one is, the best by estimate included."""
    return [
        name
        for name, is_tied in zip(
            found.contest.race.finalists, tied_with_best(found.finals), strict=True
        )
        if is_tied or name == found.best
    ]


def _recommended(found: Searched) -> str:
    return found.contest.race.finalists[recommend(found.finals, _costs(found), found.rule)]


def _costs(found: Searched) -> list[Cost]:
    return [found.loaded(name).cost for name in found.contest.race.finalists]


def _why(found: Searched, recommended: str, tied: Sequence[str]) -> str:
    if recommended != found.best:
        ahead = _metric(found).behind(found.behind(recommended))
        return (
            f"{recommended} is the cheapest within one standard error of {found.best}, the best by "
            f"estimate, which is {ahead} ahead at {_price(found, recommended)}; "
            "--prefer best takes it."
        )
    if len(tied) == 1:
        return f"{recommended} is proven better than every other candidate that ran to the end."
    best = f"{len(tied)} candidates are tied with the best; {recommended} has the best figure"
    if not found.rule.cheapest:
        return f"{best}."
    most = _metric(found).amount(found.rule.most)
    return f"{best}, and no cheaper one is within one standard error and {most} of it."


def _metric(found: Searched) -> Metric:
    measure = found.contest.measure
    return metric_named(measure.name, measure.higher_is_better)


def _price(found: Searched, recommended: str) -> str:
    """Return what a clip costs with the best, beside the recommended one."""
    dear, cheap = found.loaded(found.best).cost, found.loaded(recommended).cost
    times = dear.seconds / cheap.seconds if cheap.seconds else 1.0
    return f"{times:.1f} times the time ({dear.gmacs:.3g} against {cheap.gmacs:.3g} GMACs)"


def _expected(found: Searched) -> Estimate:
    """Return what the recommended one is worth: its own figure less the optimism of choosing."""
    entries = [found.contest.last[name] for name in found.contest.race.finalists]
    tried = [entry.settings(found.contest.measure) for entry in entries]
    return bias_corrected(found.finals, _costs(found), found.rule, tried=tried)


def _ranked(found: Searched, name: str, recommended: str, tied: Sequence[str]) -> Ranked:
    loaded, entry = found.loaded(name), found.contest.last[name]
    spec = loaded.backbone.spec
    standing, reason = _standing(found, name, recommended, tied)
    return Ranked(
        name=name,
        standing=standing,
        reason=reason,
        score=found.figure(name),
        behind_best=found.behind(name),
        clips=len(entry.answers_MK),
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
    """Return the transferability scores that are worth a look, on a candidate's last round.

    They are of the clips that have what the candidate sees.
    """
    if not entry.table.kind.exclusive:  # they compare classes
        return {}
    (vectors_MD,) = entry.table.vectors.values()
    seen_M = np.isfinite(vectors_MD).all(axis=1)
    vectors_MD, folds_M = vectors_MD[seen_M], entry.folds_M[seen_M]
    present, labels_M = np.unique(entry.table.labels_M[seen_M], return_inverse=True)
    if len(present) < 2 or len(np.unique(folds_M)) < 2:
        return {}
    return {
        "logme": logme(vectors_MD, labels_M),
        "parc": parc(vectors_MD, labels_M),
        "knn": knn(vectors_MD, labels_M, folds_M),
    }


def _standing(
    found: Searched, name: str, recommended: str, tied: Sequence[str]
) -> tuple[Standing, str]:
    if name == recommended:
        return "recommended", "the best" if name == found.best else "the cheapest near the best"
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
    published = catalogue.best_published(ran)
    if published is None:
        return rows
    name, metric, percent = published
    return [*rows, _baseline(found, "best published", name, f"{metric} {percent:.1f} %")]


def _baseline(found: Searched, rule: str, name: str, evidence: str) -> Baseline:
    return Baseline(rule, name, evidence, found.figure(name), found.behind(name))


def _temporal(contest: Contest) -> Temporal | None:
    if contest.twin is None:
        return None
    name, *both_entries = contest.twin
    table = both_entries[0].table
    answers = [entry.seen_by(contest.measure) for entry in both_entries]
    both = score_all(contest.measure, table.labels_M, answers, table.groups)
    gain = both.lead(0, 1)
    return Temporal(
        name,
        both.interval(0),
        both.interval(1),
        gain,
        len(table.groups),
        _verdict(gain),
    )


def _verdict(gain: Estimate) -> str:
    if gain.low > 0:
        return "The order of frames matters: the task is bound to motion."
    if gain.high < _NO_MATTER:
        return "The order of frames does not matter: the task is bound to appearance."
    return "These clips do not tell whether the order of frames matters."


def _unproven(found: Searched) -> list[str]:
    lost = len(found.contest.unproven)
    if not lost:
        return []
    return [
        f"The budget dropped {counted(lost, 'candidate')} not proven behind; with more "
        "minutes one of them may turn out better."
    ]
