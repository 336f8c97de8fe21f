"""Are questions answered from texts that were not learned from, and declined where none answers.

- SQuAD: learned from the questions about 24 articles, asked about 24 others; beside it the sentence
  that says most of the question. Then the whole article is given, and answers are taken out of it.
- Which passages are read: by rare words, by MiniLM, by both.
- `friendsqa`: dialogues of up to 1,599 words, by the same reader, which has seen no dialogue.
- Role swaps: readers of random weights, by sparse and pooled attention, beside counting words.
- What full, block-sparse and pooled attention take in a step, from 512 to 4,096 tokens.

``--reader FOLDER`` takes a reader that was trained before; otherwise one is trained, which takes
half an hour of a processor, goes on after an interrupt, and is kept. ``--part`` runs some of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, measure, table
from benchmarks._reading_networks import by_words, network, role_swaps
from benchmarks._reading_ranking import ranking
from benchmarks._study import CACHE
from vidfit.backbones.hub.models import quiet
from vidfit.backbones.reading import SpanNetwork, best_spans, windows_of
from vidfit.contracts import Estimate
from vidfit.jobs.read.learn import ReadingRecipe, learn, marked_windows
from vidfit.jobs.read.measure import (
    ArticleLibrary,
    answered,
    beside_passage,
    no_answer_scores,
    sampled,
    scores,
)
from vidfit.jobs.read.options import ReadOptions
from vidfit.jobs.read.run import run_read
from vidfit.manifest.questions import AnswerSpan, TextQuestion, read_squad
from vidfit.metrics.reading import exact_match
from vidfit.runtime import malloc
from vidfit.study.reading.saved import load_trained

DATA = Path(__file__).parents[2] / "shared" / "data"
LEARNED, TESTED = DATA / "squad" / "dev-v1.1.json", DATA / "squad" / "test-v1.1.json"
DIALOGUES = DATA / "friendsqa" / "dev.jsonl"
PARTS = ("sentences", "ranking", "squad", "dialogues", "roles", "attention")

EXACT_BAR, F1_BAR, ROLES_BAR, SENTENCE_BAR = 0.57, 0.69, 0.95, 0.80
AN_ARTICLE = 34
RATE = 0.1
LENGTHS = (512, 1024, 2048, 4096)
SPARSE, POOLED = "block-sparse (BigBird)", "pooled (Funnel)"
FULL = ("full (BERT)", "full (BigBird)", "full (Funnel)")
TOKENS, DOCUMENTS = 96, 6400

Figures = dict[str, Any]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--reader", type=Path, help="model that fit --task read wrote")
    parser.add_argument("--part", choices=PARTS, action="append", help="may be repeated")
    options = parser.parse_args()
    malloc.tune()
    start = environment()
    quick = ["sentences", "roles"]
    parts = options.part or (quick if options.quick else PARTS)
    figures: Figures = {}
    if "sentences" in parts:
        figures["sentences"] = _sentences()
    if "ranking" in parts:
        figures["ranking"] = ranking(read_squad(LEARNED).questions)
    if "squad" in parts or "dialogues" in parts:
        folder = options.reader or _trained()
        reader = load_trained(folder).network
        if "squad" in parts:
            figures["squad"] = _squad(reader)
        if "dialogues" in parts:
            figures["dialogues"] = _dialogues(reader)
    if "roles" in parts:
        figures["roles"] = _roles(options.quick)
    if "attention" in parts:
        figures["attention"] = _attention()
    said, met = _headline(figures, options.quick)
    finish(options, figures, start, "; ".join(said), met=met)


def _headline(figures: Figures, quick: bool) -> tuple[list[str], bool | None]:
    said, met = list[str](), True
    if "sentences" in figures:
        held = figures["sentences"]["holds"]["value"]
        said.append(f"best sentence holds the answer in {held:.1%} (bar {SENTENCE_BAR:.0%})")
        met &= held >= SENTENCE_BAR
    if "squad" in figures:
        exact, f1 = (figures["squad"]["passage"][k]["value"] for k in ("exact", "f1"))
        said.append(f"SQuAD EM {exact:.1%} (bar {EXACT_BAR:.0%}), F1 {f1:.1%} (bar {F1_BAR:.0%})")
        met &= exact >= EXACT_BAR and f1 >= F1_BAR
    if "roles" in figures:
        roles = figures["roles"]
        for name in (SPARSE, POOLED):
            bar = roles["words"] if quick else ROLES_BAR
            said.append(f"role swaps, {name}: EM {roles[name]['exact']:.1%} (bar {bar:.0%})")
            met &= roles[name]["exact"] >= bar
    return (said, met) if said else (["measured what has no bar"], None)


def _trained() -> Path:
    """Return a reader that learned from one half of SQuAD, trained now if it is not kept."""
    folder = CACHE / "reader"
    if not (folder / "model" / "reader.json").is_file():
        run_read(LEARNED, folder, ReadOptions(test=TESTED, questions_an_article=AN_ARTICLE))
    return folder / "model"


def _sentences() -> Figures:
    """Measure the sentence that says most of a question, on all questions of the test half."""
    asked = beside_passage(read_squad(TESTED).questions)
    found = scores(asked, [None] * len(asked))
    print(
        f"{found.questions} questions about {found.articles} articles: the best sentence holds an "
        f"answer in {_percent(found.sentence_holds)}, its F1 is {_percent(found.sentence_f1)}"
    )
    return {"holds": asdict(found.sentence_holds), "f1": asdict(found.sentence_f1)}


def _squad(reader: SpanNetwork) -> Figures:
    questions = read_squad(TESTED).questions
    return _measured("SQuAD", reader, questions, sampled(questions, AN_ARTICLE))


def _dialogues(reader: SpanNetwork) -> Figures:
    rows = [json.loads(line) for line in DIALOGUES.read_text(encoding="utf-8").splitlines()]
    questions = [
        TextQuestion(row["id"], row["question"], row["context"], row["scene"], answers)
        for row in rows
        if (answers := _found(row))
    ]
    return _measured("friendsqa", reader, questions, sampled(questions, 3))


def _found(row: Figures) -> tuple[AnswerSpan, ...]:
    """Return the answers of a row where they first stand in its dialogue."""
    said = [one["text"] for one in row["answers"] if one["text"].strip() in row["context"]]
    return tuple(AnswerSpan(text.strip(), row["context"].index(text.strip())) for text in said)


def _measured(
    name: str, reader: SpanNetwork, questions: Sequence[TextQuestion], some: list[TextQuestion]
) -> Figures:
    """Ask with the text given, the article given, and the answers taken out of the article."""
    library = ArticleLibrary(questions)
    asked = [[*beside_passage(some)], [library.ask(one) for one in some]]
    without = [library.without_answer(one) for one in some]
    replies = [answered(reader, one) for one in (*asked, without)]
    found = {
        given: scores(a, r)
        for given, a, r in zip(("passage", "library"), asked, replies, strict=False)
    }
    nothing = no_answer_scores(
        list(zip(asked[1], replies[1], strict=True)),
        list(zip(without, replies[2], strict=True)),
        RATE,
    )
    table(
        [f"{name}: {len(some)} questions", "EM", "F1", "best sentence F1", "sentence holds"],
        [
            [given, *map(_percent, (of.exact, of.f1, of.sentence_f1, of.sentence_holds))]
            for given, of in found.items()
        ],
    )
    print(
        f"no answer at {RATE:.0%}: {_percent(nothing.false_answers)} of {nothing.without} false, "
        f"{_percent(nothing.answered)} answered with EM {_percent(nothing.exact)}, F1 "
        f"{_percent(nothing.f1)}"
    )
    return {**{given: asdict(of) for given, of in found.items()}, "no answer": asdict(nothing)}


def _roles(quick: bool) -> Figures:
    """Train readers of random weights on role swaps; beside them stands who counts words."""
    tokens, documents = (48, 4000) if quick else (TOKENS, DOCUMENTS)
    tested = role_swaps(300, tokens, 2)
    words = float(np.mean([exact_match(by_words(one), one.references) for one in tested]))
    figures: Figures = {"words": words, "tokens": tokens, "documents": documents}
    learned = role_swaps(documents, tokens, 1)
    for name in (SPARSE, POOLED):
        figures[name] = _learned(name, learned, tested, tokens)
    table(
        [f"role swaps, {tokens} tokens", "EM", "CPU s"],
        [["counting words", f"{words:.1%}", ""]]
        + [
            [name, f"{figures[name]['exact']:.1%}", f"{figures[name]['seconds']:.0f}"]
            for name in (SPARSE, POOLED)
        ],
    )
    return figures


def _learned(
    name: str, learned: list[TextQuestion], tested: list[TextQuestion], tokens: int
) -> Figures:
    recipe = ReadingRecipe(epochs=1, rate=1e-3, most_tokens=tokens, overlap_tokens=8)
    reader = network(name, tokens)
    with quiet():
        cost = measure(lambda: learn(reader, marked_windows(reader, learned, recipe), recipe))
        windows = [
            next(iter(windows_of(reader.tokenizer, one.asked, one.context, tokens, 8)))
            for one in tested
        ]
        hits = [
            exact_match(tested[row].context[s[0].start : s[0].end], tested[row].references)
            for row, s in best_spans(reader, windows)
        ]
    return {"exact": float(np.mean(hits)), "seconds": cost.cpu_seconds}


def _attention() -> Figures:
    """Measure what a step takes by attention and length."""
    from benchmarks._reading_attention import measured

    names = (*FULL, SPARSE, POOLED)
    figures = {name: {tokens: measured(name, tokens) for tokens in LENGTHS} for name in names}
    table(
        ["a step on one text", *(f"{tokens} tokens" for tokens in LENGTHS)],
        [
            [
                name,
                *(f"{of[t]['seconds']:.2f} s {of[t]['bytes'] / 2**20:.0f} MiB" for t in LENGTHS),
            ]
            for name, of in figures.items()
        ],
    )
    return figures


def _percent(found: Estimate) -> str:
    return f"{100 * found.value:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


if __name__ == "__main__":
    main()
