from __future__ import annotations

import json

import pytest
import torch
from tests.tiny_reader import CONFIGS, write_reader

pytest.importorskip("transformers")

from vidfit.backbones.reading import batch_of, load_reader, windows_of
from vidfit.backbones.reading.spans import logits
from vidfit.errors import BackboneError

TEXT = "The bridge was built by anna . Near the river the mill was old ."


def seen(reader):
    (window,) = windows_of(reader.tokenizer, "Who built the bridge ?", TEXT, 64, 8)
    with torch.inference_mode():
        return logits(reader, batch_of([window], reader.padding))


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_reader_of_each_kind_comes_back_as_it_was_saved(tmp_path, kind):
    reader = load_reader(f"hf:{write_reader(tmp_path, kind)}")
    reader.network.eval()
    assert (reader.kind, reader.knows_spans) == (kind, True)
    start_BT, end_BT = seen(reader)
    assert start_BT.shape == end_BT.shape
    assert (start_BT[0, 1:6] < -1000).all()  # the question is no answer
    (tmp_path / "again").mkdir()
    reader.save(tmp_path / "again")
    again = load_reader(f"hf:{tmp_path / 'again'}")
    again.network.eval()
    assert torch.equal(seen(again)[0], start_BT)


@pytest.mark.parametrize("kind", ["bert", "funnel"])
def test_an_encoder_is_given_a_head_that_depends_on_the_seed(tmp_path, kind):
    folder = write_reader(tmp_path, kind, encoder=True)
    one, same, other = (load_reader(f"hf:{folder}", seed=seed) for seed in (0, 0, 1))
    assert not one.knows_spans
    weights = [reader.network.qa_outputs.weight for reader in (one, same, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def change(path, **facts):
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def test_what_is_no_reader_is_refused(tmp_path):
    with pytest.raises(BackboneError, match="minilm, hf:FOLDER"):
        load_reader("minilmm")
    with pytest.raises(BackboneError, match=r"config\.json cannot be understood"):
        load_reader(f"hf:{tmp_path}")
    folder = write_reader(tmp_path / "reader")
    (folder / "tokenizer.json").write_text('{"model": 3}')
    with pytest.raises(BackboneError, match="as a tokenizer"):
        load_reader(f"hf:{folder}")
    write_reader(folder)
    change(folder / "config.json", hidden_size=32)
    with pytest.raises(BackboneError, match="have other shapes"):
        load_reader(f"hf:{folder}")
    change(folder / "config.json", hidden_size=100_000, num_hidden_layers=4)
    with pytest.raises(BackboneError, match="makes a network of"):
        load_reader(f"hf:{folder}")
    change(folder / "config.json", model_type="gpt2", auto_map={"AutoModel": "x.Y"})
    with pytest.raises(BackboneError, match="of the kind 'gpt2'"):
        load_reader(f"hf:{folder}")
