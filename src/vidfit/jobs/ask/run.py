"""Ask a question of texts and of what is said in videos: the words that answer, and when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from vidfit.contracts import Failure
from vidfit.errors import ModelError, VidfitError
from vidfit.jobs.ask.options import AskOptions
from vidfit.jobs.ask.texts import read_texts
from vidfit.jobs.ask.value import AskedTexts, FoundPlace
from vidfit.progress import SILENT, Progress
from vidfit.study.reading.answering import Reply, asked_of, best_sentences
from vidfit.study.reading.passages import PartIndex, passages, sentence_parts
from vidfit.study.reading.saved import TrainedReader, load_trained


def run_ask(
    sources: Sequence[str | Path],
    question: str,
    options: AskOptions = AskOptions(),
    progress: Progress | None = None,
) -> AskedTexts:
    """Answer a question with words of the texts.

    The passages that say most of the question are read. Without a reader the sentences that do are
    named instead.

    Parameters
    ----------
    sources
        Files of text, subtitles, videos with subtitles beside them, and folders of these.
    question
        Words, in the language of the texts and of the reader.

    Raises
    ------
    ManifestError
        If there is no text.
    ModelError
        If the reader cannot be read, or has no threshold for the rate.
    VidfitError
        If the question is empty.
    """
    progress = progress or SILENT
    options.check()
    if not question.strip():
        raise VidfitError("the question is empty; give words, in quotes")
    reader = load_trained(options.reader) if options.reader else None
    threshold = _threshold(reader, options)
    texts, failures = read_texts(sources)
    progress.start("read", 1)
    read = passages(texts)
    if reader is None:
        found = best_sentences(question, PartIndex(sentence_parts(texts)), options.top)
    else:
        found = asked_of(reader.network, question, PartIndex(read), options.top)
    progress.advance()
    if not found:
        why = "no passage has a word of the question: is it in the language of the texts?"
        failures.append(Failure(question, why))
    sure = bool(found) and threshold is not None and found[0].log_probability > threshold
    return AskedTexts(
        question=question,
        is_answered=sure if reader or not found else None,
        places=tuple(_place(one, reader is not None) for one in found),
        threshold=None if threshold is None else math.exp(threshold),
        false_answers=options.false_answers,
        texts=len(texts),
        passages=len(read),
        failures=tuple(failures),
    )


def _threshold(reader: TrainedReader | None, options: AskOptions) -> float | None:
    if reader is None:
        return None
    found = reader.threshold(options.false_answers)
    if found is None:
        known = ", ".join(f"{rate:g}" for rate in sorted(reader.thresholds)) or "none"
        raise ModelError(
            f"{options.reader} has no threshold for {options.false_answers:g} false answers; it "
            f"has some for {known}: give one of these, or more"
        )
    return found


def _place(found: Reply, by_reader: bool) -> FoundPlace:
    part = found.part
    seconds = part.of.seconds(part.start, part.end)
    return FoundPlace(
        words=part.text,
        source=part.of.source,
        start=part.start,
        end=part.end,
        start_seconds=seconds[0] if seconds else None,
        end_seconds=seconds[1] if seconds else None,
        around=found.passage.text,
        probability=math.exp(found.log_probability) if by_reader else None,
    )
