"""Which texts of a table to label next, as `run_label` says it of clips.

Texts are seen as rare words and pairs of words, weighed and brought to a few axes (TF-IDF; latent
semantic analysis, Deerwester et al. 1990), and, with a language model, as its states.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure, Floats
from vidfit.errors import ManifestError, NotEnoughDataError
from vidfit.files import write_whole
from vidfit.jobs.label.answers import CLIPS, TO_LABEL, check_not_own
from vidfit.jobs.label.options import LabelOptions
from vidfit.jobs.label.value import Labelling, Proposed
from vidfit.labels.one import NO_LABEL
from vidfit.language.classify import word_axes
from vidfit.language.model import load_language
from vidfit.manifest import counted
from vidfit.manifest.cells import written_cell
from vidfit.manifest.texts import TextRow, open_texts
from vidfit.selection.active import Pool, next_clips
from vidfit.study.stages import one_blas_thread

COLUMNS = ("text", "label", "group", "row", "rank", "method", "why")

_MARK = "\ufeff"


def run_label_texts(source: str | Path, output: Path, options: LabelOptions) -> Labelling:
    """Propose the texts of a table whose labels would teach most, as a list to fill in.

    ``output`` gets ``to-label.csv``, and, once there are answers, ``clips.csv``: the table's
    texts with all labels given so far. The table itself is never written to.

    Parameters
    ----------
    options
        ``model``, where it is named, is the directory of a language model, whose states count
        beside the words.

    Raises
    ------
    ManifestError
        If a table cannot be read, answers do not fit it, or answers or
        the table itself would be overwritten.
    NotEnoughDataError
        If it holds no text.
    """
    check_not_own(source, output)
    table = open_texts(source)
    found = list(table)
    rows = [row for row in found if isinstance(row, TextRow)]
    failures = tuple(row for row in found if isinstance(row, Failure))
    if not rows:
        raise NotEnoughDataError(f"{source} holds no text; fill in its column of texts")
    kept = output / CLIPS
    own: dict[str, Counter[str]] = {row.text: Counter() for row in rows}
    for row in rows:
        own[row.text].update([row.label] if row.label is not None else [])
    labels = {text: count.most_common(1)[0][0] for text, count in own.items() if count}
    empty: tuple[str, ...] = ()
    for path in filter(None, (kept if kept.exists() else None, options.answers)):
        given, unfilled = _answers(path, own)
        labels |= given
        empty = unfilled if path == options.answers else ()
    _check_read(output / TO_LABEL, labels)
    if options.answers:
        _write(kept, [(row, "", "", "") for row in rows], labels)
    pool = _pool(rows, labels, options)
    with one_blas_thread():
        chosen = next_clips(pool, options.count, seed=options.seed)
    _write(
        output / TO_LABEL,
        [(rows[o.row], str(rank), o.method, o.why) for rank, o in enumerate(chosen, 1)],
        {},
    )
    proposed = tuple(
        Proposed(Clip(rows[o.row].name, group=rows[o.row].group, text=rows[o.row].text),
                 o.method, o.why) for o in chosen
    )  # fmt: skip
    known = Counter(labels[row.text] for row in rows if row.text in labels)
    return Labelling(
        proposed, dict(known.most_common()), len(rows), empty, table.grouping, failures,
        _several(own), texts=True,
    )  # fmt: skip


def _several(own: Mapping[str, Counter[str]]) -> tuple[str, ...]:
    """Say that texts have several labels in the table itself, as short ones may."""
    several = [(text, count) for text, count in own.items() if len(count) > 1]
    if not several:
        return ()
    text, count = max(several, key=lambda one: one[1].total())
    called = " and ".join(repr(label) for label, _ in count.most_common(3))
    return (
        f"Of {counted(len(several), 'text')} the table has several labels, such as of "
        f"{text[:60]!r} ({called}): each row keeps its own, and the most frequent is learned.",
    )


def _pool(rows: Sequence[TextRow], labels: Mapping[str, str], options: LabelOptions) -> Pool:
    texts = [row.text for row in rows]
    blocks: list[Floats] = [word_axes(texts, options.seed)]
    if options.model:
        blocks.append(load_language(options.model).states(texts))
    classes = sorted(set(labels.values()))
    numbers = {name: number for number, name in enumerate(classes)}
    known = [numbers[labels[text]] if text in labels else NO_LABEL for text in texts]
    return Pool(blocks, np.array(known, np.int64), [row.group for row in rows], classes)


def _answers(path: Path, own: Mapping[str, Counter[str]]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the labels that a list gives, and its rows without one; ``own`` are the table's.

    Texts that are the same have one label, unless the table itself gives them several.
    """
    given: dict[str, str] = {}
    empty: list[str] = []
    for row in open_texts(path):
        if isinstance(row, Failure):
            raise ManifestError(f"{path} cannot be read to the end: {row.name}: {row.reason}")
        if row.text not in own:
            raise ManifestError(
                f"{path} has {row.text[:60]!r}, which is none of the texts that were given. Leave "
                "the column text as it was written, and save the list as CSV UTF-8"
            )
        if row.label is None:
            empty.append(row.text[:60])
            continue
        if row.label in own[row.text]:
            continue
        if own[row.text]:
            raise ManifestError(
                f"{path} calls {row.text[:60]!r} {row.label!r}, and your table calls it "
                f"{next(iter(own[row.text]))!r}; correct one of them"
            )
        if given.setdefault(row.text, row.label) != row.label:
            raise ManifestError(
                f"{path} calls {row.text[:60]!r} {given[row.text]!r} and {row.label!r}; correct "
                "one of them"
            )
    return given, tuple(empty)


def _check_read(path: Path, labels: Mapping[str, str]) -> None:
    """Refuse to replace a list with answers that nobody has read."""
    if not path.exists():
        return
    unread = [
        row for row in open_texts(path)
        if isinstance(row, TextRow) and row.label and labels.get(row.text) != row.label
    ]  # fmt: skip
    if unread:
        raise ManifestError(
            f"{path} has {counted(len(unread), 'label')} not read yet, e.g. "
            f"{unread[0].label!r}, and "
            f"would be replaced. Pass it with --answers {path}, or move it away"
        )


def _write(
    path: Path, rows: Sequence[tuple[TextRow, str, str, str]], labels: Mapping[str, str]
) -> None:
    stream = io.StringIO()
    stream.write(_MARK)
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(COLUMNS)
    for row, rank, method, why in rows:
        label = row.label if row.label is not None and labels else labels.get(row.text, "")
        cells = (row.text, label, row.group, row.name)
        table.writerow((*map(written_cell, cells), rank, method, written_cell(why)))
    write_whole(path, stream.getvalue().encode())
