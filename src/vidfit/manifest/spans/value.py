"""What a list of spans says, before its videos are looked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

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
    """

    name: str
    layout: str
    clips: list[Clip] = field(default_factory=list)
    rejected: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lengths: dict[str, float] = field(default_factory=dict)

    def reject(self, at: int | str, reason: str) -> None:
        """Note what is no span, by its line, or by what it is called."""
        where = at if isinstance(at, str) else f"line {at}"
        self.rejected.append(Failure(f"{self.name}, {where}", reason))

    def add(self, at: int | str, clip: Clip) -> None:
        """Add a span, or reject it where it has no length or no label."""
        end = clip.end_seconds
        if not clip.label:
            self.reject(at, "it has no label")
        elif end is None or not clip.start_seconds < end < math.inf:
            said = "has no end" if end is None else f"ends at {end:g} s, not after its start"
            self.reject(at, f"it starts at {clip.start_seconds:g} s and {said}")
        else:
            self.clips.append(clip)
