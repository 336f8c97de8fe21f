"""What was measured of a reader, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from vidfit.jobs.read.value import NoAnswerScores, ReadingReport, ReadingScores
from vidfit.report.wording import counted, figure, percent

_FAILURES = 5


def lines(report: ReadingReport) -> Iterator[str]:
    """Yield the figures of a reader, baselines beside them, and what was left out."""
    yield (
        f"{report.backbone} learned from {counted(report.questions, 'question')} about "
        f"{counted(report.articles, 'article')}; on {report.passage.articles} others it read"
    )
    yield from _scores("the right text given", report.passage)
    yield from _scores("the article given", report.library)
    yield f"  passage with an answer among those read: {figure(report.passage_found)}"
    yield from _no_answer(report.no_answer)
    if not report.beats_sentence:
        yield "The reader is not proven better than the best sentence: give it more questions."
    if report.failures:
        yield f"{counted(len(report.failures), 'thing')} left out:"
        yield from (f"  {f.name}: {f.reason}" for f in report.failures[:_FAILURES])
        if len(report.failures) > _FAILURES:
            yield f"  and {len(report.failures) - _FAILURES} more, in report.json"


def _scores(given: str, of: ReadingScores) -> Iterator[str]:
    yield f"{given} ({counted(of.questions, 'question')}):"
    yield f"  exact match {figure(of.exact)}, F1 {figure(of.f1)}"
    yield (
        f"  best sentence: F1 {figure(of.sentence_f1)}; it holds an answer in "
        f"{figure(of.sentence_holds)}"
    )


def _no_answer(of: NoAnswerScores) -> Iterator[str]:
    yield f"answers kept where at most {percent(of.stated, 0)} of questions without one get any:"
    yield f"  {figure(of.false_answers)} of {of.without:,} did"
    yield (
        f"  {figure(of.answered)} of those with an answer were answered: exact match "
        f"{figure(of.exact)}, F1 {figure(of.f1)}"
    )
