from __future__ import annotations

import json

import numpy as np
import pytest

from vidfit.errors import ModelError, VidfitError
from vidfit.language.tokens import END, BytePairs

TEXT = "The cat sat on the mat, the cat that sat. "
ODD = "Größe 日本 <|end|> \t\x00 \U0001f600"


@pytest.fixture(scope="module")
def tokenizer():
    return BytePairs.learn([TEXT * 20], 300)


def test_nothing_is_lost_and_every_byte_is_counted(tokenizer):
    for text in (TEXT, ODD, ""):
        tokens_N = tokenizer.encode(text)
        assert tokenizer.decode(tokens_N) == text
        assert tokenizer.bytes_V[tokens_N].sum() == len(text.encode())
        assert END not in tokens_N
    assert len(tokenizer.encode(TEXT)) < len(TEXT) / 2
    assert tokenizer.bytes_V[END] == 0 and tokenizer.vocabulary <= 300


def test_it_comes_back_from_its_file(tokenizer):
    again = BytePairs.restore(tokenizer.text)
    np.testing.assert_array_equal(again.encode(ODD), tokenizer.encode(ODD))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"model": {"type": "WordPiece", "vocab": {}}}, "cannot be read|known is"),
        ({"added_tokens": [{"id": 0, "content": "the"}]}, "known is byte-pair"),
        ({"normalizer": {"type": "Lowercase"}}, "known is byte-pair"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "over Whitespace"),
    ],
)
def test_others_are_refused(tokenizer, change, complaint):
    with pytest.raises(ModelError, match=complaint):
        BytePairs.restore(json.dumps({**json.loads(tokenizer.text), **change}))


def test_no_json_and_too_few_tokens_are_refused():
    with pytest.raises(ModelError, match="cannot be read"):
        BytePairs.restore("{")
    with pytest.raises(VidfitError, match="257"):
        BytePairs.learn([TEXT], 100)
