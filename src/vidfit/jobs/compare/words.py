"""What a comparison of architectures says in sentences: on the page and in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.report import leaderboard, wording

if TYPE_CHECKING:
    from vidfit.jobs.compare.value import ArchitectureRow, ArchitectureTable, PairedGain
    from vidfit.report.wording import Metric

MARKS = {
    "frozen": "backbone",
    "supervised": "concatenation",
    "self-supervised, frozen": "complement",
    "self-supervised, fine-tuned": "integration",
}
"""How a row learned -> the shape and colour of its mark."""


def headline(table: ArchitectureTable) -> str:
    """Return the answer in a sentence, or in two where nothing is proven."""
    metric, best = wording.metric_of(table), table.best
    said = f"{metric.said(metric.figure(best.score))} on recordings it never saw"
    if not table.beats_majority:
        nothing = leaderboard.nothing_proven(table)
        return f"{nothing} Best by estimate: {best.name}, {said}."
    floor = f"{table.baseline} {metric.value(table.majority.value)}"
    return f"{best.name} ({best.how}) is best: {said} ({floor})."


def ties_sentence(table: ArchitectureTable) -> str:
    """Say which rows may be the best as well."""
    tied = [row.name for row in table.rows if row.standing == "tied"]
    behind = sum(row.standing == "behind" for row in table.rows)
    rest = f"{wording.counted(behind, 'row')} of {len(table.rows)} proven worse"
    if not tied:
        return f"No other row is tied with it: {rest}."
    return (
        f"Tied with it, for these clips cannot tell them apart: {', '.join(tied)}. "
        f"{'None' if not behind else rest[:1].upper() + rest[1:]}"
        f"{' of the others is proven worse' if not behind else ''}."
    )


def trained_sentence(table: ArchitectureTable) -> str:
    """Set the best trained row against the best frozen one."""
    pair = table.trained_gain
    if pair is None:
        return "Frozen and trained rows were not compared: one of the two is missing."
    told = _told(pair, wording.metric_of(table))
    return f"Does training pay? Best trained row against best frozen one, {told}."


def pretraining_sentence(table: ArchitectureTable) -> str:
    """Say what learning from clips without labels brought; nothing where no row did so."""
    if not table.pretraining:
        return ""
    told = "; ".join(_told(pair, wording.metric_of(table)) for pair in table.pretraining)
    return f"Does learning without labels first pay? {told[:1].upper()}{told[1:]}."


def _told(pair: PairedGain, metric: Metric) -> str:
    verdict = "a proven gain" if pair.proven else "a proven loss" if pair.lost else "not proven"
    return f"{pair.name} against {pair.over}: {metric.gain(pair.gain)}, {verdict}"


def behind(row: ArchitectureRow, metric: Metric) -> str:
    """Return by how much the best row is better."""
    return "the best" if row.standing == "best" else metric.behind(row.behind_best)


def learning(row: ArchitectureRow) -> str:
    """Return the processor time of learning, and of it without labels."""
    text = wording.duration(row.learn_seconds)
    if row.pretrain_seconds:
        text += f", {wording.duration(row.pretrain_seconds)} of it without labels"
    return text


def epochs(row: ArchitectureRow) -> str:
    """Return how many epochs folds ran with labels."""
    if not row.epochs:
        return wording.DASH
    least, most = min(row.epochs), max(row.epochs)
    return str(least) if least == most else f"{least} to {most}"


def memory(count_bytes: int) -> str:
    """Return bytes in MiB; nothing measured is a dash."""
    return f"{count_bytes / 2**20:,.0f} MiB" if count_bytes > 0 else wording.DASH
