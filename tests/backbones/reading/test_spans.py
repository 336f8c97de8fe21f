from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from tests.tiny_reader import write_reader

pytest.importorskip("transformers")

from vidfit.backbones.reading import best_spans, load_reader, windows_of
from vidfit.backbones.reading.spans import ANSWER_TOKENS, _spans


def test_best_spans_are_those_of_a_search_through_all(tmp_path):
    reader = load_reader(f"hf:{write_reader(tmp_path)}")
    text = "cats sleep and dogs bark near the old mill " * 5
    (window,) = windows_of(reader.tokenizer, "who sleeps ?", text, 64, 8)
    rng = np.random.default_rng(0)
    start_T, end_T = rng.normal(size=(2, len(window.tokens_T)))
    inside = [i for i, s in enumerate(window.starts_T) if s >= 0]
    best = max(
        (start_T[i] + end_T[j], window.starts_T[i], window.ends_T[j])
        for i in inside for j in inside if i <= j < i + ANSWER_TOKENS
    )  # fmt: skip
    first, *others = _spans(window, start_T, end_T, 4)
    assert (first.log_probability, first.start, first.end) == pytest.approx(best)
    edges = sorted((one.start, one.end) for one in (first, *others))
    assert len(edges) == 4 and all(a[1] <= b[0] for a, b in pairwise(edges))


def test_a_window_is_read_alone_as_among_others(tmp_path):
    reader = load_reader(f"hf:{write_reader(tmp_path)}")
    windows = [
        next(iter(windows_of(reader.tokenizer, "who built it ?", "anna built it . " * n)))
        for n in (1, 9, 3)
    ]
    together = dict(best_spans(reader, windows))
    for row, window in enumerate(windows):
        ((_, alone),) = best_spans(reader, [window])
        assert alone[0].log_probability == pytest.approx(together[row][0].log_probability, abs=1e-5)
        assert alone[0].log_probability < 0
