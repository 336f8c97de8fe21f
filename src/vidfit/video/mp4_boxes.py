"""A look at the boxes of an MP4 or MOV file, before FFmpeg builds an index from them.

Some boxes say how many samples there are without listing them, and an edit list repeats them: a
file of 6 kB can claim a thousand million, and FFmpeg takes 40 bytes for each (ISO/IEC 14496-12).
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Any, NamedTuple, Protocol

import numpy as np

from vidfit.video.limits import SAMPLES_MAX

_HOLDS_BOXES = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl", b"moof", b"traf"})
_FIRST_KINDS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot", b"styp"})
_DEPTH_MAX = 10  # as FFmpeg
_ENCRYPTED = frozenset({b"encv", b"drmi"})
_READ_BYTES = 1 << 15
_HEADER, _COUNT, _SAMPLES = Struct(">I4sQ"), Struct(">4xI"), Struct(">8xI")
_FORMAT, _HANDLER, _TIMES = Struct(">12x4s"), Struct(">8x4s"), Struct(">4xI4xI")
_PLAIN_AUDIO_SAMPLES = 1024  # that FFmpeg indexes as one


class Seekable(Protocol):
    """What of an open file is used."""

    def seek(self, offset: int, /) -> int:
        """Go to a place."""
        ...

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...


class _Box(NamedTuple):
    kind: bytes
    start: int
    end: int


def trouble(file: Seekable, first: bytes, size_bytes: int) -> str | None:
    """Say why a file should not be opened; ``None`` for a sound one, and for other formats.

    Parameters
    ----------
    file
        An open file that can be gone about in.
    first
        Its first bytes.
    size_bytes
        Its length.
    """
    if first[4:8] not in _FIRST_KINDS:
        return None
    whole = _File(file)
    entries = 0
    for box in whole.boxes(_Box(b"", 0, size_bytes), leave=b"trak"):
        if box.kind == b"trun":
            entries += whole.words(box.start, _COUNT)[0]
        elif box.kind == b"trak":
            track: dict[bytes, list[_Box]] = {}
            for inner in whole.boxes(box):
                track.setdefault(inner.kind, []).append(inner)
            formats = whole.first(track.get(b"stsd", []), _FORMAT)
            if any(name in _ENCRYPTED for (name,) in formats):
                return "is encrypted (DRM); decrypt it first"
            entries += whole.entries(track)
        if entries > SAMPLES_MAX:
            return (
                f"its header claims {entries:,} samples, at most {SAMPLES_MAX:,} are read; "
                "the file is damaged, or cut it in parts"
            )
    return None


class _File:
    """Boxes of an open file, of which it keeps the bytes last read."""

    def __init__(self, file: Seekable) -> None:
        self.file = file
        self._bytes, self._start = b"", 0

    def boxes(self, within: _Box, depth: int = 0, leave: bytes = b"") -> Iterator[_Box]:
        """Yield the boxes within one, and those within them; ``leave`` is not gone into."""
        start = within.start
        while start + 8 <= within.end:
            size, kind, large = self.words(start, _HEADER)
            content = start + (16 if size == 1 else 8)
            size = large if size == 1 else size
            stop = min(start + size, within.end) if size else within.end
            if stop < content:
                return
            box = _Box(kind, content, stop)
            yield box
            if kind in _HOLDS_BOXES and kind != leave and depth < _DEPTH_MAX:
                yield from self.boxes(box, depth + 1, leave)
            start = stop

    def words(self, start: int, layout: Struct) -> Any:  # noqa: ANN401  (numbers and bytes)
        """Unpack what stands at a place; what lies beyond the end is zero."""
        if not self._start <= start <= self._start + len(self._bytes) - layout.size:
            self.file.seek(start)
            self._bytes = self.file.read(_READ_BYTES).ljust(layout.size, b"\0")
            self._start = start
        return layout.unpack_from(self._bytes, start - self._start)

    def first(self, boxes: list[_Box], layout: Struct) -> list[Any]:
        """Unpack the beginning of each box."""
        return [self.words(box.start, layout) for box in boxes]

    def entries(self, track: dict[bytes, list[_Box]]) -> int:
        """Return how many entries FFmpeg's index of a track may have."""
        edits = self.first(track.get(b"elst", []), _COUNT)
        return self._samples(track) * int(max([1, *(count for (count,) in edits)]))

    def _samples(self, track: dict[bytes, list[_Box]]) -> int:
        tables = [*track.get(b"stsz", []), *track.get(b"stz2", [])]
        samples = int(max([0, *(count for (count,) in self.first(tables, _SAMPLES))]))
        is_video = (b"vide",) in self.first(track.get(b"hdlr", []), _HANDLER)
        if is_video or self.first(track.get(b"stts", []), _TIMES) != [(1, 1)]:
            return samples
        return max(samples, self._in_chunks(track)) // _PLAIN_AUDIO_SAMPLES

    def _in_chunks(self, track: dict[bytes, list[_Box]]) -> int:
        offsets = [*track.get(b"stco", []), *track.get(b"co64", [])]
        chunks = max([0, *(count for (count,) in self.first(offsets, _COUNT))])
        total = 0
        for box in track.get(b"stsc", []):
            self.file.seek(box.start + 8)
            data = self.file.read(box.end - box.start - 8)
            rows = np.frombuffer(data[: len(data) // 12 * 12], ">u4").reshape(-1, 3).astype(float)
            lengths = np.diff(np.append(rows[:, 0], chunks + 1)).clip(0)
            total = max(total, int(lengths @ rows[:, 1]))
        return total
