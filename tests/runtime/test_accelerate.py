"""Engines agree with torch, serve threads, and are exported once."""

import dataclasses
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vidfit import backbones, runtime
from vidfit.backbones.saved import SavedBackbone
from vidfit.contracts import Backbone, Preprocessing, Sampling, TorchBackbone
from vidfit.errors import BackboneError
from vidfit.runtime import onnx
from vidfit.runtime.choice import EngineChoice
from vidfit.testing import check_backbone, random_views

HERE = ("onnx", "openvino", "torch")
"""Engines that any machine has, and that open at once."""


@pytest.fixture
def no_export(monkeypatch):
    """Make any export fail the test."""

    def export(*_):
        raise AssertionError("exported again")

    monkeypatch.setattr(onnx, "export", export)
    monkeypatch.setattr(onnx, "export_traced", export)


@pytest.fixture
def own_cache(filled_cache, tmp_path):
    return shutil.copytree(filled_cache, tmp_path / "engines")


@pytest.mark.parametrize("engine", HERE)
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_engine_agrees_with_torch(tiny, filled_cache, engine, batch):
    fast = runtime.accelerate(tiny, engine=engine, cache=filled_cache)
    views = random_views(tiny.spec, batch, seed=3)
    assert isinstance(fast, Backbone)
    assert fast.engine == engine
    assert (fast.parity == 0) == (engine == "torch") and fast.parity < 1e-5
    tokens = fast.forward(views)
    assert tokens.dtype == np.float32
    # float32 sums in another order
    np.testing.assert_allclose(tokens, tiny.forward(views), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wrong", [1, 2, 8])
def test_an_engine_is_held_against_torch_at_one_view_and_at_the_batch_that_is_used(
    tiny, own_cache, monkeypatch, wrong
):
    open_session = onnx.open_session

    def wrong_at_a_batch(path, threads):
        run = open_session(path, threads)
        return lambda frames: run(frames) + (len(frames) == wrong)

    monkeypatch.setattr(onnx, "open_session", wrong_at_a_batch)
    for note in own_cache.glob("*.json"):
        note.unlink()
    monkeypatch.setattr(
        runtime, "choose", lambda runs, *_: EngineChoice(next(iter(runs)), 16, {})
    )  # of two frames a view
    fast = runtime.accelerate(tiny, cache=own_cache)
    assert (fast.engine, fast.frames) == ("openvino", 16)
    assert "onnx cannot run tiny: ValueError: its tokens differ from torch by" in fast.reason
    assert f"at a batch of {wrong}," in fast.reason
    with pytest.raises(BackboneError, match=f"at a batch of {wrong}"):
        runtime.accelerate(tiny, engine="onnx", cache=own_cache)
    assert runtime.accelerate(tiny, cache=own_cache).engine == "openvino"  # as it is noted


def test_a_note_of_fewer_batches_is_made_anew(tiny, own_cache):
    (path,) = own_cache.glob("*.onnx-*.json") or own_cache.glob("*.onnx*.json")
    note = json.loads(path.read_text())
    path.write_text(json.dumps({**note, "batches": [2], "parity": 0.5}))
    assert runtime.accelerate(tiny, engine="onnx", cache=own_cache).parity < 1e-5
    assert json.loads(path.read_text())["batches"] == [2, 1]


@pytest.mark.parametrize("engine", HERE)
def test_engine_serves_threads_at_once(tiny, filled_cache, engine):
    fast = runtime.accelerate(tiny, engine=engine, cache=filled_cache)
    views = [random_views(tiny.spec, 1 + seed % 3, seed) for seed in range(40)]
    expected = [fast.forward(view) for view in views]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(fast.forward, views), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("engine", HERE)
def test_frames_that_are_read_only_or_strided(tiny, filled_cache, engine):
    fast = runtime.accelerate(tiny, engine=engine, cache=filled_cache)
    views = random_views(tiny.spec, 4)
    expected = fast.forward(views)
    np.testing.assert_allclose(fast.forward(views[::-1])[::-1], expected, rtol=1e-5)
    views.flags.writeable = False
    np.testing.assert_array_equal(fast.forward(views), expected)


def test_both_engines_read_one_export(filled_cache):
    assert len(list(filled_cache.glob("*.onnx"))) == 1


@pytest.fixture(scope="module")
def lite_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("lite")


def test_accelerated_backbone_keeps_the_contract(lite_cache):
    check_backbone(runtime.accelerate(backbones.load("efficientnet-lite0"), cache=lite_cache))


def test_lite_in_openvino_is_not_rounded_to_bfloat16(lite_cache):
    lite = backbones.load("efficientnet-lite0")
    fast = runtime.accelerate(lite, engine="openvino", cache=lite_cache)
    views = random_views(lite.spec, 1)
    expected = lite.forward(views)
    # bfloat16 has 8 bits: its error would be near 1e-2
    assert np.abs(fast.forward(views) - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_second_time_nothing_is_exported(tiny, filled_cache, no_export, engine):
    assert runtime.accelerate(tiny, engine=engine, cache=filled_cache).engine == engine


def test_views_and_batches_share_an_export(tiny, filled_cache, no_export):
    fewer = backbones.with_sampling(tiny, Sampling(clip_len=2, num_clips=1))
    assert runtime.accelerate(fewer, cache=filled_cache).spec.sampling.num_clips == 1


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
@pytest.mark.parametrize("damage", ["truncate", "alter", "no checksum"])
def test_damaged_export_is_made_anew(tiny, own_cache, engine, damage):
    for path in own_cache.glob("*.onnx"):
        content = path.read_bytes()
        if damage == "truncate":
            path.write_bytes(content[: len(content) // 2])
        elif damage == "alter":
            path.write_bytes(content[:-50] + bytes(50))
        else:
            path.with_name(path.name + ".sha256").unlink()
    fast = runtime.accelerate(tiny, engine=engine, cache=own_cache)
    views = random_views(tiny.spec, 1)
    np.testing.assert_allclose(fast.forward(views), tiny.forward(views), rtol=1e-4, atol=1e-5)


def test_what_cannot_be_exported_runs_on_torch_with_a_reason(branching, tmp_path, capfd):
    fast = runtime.accelerate(branching, cache=tmp_path)
    assert (fast.engine, fast.parity) == ("torch", 0.0)
    for engine in ("onnx", "openvino"):
        assert f"{engine} cannot run tiny: GuardOnDataDependent" in fast.reason
    views = random_views(branching.spec, 1)
    np.testing.assert_array_equal(fast.forward(views), branching.forward(views))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_engine_that_is_not_installed_is_passed_over(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "openvino", None)
    fast = runtime.accelerate(tiny, cache=tmp_path)
    assert fast.engine == "torch"
    assert "onnx cannot run tiny: ModuleNotFoundError: import of onnxruntime" in fast.reason


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_engine_that_was_asked_for_must_run(branching, tmp_path, engine):
    with pytest.raises(BackboneError, match=f"{engine} cannot run tiny"):
        runtime.accelerate(branching, engine=engine, cache=tmp_path)


def test_export_that_differs_from_torch_is_refused(tiny, tmp_path, monkeypatch):
    export = onnx.export

    def export_something_else(backbone, path):
        other = Preprocessing(32, 24, std=(70.0, 60.0, 50.0))
        network = type(backbone.network)(backbone.network.trunk, other)
        export(dataclasses.replace(backbone, network=network), path)

    monkeypatch.setattr(onnx, "export", export_something_else)
    monkeypatch.setattr(onnx, "export_traced", export_something_else)
    with pytest.raises(BackboneError, match=r"differ from torch by .* 0.001 is allowed"):
        runtime.accelerate(tiny, engine="onnx", cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_accelerated_saves_what_it_was_made_from(filled_cache, tmp_path):
    lite = backbones.load("efficientnet-lite0")
    fast = runtime.accelerate(lite, engine="torch", cache=filled_cache)
    backbones.save(fast, tmp_path)
    assert backbones.restore(tmp_path).spec == lite.spec


def test_accelerated_can_be_moved_to_another_engine(tiny, filled_cache, no_export):
    fast = runtime.accelerate(tiny, engine="onnx", cache=filled_cache)
    fewer = backbones.with_sampling(fast, Sampling(clip_len=2, num_clips=1))
    moved = runtime.accelerate(fewer, engine="openvino", cache=filled_cache)
    assert moved.base is tiny
    assert moved.spec.sampling.num_clips == 1


def test_accelerated_keeps_the_length_of_its_views(tiny, filled_cache):
    fast = runtime.accelerate(tiny, engine="onnx", cache=filled_cache)
    with pytest.raises(BackboneError, match="takes views of 2 frames"):
        backbones.with_sampling(fast, Sampling(clip_len=3, num_clips=1))


def test_names_with_slashes_and_colons_can_be_cached(tiny, tmp_path):
    spec = dataclasses.replace(tiny.spec, name="hf:../org/name")
    runtime.accelerate(dataclasses.replace(tiny, spec=spec), engine="onnx", cache=tmp_path / "c")
    assert {path.name.partition("name")[0] for path in (tmp_path / "c").iterdir()} == {"hf-..-org-"}


def test_backbone_without_a_network_is_returned_as_it_is(tiny):
    class Counting:
        spec = tiny.spec

        def forward(self, frames_BTHWC):
            return np.zeros((len(frames_BTHWC), 1, 16), np.float32)

        def save(self, directory):
            (directory / "nothing").touch()

    counting = Counting()
    assert runtime.accelerate(counting) is counting


@pytest.mark.parametrize("engine", HERE)
def test_wrong_frames_are_refused(tiny, filled_cache, engine):
    fast = runtime.accelerate(tiny, engine=engine, cache=filled_cache)
    with pytest.raises(BackboneError, match=r"takes uint8 \[B, 2, 32, 24, 3\]"):
        fast.forward(np.zeros((1, 2, 24, 32, 3), np.uint8))


def test_wrong_arguments(tiny):
    with pytest.raises(BackboneError, match="valid are onnx, openvino, torch, compile, cuda"):
        runtime.accelerate(tiny, engine="tensorrt")
    with pytest.raises(BackboneError, match="threads is 0"):
        runtime.accelerate(tiny, threads=0)


def test_the_two_exporters_write_the_same_network(tiny, tmp_path):
    frames = random_views(tiny.spec, 3)
    for export in (onnx.export, onnx.export_traced):
        path = tmp_path / f"{export.__name__}.onnx"
        export(tiny, path)
        assert np.allclose(onnx.open_session(path, 1)(frames), tiny.forward(frames), atol=1e-5)


def test_a_trace_that_is_another_network_is_written_by_the_other_exporter(
    tiny, tmp_path, monkeypatch
):
    traced = []

    def other_network(backbone, path):
        traced.append(path)
        size = Preprocessing(32, 24, std=(70.0, 60.0, 50.0))
        network = type(backbone.network)(backbone.network.trunk, size)
        onnx.export(dataclasses.replace(backbone, network=network), path)

    monkeypatch.setattr(onnx, "export_traced", other_network)
    fast = runtime.accelerate(tiny, engine="onnx", cache=tmp_path)
    assert len(traced) == 1
    frames = random_views(tiny.spec, 3)
    assert np.allclose(fast.forward(frames), tiny.forward(frames), atol=1e-4)


@pytest.fixture(scope="module")
def saved_lite(lite_cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "lite"
    lite = backbones.load("efficientnet-lite0")
    runtime.accelerate(lite, cache=lite_cache)
    backbones.save(lite, folder)
    return folder


def test_what_is_exported_runs_without_its_network(saved_lite, lite_cache, monkeypatch):
    def loaded(_):
        raise AssertionError("the network was read")

    monkeypatch.setattr(SavedBackbone, "loaded", loaded)
    deferred = runtime.accelerate(backbones.restore(saved_lite, deferred=True), cache=lite_cache)
    monkeypatch.undo()
    whole = runtime.accelerate(backbones.restore(saved_lite), cache=lite_cache)
    views = random_views(whole.spec, 2)
    assert np.array_equal(deferred.forward(views), whole.forward(views))
    assert (deferred.spec, deferred.engine, deferred.frames, deferred.parity) == (
        whole.spec, whole.engine, whole.frames, whole.parity,
    )  # fmt: skip
    assert isinstance(runtime.loaded(deferred), TorchBackbone)


def test_without_an_export_the_network_is_read(saved_lite, lite_cache, tmp_path):
    copy = shutil.copytree(lite_cache, tmp_path / "cache")
    for export in copy.glob("*.onnx"):
        export.write_bytes(b"damaged")
    deferred = backbones.restore(saved_lite, deferred=True)
    fast = runtime.accelerate(deferred, cache=copy)
    assert isinstance(fast.base, TorchBackbone)
    assert runtime.accelerate(deferred, cache=copy).engine == fast.engine


def test_altered_weights_are_refused_though_their_export_is_there(saved_lite, tmp_path):
    copy = shutil.copytree(saved_lite, tmp_path / "lite")
    file = copy / "weights.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(BackboneError, match="not those of its spec"):
        backbones.restore(copy, deferred=True)


def test_torch_is_not_imported_to_run_an_export(saved_lite, lite_cache):
    program = (
        "import sys; from pathlib import Path; from vidfit import backbones, runtime; "
        "found = backbones.restore(Path(sys.argv[1]), deferred=True); "
        "runtime.accelerate(found, cache=Path(sys.argv[2])); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(saved_lite), str(lite_cache)]
    assert subprocess.check_output(command, text=True) == "False\n"
