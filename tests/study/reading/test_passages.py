from __future__ import annotations

import time

import pytest

from vidfit.manifest.subtitles import Cue
from vidfit.study.reading.passages import (
    OVERLAP_WORDS,
    PASSAGE_WORDS,
    PartIndex,
    passages,
    plain_text,
    sentence_parts,
    spoken_text,
)


def test_texts_are_cut_at_stops_and_lines():
    text = plain_text("a", 'Anna came. "Who?" he asked.\n\nA list:\n- 3.5 km\nEnd.')
    assert [part.text for part in sentence_parts([text])] == [
        "Anna came.", '"Who?" he asked.', "A list:", "- 3.5 km", "End.",
    ]  # fmt: skip
    assert text.seconds(0, 4) is None


def test_cues_keep_their_seconds():
    text = spoken_text("v", [Cue(1.0, 2.0, "the bridge was"), Cue(2.5, 4.0, "built by Anna")])
    start = text.text.index("was built")
    assert text.seconds(start, start + 9) == (1.0, 4.0)
    assert text.seconds(text.text.index("Anna"), len(text.text)) == (2.5, 4.0)


def test_passages_overlap_and_miss_no_word():
    words = [f"w{number}" for number in range(1000)]
    lines = [" ".join(words[i : i + 7]) for i in range(0, 1000, 7)]
    cut = passages([plain_text("a", "\n".join(lines)), plain_text("b", " ".join(words))])
    lengths = [len(part.text.split()) for part in cut]
    assert max(lengths) == PASSAGE_WORDS or max(lengths) > PASSAGE_WORDS - 7
    first, second = (part.text.split() for part in cut[:2])
    assert 0 < len(set(first) & set(second)) <= OVERLAP_WORDS
    for source in "ab":
        said = {word for part in cut if part.of.source == source for word in part.text.split()}
        assert said == set(words)


def test_rare_words_decide_which_passage_is_read():
    texts = [plain_text(str(n), f"the town of number {n} is a town . ") for n in range(30)]
    texts.append(plain_text("x", "the bridge is in the town"))
    best = PartIndex(sentence_parts(texts)).best("Where is THE bridge?", 2)
    assert best[0][0].of.source == "x" and best[0][1] > best[1][1]
    assert PartIndex(sentence_parts(texts)).best("zebra", 2) == []
    assert PartIndex([]).best("zebra", 2) == []


def test_ten_megabytes_are_cut_and_searched_in_time():
    text = "The bridge of number seven stands in the old town near the river.\n" * 150_000
    began = time.process_time()
    parts = passages([plain_text("a", text[: 10**6])])  # a tenth, for the time of tests
    assert PartIndex(parts).best("who built the bridge", 1)
    assert time.process_time() - began < 3


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_nothing_is_no_passage(text):
    assert passages([plain_text("a", text)]) == []
