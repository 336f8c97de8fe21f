from __future__ import annotations

import numpy as np
import pytest
from tests.tiny_reader import write_tokenizer

pytest.importorskip("tokenizers")

from vidfit.backbones.reading import batch_of, windows_of


@pytest.fixture
def tokenizer(tmp_path):
    from tokenizers import Tokenizer

    write_tokenizer(tmp_path)
    return Tokenizer.from_file(str(tmp_path / "tokenizer.json"))


def test_windows_overlap_and_hold_each_word_of_the_text(tokenizer):
    text = "cats sleep and dogs bark near the old mill of anna in bern ."
    windows = [*windows_of(tokenizer, "who lives in bern ?", text, 14, 3)]
    assert len(windows) > 2
    edges = np.concatenate([np.stack([w.starts_T, w.ends_T], 1) for w in windows]).tolist()
    held = {(start, end) for start, end in edges if start >= 0}
    assert "".join(text[s:e] for s, e in sorted(held)) == text.replace(" ", "")
    inside = [w.span(text.index("old"), text.index("old") + 8) for w in windows]
    assert any(inside) and not all(inside)
    window, span = next((w, s) for w, s in zip(windows, inside, strict=True) if s)
    assert text[window.starts_T[span[0]] : window.ends_T[span[1]]] == "old mill"


def test_a_long_question_is_cut(tokenizer):
    (window,) = windows_of(tokenizer, "who " * 500, "anna .", 80, 8)
    assert len(window.tokens_T) == 64 + 3 + 2


def test_batches_are_filled_up(tokenizer):
    windows = [*windows_of(tokenizer, "who ?", "anna ."), *windows_of(tokenizer, "who ?", "bert")]
    batch = batch_of(windows, 0)
    assert batch["real_BT"].tolist() == [[1] * 7, [1] * 6 + [0]]
    assert batch["may_BT"].tolist() == [[1, 0, 0, 0, 1, 1, 0], [1, 0, 0, 0, 1, 0, 0]]
    assert batch["types_BT"].tolist()[0] == [0, 0, 0, 0, 1, 1, 1]
