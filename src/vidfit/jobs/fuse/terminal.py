"""A combination in a screenful of Markdown, for a terminal or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.jobs.fuse import words
from vidfit.jobs.fuse.pairs_table import worded, worded_lead
from vidfit.report import wording
from vidfit.report.markdown import cell, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.contracts import Estimate
    from vidfit.jobs.fuse.value import Combination, Option, Student
    from vidfit.report.wording import Metric

ROWS, NAME_LETTERS = 12, 24


def combination_markdown(combination: Combination) -> str:
    """Return the verdict, what matters of the options, pairs and warnings as Markdown.

    The table is at most 100 letters wide.
    """
    c = combination
    lines = [f"**{cell(words.headline(c))}**", "", cell(words.score_sentence(c)), ""]
    lines += _table(c)
    lines += _block(_sentences(c))
    if c.pairs:
        lines += _block([worded_lead(c), *(f"- {sentence}" for sentence in worded(c))])
    if c.failures:
        lines += ["", f"{wording.counted(len(c.failures), 'clip')} could not be used:"]
        lines += listed(c.failures)
    if c.dropped:
        lines += ["", f"{wording.counted(len(c.dropped), 'candidate')} never ran:"]
        lines += listed(c.dropped)
    lines += [f"\n> {cell(warning)}" for warning in c.warnings]
    return "\n".join(lines) + "\n"


def _block(sentences: Sequence[str]) -> list[str]:
    return ["", *map(cell, sentences)] if sentences else []


def _table(combination: Combination) -> list[str]:
    shown = leading(combination, ROWS - (combination.student is not None))
    metric = wording.metric_of(combination)
    columns = ("", "option", f"{metric.name} [95 %]", f"gain{metric.points}", "per clip", "front")
    rows = [columns, *(_option(o, combination, metric) for o in shown)]
    if combination.student is not None:
        rows.append(_student(combination.student, metric))
    cells = [[cell(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(row, widths) for row in cells]
    lines.insert(1, _line(["-" * max(3, width) for width in widths], widths))
    more = len(combination.options) - len(shown)
    noun = "option is" if more == 1 else "options are"
    return [*lines, "", f"{more} more {noun} in the report."] if more else lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [text.ljust(max(3, width)) for text, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join(padded)} |"


def leading(combination: Combination, most: int) -> list[Option]:
    """Return the options that matter most, in their own order.

    The chosen, the best single model, the best fusion and the best cascade come first, then
    the Pareto front, then single models, then the others.
    """
    options = combination.options
    best_fusion = next((o for o in options if o.family != "single"), None)
    best_cascade = next((o for o in options if o.calls), None)

    def order(place: int) -> tuple[bool, bool, bool, bool, int]:
        o = options[place]
        named = o.name in (combination.chosen, combination.best_single)
        first = named or o is best_fusion or o is best_cascade
        return not named, not first, not o.pareto, o.family != "single", place

    return [options[place] for place in sorted(sorted(range(len(options)), key=order)[:most])]


def _option(option: Option, combination: Combination, metric: Metric) -> tuple[str, ...]:
    alone = option.name == combination.best_single
    return (
        "→" if option.name == combination.chosen else "",
        wording.cut(option.name, NAME_LETTERS),
        _score(option.score, metric),
        "best single" if alone else _gain(option.gain, metric),
        wording.milliseconds(option.seconds_per_clip),
        "yes" if option.pareto else "",
    )


def _student(student: Student, metric: Metric) -> tuple[str, ...]:
    time = wording.milliseconds(student.seconds_per_clip)
    return "", "student", _score(student.score, metric), _gain(student.gain, metric), time, ""


def _score(estimate: Estimate, metric: Metric) -> str:
    """Return a figure that fits in a column: without the words for a missing interval."""
    known = wording.has_interval(estimate)
    return metric.figure(estimate) if known else metric.value(estimate.value)


def _gain(estimate: Estimate, metric: Metric) -> str:
    value = metric.signed(estimate.value)
    return (
        f"{value} {metric.signed_interval(estimate)}" if wording.has_interval(estimate) else value
    )


def _sentences(combination: Combination) -> list[str]:
    """Say what the best cascade saves and what the student kept."""
    metric = wording.metric_of(combination)
    cascade = next((o for o in combination.options if o.calls), None)
    said = []
    if cascade is not None:
        said.append(f"{cascade.name} {words.calls_sentence(cascade, combination.options)}")
    if combination.student is not None:
        said.append(f"student: {words.student_sentence(combination.student, metric)}")
    return [f"- {sentence}" for sentence in said]
