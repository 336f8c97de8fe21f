"""Classes that too few recordings hold to be tested: learned all the same, where it is wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from vidfit.model import Model
from vidfit.selection import Terms, fit_contenders
from vidfit.study import heads
from vidfit.study.compare import Compared, model_of
from vidfit.study.folds import Folds
from vidfit.study.table import Table

_LEAST_CLIPS = 2


def with_untested(
    model: Model, compared: Compared, whole: Table, terms: Terms, notes: list[str]
) -> Model:
    """Return what was chosen, fitted on the clips of all classes.

    Temperature and thresholds stay those of the tested model: answers to clips of a recording
    that was learned from would claim too much.

    Parameters
    ----------
    model
        What was chosen, fitted on the classes that were tested.
    whole
        Clips of all classes. A class of a single clip is left out: nothing can be chosen on it.
    """
    kept = _classes(whole)
    added = [label for label in kept if label not in model.classes]
    if not added:
        return model
    if compared.chosen.head == heads.NETWORK:
        notes.append(f"{_listed(added)} are not in the model: a network was trained without them.")
        return model
    method, members = compared.chosen.method, compared.chosen.members
    table = whole.of_classes(kept).only(members)
    folds_M = Folds(table.classes).to_choose(table.labels_M, table.groups, 0)
    methods = (method,) if method else ()
    # Singles come first, then fusions of few, then the one of all.
    fitted = fit_contenders(table.rows, folds_M, replace(terms, methods=methods))[-1]
    notes.append(f"In the model, but never tested: {_listed(added)}.")
    return replace(
        model_of(fitted, folds_M, table),
        temperature=model.temperature,
        unknown_probability=model.unknown_probability,
        unknown_novelty=model.unknown_novelty,
        strict_probability=model.strict_probability,
        strict_novelty=model.strict_novelty,
    )


def _classes(table: Table) -> tuple[str, ...]:
    count = Counter(str(clip.label) for clip in table.clips)
    return tuple(label for label in table.classes if count[label] >= _LEAST_CLIPS)


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(repr(label) for label in labels)
