from __future__ import annotations

import json

import numpy as np
import pytest
from tests.backbones import tiny_hf

from vidfit.errors import BackboneError
from vidfit.jobs.search.texts import KINDS, text_vector, written

pytest.importorskip("transformers")


def tokenizer(folder):
    """Write a tokenizer of a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "red": 4, "kite": 5, "dog": 6}
    made = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)


@pytest.mark.parametrize("kind", ["siglip", "siglip2"])
def test_words_are_a_vector_beside_those_of_pictures(tmp_path, kind):
    folder = tiny_hf.write(kind, tmp_path / "model")
    tokenizer(folder)
    red, again, dog = (text_vector(f"hf:{folder}", w) for w in ("a RED kite", "a red kite", "dog"))
    assert red.shape == (tiny_hf.WIDTH,) and np.linalg.norm(red) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(red, again, atol=1e-6)
    if kind == "siglip":  # of SigLIP 2 transformers reads another kind of tokenizer
        assert not np.allclose(red, dog, atol=1e-3)


def test_words_and_their_vector_are_what_transformers_gives(tmp_path):
    import torch
    import transformers

    for kind in KINDS:
        folder = tiny_hf.write(kind, tmp_path / kind)
        if kind == "siglip":
            tokenizer(folder)
        else:
            vocab = {
                word: i for i, word in enumerate(["<pad>", "<eos>", "<bos>", "<unk>", *"dog▁"])
            }
            made = transformers.Siglip2Tokenizer(vocab, padding_side="right")
            made.save_pretrained(folder)
        words = transformers.AutoTokenizer.from_pretrained(folder)
        model = transformers.AutoModel.from_pretrained(folder).eval()
        length = model.config.text_config.max_position_embeddings
        tokens = words(["DOG dog"], padding="max_length", max_length=length, return_tensors="pt")
        asked = tokens["input_ids"] if kind == "siglip2" else torch.tensor([[6, 6, *[0] * 62]])
        with torch.inference_mode():
            found = model.get_text_features(input_ids=asked)
        found = getattr(found, "pooler_output", found)[0].numpy()
        expected = found / np.linalg.norm(found)
        np.testing.assert_allclose(text_vector(f"hf:{folder}", "DOG dog"), expected, atol=1e-5)


def test_a_tokenizer_of_siglip_is_read_without_its_class(tmp_path):
    folder = tiny_hf.write("siglip", tmp_path / "model")
    tokenizer(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    plain = text_vector(f"hf:{folder}", "red dog")
    settings |= {"tokenizer_class": "SiglipTokenizer", "pad_token": {"content": "<pad>"}}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    np.testing.assert_allclose(text_vector(f"hf:{folder}", "Red,  dog!"), plain, atol=1e-6)
    assert written("Red,  dog!", "SiglipTokenizerFast") == "red dog"
    assert written("Red,  dog!", "GemmaTokenizer") == "red,  dog!"
    settings["pad_token"] = "<none>"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(BackboneError, match="does not know '<none>'"):
        text_vector(f"hf:{folder}", "dog")


def test_text_weights_that_are_missing_or_of_another_shape_are_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tiny_hf.write("siglip", tmp_path / "model")
    tokenizer(folder)
    state = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in state.items() if "text_model.head" not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(BackboneError, match="2 tensors missing, such as "):
        text_vector(f"hf:{folder}", "dog")
    name = next(name for name in state if name.endswith("text_model.final_layer_norm.bias"))
    save_file({**state, name: state[name][:-1].clone()}, folder / "model.safetensors")
    with pytest.raises(BackboneError, match=r"1 tensor of another shape .*final_layer_norm"):
        text_vector(f"hf:{folder}", "dog")


def test_encoders_that_know_no_words_have_none(tmp_path):
    folder = tiny_hf.write("clip", tmp_path / "model")
    for name in ("motion", f"hf:{folder}", f"hf:{tmp_path / 'nowhere'}", "hf:google/siglip"):
        assert text_vector(name, "dog") is None


def test_a_model_without_its_tokenizer_fails(tmp_path):
    folder = tiny_hf.write("siglip", tmp_path / "model")
    with pytest.raises(BackboneError, match="cannot read words"):
        text_vector(f"hf:{folder}", "dog")
