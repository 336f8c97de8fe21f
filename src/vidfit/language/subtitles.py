"""Subtitles as words with their times: SubRip and WebVTT."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMES = re.compile(rf"{_TIME}\s*-->\s*{_TIME}")


def read_cues(text: str) -> Iterator[tuple[float, float, str]]:
    """Yield start and end in seconds, and the words, of each cue of SubRip or WebVTT text."""
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        found = _TIMES.search(block)
        if not found:
            continue
        said = " ".join(block[found.end() :].split("\n")[1:])
        words = " ".join(html.unescape(re.sub(r"<[^>]*>|\{\\[^}]*\}", "", said)).split())
        start, end = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
        if words and end > start:
            yield start, end, words


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return 3600 * int(hours) + 60 * int(minutes) + float(f"{seconds}.{fraction}")
