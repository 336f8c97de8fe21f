"""What was found, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from vidfit.jobs.search.value import Hit, SearchResult
from vidfit.report.wording import counted

NAMES = {"look": "by look", "motion": "by motion", "words": "by what is said"}
_FAILURES = 5


def lines(result: SearchResult) -> Iterator[str]:
    """Yield the lines to print: the hits of the way that was asked for, and what to know."""
    index = result.index
    told = f"{index.added} looked at now" + (f", {index.dropped} dropped" if index.dropped else "")
    yield f"{counted(index.shots, 'shot')} of {counted(index.videos, 'video')} ({told})"
    hits = result.hits[result.by]
    yield f"{len(hits)} nearest {NAMES[result.by]}:" if hits else "Nothing found."
    width = max((len(hit.path) for hit in hits), default=0)
    for number, hit in enumerate(hits, 1):
        text = f"  {hit.text}" if hit.text else ""
        yield f"{number:>3}  {hit.path:<{width}}  {clock(hit)}  {hit.score:.3f}{text}"
    if index.failures:
        yield f"{len(index.failures)} left out:"
        yield from (f"  {f.name}: {f.reason}" for f in index.failures[:_FAILURES])
        if len(index.failures) > _FAILURES:
            yield f"  and {len(index.failures) - _FAILURES} more, on the page"


def clock(hit: Hit) -> str:
    """Return the span of a shot: ``1:02.5-1:06.5``."""
    return f"{_clock(hit.start_seconds)}-{_clock(hit.end_seconds)}"


def _clock(seconds: float) -> str:
    tenths = round(10 * seconds)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{rest // 10:02d}.{rest % 10}"
