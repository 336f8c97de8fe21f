"""Boxes as a file has them, and the rules that they keep whatever file it is."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from vidfit.boxes import Box, LabelledFrame
from vidfit.contracts import Failure, Note
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import LONGEST_FRAMES, is_plain, is_same_shape
from vidfit.manifest.annotations.keyframes import KeyBox, between
from vidfit.manifest.annotations.value import Annotations, Key, in_order, nothing_usable
from vidfit.manifest.told import listed

Sizes = Callable[[str], "tuple[int, int] | None"]
"""Name of a picture or video -> its width and height, ``None`` where it is not there."""


MOST_FRAMES = 2 * LONGEST_FRAMES
"""Of one file: a few bytes can claim any number of them, which take 400 bytes each."""

MOST_BETWEEN = 2 * LONGEST_FRAMES
"""Boxes at and between those that were drawn: two kilobytes can ask for any number of them."""


def unknown(name: str) -> None:
    """Return the size of no picture."""


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
        How large pictures are. Where a file tells another size of the same shape, boxes are
        scaled; a frame of another shape is left out, for its boxes are of another picture.
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
    _compared: set[str] = field(default_factory=set)
    _between: int = 0

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
        self.doubt([frame] if frame else [])

    def doubt(self, frames: Iterable[Key]) -> None:
        """Leave frames out, for what they show is not known."""
        for frame in frames:
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
        if len(self._frames) > MOST_FRAMES:
            raise ManifestError(
                f"{self.name} has more than {MOST_FRAMES:,} frames; give a part of it"
            )
        if not is_plain(path + (group or "")):
            self.reject(self.inside(path), "its name is no text that can be written", (path, index))
        if path not in self._true:
            self._true[path] = self.sizes(path)
        known.size_pixels = known.size_pixels or size_pixels
        self._compare(path, known)
        known.group, known.split = known.group or group, known.split or split
        return path, index

    def _compare(self, path: str, known: _Open) -> None:
        """Say once for each picture or video that it has another size than its boxes are of."""
        said, true = known.size_pixels, self._true[path]
        if said is None or true is None or said == true:
            return
        same = is_same_shape(said, true)
        known.in_doubt |= not same
        if path not in self._compared:
            self._compared.add(path)
            text = _other_size(said, true)
            where = self.inside(path)
            self.note(where, f"{text}; boxes are scaled") if same else self.reject(where, text)

    def between(self, keys: Sequence[KeyBox], frames: range) -> Iterator[KeyBox]:
        """Yield the box of each frame at which an object is there, see `keyframes.between`.

        Raises
        ------
        ManifestError
            If the file asks for too many of them.
        """
        for key in between(keys, frames):
            self._between += 1
            if self._between > MOST_BETWEEN:
                raise ManifestError(
                    f"{self.name} asks for more than {MOST_BETWEEN:,} boxes at and between those "
                    "that were drawn; give a part of it, or have fewer frames labelled"
                )
            yield key

    def has(self, frame: Key) -> bool:
        """Return whether a frame was seen."""
        return frame in self._frames

    def size(self, frame: Key) -> tuple[int, int] | None:
        """Return the size that the boxes of a frame are told in."""
        return self._frames[frame].size_pixels or self._true[frame[0]]

    def add(self, where: str, frame: Key, box: Box) -> None:
        """Add a box to a frame that was seen; clip it, or say why it is left out.

        Its edges are in pixels of `size`; they are scaled where the picture has another.
        Numbers are checked by `number`, `whole` or `numbers` before.
        """
        known = self._frames[frame]
        if not box.label.strip() or not is_plain(box.label):
            self.reject(where, "it has no label that is text", frame)
            return
        if box.score is not None and not 0 <= box.score <= 1:
            self.reject(where, f"its score is {box.score:g}; valid is 0 to 1", frame)
            return
        true = self._true[frame[0]]
        size = true or known.size_pixels
        if true and known.size_pixels and true != known.size_pixels:
            box = _scaled(box, known.size_pixels, true)
        width, height = box.right - box.left, box.bottom - box.top
        if not (width > 0 and height > 0):
            self.reject(where, f"its size is {width:g} x {height:g} pixels")
            return
        within = _clipped(box, size)
        if within is None:
            sides = "{} x {}".format(*size or (0, 0))
            self.reject(where, f"it lies outside of the picture of {sides} pixels")
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
        self.rejected += [
            Failure(self.inside(where), f"{what} left out: what is wrong above may hide an object")
            for where, what in _doubted([key for key, of in self._frames.items() if of.in_doubt])
        ]
        frames = [
            LabelledFrame(
                *key,
                tuple(of.boxes or ()),
                self._true[key[0]] or of.size_pixels,
                of.group,
                of.split,
            )
            for key, of in self._frames.items()
            if not of.in_doubt
        ]
        if not frames:
            raise nothing_usable(self.name, self.form, self.rejected)
        used = dict.fromkeys(box.label for frame in frames for box in frame.boxes)
        listed_ = [name for name in self.classes if is_plain(name)]
        classes = (*listed_, *sorted(set(used) - set(listed_)))
        return Annotations(
            in_order(frames), self.form, classes, tuple(self.rejected), tuple(self.notes)
        )


def _doubted(frames: Iterable[Key]) -> Iterator[tuple[str, str]]:
    """Yield each path with frames that are left out, and which."""
    of_path: dict[str, list[int | None]] = defaultdict(list)
    for path, index in frames:
        of_path[path].append(index)
    for path, indices in of_path.items():
        numbers = [str(index) for index in indices if index is not None]
        which = f"frame {numbers[0]} is" if numbers else "the frame is"
        yield path, f"frames {listed(numbers)} are" if len(numbers) > 1 else which


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


def _scaled(box: Box, said: tuple[int, int], true: tuple[int, int]) -> Box:
    across, down = true[0] / said[0], true[1] / said[1]
    return replace(
        box,
        left=box.left * across,
        top=box.top * down,
        right=box.right * across,
        bottom=box.bottom * down,
    )


def _other_size(said: tuple[int, int], true: tuple[int, int]) -> str:
    turned = "; it is turned by 90 degrees when shown" if said == true[::-1] else ""
    return f"{said[0]} x {said[1]} pixels are said, and it has {true[0]} x {true[1]}{turned}"


def _fits(box: Box, size_pixels: tuple[int, int]) -> bool:
    return box.right <= size_pixels[0] and box.bottom <= size_pixels[1]
