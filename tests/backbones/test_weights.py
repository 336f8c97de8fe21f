"""State dicts on disk and their digest."""

import pickle

import pytest
import torch

from vidfit.backbones import weights
from vidfit.errors import BackboneError

STATE = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3)}


def test_digest_is_of_names_types_shapes_and_values():
    same = {"b": STATE["b"].clone(), "a": STATE["a"].t().contiguous().t()}
    assert weights.digest(same) == weights.digest(STATE)
    others = [
        {"a": STATE["a"], "c": STATE["b"]},
        {"a": STATE["a"].double(), "b": STATE["b"]},
        {"a": STATE["a"].reshape(3, 2), "b": STATE["b"]},
        {"a": STATE["a"] + 1, "b": STATE["b"]},
    ]
    assert len({weights.digest(other) for other in [STATE, *others]}) == 5


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_reading_gives_what_was_written(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".pth":
        torch.save(STATE, path)
    else:
        weights.write(STATE, path)
    assert weights.digest(weights.read(path)) == weights.digest(STATE)


def test_tied_and_transposed_tensors_can_be_written(tmp_path):
    weights.write({"a": STATE["a"].t(), "b": STATE["a"]}, tmp_path / "w.safetensors")
    assert torch.equal(weights.read(tmp_path / "w.safetensors")["a"], STATE["a"].t())


class Attack:
    def __reduce__(self):
        return (open, ("ran", "w"))


def test_pickled_code_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pth").write_bytes(pickle.dumps({"a": Attack()}, protocol=2))
    with pytest.raises(BackboneError, match="cannot be read as weights"):
        weights.read(tmp_path / "w.pth")
    torch.save({"a": Attack()}, tmp_path / "v.pth")
    with pytest.raises(BackboneError, match="cannot be read as weights"):
        weights.read(tmp_path / "v.pth")
    assert not (tmp_path / "ran").exists()


def test_checkpoint_that_is_no_state_dict(tmp_path):
    torch.save({"epoch": 3, "model": STATE}, tmp_path / "w.pth")
    with pytest.raises(BackboneError, match="not hold a plain state dict"):
        weights.read(tmp_path / "w.pth")


def test_fill_names_what_does_not_fit():
    module = torch.nn.Linear(3, 2)
    state = {"weight": torch.zeros(2, 4), "scale": torch.zeros(1)}
    with pytest.raises(BackboneError) as caught:
        weights.fill(module, state, "w.pth")
    for part in ("missing: bias", "unexpected: scale", r"weight (2, 4) instead of (2, 3)"):
        assert part in str(caught.value)
