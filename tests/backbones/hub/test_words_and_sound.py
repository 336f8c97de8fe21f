"""Encoders of words and of sound by Hugging Face, on small models that are saved here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vidfit import backbones
from vidfit.backbones import load
from vidfit.errors import BackboneError

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

TEXTS = np.array(["a cat sat", "the dog ran far away", "a"])
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 24}  # fmt: skip


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    config = transformers.BertConfig(vocab_size=20, max_position_embeddings=16, **SMALL)
    transformers.BertModel(config).save_pretrained(folder)
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "a",
        "the",
        "cat",
        "dog",
        "sat",
        "ran",
        "far",
        "away",
    ]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_words_are_the_mean_over_a_text(bert, tmp_path):
    encoder = load(f"hf:{bert}")
    found_B1D = encoder.forward(TEXTS)
    assert (encoder.spec.sees, found_B1D.shape) == ("words", (3, 1, 16))
    model = transformers.BertModel.from_pretrained(bert).eval()
    with torch.inference_mode():
        expected = model(input_ids=torch.tensor([[2, 4, 6, 8, 3]])).last_hidden_state[0].mean(0)
    np.testing.assert_allclose(found_B1D[0, 0], expected.numpy(), atol=1e-5)
    backbones.save(encoder, tmp_path / "saved")
    again = backbones.restore(tmp_path / "saved")
    assert again.spec == encoder.spec
    np.testing.assert_allclose(again.forward(TEXTS), found_B1D, atol=1e-6)


def test_a_long_text_is_read_in_pieces(bert):
    encoder = load(f"hf:{bert}")
    long, twice = np.array([" ".join(["cat"] * 14)]), np.array([" ".join(["cat"] * 28)])
    np.testing.assert_allclose(encoder.forward(twice), encoder.forward(long), atol=1e-5)


def test_words_without_a_tokenizer_and_altered_weights_are_refused(bert, tmp_path):
    backbones.save(load(f"hf:{bert}"), tmp_path / "saved")
    facts = json.loads((tmp_path / "saved" / "spec.json").read_text())
    (tmp_path / "saved" / "spec.json").write_text(json.dumps({**facts, "revision": "0" * 64}))
    with pytest.raises(BackboneError, match="were altered"):
        backbones.restore(tmp_path / "saved")
    (tmp_path / "saved" / "tokenizer.json").write_text("{}")
    with pytest.raises(BackboneError, match="cannot be read as a tokenizer"):
        load(f"hf:{tmp_path / 'saved'}")


def _wav2vec2(folder):
    config = transformers.Wav2Vec2Config(
        conv_dim=(8, 8), conv_stride=(20, 16), conv_kernel=(20, 16), num_feat_extract_layers=2,
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, **SMALL,
    )  # fmt: skip
    transformers.Wav2Vec2Model(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)


def _ast(folder):
    config = transformers.ASTConfig(max_length=128, num_mel_bins=32, **SMALL)
    transformers.ASTModel(config).save_pretrained(folder)
    transformers.ASTFeatureExtractor(num_mel_bins=32, max_length=128).save_pretrained(folder)


@pytest.mark.parametrize(("make", "tokens"), [(_wav2vec2, 2), (_ast, 1)])
def test_sound_is_the_mean_over_seconds(make, tokens, tmp_path):
    torch.manual_seed(0)
    make(tmp_path)
    encoder = load(f"hf:{tmp_path}")
    noise_BS = np.random.default_rng(0).normal(0, 0.1, (2, 32_000)).astype(np.float32)
    found_BND = encoder.forward(noise_BS)
    assert (encoder.spec.sees, found_BND.shape) == ("sound", (2, tokens, 16))
    backbones.save(encoder, tmp_path / "saved")
    again = backbones.restore(tmp_path / "saved")
    np.testing.assert_allclose(again.forward(noise_BS), found_BND, atol=1e-5)
    assert encoder.forward(noise_BS[:, :50]).shape == (2, 1, 16)
    with pytest.raises(BackboneError, match="it takes float32"):
        encoder.forward(noise_BS[:, :, None])
