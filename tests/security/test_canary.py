"""Whatever is loaded, by whatever command: nothing that lies in it, or beside it, is run."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.called import call
from tests.clips import write_clip, write_dataset
from tests.security import altered
from tests.security.altered import BEFORE, setting, with_json

from vidfit import backbones as zoo
from vidfit.features import FeatureStore
from vidfit.jobs.train.folder import read_outcome
from vidfit.study.trial_child import try_in_child
from vidfit.training.checkpoint import read_checkpoint
from vidfit.training.clipset import open_set


class Bomb:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (self.canary,)


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """Modules that tell when they run lie in the working directory, and can be imported."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = altered.plant(tmp_path / "here")
    monkeypatch.chdir(found.parent)
    evil = tmp_path / "modules"
    evil.mkdir()
    (evil / "evil.py").write_text((found.parent / "evil.py").read_text())
    monkeypatch.syspath_prepend(str(evil))
    yield found
    assert "evil" not in sys.modules


def adapter(model: Path, canary: Path) -> None:
    config = {"peft_type": "LORA", "megatron_core": "evil", "megatron_config": {}, "r": 8}
    (model / "backbones" / "0" / "adapter_config.json").write_text(json.dumps(config))
    altered.rehash(model)


def config(model: Path, canary: Path) -> None:
    asked = {
        "auto_map": {"AutoModel": "evil.Evil", "AutoConfig": "evil.Evil"},
        "_attn_implementation": "evil/kernel",
        "quantization_config": {"quant_method": "evil"},
    }
    with_json(model, altered.CONFIG, setting(**asked))


def family(model: Path, canary: Path) -> None:
    with_json(model, altered.SPEC, setting(family="evil:Evil", name="evil.py:Evil"))


def pickled(model: Path, canary: Path) -> None:
    (model / "backbones" / "0" / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(canary)))
    (model / "backbones" / "0" / "model.safetensors").unlink()
    altered.rehash(model)


def head(model: Path, canary: Path) -> None:
    (model / "head.safetensors").write_bytes(pickle.dumps(Bomb(canary)))
    with_json(altered.rehash(model), "model.json", setting(head="evil:Evil"))


ATTACKS = {"adapter": adapter, "family": family, "pickle": pickled, "head": head}
COMMANDS = {
    "predict": lambda m: ["predict", m, "v.mp4"],
    "export": lambda m: ["export", m, "-o", "out"],
    "benchmark": lambda m: ["benchmark", m, "-o", "out"],
    "compress": lambda m: ["compress", m, "clips", "-o", "out"],
    "pull": lambda m: ["pull", m, "pulled"],
}


@pytest.fixture
def refused_here(monkeypatch):
    """Try models in this process, where modules of the attacker can be imported."""
    from vidfit.study import trial

    monkeypatch.setattr("vidfit.study.opened_model.try_in_child", trial.run_trial)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_model(command, attack, canary, tmp_path, refused_here):
    model = altered.copy(tmp_path / "model")
    ATTACKS[attack](model, canary)
    write_clip(canary.parent / "v.mp4")
    write_dataset(canary.parent / "clips", 1)
    result = call(*COMMANDS[command](model))
    assert result.exit_code == 2 and "vidfit: " in result.output
    assert not canary.exists()


def test_a_config_that_asks_for_code_gets_a_plain_network(canary, tmp_path):
    model = altered.copy(tmp_path / "model")
    config(model, canary)
    zoo.restore(model / "backbones" / "0")
    zoo.load(f"hf:{model / 'backbones' / '0'}")
    assert not canary.exists()


def test_a_child_takes_no_module_from_the_working_directory(canary, tmp_path):
    try_in_child(altered.copy(tmp_path / "model"))
    assert not canary.exists()


@pytest.mark.parametrize("name", ["start.safetensors", "learn.npy", "choose.npy", "set/labels.npy"])
def test_a_run_folder(canary, tmp_path, name):
    from vidfit.errors import StoreError
    from vidfit.jobs.train.folder import execute
    from vidfit.training.clipset import ClipSet

    run = tmp_path / "run"
    tokens = np.zeros((4, 8, 1280), np.float32)
    ClipSet(np.arange(4) % 2, {"tokens": tokens}).write(run / "set")
    for rows in ("learn", "choose"):
        np.save(run / f"{rows}.npy", np.arange(4))
    (run / "plan.json").write_text((BEFORE / "plan.json").read_text())
    (run / name).write_bytes(pickle.dumps(Bomb(canary)))
    with pytest.raises(StoreError):
        execute(run)
    assert not canary.exists()


