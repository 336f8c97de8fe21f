"""From finished rows to the table: figures, ties, gains and costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.backbones import catalogue
from vidfit.contracts import BackboneSpec, Cost, Floats
from vidfit.evaluate import few_recordings
from vidfit.fusion.even import evened
from vidfit.hardware import hardware
from vidfit.jobs.compare.architectures import SELF_FROZEN, SELF_TUNED, RowPlan
from vidfit.jobs.compare.fits import HEADS, LAYERS, MICRO_BATCH, RECIPE, WIDTH
from vidfit.jobs.compare.kept import FinishedRow
from vidfit.jobs.compare.material import Material
from vidfit.jobs.compare.options import CompareOptions
from vidfit.jobs.compare.value import ArchitectureRow, ArchitectureTable, PairedGain, TieStanding
from vidfit.metrics import BALANCED, AnyMeasure, Scored, score_all
from vidfit.selection import is_proven_better, tied_with_best
from vidfit.shown import counted
from vidfit.study.figures import constant_of
from vidfit.study.goal import measure_of
from vidfit.study.measured import Measured
from vidfit.study.opened import Study
from vidfit.study.pretrained import Pretrained
from vidfit.study.provenance import provenance


@dataclass(frozen=True)
class JudgedRows:
    """Answers as they are compared."""

    measure: AnyMeasure
    scored: Scored
    majority: Scored
    majority_class: str


def judged(
    study: Study, of: Material, finished: Sequence[FinishedRow], metric: str | None
) -> JudgedRows:
    """Score the rows by the figure that was asked for, or the one that suits the classes."""
    table = of.table
    measure = measure_of(metric, table.clips, study.task, study.notes)
    answers = [row.answers_MK for row in finished]
    if measure is BALANCED:
        study.notes.append("All rows answer as if classes were equally frequent.")
        answers = [_evened(answers_MK, of) for answers_MK in answers]
    constant_MK = constant_of(table, measure)
    return JudgedRows(
        measure,
        score_all(measure, table.labels_M, answers, table.groups),
        score_all(measure, table.labels_M, [constant_MK], table.groups),
        table.kind.constant_words(constant_MK, table.classes),
    )


def _evened(answers_MK: Floats, of: Material) -> Floats:
    """Return the answers of even classes, by the shares among the clips of the other folds."""
    found_MK = answers_MK.copy()
    for number in np.unique(of.folds_M):
        test_M = of.folds_M == number
        found_MK[test_M] = evened(answers_MK[test_M], of.table.labels_M[~test_M])
    return found_MK


@dataclass(frozen=True)
class FoundRows:
    """All that a comparison found."""

    study: Study
    measured: Measured
    material: Material
    options: CompareOptions
    pretrained: Pretrained | None
    rows: Sequence[RowPlan]
    finished: Sequence[FinishedRow]
    costs: Sequence[Cost]
    judged: JudgedRows

    def table(self) -> ArchitectureTable:
        """Return it as frozen values."""
        study, table = self.study, self.material.table
        scored = self.judged.scored
        best = int(np.argmax(scored.merits_C))
        tied_C = tied_with_best(scored)
        rows = [self._row(i, best, bool(tied_C[i])) for i in range(len(self.rows))]
        order = sorted(range(len(rows)), key=lambda i: (-scored.merits_C[i], i))
        recordings = len(set(table.groups))
        return ArchitectureTable(
            data=study.source,
            classes=table.classes,
            clip_count=len(table.clips),
            group_count=recordings,
            grouping=self.measured.manifest.grouping,
            rows=tuple(rows[i] for i in order),
            trained_gain=self._trained_gain(order),
            pretraining=tuple(self._pretraining()),
            majority=self.judged.majority.interval(0),
            majority_class=self.judged.majority_class,
            folds=len(np.unique(self.material.folds_M)),
            budget_seconds=self.options.cpu_seconds,
            unlabelled=self.material.unlabelled,
            settings=self._settings(),
            failures=self.measured.manifest.rejected,
            dropped=tuple(self.measured.dropped),
            stages=tuple(study.stages),
            machine=hardware().describe(),
            provenance=provenance(self.measured.manifest, self.measured.candidates),
            warnings=(
                *self.measured.manifest.warnings,
                *dict.fromkeys(study.notes),
                *few_recordings(recordings),
            ),
            baseline=study.task.baseline,
            metric=self.judged.measure.name,
            higher_is_better=self.judged.measure.higher_is_better,
        )

    def _row(self, i: int, best: int, tied: bool) -> ArchitectureRow:
        row, done, cost = self.rows[i], self.finished[i], self.costs[i]
        standing: TieStanding = "best" if i == best else "tied" if tied else "behind"
        scored = self.judged.scored
        return ArchitectureRow(
            row.name, row.architecture, row.how, self._sees(row), self._pretrained_on(row),
            standing, scored.interval(i), scored.lead(best, i), done.learn_seconds,
            done.pretrain_seconds, done.epochs if row.network and any(done.epochs) else (),
            cost.seconds, done.memory_bytes, cost.parameters or done.parameters, cost.gmacs,
        )  # fmt: skip

    def _spec(self, encoder: str) -> BackboneSpec:
        return next(c.backbone.spec for c in self.measured.candidates if c.name == encoder)

    def _sees(self, row: RowPlan) -> str:
        if row.encoder:
            return f"tokens of {row.encoder} ({self._spec(row.encoder).sampling})"
        size = self.material.seen.preprocessing
        words = row.network == "video-text" and any(self.material.texts_A)
        frames = counted(self.material.seen.sampling.clip_len, "frame")
        frames += f" of {size.width_pixels} x {size.height_pixels}"
        return f"{frames} and words" if words else frames

    def _pretrained_on(self, row: RowPlan) -> str:
        if row.encoder:
            known = catalogue.lookup(row.encoder)
            algorithm = self._spec(row.encoder).architecture == "algorithm"
            return "nothing" if algorithm else (known and known.pretraining_data) or "unknown"
        if row.how == "supervised":
            return "nothing"
        if self.pretrained:
            return f"{counted(self.pretrained.facts.clips, 'clip')} beforehand, without labels"
        extra = self.material.unlabelled
        more = f" and {extra} more" if extra else ""
        return f"the training clips of each fold{more}, without labels"

    def _trained_gain(self, order: Sequence[int]) -> PairedGain | None:
        """Return by how much the best trained row is better than the best frozen one."""
        frozen = next((i for i in order if self.rows[i].how == "frozen"), None)
        trained = next((i for i in order if self.rows[i].how != "frozen"), None)
        return None if frozen is None or trained is None else self._gain(trained, frozen)

    def _pretraining(self) -> list[PairedGain]:
        plain = {
            row.architecture: i
            for i, row in enumerate(self.rows)
            if row.how == "supervised" and not row.encoder
        }
        return [
            self._gain(i, plain[row.architecture])
            for i, row in enumerate(self.rows)
            if row.how in (SELF_FROZEN, SELF_TUNED) and row.architecture in plain
        ]

    def _gain(self, i: int, over: int) -> PairedGain:
        scored = self.judged.scored
        gain = scored.lead(i, over)
        return PairedGain(
            self.rows[i].name,
            self.rows[over].name,
            gain,
            math.isfinite(gain.low) and gain.low > 0 and is_proven_better(scored, i, over),
            math.isfinite(gain.high) and gain.high < 0 and is_proven_better(scored, over, i),
        )

    def _settings(self) -> dict[str, str]:
        seen, seconds = self.material.seen, self.options.cpu_seconds
        return {
            "budget": f"{seconds:g} s of the processor for a row, all folds together",
            "size of a network": f"width {WIDTH}, {LAYERS} layers, {HEADS} attention heads",
            "frames": f"{seen.sampling}, {seen.preprocessing.width_pixels} pixels square",
            "optimizer": f"{RECIPE.optimizer}, rate {RECIPE.learning_rate:g}, warm-up and cosine, "
            f"weight decay {RECIPE.weight_decay:g}, {MICRO_BATCH} clips a step",
            "against learning by heart": f"dropout {RECIPE.dropout:g}, label smoothing "
            f"{RECIPE.label_smoothing:g}, {RECIPE.epochs} epochs at most, patience "
            f"{RECIPE.patience}",
            "epoch": "chosen in each fold by a fifth of its training recordings",
            "probe": "penalty chosen in each fold by its training recordings",
            "self-supervised learning": "half of the budget, then the labels; all of it where "
            "only a probe learns after it",
        }
