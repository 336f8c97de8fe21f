"""Graphs on disk run without torch, as they are, or not at all."""

import dataclasses
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from vidfit import backbones, runtime
from vidfit.backbones.graph import graph_backbone
from vidfit.contracts import Sampling
from vidfit.errors import BackboneError
from vidfit.testing import random_views

ENGINES = ("onnx", "openvino")


def graph_of(tiny, folder, engine, change=lambda model: None):
    """Return the tiny network as a graph of its own, perhaps changed."""
    (export,) = folder.glob("*.onnx")
    model = onnx.load(export)
    change(model)
    path = folder / "graph" / "network.onnx"
    path.parent.mkdir(exist_ok=True)
    onnx.save(model, path)
    return graph_backbone(tiny.spec, path, "tiny-int8", engine)


@pytest.fixture
def own_cache(filled_cache, tmp_path):
    return shutil.copytree(filled_cache, tmp_path / "engines")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_graph_runs_on_its_engine(tiny, own_cache, engine):
    graph = graph_of(tiny, own_cache, engine)
    fast = runtime.accelerate(graph, cache=own_cache)
    assert (fast.engine, fast.base, fast.parity, fast.reason) == (engine, graph, 0.0, "")
    assert fast.frames in (1, 2, 4, 8)
    views = random_views(tiny.spec, 5)
    np.testing.assert_allclose(fast.forward(views), tiny.forward(views), rtol=1e-4, atol=1e-5)
    assert len(list(own_cache.glob(f"tiny-int8-*.choice-{engine}-*.json"))) == 1


def test_a_graph_takes_other_views_and_is_saved(tiny, own_cache, tmp_path):
    fast = runtime.accelerate(graph_of(tiny, own_cache, "onnx"), cache=own_cache)
    fewer = backbones.with_sampling(fast, Sampling(clip_len=2, num_clips=1))
    assert runtime.accelerate(fewer, cache=own_cache).spec.sampling.num_clips == 1
    backbones.save(fast, tmp_path / "saved")
    restored = backbones.restore(tmp_path / "saved")
    again = runtime.accelerate(restored, cache=own_cache)
    views = random_views(tiny.spec, 2)
    np.testing.assert_array_equal(again.forward(views), fast.forward(views))


WITHOUT_TORCH = """
import sys
from pathlib import Path
from vidfit import backbones, runtime
import numpy as np
fast = runtime.accelerate(backbones.restore(Path(sys.argv[1])), cache=Path(sys.argv[2]))
fast.forward(np.zeros((3, 2, 32, 24, 3), np.uint8))
print("torch" in sys.modules)
"""


def test_opening_and_running_a_graph_does_not_load_torch(tiny, own_cache, tmp_path):
    backbones.save(graph_of(tiny, own_cache, "openvino"), tmp_path / "saved")
    command = [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path / "saved"), str(own_cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("damage", ["truncate", "alter", "remove", "empty"])
def test_a_damaged_graph_is_refused(tiny, own_cache, engine, damage):
    graph = graph_of(tiny, own_cache, engine)
    content = graph.graph.read_bytes()
    if damage == "remove":
        graph.graph.unlink()
    else:
        kept = {"truncate": content[:-100], "alter": content[:-9] + bytes(9), "empty": b""}
        graph.graph.write_bytes(kept[damage])
    with pytest.raises(BackboneError, match=f"{engine} cannot run tiny-int8"):
        runtime.accelerate(graph, cache=own_cache)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("content", [b"", b"no graph", b"\x08\x0a" * 50])
def test_what_is_no_graph_is_refused_even_with_its_checksum(tiny, own_cache, engine, content):
    path = own_cache / "network.txt"
    path.write_bytes(content)
    graph = graph_backbone(tiny.spec, path, "tiny-int8", engine)
    with pytest.raises(BackboneError, match=f"{engine} cannot run tiny-int8"):
        runtime.accelerate(graph, cache=own_cache)


@pytest.mark.parametrize("engine", ENGINES)
def test_custom_operations_are_refused(tiny, own_cache, engine):
    def wants_a_library(model):
        node = helper.make_node("Own", ["frames"], ["tokens"], domain="com.example")
        model.graph.node.clear()
        model.graph.node.append(node)
        model.opset_import.append(helper.make_opsetid("com.example", 1))

    graph = graph_of(tiny, own_cache, engine, wants_a_library)
    with pytest.raises(BackboneError, match=f"{engine} cannot run tiny-int8"):
        runtime.accelerate(graph, cache=own_cache)


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_in_other_files_are_refused(tiny, own_cache, engine):
    def point_elsewhere(model):
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "../../secret"

    graph = graph_of(tiny, own_cache, engine, point_elsewhere)
    with pytest.raises(BackboneError, match="keeps weights in other files"):
        runtime.accelerate(graph, cache=own_cache)


def test_a_graph_for_another_engine_is_refused(tiny, own_cache):
    graph = graph_of(tiny, own_cache, "onnx")
    strange = dataclasses.replace(graph, spec=dataclasses.replace(graph.spec, family="tensorrt"))
    with pytest.raises(BackboneError, match="graph for 'tensorrt'; valid are onnx, openvino"):
        runtime.accelerate(strange, cache=own_cache)
    with pytest.raises(BackboneError, match="which torch cannot run"):
        runtime.accelerate(graph, engine="torch", cache=own_cache)
