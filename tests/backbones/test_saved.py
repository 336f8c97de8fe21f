"""Backbones on disk, whole and damaged."""

import json

import numpy as np
import pytest
from tests.backbones.tiny_hf import write

from vidfit import backbones
from vidfit.errors import BackboneError
from vidfit.runtime import accelerate
from vidfit.testing import random_views


@pytest.fixture
def folder(tmp_path):
    backbones.save(backbones.load("efficientnet-lite0"), tmp_path / "saved")
    return tmp_path / "saved"


def change(folder, **changes):
    path = folder / "spec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_runs_on_an_engine_is_saved_as_what_lies_beneath(tmp_path):
    original = backbones.load(f"hf:{write('resnet', tmp_path / 'network')}")
    backbones.save(accelerate(original), tmp_path / "saved")
    assert backbones.restore(tmp_path / "saved").spec == original.spec


def test_saved_and_restored_are_equal_to_the_bit(folder):
    original, restored = backbones.load("efficientnet-lite0"), backbones.restore(folder)
    views = random_views(original.spec, 1)
    assert restored.spec == original.spec
    assert np.array_equal(restored.forward(views), original.forward(views))


def test_only_weights_and_facts_are_written(folder):
    assert {path.name for path in folder.iterdir()} == {"spec.json", "weights.safetensors"}


def test_missing_spec(tmp_path):
    with pytest.raises(BackboneError, match="is no saved backbone"):
        backbones.restore(tmp_path)


def test_missing_weights(folder):
    (folder / "weights.safetensors").unlink()
    with pytest.raises(BackboneError, match="no weights file"):
        backbones.restore(folder)


def test_truncated_weights(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BackboneError, match="cannot be read as weights"):
        backbones.restore(folder)


def test_altered_weights(folder):
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BackboneError, match="were altered"):
        backbones.restore(folder)


def test_damaged_spec(folder):
    (folder / "spec.json").write_text("{")
    with pytest.raises(BackboneError, match="cannot be understood"):
        backbones.restore(folder)


def test_spec_with_an_unknown_field(folder):
    change(folder, colour="red")
    with pytest.raises(BackboneError, match="colour"):
        backbones.restore(folder)


def test_unknown_family(folder):
    change(folder, family="os")
    with pytest.raises(BackboneError, match="the family 'os'"):
        backbones.restore(folder)


def test_unknown_variant(folder):
    change(folder, name="efficientnet-lite9")
    with pytest.raises(BackboneError, match="'efficientnet-lite9'"):
        backbones.restore(folder)


def test_own_family(folder, monkeypatch):
    monkeypatch.setitem(backbones.RESTORE, "mine", "vidfit.backbones.lite:restore")
    change(folder, family="mine")
    assert backbones.restore(folder).spec.family == "mine"
