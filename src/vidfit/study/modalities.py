"""What each modality adds: the stack of all candidates, and of those that are left without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vidfit.contracts import Cost, Estimate, Floats, Indices
from vidfit.fusion import fit_method
from vidfit.fusion.even import evened
from vidfit.fusion.nested import training_of
from vidfit.fusion.together import Together
from vidfit.metrics import AnyMeasure, score_all
from vidfit.report.wording import metric_named
from vidfit.study.table import Table
from vidfit.views import Sees

METHOD = "stack"


@dataclass(frozen=True)
class WithoutModality:
    """A figure of a stack without one modality, and by how much the whole is ahead of it.

    ``alone`` is the figure of that modality by itself.
    """

    modality: Sees
    figure: Estimate
    ahead: Estimate
    alone: Estimate


@dataclass(frozen=True)
class Modalities:
    """The figure of the stack of all candidates, and without each modality."""

    whole: Estimate
    without: tuple[WithoutModality, ...]

    def lines(self, measure: AnyMeasure) -> list[str]:
        """Return a sentence on each modality."""
        metric = metric_named(measure.name, measure.higher_is_better)
        named = ", ".join(one.modality for one in self.without)
        lines = [f"A stack of {named}: {metric.figure(self.whole)} by {metric.name}, out of fold."]
        for one in self.without:
            verdict = "it is needed" if one.ahead.low > 0 else "no proven gain from it"
            lines.append(
                f"Without {one.modality}: {metric.figure(one.figure)}; {one.modality} alone: "
                f"{metric.figure(one.alone)}; {verdict} "
                f"({metric.gain(one.ahead)})."
            )
        return lines


def by_modality(
    table: Table,
    sees: Mapping[str, Sees],
    folds_M: Indices,
    measure: AnyMeasure,
    *,
    even: bool = False,
) -> Modalities | None:
    """Return what stacks of fewer modalities are worth; ``None`` where there is one modality.

    Parameters
    ----------
    table
        Training clips, with a vector from each candidate, some of which may be missing.
    sees
        By candidate.
    folds_M
        The fold of each clip: answers are of fits without it.
    measure
        What decides.
    even
        Whether answers are those of even classes (`vidfit.fusion.even`).
    """
    names = list(table.vectors)
    senses = list(dict.fromkeys(sees[name] for name in names))
    task = table.task
    if len(senses) < 2 or METHOD not in task.methods or isinstance(task.learner, Together):
        return None
    training = training_of(
        [table.vectors[name] for name in names],
        table.labels_M,
        folds_M,
        costs=[Cost(0.0, 0.0)] * len(names),
        learner=task.learner,
    )

    def stacked(kept: Sequence[int]) -> Floats:
        if len(kept) == 1:
            out_MK = training.members[kept[0]].out_of_fold_MK
        else:
            out_MK = fit_method(METHOD, training.only(kept)).out_of_fold_MK
        return evened(out_MK, table.labels_M) if even else out_MK

    of = {s: [i for i, name in enumerate(names) if sees[name] == s] for s in senses}
    teams = [list(range(len(names)))]
    teams += [[i for i in range(len(names)) if i not in of[s]] for s in senses]
    teams += [of[s] for s in senses]
    scored = score_all(measure, table.labels_M, [stacked(team) for team in teams], table.groups)
    figures, count = scored.intervals(), len(senses)
    return Modalities(
        figures[0],
        tuple(
            WithoutModality(s, figures[1 + i], scored.lead(0, 1 + i), figures[1 + count + i])
            for i, s in enumerate(senses)
        ),
    )
