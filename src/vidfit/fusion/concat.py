"""Concatenation: the members' vectors side by side, and one linear probe over all of them.

Each member is standardised and divided by the root of its width (`vidfit.fusion.linear`), so
that a wide model does not drown a narrow one.
"""

from __future__ import annotations

from vidfit.fusion.linear import cross_fit_span, parts_of
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.span import Span


def fit_concat(training: Training) -> Fitted:
    """Fit one probe over the vectors of all members; the folds choose its penalty."""
    span = Span.joined(training.spans)
    parts = parts_of(span, training.labels_M, training.folds_M, kind=training.kind)
    probe, out_MK = cross_fit_span(span, training.labels_M, parts)
    return Fitted(probe, out_MK, tuple(range(len(training.members))))
