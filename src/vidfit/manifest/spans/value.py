"""What a list of spans says, before its videos are looked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from vidfit.contracts import Clip, Failure


@dataclass
class SpanRows:
    """Spans as a file has them: the path of a clip is the name of a video as it is written.

    Parameters
    ----------
    name
        That of the file, to say where a row stands.
    layout
        What it was read as.
    lengths
        Seconds that a list says of a video, where it may mean several that were played one after
        another. A video that is shorter is none of its own.
    unread
        Time that rows tell of that are no spans, or that nobody looked at, without a label;
        without an end it goes on to that of the video.
    """

    name: str
    layout: str
    clips: list[Clip] = field(default_factory=list)
    rejected: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lengths: dict[str, float] = field(default_factory=dict)
    unread: list[Clip] = field(default_factory=list)

    def reject(self, at: int | str, reason: str, *times: Clip) -> None:
        """Note what is no span, by its line, or by what it is called, and when it may have been."""
        where = at if isinstance(at, str) else f"line {at}"
        self.rejected.append(Failure(f"{self.name}, {where}", reason))
        self.unread += [Clip(t.path, max(0.0, t.start_seconds), t.end_seconds) for t in times]

    def add(self, at: int | str, clip: Clip) -> None:
        """Add a span, or reject it where it has no length or no label."""
        start, end = clip.start_seconds, clip.end_seconds
        if end is None or not start < end < math.inf:
            said = "has no end" if end is None else f"ends at {end:g} s, not after its start"
            last = None if end is None or not end < math.inf else max(start, end)
            first = start if end is None else min(start, end)
            time = replace(clip, start_seconds=first, end_seconds=last)
            self.reject(at, f"it starts at {start:g} s and {said}", time)
        elif not clip.label:
            self.reject(at, "it has no label", clip)
        else:
            self.clips.append(clip)
