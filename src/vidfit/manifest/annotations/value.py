"""What a file of annotations says, and all that is wrong with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vidfit.boxes import LabelledFrame
from vidfit.contracts import Failure, Note
from vidfit.errors import ManifestError
from vidfit.manifest.told import counted, faults_of
from vidfit.video.names import natural_key

Files = Iterator[tuple[str, bytes]]
"""What a writer gives: names below the folder that is written, and their content."""

Key = tuple[str, int | None]
"""Path and number of a frame."""


@dataclass(frozen=True)
class Annotations:
    """Frames that were looked at, with their boxes, and what could not be used.

    Parameters
    ----------
    frames
        By name and number. One without boxes was looked at and holds nothing; one that nobody
        looked at is not here. Boxes lie within the picture where its size is known.
    form
        What the source was read as, such as ``COCO``.
    classes
        In the order of the source, those without boxes too.
    rejected
        Boxes, rows and frames that are left out: where they stand, and why.
    notes
        What was changed or is odd, and used all the same.
    missing
        Pictures and videos that are named and are not there; their frames are left out.
    """

    frames: tuple[LabelledFrame, ...]
    form: str
    classes: tuple[str, ...] = ()
    rejected: tuple[Failure, ...] = ()
    notes: tuple[Note, ...] = ()
    missing: tuple[Failure, ...] = ()

    def __len__(self) -> int:
        return len(self.frames)


def nothing_usable(name: str, form: str, rejected: Sequence[Failure]) -> ManifestError:
    """Return the error that lists what is wrong with a file of which nothing can be used."""
    none = "" if rejected else "; it names none"
    return ManifestError(
        f"{name}, read as {form}, has no frame that can be used{none}", faults_of(rejected)
    )


def frame_name(path: str, index: int | None) -> str:
    """Return the words for a frame."""
    return path if index is None else f"{path}, frame {index}"


def in_order(frames: Iterable[LabelledFrame]) -> tuple[LabelledFrame, ...]:
    """Return frames by name and number, which hangs on no file system."""
    of_path: dict[str, list[LabelledFrame]] = defaultdict(list)
    for frame in frames:
        of_path[frame.path].append(frame)
    paths = sorted(of_path, key=natural_key)
    return tuple(
        frame
        for path in paths
        for frame in sorted(of_path[path], key=lambda f: -1 if f.index is None else f.index)
    )


def merged(parts: Sequence[Annotations], form: str) -> Annotations:
    """Return several sources as one; a frame that two of them have is of the first, and named."""
    frames: dict[Key, LabelledFrame] = {}
    rejected = [fault for part in parts for fault in part.rejected]
    for part in parts:
        for frame in part.frames:
            key = frame.path, frame.index
            if key in frames:
                rejected.append(Failure(frame_name(*key), "another file has the same frame"))
            else:
                frames[key] = frame
    return Annotations(
        in_order(frames.values()),
        form,
        tuple(dict.fromkeys(name for part in parts for name in part.classes)),
        tuple(rejected),
        tuple(note for part in parts for note in part.notes),
        tuple(gone for part in parts for gone in part.missing),
    )


def without_ignored(frames: Iterable[LabelledFrame]) -> tuple[LabelledFrame, ...]:
    """Return the frames none of whose boxes is to be ignored."""
    return tuple(frame for frame in frames if not any(box.ignored for box in frame.boxes))


def class_counts(annotations: Annotations) -> dict[str, int]:
    """Return how many boxes each class has; those that are ignored are not counted."""
    counts = Counter(
        box.label for frame in annotations.frames for box in frame.boxes if not box.ignored
    )
    return {name: counts[name] for name in annotations.classes}


def summary(annotations: Annotations) -> str:
    """Return one sentence on what was read and how."""
    frames, found = annotations.frames, annotations
    empty = sum(not frame.boxes for frame in frames)
    ignored = sum(box.ignored for frame in frames for box in frame.boxes)
    classes = ", ".join(f"{name} {count}" for name, count in class_counts(found).items())
    parts = [f"Read as {found.form}: {counted(len(frames), 'frame')}, {empty} of them empty"]
    parts += [classes] if classes else []
    parts += [f"{ignored} ignored"] if ignored else []
    for faults, word in ((found.rejected, "left out"), (found.notes, "changed or odd")):
        parts += [f"{len(faults)} {word}"] if faults else []
    parts += [f"{counted(len(found.missing), 'file')} missing"] if found.missing else []
    return "; ".join(parts)
