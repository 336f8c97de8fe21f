"""What a file of annotations says, and all that is wrong with it."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from vidfit.boxes import Box, LabelledFrame
from vidfit.contracts import Failure, Note
from vidfit.documents import shown
from vidfit.errors import ManifestError
from vidfit.manifest.names import natural_key
from vidfit.manifest.told import counted

Files = Iterator[tuple[str, bytes]]
"""What a writer gives: names below the folder that is written, and their content."""

Sizes = Callable[[str], "tuple[int, int] | None"]
"""Name of a picture or video -> its width and height, ``None`` where it is not there."""


def unknown(name: str) -> None:
    """Return the size of no picture."""


LONGEST_FRAMES = 1 << 20
"""Of a video with annotations: 9 hours at 30 frames a second."""

LARGEST_NUMBER = 1e7
"""Of pixels: no picture has so many on a side, and no number of a box is beyond it."""

NAMED = 20
"""How many faults an error names; it says how many more there are."""


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


Key = tuple[str, int | None]
"""Path and number of a frame."""


@dataclass(slots=True)
class _Open:
    """A frame, while a file is read; a long video has a million of them, most of them empty."""

    size_pixels: tuple[int, int] | None = None
    group: str | None = None
    split: str | None = None
    boxes: dict[Box, None] | None = None
    tracks: set[int] | None = None
    in_doubt: bool = False


@dataclass
class BoxRows:
    """Boxes as a file has them, and the rules that they keep whatever file it is.

    Parameters
    ----------
    name
        That of the file, to say where a box stands.
    form
        What it is read as.
    sizes
        How large pictures are; a frame whose size is told otherwise is left out, for its boxes
        are of another picture, or of the same in another size.
    classes
        Names that the file lists, in its order.
    """

    name: str
    form: str
    sizes: Sizes = unknown
    classes: list[str] = field(default_factory=list)
    rejected: list[Failure] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _frames: dict[Key, _Open] = field(default_factory=dict)
    _true: dict[str, tuple[int, int] | None] = field(default_factory=dict)

    def at(self, line: int) -> str:
        """Return the words for a line of the file."""
        return f"{self.name}, line {line}"

    def inside(self, path: str) -> str:
        """Return the words for a place in a file without lines, such as ``images[3].width``."""
        return f"{self.name}: {path}"

    def reject(self, where: str, reason: str, frame: Key | None = None) -> None:
        """Note what is left out.

        Parameters
        ----------
        frame
            Where an object is that is not known now; so the frame is left out, too, for what
            learns from it would learn that there is none.
        """
        self.rejected.append(Failure(where, reason))
        if frame in self._frames:
            self._frames[frame].in_doubt = True

    def note(self, where: str, text: str) -> None:
        """Note what is odd, and used."""
        self.notes.append(Note(where, text))

    def see(
        self,
        path: str,
        index: int | None = None,
        *,
        size_pixels: tuple[int, int] | None = None,
        group: str | None = None,
        split: str | None = None,
    ) -> Key:
        """Note a frame that was looked at; once more changes nothing but what was not known."""
        known = self._frames.setdefault((path, index), _Open())
        if path not in self._true:
            self._true[path] = true = self.sizes(path)
            if true and size_pixels and true != size_pixels:
                self.reject(self.inside(path), _other_size(size_pixels, true))
        true = self._true[path]
        known.in_doubt |= bool(true and size_pixels and true != size_pixels)
        known.size_pixels = true or known.size_pixels or size_pixels
        known.group, known.split = known.group or group, known.split or split
        return path, index

    def has(self, frame: Key) -> bool:
        """Return whether a frame was seen."""
        return frame in self._frames

    def add(self, where: str, frame: Key, box: Box) -> None:
        """Add a box to a frame that was seen; clip it, or say why it is left out.

        Numbers are checked by `number`, `whole` or `numbers` before.
        """
        known = self._frames[frame]
        if not box.label.strip():
            self.reject(where, "it has no label", frame)
            return
        if box.score is not None and not 0 <= box.score <= 1:
            self.reject(where, f"its score is {box.score:g}; valid is 0 to 1", frame)
            return
        width, height = box.right - box.left, box.bottom - box.top
        if not (width > 0 and height > 0):
            self.reject(where, f"its size is {width:g} x {height:g} pixels; it is left out")
            return
        within = _clipped(box, known.size_pixels)
        if within is None:
            size = "{} x {}".format(*known.size_pixels or (0, 0))
            self.reject(where, f"it lies outside of the picture of {size} pixels")
            return
        if within is not box:
            outside = 1 - (within.right - within.left) * (within.bottom - within.top) / (
                width * height
            )
            self.note(where, f"{outside:.0%} of it lies outside of the picture, and is cut off")
        self._keep(where, known, within)

    def _keep(self, where: str, known: _Open, box: Box) -> None:
        known.boxes, known.tracks = known.boxes or {}, known.tracks or set()
        if box in known.boxes:
            self.reject(where, "the same box stands in the frame before it")
        elif box.track is not None and box.track in known.tracks:
            self.reject(where, f"the track {box.track} is in the frame before it")
        else:
            known.boxes[box] = None
            known.tracks |= {box.track} if box.track is not None else set()

    def result(self) -> Annotations:
        """Return what can be used.

        Raises
        ------
        ManifestError
            If no frame can; it lists what is wrong.
        """
        for path, count in Counter(p for (p, _), of in self._frames.items() if of.in_doubt).items():
            what = "the frame is" if count == 1 else f"{count} frames are"
            reason = f"{what} left out, for what it shows is not known"
            self.rejected.append(Failure(self.inside(path), reason))
        frames = [
            LabelledFrame(*key, tuple(of.boxes or ()), of.size_pixels, of.group, of.split)
            for key, of in self._frames.items()
            if not of.in_doubt
        ]
        if not frames:
            raise nothing_usable(self.name, self.form, self.rejected)
        used = dict.fromkeys(box.label for frame in frames for box in frame.boxes)
        classes = (*self.classes, *sorted(set(used) - {*self.classes}))
        return Annotations(
            in_order(frames), self.form, classes, tuple(self.rejected), tuple(self.notes)
        )


def nothing_usable(name: str, form: str, rejected: Sequence[Failure]) -> ManifestError:
    """Return the error that lists what is wrong with a file of which nothing can be used."""
    listed = "; ".join(f"{fault.name}: {fault.reason}" for fault in rejected[:NAMED])
    more = f"; and {len(rejected) - NAMED} more" if len(rejected) > NAMED else ""
    said = f": {listed}{more}" if rejected else "; it names none"
    return ManifestError(f"{name}, read as {form}, has no frame that can be used{said}")


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
    return "; ".join([*parts, *([f"{len(found.missing)} files missing"] if found.missing else [])])


# ---------------------------------------------------------------- numbers


def number(found: object, what: str, *, text: bool = False) -> float:
    """Return a finite number that a file holds.

    Parameters
    ----------
    text
        Whether it stands as text, as in tables and XML.

    Raises
    ------
    ValueError
        Says what it is instead.
    """
    try:
        if text and isinstance(found, str):
            value = float(found)
        elif type(found) in (int, float):
            value = float(found)  # type: ignore[arg-type]
        else:
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(f"{what} is {shown(found)}; a number is valid") from None
    if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
        raise ValueError(f"{what} is {value:g}; valid is a number up to {LARGEST_NUMBER:g}")
    return value


def numbers(found: object, names: Sequence[str], what: str) -> tuple[float, ...]:
    """Return as many finite numbers of a list as there are names; see `number`."""
    if not isinstance(found, list) or len(found) != len(names):
        raise ValueError(f"{what} is {shown(found)}; valid is [{', '.join(names)}]")
    pairs = zip(found, names, strict=True)
    return tuple(number(value, f"{name} of {what}") for value, name in pairs)


def whole(found: object, what: str, *, text: bool = False, least: int = 0) -> int:
    """Return a whole number that a file holds; ``7.0`` is one.

    Raises
    ------
    ValueError
        Says what it is instead.
    """
    value = number(found, what, text=text)
    if value != int(value) or value < least:
        raise ValueError(f"{what} is {shown(found)}; a whole number from {least} is valid")
    return int(value)


def frame_index(found: object, what: str, *, text: bool = False, first: int = 0) -> int:
    """Return the number of a frame from 0, of a file that counts from ``first``."""
    value = whole(found, what, text=text, least=first) - first
    if value >= LONGEST_FRAMES:
        raise ValueError(f"{what} is {value + first}; up to {LONGEST_FRAMES} frames are read")
    return value


def size_of(width: object, height: object, *, text: bool = False) -> tuple[int, int] | None:
    """Return width and height; ``None`` where none is said, or 0.

    Raises
    ------
    ValueError
        If they are no whole numbers.
    """
    if width in (None, "", 0, "0") and height in (None, "", 0, "0"):
        return None
    sides = (
        whole(width, "its width", text=text, least=1),
        whole(height, "its height", text=text, least=1),
    )
    return sides


def names_of(paths: Iterable[str]) -> dict[str, str]:
    """Return a name without suffix and folders for each path, none of them twice."""
    listed = list(dict.fromkeys(paths))
    stems = Counter(PurePosixPath(path).stem.casefold() for path in listed)
    found: dict[str, str] = {}
    for path in listed:
        pure = PurePosixPath(path)
        alone = stems[pure.stem.casefold()] == 1
        found[path] = pure.stem if alone else re.sub(r"[\\/:]+", "_", path.lstrip("./\\"))
    return found


def plain(value: float) -> str:
    """Return a number as text: ten digits, of which a whole one needs no point."""
    return f"{value:.10g}"


def of_json(value: float) -> float | int:
    """Return a number as JSON should have it: whole where it is."""
    rounded = float(plain(value))
    return int(rounded) if rounded.is_integer() else rounded


def _clipped(box: Box, size_pixels: tuple[int, int] | None) -> Box | None:
    """Return a box within the picture, ``None`` where nothing is left; itself where all is."""
    least = box.left >= 0 and box.top >= 0
    if least and (size_pixels is None or _fits(box, size_pixels)):
        return box
    width, height = size_pixels or (math.inf, math.inf)
    left, top = max(box.left, 0.0), max(box.top, 0.0)
    right, bottom = min(box.right, float(width)), min(box.bottom, float(height))
    if right <= left or bottom <= top:
        return None
    return replace(box, left=left, top=top, right=right, bottom=bottom)


def _other_size(said: tuple[int, int], true: tuple[int, int]) -> str:
    turned = "; it is turned by 90 degrees when shown" if said == true[::-1] else ""
    return f"{said[0]} x {said[1]} pixels are said, and it has {true[0]} x {true[1]}{turned}"


def _fits(box: Box, size_pixels: tuple[int, int]) -> bool:
    return box.right <= size_pixels[0] and box.bottom <= size_pixels[1]
