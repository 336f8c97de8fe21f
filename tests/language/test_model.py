from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from vidfit.errors import ModelError, VidfitError
from vidfit.language.model import LanguageModel, load_language, windows
from vidfit.language.tokens import BytePairs
from vidfit.networks import Shape
from vidfit.networks.gpt import GptLanguage

TEXT = "A cat sat on a mat and the dog saw it. " * 4


@pytest.fixture(scope="module")
def model():
    tokenizer = BytePairs.learn([TEXT], 280)
    shape = Shape(dim=0, tokens=16, classes=tokenizer.vocabulary, width=16, layers=1, heads=2,
                  vocabulary=tokenizer.vocabulary)  # fmt: skip
    torch.manual_seed(0)
    return LanguageModel(shape, GptLanguage(shape).eval(), tokenizer, {"steps": 3})


@pytest.mark.parametrize("count", [1, 7, 16, 17, 24, 100])
def test_windows_say_each_token_once_and_see_a_quarter_of_a_window_before_it(count):
    said = []
    for start, new, stop in windows(count, 16):
        assert stop - start <= 16 and (start == new == 0 or new - start >= 4)
        said += range(new, stop)
    assert said == list(range(count))


def test_bits_are_those_of_the_network(model):
    tokens_N = model.reader.encode(TEXT)[:15]
    row_1N = torch.tensor([[0, *tokens_N]])
    with torch.no_grad():
        log_p = torch.log_softmax(model.network(row_1N[:, :-1])[0], 1)
    expected_N = -log_p[torch.arange(15), row_1N[0, 1:]].numpy() / math.log(2)
    np.testing.assert_allclose(model.bits(tokens_N), expected_N, rtol=1e-5)


def test_a_text_costs_its_bits_a_byte(model):
    bits = model.bits(model.reader.encode(TEXT)).sum()
    assert model.score(TEXT) == pytest.approx(bits / len(TEXT))
    with pytest.raises(VidfitError, match="empty"):
        model.score("")


def test_reading_on_helps_and_leaves_the_model_as_it_was(model, monkeypatch):
    monkeypatch.setattr("vidfit.language.model.READING_RATE", 3e-3)
    tokens_N = np.tile(model.reader.encode(TEXT), 4)
    before = model.bits(tokens_N).sum()
    first, second = model.reading_bits([tokens_N, tokens_N])
    assert second.sum() < first.sum() < before
    assert model.bits(tokens_N).sum() == before


def test_draws_repeat_and_states_are_of_each_text_alone(model):
    assert model.sample(12, begin="A cat", seed=1) == model.sample(12, begin="A cat", seed=1)
    assert model.sample(3, begin="A cat").startswith("A cat")
    with pytest.raises(VidfitError, match="above 0"):
        model.sample(3, warmth=0)
    both_ME = model.states(["A cat", TEXT])
    assert both_ME.shape == (2, 16)
    np.testing.assert_allclose(both_ME[:1], model.states(["A cat"]), rtol=1e-5)


def test_it_comes_back_from_its_files(model, tmp_path):
    again = load_language(model.save(tmp_path))
    assert again.score(TEXT) == model.score(TEXT)
    assert dict(again.facts) == {"steps": 3}


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("weights.safetensors", b"embedding", b"embeddong", "was altered"),
        ("language.json", b'"width": 16', b'"width": 20', "weights do not fit"),
        ("language.json", b'"layers": 1', b'"layers": 1000000', "layers"),
        ("language.json", b'"format": 1', b'"format": 2', "its format is 2"),
        ("language.json", b"tokenizer.json", b"../tokenizers", "names the files"),
    ],
)
def test_what_was_altered_is_refused(model, tmp_path, file, old, new, complaint):
    path = model.save(tmp_path) / file
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(ModelError, match=complaint):
        load_language(tmp_path)


def test_a_model_of_frames_reads_no_text(model):
    frames = LanguageModel(model.shape, model.network)
    with pytest.raises(ModelError, match="tokens of frames"):
        frames.score("a")
    with pytest.raises(ModelError, match="no language model"):
        load_language(Path("nowhere"))
