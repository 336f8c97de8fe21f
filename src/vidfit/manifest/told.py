"""What was read, and what was lost on the way, in the words of one line."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from vidfit.labels import names_in
from vidfit.shown import counted as counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vidfit.contracts import Clip, Failure
    from vidfit.manifest.value import Manifest

CLASSES_NAMED = 5
KINDS_NAMED = 3
_ALONE = "none found: "


def told(manifest: Manifest, row: str = "clip") -> list[str]:
    """Return the lines to say before any work: what was read, what was lost, what is odd.

    Parameters
    ----------
    row
        What a clip is called (`vidfit.tasks.Task.row`).
    """
    return [line for line in (read_as(manifest, row), lost(manifest), *manifest.warnings) if line]


def read_as(manifest: Manifest, row: str = "clip") -> str:
    """Return what the source was read as: layout, clips of each class, recordings."""
    own = _LABELLED.get(manifest.kind.name)
    labelled = own(manifest.clips) if own else _any(manifest.clips, row)
    parts = [f"Read as {manifest.layout or 'clips'}: {labelled}"]
    splits = Counter(clip.split for clip in manifest.clips if clip.split)
    if splits:
        parts.append(", ".join(f"{name} {count}" for name, count in splits.items()))
    parts.append(f"{counted(manifest.group_count, 'recording')}, {_how(manifest.grouping)}")
    return "; ".join(parts)


def lost(manifest: Manifest, unread: Iterable[Failure] = ()) -> str:
    """Return one sentence on the clips that are lost, or nothing.

    Parameters
    ----------
    unread
        Clips of the manifest that turned out to be unreadable; files that are missing need
        not be among them.
    """
    unread = list(unread)
    told_of = {failure.name for failure in unread}
    missing = [failure for failure in manifest.missing if failure.name not in told_of]
    failures = [*manifest.rejected, *missing, *unread]
    return losses(failures, len(manifest.clips) + len(manifest.rejected))


def noticed(manifest: Manifest, unread: Iterable[Failure] = ()) -> str:
    """Return all that is known of what was read and lost, to be said before a refusal."""
    sentences = (lost(manifest, unread), *manifest.warnings)
    return " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence)


def refusal(known: str, consequence: str) -> str:
    """Return why work is refused: first what is known, then what follows from it."""
    said = f"{consequence[:1].upper()}{consequence[1:]}"
    return f"{known.rstrip('.')}. {said}" if known else consequence


def losses(failures: Sequence[Failure], total: int) -> str:
    """Return one sentence on what is lost, the most frequent reason first, or nothing."""
    if not failures:
        return ""
    of_reason: dict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        of_reason[failure.reason.removeprefix(f"{failure.name}: ")].append(failure)
    kinds = sorted(of_reason.items(), key=lambda item: -len(item[1]))
    named = [_kind(reason, of, len(kinds) > 1) for reason, of in kinds[:KINDS_NAMED]]
    if len(kinds) > KINDS_NAMED:
        rest = sum(len(of) for _, of in kinds[KINDS_NAMED:])
        named.append(f"{rest} for other reasons")
    return f"{len(failures)} of {total} cannot be used: {'; '.join(named)}"


def faults_of(failures: Iterable[Failure]) -> tuple[tuple[str, str], ...]:
    """Return what is left out as the faults of an error, which names some of them."""
    return tuple((failure.name, failure.reason) for failure in failures)


def listed(names: Sequence[str], most: int = CLASSES_NAMED) -> str:
    """Return names with commas, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _kind(reason: str, failures: Sequence[Failure], count_them: bool) -> str:
    count = f"{len(failures)} " if count_them else ""
    such = "such as " if len(failures) > 1 else ""
    return f"{count}{reason} ({such}{failures[0].name})"


def _classes(clips: Sequence[Clip]) -> str:
    counts = Counter(clip.label for clip in clips)
    bare = counts.pop(None, 0)
    named = [f"{label} {count}" for label, count in counts.items()]
    words = [listed(named)] if named else []
    return ", ".join([*words, *([f"{bare} without a label"] if bare else [])])


def _several(clips: Sequence[Clip]) -> str:
    labels = [clip.label for clip in clips if clip.label is not None]
    counts = Counter(name for label in labels for name in names_in(label))
    named = [f"{name} {count}" for name, count in sorted(counts.items())]
    none = sum(not names_in(label) for label in labels)
    parts = [f"several labels a clip: {listed(named)}"]
    parts += [f"{none} with none of them"] if none else []
    return ", ".join([*parts, *_bare(clips)])


def _number(clips: Sequence[Clip]) -> str:
    values = sorted(float(clip.label) for clip in clips if clip.label is not None)
    if not values:
        return "a number a clip, none given"
    middle = values[len(values) // 2]
    range_ = f"{values[0]:.4g} to {values[-1]:.4g}, median {middle:.4g}"
    return ", ".join([f"a number a clip: {counted(len(values), 'clip')}, {range_}", *_bare(clips)])


def _bare(clips: Sequence[Clip]) -> list[str]:
    bare = sum(clip.label is None for clip in clips)
    return [f"{bare} without a label"] if bare else []


def _any(clips: Sequence[Clip], row: str) -> str:
    return ", ".join(
        [counted(sum(c.label is not None for c in clips), f"labelled {row}"), *_bare(clips)]
    )


_LABELLED = {"one": _classes, "several": _several, "number": _number}


def _how(grouping: str) -> str:
    """Return how recordings were found, without the example and the count."""
    how = grouping.rpartition(": ")[0] or grouping
    return how.removeprefix(_ALONE).partition(", e.g. ")[0]
