"""What is said in videos: subtitles beside them, found by words.

Passages are ranked by BM25 (Robertson and Zaragoza, "The probabilistic relevance framework", 2009,
equation 3.15): rare words count more, repeated ones less and less.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidfit.contracts import Failure
from vidfit.language.subtitles import read_cues

SUFFIXES = (".srt", ".vtt")
_K1, _B = 1.2, 0.75
_PASSAGE_SECONDS = 10.0
_MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Passage:
    """What is said in a part of a video."""

    path: str
    start_seconds: float
    end_seconds: float
    text: str


def passages_of(path: str, failures: list[Failure]) -> Iterator[Passage]:
    """Yield what the subtitles beside a video say, some seconds at a time.

    ``VIDEO.srt``, ``VIDEO.vtt`` and ``VIDEO.en.srt`` are subtitles of ``VIDEO.mp4``; the first of
    them is read. One that cannot be read is added to the failures.
    """
    video = Path(path)
    if "://" in path or not video.parent.is_dir():
        return
    files = (p for p in video.parent.iterdir() if p.suffix.lower() in SUFFIXES)
    own = sorted(p for p in files if p.stem.partition(".")[0] == video.stem or p.stem == video.stem)
    if not own:
        return
    try:
        if own[0].stat().st_size > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES // 1_000_000} MB")
        cues = [*read_cues(own[0].read_text(encoding="utf-8-sig"))]
        if not cues:
            raise ValueError("it has no line such as 00:00:01.000 --> 00:00:02.000")
    except (OSError, ValueError) as error:
        failures.append(Failure(str(own[0]), f"cannot be read as subtitles: {error}"))
        return
    yield from _joined(path, cues)


def _joined(path: str, cues: Sequence[tuple[float, float, str]]) -> Iterator[Passage]:
    """Join cues that follow one another, up to a number of seconds."""
    held: list[tuple[float, float, str]] = []
    for cue in [*cues, (math.inf, math.inf, "")]:
        if held and cue[1] - held[0][0] > _PASSAGE_SECONDS:
            yield Passage(path, held[0][0], held[-1][1], " ".join(text for _, _, text in held))
            held = []
        held.append(cue)


def words_of(text: str) -> list[str]:
    """Return the words of a text, in small letters."""
    return re.findall(r"\w+", text.casefold())


def found(query: str, passages: Sequence[Passage], count: int) -> list[tuple[Passage, float]]:
    """Return the passages that say most of the query, with their BM25, the best first."""
    bags = [Counter(words_of(passage.text)) for passage in passages]
    lengths = [sum(bag.values()) for bag in bags]
    mean = sum(lengths) / max(len(lengths), 1)
    asked = set(words_of(query))
    in_bags = {word: sum(word in bag for bag in bags) for word in asked}
    idf = {w: math.log(1 + (len(bags) - n + 0.5) / (n + 0.5)) for w, n in in_bags.items()}
    scored = []
    for passage, bag, length in zip(passages, bags, lengths, strict=True):
        norm = _K1 * (1 - _B + _B * length / mean)
        score = sum(idf[w] * bag[w] * (_K1 + 1) / (bag[w] + norm) for w in asked if w in bag)
        if score > 0:
            scored.append((passage, score))
    return sorted(scored, key=lambda one: -one[1])[:count]
