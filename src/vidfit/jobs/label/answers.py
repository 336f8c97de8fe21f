"""The list of clips that a person fills in, and the answers read back.

The user's own list is never written to. Answers of all rounds are kept in ``clips.csv`` of the
output folder, beside the list that is to be filled in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidfit.contracts import Clip, clip_key
from vidfit.errors import ManifestError
from vidfit.files import write_whole
from vidfit.jobs.label.value import Proposed
from vidfit.manifest import Manifest, faults_of, write_manifest
from vidfit.manifest.cells import written_cell
from vidfit.manifest.lists import read_list
from vidfit.shown import counted

TO_LABEL = "to-label.csv"
CLIPS = "clips.csv"
COLUMNS = ("path", "label", "start_seconds", "end_seconds", "group", "rank", "method", "why")

_MARK = "\ufeff"
"""Tells Excel that the list is UTF-8."""

_DIGITS = 6
"""Spreadsheets keep 15 digits of a number: times are compared to the microsecond."""

Span = tuple[str, float, float | None]
"""What tells clips apart: path, start and end in seconds."""


@dataclass(frozen=True)
class Answers:
    """Labels that were filled in, and the clips whose rows are still empty."""

    labels: Mapping[Span, str]
    empty: tuple[Clip, ...] = ()


def span(clip: Clip) -> Span:
    """Return what tells a clip from others."""
    return clip.path, clip.start_seconds, clip.end_seconds


def gather(manifest: Manifest, source: str | Path, output: Path, path: Path | None) -> Answers:
    """Return the answers of earlier rounds and of this one; keep them in ``clips.csv``.

    Parameters
    ----------
    manifest
        The user's clips, as ``source`` has them.
    path
        The list that was filled in; ``None`` reads no new answers.

    Returns
    -------
    Answers
        All labels that were given; which rows of ``path`` are still empty.

    Raises
    ------
    ManifestError
        If a list cannot be read to the end, names a clip that ``source`` does not have, or
        contradicts it, or if answers would be overwritten that were not read.
    """
    check_not_own(source, output)
    kept = output / CLIPS
    answers = Answers(read_answers(kept, manifest).labels if kept.exists() else {})
    if path is not None:
        new = read_answers(path, manifest)
        answers = Answers({**answers.labels, **new.labels}, new.empty)
        output.mkdir(parents=True, exist_ok=True)
        write_manifest(with_labels(manifest, answers), kept)
    _check_all_read(output / TO_LABEL, answers)
    return answers


def check_not_own(source: str | Path, output: Path) -> None:
    """Refuse to write over the user's own list.

    Raises
    ------
    ManifestError
        If ``source`` is a list that is written to ``output``.
    """
    own = Path(source).resolve()
    if (kept := output / CLIPS).resolve() in (own, own / CLIPS):
        raise ManifestError(
            f"{kept} would be both the list of clips and where answers are kept. Pass the list "
            "that you began with (answers are remembered), or choose another --output"
        )
    if (to_label := output / TO_LABEL).resolve() == own:
        raise ManifestError(
            f"{to_label} would be both the list of clips and the one to fill in. Pass the list "
            "that you began with, or choose another --output"
        )


def read_answers(path: Path, manifest: Manifest) -> Answers:
    """Read a list with labels filled in.

    Raises
    ------
    ManifestError
        Names the row that cannot be read, is not known, or contradicts another one.
    """
    known = {_rounded(span(clip)): clip for clip in manifest.clips}
    labels: dict[Span, str] = {}
    empty = []
    for row in rows_of(path):
        clip = known.get(_rounded(span(row)))
        if clip is None:
            raise ManifestError(
                f"{path} has {clip_key(row)}, which is none of the {len(known)} clips that were "
                "given. Leave the columns path, start_seconds and end_seconds as they were "
                "written, and save the list as CSV UTF-8"
            )
        if row.label is None:
            empty.append(clip)
            continue
        first = labels.setdefault(span(clip), clip.label or row.label)
        if first != row.label:
            raise ManifestError(
                f"{path} calls {clip_key(clip)} {row.label!r}, but it is known as {first!r}; "
                "correct one of them"
            )
    return Answers(labels, tuple(empty))


def _rounded(one: Span) -> Span:
    path, start, end = one
    return path, round(start, _DIGITS), None if end is None else round(end, _DIGITS)


def with_labels(manifest: Manifest, answers: Answers) -> Manifest:
    """Return the same clips with the labels that were given."""
    clips = (
        replace(clip, label=answers.labels.get(span(clip), clip.label)) for clip in manifest.clips
    )
    return replace(manifest, clips=tuple(clips))


def write_to_label(proposed: Sequence[Proposed], output: Path) -> Path:
    """Write the list to fill in, whole or not at all, and return its path."""
    text = io.StringIO()
    text.write(_MARK)
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for rank, one in enumerate(proposed, 1):
        clip = one.clip
        end = "" if clip.end_seconds is None else repr(clip.end_seconds)
        row = (written_cell(clip.path), "", repr(clip.start_seconds), end)
        why = (rank, one.method, written_cell(one.why))
        table.writerow((*row, written_cell(clip.group or ""), *why))
    output.mkdir(parents=True, exist_ok=True)
    return write_whole(output / TO_LABEL, text.getvalue().encode())


def rows_of(path: Path) -> Sequence[Clip]:
    """Return the clips of a list that was filled in.

    Raises
    ------
    ManifestError
        If there is none, or a row cannot be read: it could hold an answer.
    """
    if not path.is_file():
        raise ManifestError(f"There is no {path}; give the list that `vidfit label` wrote.")
    listing = read_list(path.absolute())
    if listing.rejected:
        raise ManifestError(f"{path} cannot be read to the end", faults_of(listing.rejected))
    return listing.clips


def _check_all_read(path: Path, answers: Answers) -> None:
    """Refuse to replace a list with answers that nobody has read."""
    if not path.exists():
        return
    read = {_rounded(key): label for key, label in answers.labels.items()}
    unread = [c for c in rows_of(path) if c.label and read.get(_rounded(span(c))) != c.label]
    if unread:
        raise ManifestError(
            f"{path} has {counted(len(unread), 'label')} not read yet, e.g. "
            f"{unread[0].label!r}, and "
            f"would be replaced. Pass it with --answers {path}, or move it away"
        )
