from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from vidfit.contracts import Estimate
from vidfit.jobs.pretrain.value import BitsSaved, Classified, Coded, Pretraining, TextAnswer
from vidfit.jobs.pretrain.words import report_markdown, verdict
from vidfit.training.sequences import SequenceLook


def found(own: Estimate, **changes) -> Pretraining:
    none = math.nan
    coded = (
        Coded("7-gram", False, Estimate(2.6, 2.5, 2.7)),
        Coded("gpt", False, Estimate(2.3, 2.2, 2.4)),
        Coded("7-gram", True, Estimate(2.2, 2.1, 2.3)), Coded("gpt", True, own),
        Coded("bz2", True, Estimate(2.26, none, none)),
    )  # fmt: skip
    report = Pretraining(
        Path("model"), 2_000_000, 100, 2.5, 60.0, coded,
        (BitsSaved("gpt", "7-gram", Estimate(0.3, 0.1, 0.5)),),
        (SequenceLook(50, 4.0, 4.0), SequenceLook(100, 3.0, 4.5)),
        {"learn": 20, "choose": 2, "test": 3}, {"learn": 10**6, "choose": 10, "test": 20}, 3.2,
        0.02, "the <b>",
    )  # fmt: skip
    return replace(report, **changes)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (Estimate(2.0, 1.9, 2.05), "It needs 2.00 [1.90, 2.05] bits a byte for documents it never "
         "saw, and 7-gram, given the same text, 2.20."),
        (Estimate(2.0, 1.9, 2.15), "2.20; that it needs less is not proven."),
        (Estimate(2.21, 2.0, 2.4), "It learned no language: 2.21"),
    ],
)  # fmt: skip
def test_the_first_sentence_says_who_needs_less(own, said):
    assert said in verdict(found(own))


def test_the_report_warns_of_learning_by_heart_and_of_text_seen_before():
    text = report_markdown(found(Estimate(2.0, 1.9, 2.05)))
    assert "Learning by heart began after step 50 of 100" in text
    assert "2.0% of the held-out text" in text and "the &lt;b>" in text
    assert "- gpt against 7-gram: saves +0.30 [+0.10, +0.50] bits a byte" in text


@pytest.mark.parametrize(
    ("documents", "size", "said"),
    [
        (1, 600, "1 document of 600 bytes. Hardly anything can be proven with fewer than 10"),
        (1, 600, "Of one alone there is no interval."),
        (9, 10**6, "9 documents of 1,000,000 bytes."),
        (40, 99_999, "40 documents of 99,999 bytes."),
        (10, 100_000, ""),
    ],
)
def test_a_verdict_on_little_text_says_so_at_once(documents, size, said):
    report = found(
        Estimate(2.0, 1.9, 2.05),
        documents={"learn": 20, "choose": 2, "test": documents},
        bytes_of={"learn": 10**6, "choose": 10, "test": size},
    )
    text = report_markdown(report)
    assert said in text and ("Little is held out" in text.split("\n")[2]) == bool(said)


def test_what_is_better_than_words_is_named_only_if_proven():
    words = TextAnswer("words", Estimate(0.6, 0.5, 0.7), None)
    for low, said in ((0.01, "states is better than counted words by +3.0"), (-0.01, "No gain")):
        states = TextAnswer("states", Estimate(0.63, 0.5, 0.7), Estimate(0.03, low, 0.05))
        tried = Classified("a.csv", "by row", 100, 50, 5, (words, states))
        assert said in report_markdown(found(Estimate(2, 2, 2), classified=tried))
