"""When a model gives no class: thresholds of what was chosen, and what share they decline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Estimate, Floats, Indices
from vidfit.evaluate import (
    LEAST_CLASSES,
    STRICT,
    USUAL,
    HeldOut,
    LeftOut,
    Shares,
    Thresholds,
    auroc,
    leave_classes_out,
    spread,
)
from vidfit.features import STEPS
from vidfit.fusion.linear import held_out_novelty
from vidfit.metrics import share_interval
from vidfit.reported import Declines
from vidfit.selection import Contender, Rows
from vidfit.study import heads
from vidfit.study.table import Table

_PROBES = ("", "concat")
"""Methods whose fit is one probe: it can be fitted again without each class in little time."""


@dataclass(frozen=True)
class Calibrated:
    """What a contender says of training clips for fits without their recording.

    ``temperature`` is that of its head; ``usual`` and ``strict`` are the thresholds below and
    beyond which it gives no class.
    """

    temperature: float
    held: HeldOut

    @classmethod
    def of(cls, chosen: Contender, folds_M: Indices, rows: Rows) -> Calibrated:
        """Calibrate a contender on its out-of-fold answers, which nothing has calibrated yet."""
        out_MK, kind = chosen.out_of_fold_MK, rows.kind
        temperature = kind.temperature(out_MK, rows.labels_M)
        confidence_M = kind.confidence(kind.stated(out_MK, temperature))
        return cls(temperature, HeldOut(confidence_M, _novelty(chosen, folds_M, rows)))

    @property
    def usual(self) -> Thresholds:
        """The thresholds of an answer that is given."""
        return Thresholds.of(self.held, USUAL)

    @property
    def strict(self) -> Thresholds:
        """Those that decline earlier."""
        return Thresholds.of(self.held, STRICT)


def _novelty(chosen: Contender, folds_M: Indices, rows: Rows) -> Floats:
    """Return how far each clip lies from those of the other folds, [M], as its head measures it."""
    blocks = chosen.first_blocks(rows)
    if chosen.head != heads.NETWORK:
        return held_out_novelty(blocks, folds_M)
    # A network has one mean and deviation for all steps of a feature.
    tokens = [block.reshape(len(folds_M) * STEPS, -1) for block in blocks]
    novelty_S = held_out_novelty(tokens, np.repeat(folds_M, STEPS))
    result: Floats = novelty_S.reshape(-1, STEPS).mean(axis=1)
    return result


def declines_of(chosen: Contender, folds_M: Indices, train: Table) -> Declines:
    """Measure how often what was chosen declines, on recordings that it has not seen.

    Of known classes it is the share of held-out clips beyond the thresholds, which were set so.
    For clips of new classes the model is made again without each class in turn, its thresholds
    included.
    """
    found, groups = Calibrated.of(chosen, folds_M, train.rows), train.groups
    known, strict = (
        share_interval(limits.declined(found.held), groups)
        for limits in (found.usual, found.strict)
    )
    why = _unmeasured(chosen, train)
    if why:
        return Declines(known, strict, why=why)
    rows_M = spread(train.labels_M)
    blocks = [block[rows_M] for block in chosen.blocks(train.rows)]
    left = list(leave_classes_out(blocks, train.labels_M[rows_M], folds_M[rows_M]))
    groups = [groups[i] for i in rows_M]
    new, strict_new = (_new(left, groups, shares) for shares in (USUAL, STRICT))
    return Declines(known, strict, new, strict_new, _separation(left), len(left))


def _unmeasured(chosen: Contender, train: Table) -> str:
    """Return why the share of new classes cannot be measured, if it cannot."""
    if len(train.classes) < LEAST_CLASSES:
        return "with two classes, leaving one out leaves nothing to tell apart"
    if chosen.method not in _PROBES or chosen.head != "linear":
        return f"{chosen.name} would have to be fitted again without each class"
    return ""


def _new(left: list[LeftOut], groups: list[str], shares: Shares) -> Estimate:
    """Return the share of clips of new classes that thresholds of the others decline."""
    declined, of = [], []
    for one in left:
        limits = Thresholds.of(one.held.where(~one.new_M), shares)
        declined.append(limits.declined(one.held.where(one.new_M)))
        of += [groups[i] for i in np.flatnonzero(one.new_M)]
    return share_interval(np.concatenate(declined), of)


def _separation(left: list[LeftOut]) -> float:
    """Return the mean over classes of the AUROC of low confidence, new against known clips."""
    each = [auroc(-one.held.confidence_M[~one.new_M], -one.held.confidence_M[one.new_M])
            for one in left]  # fmt: skip
    return float(np.mean(each))
