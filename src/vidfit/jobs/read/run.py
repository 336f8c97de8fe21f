"""Train a reader on questions about texts, and measure it on articles that it has not seen.

A job of its own, not a row of `vidfit.tasks`: there a row is a clip, whose frames frozen encoders
look at, and a learner takes their vectors. Here the network itself is fine-tuned, on texts. What
holds for tasks holds here: whole articles are put aside, figures are sums by article with
intervals, a baseline stands beside, and no threshold is chosen on the article that it is used on.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from vidfit.backbones.reading import SpanNetwork, load_reader
from vidfit.contracts import Estimate, Failure
from vidfit.errors import NotEnoughDataError
from vidfit.files import claimed
from vidfit.jobs.read.learn import beside_other_texts, learn, marked_windows
from vidfit.jobs.read.measure import (
    ArticleLibrary,
    answered,
    beside_passage,
    holds,
    no_answer_scores,
    sampled,
    scores,
    share,
    sureness,
)
from vidfit.jobs.read.options import ReadOptions
from vidfit.jobs.read.value import NoAnswerScores, ReadingReport, ReadingScores
from vidfit.jobs.read.written import report_facts, write_report
from vidfit.manifest.questions import QuestionSet, TextQuestion, read_squad
from vidfit.progress import SILENT, Progress
from vidfit.runtime import malloc
from vidfit.shown import counted
from vidfit.study.interrupts import stopped_by_signals
from vidfit.study.reading.declining import thresholds_of
from vidfit.study.reading.saved import TrainedReader, save_reader

_CHECKPOINT = "checkpoint"

LEAST_ARTICLES = 2
"""Of those that are put aside: from one article nothing can be said of others."""


@dataclass(frozen=True)
class _Measured:
    """What was measured, and the thresholds that all articles that were put aside set."""

    passage: ReadingScores
    library: ReadingScores
    passage_found: Estimate
    no_answer: NoAnswerScores
    thresholds: Mapping[float, float]


def run_read(
    source: str | Path,
    output: Path,
    options: ReadOptions = ReadOptions(),
    progress: Progress | None = None,
) -> ReadingReport:
    """Train a reader on a SQuAD file and write it to ``output/model``, with ``report.json``.

    An interrupted run goes on from its last checkpoint, to the bit.

    Parameters
    ----------
    source
        SQuAD 1.1 or 2.0 JSON.
    output
        Folder for the model, the report and the checkpoints.

    Raises
    ------
    BackboneError
        If the network to begin with cannot be had.
    KeyboardInterrupt
        If it was interrupted; the same call goes on.
    ManifestError
        If a file is no SQuAD file.
    NotEnoughDataError
        If there are too few articles to learn from or to be measured on.
    StoreError
        If the output cannot be written, or holds another run.
    """
    progress = progress or SILENT
    options.check()
    learned, tested, failures = _parts(Path(source), options)
    with claimed(output):
        reader = load_reader(options.backbone, download=options.download, seed=options.recipe.seed)
        recipe = options.recipe
        shown = [*learned, *beside_other_texts(learned, recipe.without_answer, recipe.seed)]
        malloc.tune()
        began = time.process_time()
        with stopped_by_signals() as stop:
            rows = marked_windows(reader, shown, recipe)
            losses = learn(reader, rows, recipe, output / _CHECKPOINT, stop, progress)
        if losses is None:
            raise KeyboardInterrupt
        cpu_seconds = time.process_time() - began
        measured = _measured(reader, tested, options, progress)
        report = ReadingReport(
            backbone=options.backbone,
            questions=len(learned),
            articles=len({one.article for one in learned}),
            loss=float(np.mean(losses[-100:])),
            cpu_seconds=cpu_seconds,
            failures=tuple(failures),
            passage=measured.passage,
            library=measured.library,
            passage_found=measured.passage_found,
            no_answer=measured.no_answer,
        )
        card = {"report": report_facts(report), "recipe": asdict(recipe)}
        save_reader(TrainedReader(reader, dict(measured.thresholds), card), output / "model")
        write_report(report, output)
        shutil.rmtree(output / _CHECKPOINT, ignore_errors=True)
    return report


def _parts(
    path: Path, options: ReadOptions
) -> tuple[tuple[TextQuestion, ...], tuple[TextQuestion, ...], list[Failure]]:
    """Return questions to learn from, those about articles put aside, and what is left out.

    Raises
    ------
    NotEnoughDataError
        If too few articles are left for either.
    """
    found = read_squad(path)
    failures = [*found.rejected]
    if options.test is None:
        aside, tested = _aside(found, options), found
    else:
        tested = read_squad(options.test)
        failures += tested.rejected
        aside = frozenset(tested.articles)
        both = sorted(aside & set(found.articles))
        why = f"it is tested on: {options.test} asks about it, too"
        failures += [Failure(f"{path}: {article}", why) for article in both]
    learned, kept = found.of(set(found.articles) - aside), tested.of(aside)
    asked = {one.article for one in kept if one.answers}
    if not any(one.answers for one in learned) or len(asked) < LEAST_ARTICLES:
        raise NotEnoughDataError(
            f"{path} asks about {counted(len(found.articles), 'article')}; whole articles are "
            "put aside, and "
            f"{LEAST_ARTICLES} of them and one to learn from are needed: give more articles, each "
            "with its title"
        )
    return learned, kept, failures


def _aside(found: QuestionSet, options: ReadOptions) -> frozenset[str]:
    """Return the articles that are put aside, drawn at random."""
    articles = found.articles
    count = max(LEAST_ARTICLES, round(options.holdout * len(articles)))
    drawn = np.random.default_rng(options.recipe.seed).permutation(len(articles))[:count]
    return frozenset(articles[row] for row in drawn)


def _measured(
    reader: SpanNetwork, tested: Sequence[TextQuestion], options: ReadOptions, progress: Progress
) -> _Measured:
    """Ask about articles put aside: text given, article given, answer taken out, or none in it."""
    library, count, seed = ArticleLibrary(tested), options.questions_an_article, options.recipe.seed
    some = sampled([one for one in tested if one.answers], count, seed)
    impossible = sampled([one for one in tested if not one.answers], count, seed)
    given = beside_passage(some)
    asked = [library.ask(one) for one in some]
    without = [*map(library.without_answer, some), *map(library.ask, impossible)]
    replies = [answered(reader, one, progress) for one in (given, asked, without)]
    groups = [one.article for one in some]
    read = [any(holds(p.text, a.question.references) for p in a.read) for a in asked]
    pairs = list(zip(without, replies[2], strict=True))
    return _Measured(
        passage=scores(given, replies[0]),
        library=scores(asked, replies[1]),
        passage_found=share(read, groups),
        no_answer=no_answer_scores(
            list(zip(asked, replies[1], strict=True)), pairs, options.false_answers
        ),
        thresholds=thresholds_of(sureness(replies[2])),
    )
