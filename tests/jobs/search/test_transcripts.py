from __future__ import annotations

import math

import pytest

from vidfit.jobs.search.transcripts import Passage, found, passages_of


def test_cues_are_joined_up_to_some_seconds(tmp_path):
    cues = "\n\n".join(
        f"00:00:{3 * i:02d}.000 --> 00:00:{3 * i + 3:02d}.000\nw{i}" for i in range(5)
    )
    (tmp_path / "a.en.vtt").write_text(f"WEBVTT\n\n{cues}")
    failures = []
    passages = [*passages_of(str(tmp_path / "a.mp4"), failures)]
    assert [(p.start_seconds, p.end_seconds, p.text) for p in passages] == [
        (0.0, 9.0, "w0 w1 w2"),
        (9.0, 15.0, "w3 w4"),
    ]
    assert failures == [] and [*passages_of(str(tmp_path / "b.mp4"), failures)] == []


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"hello"])
def test_what_cannot_be_read_is_listed(tmp_path, content):
    (tmp_path / "a.srt").write_bytes(content)
    failures = []
    assert [*passages_of(str(tmp_path / "a.mp4"), failures)] == []
    assert failures[0].reason.startswith("cannot be read as subtitles")


def test_the_score_is_bm25():
    texts = ["the cat sat", "the dog sat on the cat mat", "a bird"]
    passages = [Passage("a", i, i + 1, text) for i, text in enumerate(texts)]
    (first, score), (second, _) = found("Cat!", passages, 5)
    assert (first.text, second.text) == (texts[0], texts[1])
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    expected = idf * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 3 / 4))
    assert score == pytest.approx(expected)
    assert found("elephant", passages, 5) == [] and found("cat", [], 5) == []
