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
    torch.save({"epoch": 3, "config": {"a": 1}}, tmp_path / "w.pth")
    with pytest.raises(BackboneError, match="not hold a plain state dict"):
        weights.read(tmp_path / "w.pth")


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "module"])
def test_checkpoints_of_training_frameworks_are_unwrapped(tmp_path, key):
    torch.save({"epoch": 3, key: STATE, "optimizer": {"lr": 0.1}}, tmp_path / "w.pth")
    assert weights.digest(weights.read(tmp_path / "w.pth")) == weights.digest(STATE)


def test_fill_names_what_does_not_fit():
    module = torch.nn.Linear(3, 2)
    state = {"weight": torch.zeros(2, 4), "scale": torch.zeros(1)}
    with pytest.raises(BackboneError) as caught:
        weights.fill(module, state, "w.pth")
    for part in ("missing: bias", "unexpected: scale", r"weight (2, 4) instead of (2, 3)"):
        assert part in str(caught.value)


def network():
    """Return a body of two layers and a normalisation, without memory, and weights for it."""
    torch.manual_seed(0)
    body = torch.nn.Sequential()
    body.add_module("stem", torch.nn.Conv2d(3, 4, 3))
    body.add_module("blocks", torch.nn.Sequential(torch.nn.Conv2d(4, 4, 1)))
    body.add_module("norm", torch.nn.BatchNorm2d(4))
    state = {name: tensor.clone() for name, tensor in body.state_dict().items()}
    return body.to("meta"), state


@pytest.mark.parametrize("prefix", ["", "module.", "backbone.", "module.model.backbone."])
def test_take_leaves_heads_out_and_lists_them(prefix):
    module, state = network()
    checkpoint = {f"{prefix}{name}": tensor for name, tensor in state.items()}
    checkpoint |= {
        f"{prefix}classifier.weight": torch.zeros(7, 4),
        "ema.norm.weight": torch.ones(4),
    }
    taken = weights.take(module, checkpoint, "w.pth")
    assert weights.digest(module.state_dict()) == weights.digest(state)
    ignored = tuple(sorted([f"{prefix}classifier.weight", "ema.norm.weight"]))
    assert taken == weights.Taken(count=len(state), ignored=ignored)
    assert str(taken) == f"took {len(state)} tensors; ignored {', '.join(ignored)}"


def test_take_of_half_precision_is_widened():
    module, state = network()
    half = {name: t.half() if t.is_floating_point() else t for name, t in state.items()}
    weights.take(module, half, "w.pth")
    assert module.stem.weight.dtype == torch.float32
    assert torch.equal(module.stem.weight, half["stem.weight"].float())


def test_take_of_old_files_without_counters():
    module, state = network()
    del state["norm.num_batches_tracked"]
    assert weights.take(module, state, "w.pth").count == len(state)
    assert module.norm.num_batches_tracked == 0


def test_take_names_what_would_be_random():
    module, state = network()
    del state["stem.bias"]
    state["norm.weight"] = torch.ones(5)
    with pytest.raises(BackboneError) as caught:
        weights.take(module, {f"module.{name}": t for name, t in state.items()}, "w.pth")
    assert "(missing: stem.bias; of another shape: norm.weight (5,) instead of (4,))" in str(
        caught.value
    )


def test_take_refuses_layers_that_the_network_does_not_have():
    module, state = network()
    with pytest.raises(BackboneError, match=r"unexpected: blocks\.1\.weight"):
        weights.take(module, state | {"blocks.1.weight": torch.zeros(1)}, "w.pth")


def test_take_does_not_choose_between_two_networks():
    module, state = network()
    both = {f"{who}.{name}": t for who in ("student", "teacher") for name, t in state.items()}
    with pytest.raises(BackboneError, match=r"2 times, under 'student\.', 'teacher\.'"):
        weights.take(module, both, "w.pth")


def test_take_of_a_wholly_different_network():
    module, _ = network()
    with pytest.raises(BackboneError, match=r"missing: blocks\.0\.bias"):
        weights.take(module, {"embed": torch.zeros(3), "norm.weight": torch.ones(4)}, "w.pth")
