"""What was learned of a language, in words: for the terminal, and as Markdown."""

from __future__ import annotations

import math

from vidfit.contracts import Estimate
from vidfit.jobs.pretrain.value import GPT, MIXED, NGRAM, OF_TOKENS, WORDS, Classified, Pretraining
from vidfit.report.markdown import cell, listed, row
from vidfit.report.wording import DASH, counted

_OVERFIT_NATS = 0.02
_FEW_DOCUMENTS, _FEW_BYTES = 10, 100_000
"""With fewer held out every figure is rough, and is said to be."""

WHAT = {
    GPT: "the model",
    NGRAM: "counts of bytes, interpolated",
    OF_TOKENS: "the same of the model's tokens",
    MIXED: "a weighted mean of both probabilities",
    "xz": "Lempel-Ziv with a model of bits",
    "bz2": "blocks sorted by what follows",
}


def verdict(found: Pretraining) -> str:
    """Return the sentence that stands first."""
    own, other = found.own.bits, found.best_other
    if not found.learned:
        return (
            f"It learned no language: {bits_of(own)} bits a byte on documents it never saw, and "
            f"{other.name}, given the same text, needs {other.bits.value:.2f}."
        )
    end = other.bits.value if math.isnan(other.bits.low) else other.bits.low
    so = "" if own.high < end else "; that it needs less is not proven"
    return (
        f"It needs {bits_of(own)} bits a byte for documents it never saw, and {other.name}, given "
        f"the same text, {other.bits.value:.2f}{so}."
    )


def bits_of(bits: Estimate) -> str:
    """Return a figure with its interval, where it has one."""
    if math.isnan(bits.low):
        return f"{bits.value:.2f}"
    return f"{bits.value:.2f} [{bits.low:.2f}, {bits.high:.2f}]"


def report_markdown(found: Pretraining) -> str:
    """Return all that was found."""
    lines = [f"**{verdict(found)}**", "", *_few(found), *_learned(found), "", *_table(found), ""]
    lines += [*_gains(found), "", *_warnings(found)]
    if found.classified:
        lines += ["", *_classified(found.classified)]
    sample = cell(found.sample) or "nothing"
    lines += ["", f"It drew: {sample}"]
    if found.failures:
        lines += ["", f"{len(found.failures)} not read:", *listed(found.failures)]
    return "\n".join(lines) + "\n"


def _few(found: Pretraining) -> list[str]:
    """Say what little the verdict rests on, if it does."""
    documents, size = found.documents["test"], found.bytes_of["test"]
    if documents >= _FEW_DOCUMENTS and size >= _FEW_BYTES:
        return []
    alone = " Of one alone there is no interval." if documents == 1 else ""
    return [
        f"Little is held out: {counted(documents, 'document')} of {counted(size, 'byte')}. Hardly "
        f"anything can be proven with fewer than {_FEW_DOCUMENTS}, or {_FEW_BYTES:,} bytes.{alone} "
        "More documents help more than longer ones.",
        "",
    ]


def _learned(found: Pretraining) -> list[str]:
    documents, sizes = found.documents, found.bytes_of
    return [
        f"{found.parameters / 1e6:.1f} M parameters, {found.steps:,} steps, {found.passes:.1f} "
        f"passes, {found.cpu_seconds:,.0f} s of the processor; a token is "
        f"{found.bytes_a_token:.1f} bytes.",
        f"Learned from {counted(documents['learn'], 'document')} of {sizes['learn']:,} bytes; "
        f"weights chosen by {documents['choose']}; {documents['test']} of {sizes['test']:,} bytes "
        "held out.",
    ]


def _table(found: Pretraining) -> list[str]:
    names = list(dict.fromkeys(one.name for one in found.coded))
    told = {(one.name, one.reads_on): bits_of(one.bits) for one in found.coded}
    head = ["bits a byte of held-out documents", "as learned", "reading on", "what it is"]
    rows = [
        [name, told.get((name, False), DASH), told.get((name, True), DASH), WHAT[name]]
        for name in names
    ]
    return [row(head), "| --- | --- | --- | --- |", *map(row, rows)]


def _gains(found: Pretraining) -> list[str]:
    lines = []
    for gain in found.gains:
        saves = gain.saves
        interval = f" [{saves.low:+.2f}, {saves.high:+.2f}]" if math.isfinite(saves.low) else ""
        what = "saves" if gain.proven else "no proven gain:"
        lines.append(
            f"- {gain.of} against {gain.over}: {what} {saves.value:+.2f}{interval} bits a byte"
        )
    return lines


def _classified(found: Classified) -> list[str]:
    winner = found.winner
    if winner is None or winner.gain is None:
        said = (
            f"No gain: nothing of the model is proven better than counted words on {found.source}."
        )
    else:
        said = (
            f"On {found.source} {winner.name} is better than counted words by "
            f"{_points(winner.gain)}."
        )
    head = ["", "accuracy [95 %]", f"against {WORDS}"]
    rows = [
        [one.name, _share(one.accuracy), DASH if one.gain is None else _points(one.gain)]
        for one in found.answered
    ]
    learned = (
        f"Learned from {counted(found.learned, 'labelled text')}, tested on {found.tested:,} of "
        f"{counted(found.groups, 'other group')} ({found.grouping})."
    )
    return [f"**{said}**", "", learned, "", row(head), "| --- | --- | --- |", *map(row, rows)]


def _share(one: Estimate) -> str:
    return f"{one.value:.1%} [{one.low:.1%}, {one.high:.1%}]"


def _points(one: Estimate) -> str:
    low, value, high = (100 * end for end in (one.low, one.value, one.high))
    return f"{value:+.1f} points [{low:+.1f}, {high:+.1f}]"


def _warnings(found: Pretraining) -> list[str]:
    lines = [
        "Reading on: it also learns from each held-out document, once that was coded, as xz and "
        "bz2 do."
    ]
    nats = [look.nats for look in found.looks if not math.isnan(look.nats)]
    if nats and nats[-1] - min(nats) > _OVERFIT_NATS:
        best = min(found.looks, key=lambda look: look.nats)
        lines.append(
            f"Learning by heart began after step {best.step:,} of {found.steps:,}: weights from "
            "there are kept. More text, or fewer passes, would serve better."
        )
    if found.seen_before > 0.001:
        lines.append(
            f"{found.seen_before:.1%} of the held-out text in long lines stands word for word in "
            "what was learned from: the figures lean low by that."
        )
    return lines
