"""A look at the boxes of an MP4 or MOV file, before FFmpeg builds an index from them.

Some boxes say how many samples there are without listing them: a file of 6 kB can claim a
thousand million, and FFmpeg takes 36 bytes and more for each (ISO/IEC 14496-12).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from vidfit.video.limits import FRAMES_MAX

_HOLDS_BOXES = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl", b"moof", b"traf"})
_FIRST_KINDS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot", b"styp"})
_DEPTH_MAX = 10  # as FFmpeg
_ENCRYPTED = frozenset({b"encv", b"drmi"})
_EDITS_MAX = 1000
_LISTS_SAMPLES = 0x0F00  # flags of trun: each sample has a field of its own
_PLAIN_AUDIO_SAMPLES = 1024  # that FFmpeg indexes as one


class Seekable(Protocol):
    """What of an open file is used."""

    def seek(self, offset: int, /) -> int:
        """Go to a place."""
        ...

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...


@dataclass(frozen=True, slots=True)
class _Box:
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
    unlisted = 0
    for box in whole.boxes(_Box(b"", 0, size_bytes), leave=b"trak"):
        if box.kind == b"trun":
            flags, count = whole.words(box, "II")
            unlisted += 0 if flags & _LISTS_SAMPLES else count
        elif box.kind == b"trak":
            track: dict[bytes, list[_Box]] = {}
            for inner in whole.boxes(box):
                track.setdefault(inner.kind, []).append(inner)
            if any(whole.words(b, "12x4s")[0] in _ENCRYPTED for b in track.get(b"stsd", ())):
                return "is encrypted (DRM); decrypt it first"
            if any(whole.words(b, "4xI")[0] > _EDITS_MAX for b in track.get(b"elst", ())):
                return f"its header has more than {_EDITS_MAX} edits; the file is damaged"
            unlisted += whole.unlisted(track)
        if unlisted > FRAMES_MAX:
            return (
                f"its header claims {unlisted:,} samples without a list of them, at most "
                f"{FRAMES_MAX:,} are read; the file is damaged, or cut it in parts"
            )
    return None


@dataclass(frozen=True)
class _File:
    """Boxes of an open file."""

    file: Seekable

    def boxes(self, within: _Box, depth: int = 0, leave: bytes = b"") -> Iterator[_Box]:
        """Yield the boxes within one, and those within them; ``leave`` is not gone into."""
        start = within.start
        while start + 8 <= within.end:
            size, kind, large = self.words(_Box(b"", start, within.end), "I4sQ")
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

    def words(self, box: _Box, layout: str) -> Any:  # noqa: ANN401  (numbers and bytes)
        """Unpack the beginning of a box; what is not there is zero."""
        size = struct.calcsize(">" + layout)
        self.file.seek(box.start)
        return struct.unpack(">" + layout, self.file.read(size).ljust(size, b"\0"))

    def unlisted(self, track: dict[bytes, list[_Box]]) -> int:
        """Return how many entries FFmpeg makes for samples that all have one size."""
        tables = [self.words(box, "4xII") for box in track.get(b"stsz", ())]
        claimed = max((count for size, count in tables if size), default=0)
        handlers = {self.words(box, "8x4s")[0] for box in track.get(b"hdlr", ())}
        times = [self.words(box, "4xI4xI") for box in track.get(b"stts", ())]
        if b"vide" in handlers or times != [(1, 1)]:
            return int(claimed)
        return max(claimed, self._in_chunks(track)) // _PLAIN_AUDIO_SAMPLES

    def _in_chunks(self, track: dict[bytes, list[_Box]]) -> int:
        offsets = [*track.get(b"stco", ()), *track.get(b"co64", ())]
        chunks = max((self.words(box, "4xI")[0] for box in offsets), default=0)
        total = 0
        for box in track.get(b"stsc", ()):
            self.file.seek(box.start + 8)
            data = self.file.read(box.end - box.start - 8)
            rows = np.frombuffer(data[: len(data) // 12 * 12], ">u4").reshape(-1, 3).astype(float)
            lengths = np.diff(np.append(rows[:, 0], chunks + 1)).clip(0)
            total = max(total, int(lengths @ rows[:, 1]))
        return total
