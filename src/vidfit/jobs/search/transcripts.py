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
from vidfit.errors import ManifestError
from vidfit.manifest.subtitles import Cue, read_file, subtitles_of

_K1, _B = 1.2, 0.75
_PASSAGE_SECONDS = 10.0


@dataclass(frozen=True)
class Passage:
    """What is said in a part of a video."""

    path: str
    start_seconds: float
    end_seconds: float
    text: str


def passages_of(path: str, failures: list[Failure]) -> Iterator[Passage]:
    """Yield what the subtitles beside a video say, some seconds at a time.

    Those that cannot be read are added to the failures.
    """
    if file := subtitles_of(path):
        yield from passages_in(path, file, failures)


def passages_in(path: str, file: Path, failures: list[Failure]) -> Iterator[Passage]:
    """Yield what a file of subtitles says of a video, as `passages_of` does."""
    try:
        cues = read_file(file)
    except ManifestError as error:
        failures.append(Failure(str(file), str(error).removeprefix(f"{file}: ")))
        return
    yield from _joined(path, cues)


def _joined(path: str, cues: Sequence[Cue]) -> Iterator[Passage]:
    """Join cues that follow one another, up to a number of seconds."""
    held: list[Cue] = []
    for cue in [*cues, Cue(math.inf, math.inf, "")]:
        if held and cue.end_seconds - held[0].start_seconds > _PASSAGE_SECONDS:
            text = " ".join(one.text for one in held)
            yield Passage(path, held[0].start_seconds, held[-1].end_seconds, text)
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
