"""A training run in a screenful of Markdown, for a terminal or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.jobs.train import words
from vidfit.report import wording
from vidfit.report.markdown import cell, listed, row

if TYPE_CHECKING:
    from vidfit.jobs.train.value import TrainingReport

COLUMNS = ("", "predicted", "measured", "times")


def training_markdown(report: TrainingReport) -> str:
    """Return the answer, what was trained and how it fits, and warnings as Markdown."""
    r = report
    said = (words.verdict(r), words.subject(r.plan.subject), words.layout(r.plan.layout),
            words.epochs(r), *words.teaching(r), *words.read(r))  # fmt: skip
    lines = [f"**{cell(words.headline(r))}**", ""]
    lines += [cell(sentence) for sentence in said]
    lines += ["", row(COLUMNS), row(("---",) * len(COLUMNS))]
    lines += [row((c.name, c.predicted, c.measured, c.times)) for c in words.compared(r)]
    if r.failures:
        lines += ["", f"{wording.counted(len(r.failures), 'clip')} could not be used:"]
        lines += listed(r.failures)
    lines += [f"\n> {cell(warning)}" for warning in dict.fromkeys((*r.plan.warnings, *r.warnings))]
    return "\n".join(lines) + "\n"