def test_what_a_run_left_behind(canary, tmp_path):
    from vidfit.errors import StoreError

    bomb = pickle.dumps(Bomb(canary))
    place = tmp_path / "run" / "checkpoint" / "checkpoint-00000001"
    place.mkdir(parents=True)
    (place / "state.json").write_text("{}")
    (place / "state.safetensors").write_bytes(bomb)
    (tmp_path / "run" / "trained.safetensors").write_bytes(bomb)
    (tmp_path / "run" / "history.json").write_text('{"history": []}')
    with pytest.raises(StoreError):
        read_outcome(tmp_path / "run")
    with pytest.raises(StoreError):
        read_checkpoint(place.parent)
    np.save(tmp_path / "labels.npy", np.array([Bomb(canary)]), allow_pickle=True)
    with pytest.raises(StoreError):
        open_set(tmp_path)
    assert not canary.exists()


def test_a_store(canary, tmp_path):
    spec = zoo.load("motion").spec
    store = FeatureStore(altered.copy(tmp_path / "features", BEFORE / "features"))
    (folder,) = store.root.iterdir()
    (folder / "part-evil.parquet").write_bytes(pickle.dumps(Bomb(canary)))
    (folder / "spec.json").write_text('{"name": "evil.py:Evil", "family": "evil:Evil"}')
    assert len(dict(store.rows(spec))) == 2
    assert not canary.exists()


def test_a_shard(canary, tmp_path):
    import io
    import tarfile

    from vidfit.errors import VidfitError
    from vidfit.video import VideoReader

    with tarfile.open(tmp_path / "clips.tar", "w") as tar:
        for name in ("a.pkl", "a.npy", "a.pth", "a.mp4"):
            content = pickle.dumps(Bomb(canary))
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    for name in ("a.pkl", "a.npy", "a.pth", "a.mp4"):
        with pytest.raises(VidfitError), VideoReader(f"{tmp_path / 'clips.tar'}::{name}") as reader:
            reader.info  # noqa: B018
    assert not canary.exists()


@pytest.mark.parametrize(
    "values",
    [{"failures": 7}, {"failures": ["x"]}, {"failures": [{"clip": "x"}]}, {"format": "evil"}],
    ids=str,
)
def test_a_document_of_shards(canary, tmp_path, values):
    from vidfit.errors import ManifestError
    from vidfit.manifest import read_manifest
    from vidfit.video.archive import DOCUMENT

    folder = shards_of(tmp_path / "shards")
    assert len(read_manifest(folder).clips) == 1
    document = json.loads((folder / DOCUMENT).read_text())
    (folder / DOCUMENT).write_text(json.dumps(document | values))
    with pytest.raises(ManifestError):
        read_manifest(folder)
    assert not canary.exists()


@pytest.mark.parametrize("shard", ["../other/clips.tar", "/etc/passwd", "a/../../x.tar"])
def test_an_index_of_shards_names_none_elsewhere(tmp_path, shard):
    from vidfit.errors import ManifestError
    from vidfit.manifest import read_manifest

    with pytest.raises(ManifestError, match="names a shard elsewhere"):
        read_manifest(shards_of(tmp_path / "shards", shard))


def shards_of(folder: Path, shard: str = "clips.tar") -> Path:
    """Write an index of one clip, and the document beside it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from vidfit.video.archive import DOCUMENT, INDEX

    span = {
        "row": 0, "start_seconds": 0.0, "end_seconds": None, "label": "a", "group": "g",
        "split": None, "text": None,
    }  # fmt: skip
    folder.mkdir()
    row = {"shard": shard, "member": "a.mp4", "spans": [span]}
    pq.write_table(pa.Table.from_pylist([row]), folder / INDEX)
    facts = {"format": 1, "by": "video", "shards": [], "failures": []}
    (folder / DOCUMENT).write_text(json.dumps(facts))
    return folder
