"""A comparison of architectures in a screenful of Markdown, for a terminal or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.jobs.compare import words
from vidfit.report import wording
from vidfit.report.markdown import cell, listed, row

if TYPE_CHECKING:
    from vidfit.jobs.compare.value import ArchitectureRow, ArchitectureTable
    from vidfit.report.wording import Metric

SIGNS = {"best": "→", "tied": "="}


def architectures_markdown(table: ArchitectureTable) -> str:
    """Return the answer, the table, and what training and pretraining brought, as Markdown."""
    metric = wording.metric_of(table)
    lines = [f"**{cell(words.headline(table))}**", "", cell(words.ties_sentence(table)), ""]
    columns = (
        "", "row", "learned", f"{metric.name} [95 %]", "behind best", "learning", "per clip",
        "memory", "GMACs", "parameters", "pretrained on",
    )  # fmt: skip
    lines += [row(columns), row(("---",) * len(columns))]
    lines += [row(_cells(one, metric)) for one in table.rows]
    lines += ["", f"- {cell(words.trained_sentence(table))}"]
    if table.pretraining:
        lines.append(f"- {cell(words.pretraining_sentence(table))}")
    lines += [f"- {cell(table.baseline)}: {metric.figure(table.majority)}."]
    lines += [f"- Each row: {cell(table.settings['budget'])}."]
    for noun, lost in (("encoder", table.dropped), ("clip", table.failures)):
        if lost:
            lines += ["", f"{wording.counted(len(lost), noun)} could not be used:", *listed(lost)]
    lines += [f"\n> {cell(warning)}" for warning in table.warnings]
    return "\n".join(lines) + "\n"


def _cells(one: ArchitectureRow, metric: Metric) -> tuple[str, ...]:
    return (
        SIGNS.get(one.standing, ""),
        one.name,
        one.how,
        metric.figure(one.score),
        words.behind(one, metric),
        words.learning(one),
        wording.milliseconds(one.seconds_per_clip),
        words.memory(one.memory_bytes),
        wording.gmacs(one.gmacs_per_clip),
        wording.large(one.parameters),
        one.pretrained_on,
    )
