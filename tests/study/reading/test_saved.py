from __future__ import annotations

import json

import pytest
from tests.tiny_reader import write_reader

pytest.importorskip("transformers")

from vidfit.backbones.reading import read_reader
from vidfit.errors import ModelError
from vidfit.study.reading.saved import READER, TrainedReader, load_trained, save_reader


@pytest.fixture
def saved(tmp_path):
    reader = read_reader(write_reader(tmp_path / "network"))
    save_reader(TrainedReader(reader, {0.1: -1.5, 0.05: -0.5}, {"of": "a test"}), tmp_path / "m")
    return tmp_path / "m"


def test_a_reader_comes_back_with_its_thresholds(saved):
    found = load_trained(saved)
    assert (found.thresholds, found.card) == ({0.05: -0.5, 0.1: -1.5}, {"of": "a test"})
    assert [found.threshold(rate) for rate in (0.5, 0.1, 0.07, 0.01)] == [-1.5, -1.5, -0.5, None]
    assert not [path for path in saved.iterdir() if path.suffix in (".py", ".bin", ".pkl")]


def alter(name, change):
    def altered(folder):
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return altered


def document(**facts):
    return alter(READER, lambda old: json.dumps({**json.loads(old), **facts}).encode())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (alter("model.safetensors", lambda old: old[:-1] + b"x"), "altered"),
        (alter("tokenizer.json", lambda old: old + b" "), "altered"),
        (lambda folder: (folder / "config.json").unlink(), "incomplete"),
        (lambda folder: (folder / "extra.py").write_text("1"), "does not name"),
        (lambda folder: (folder / READER).unlink(), "is no reader"),
        (document(format=2), "update vidfit"),
        (document(thresholds=[{"rate": 2.0, "log_probability": -1.0}]), "between 0 and 1"),
        (document(thresholds=[{"rate": 0.1, "log_probability": 1.0}]), "0 or less"),
        (document(files={"../x": "0"}), "names a file elsewhere"),
    ],
)
def test_what_was_altered_is_refused(saved, change, why):
    change(saved)
    with pytest.raises(ModelError, match=why):
        load_trained(saved)
