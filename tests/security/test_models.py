"""A model is anybody's: what does not answer as a model does is refused in words, with status 2."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.called import call
from tests.clips import write_clip
from tests.security import altered
from tests.security.altered import (
    CONFIG,
    HEAD,
    MODEL,
    SPEC,
    WEIGHTS,
    setting,
    with_arrays,
    with_json,
)

from vidfit import backbones as zoo
from vidfit.backbones.graph import graph_backbone
from vidfit.errors import ModelError, VideoError, VidfitError
from vidfit.fusion import REMOVED_HEADS
from vidfit.jobs.exchange.run import run_pull, run_push
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.model import is_known, load_model, save_model
from vidfit.onnx_rules import check_network
from vidfit.runtime import onnx as onnx_engine
from vidfit.study import trial
from vidfit.study.opened_model import open_model


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def here(monkeypatch):
    """Try models in this process: a child takes seconds to start."""
    monkeypatch.setattr("vidfit.study.opened_model.try_in_child", trial.run_trial)


@pytest.fixture
def model(tmp_path):
    return altered.copy(tmp_path / "model")


# ---------------------------------------------------------------- what a model says of itself

DOCUMENTS = {
    "temperature 0": {"temperature": 0.0},
    "temperature below 0": {"temperature": -1.0},
    "temperature NaN": {"temperature": float("nan")},
    "no window": {"window_seconds": 0.0},
    "window below 0": {"window_seconds": -2.0},
    "endless window": {"window_seconds": float("inf")},
    "longest below 0": {"longest_seconds": -1.0},
    "novelty NaN": {"unknown_novelty": float("nan")},
    "probability of 2": {"unknown_probability": 2.0},
    "classes alike": {"classes": ["left", "left"]},
    "classes of numbers": {"classes": [1, 2]},
    "no classes": {"classes": []},
    "a class more": {"classes": ["left", "right", "still"]},
    "members alike": {"members": ["motion", "motion"]},
    "other members": {"members": ["motion", "hf:small@2"]},
    "no members": {"members": []},
    "unknown head": {"head": "evil:Evil"},
    "another head": {"head": "logistic"},
    "a network's head": {"head": "network"},
    "head of no text": {"head": ["linear"]},
    "card of no object": {"card": [1]},
    "files of no object": {"files": ["model.json"]},
}


@pytest.mark.parametrize("values", DOCUMENTS.values(), ids=DOCUMENTS)
def test_what_no_model_says_of_itself_is_refused(model, here, values):
    with pytest.raises(ModelError):
        open_model(with_json(model, "model.json", setting(**values)))


@pytest.mark.parametrize("head", REMOVED_HEADS)
def test_a_model_that_ends_in_a_removed_fusion_says_what_to_do(model, head):
    changed = with_json(model, "model.json", setting(head=head))
    match = f"{model}.* ends in the fusion '{head}', which vidfit no longer has; fit .* again"
    with pytest.raises(ModelError, match=match):
        open_model(changed)


@pytest.mark.parametrize("text", ["[" * 10**5, '{"card":' * 10**5, "1" * 5000, "NaN", "\0"])
@pytest.mark.parametrize("name", ["model.json", SPEC, CONFIG])
def test_json_that_no_reader_survives_is_refused(model, here, name, text):
    (model / name).write_text(text)
    with pytest.raises(VidfitError):
        open_model(altered.rehash(model) if name != "model.json" else model)


SPECS = {
    "views": {"sampling": {"clip_len": 1, "num_clips": 10**9, "interval_seconds": None}},
    "no views": {"sampling": {"clip_len": 1, "num_clips": 0, "interval_seconds": None}},
    "frames": {"sampling": {"clip_len": 4096, "num_clips": 4096, "interval_seconds": None}},
    "interval": {"sampling": {"clip_len": 2, "num_clips": 1, "interval_seconds": -0.1}},
    "dim 0": {"dim": 0},
    "another dim": {"dim": 9},
    "family": {"family": "evil:Evil"},
    "family of no text": {"family": ["hf"]},
    "architecture": {"architecture": "evil"},
    "gmacs": {"gmacs_per_view": float("inf")},
    "revision": {"revision": "0" * 64},
    "one more": {"evil": 1},
}


@pytest.mark.parametrize("values", SPECS.values(), ids=SPECS)
def test_a_member_that_cannot_be_is_refused(model, here, values):
    with pytest.raises(VidfitError):
        open_model(with_json(model, SPEC, setting(**values)))


def test_a_size_that_no_machine_holds_is_refused(model, here):
    size = {"height_pixels": 4096, "width_pixels": 4096, "short_side_pixels": None}
    many = {"clip_len": 16, "num_clips": 16, "interval_seconds": None}
    plain = {"mean": [0.0] * 3, "std": [1.0] * 3}
    values = setting(preprocessing=size | plain, sampling=many)
    with pytest.raises(VidfitError, match="give at most 1,073,741,824"):
        open_model(with_json(model, SPEC, values))


# ---------------------------------------------------------------- a network of transformers

CONFIGS = {
    "layers": {"num_hidden_layers": 10**6},
    "zero heads": {"num_attention_heads": 0},
    "heads of a text": {"num_attention_heads": "two"},
    "width": {"hidden_size": 10**6},
    "inner width": {"intermediate_size": 10**6},
    "patches of nothing": {"patch_size": 0},
    "unknown activation": {"hidden_act": "evil"},
    "epsilon": {"layer_norm_eps": float("nan")},
    "kind": {"model_type": "evil"},
    "kind of no text": {"model_type": ["vit"]},
    "a list of a million": {"image_size": [1] * 10**6},
}


@pytest.mark.parametrize("values", CONFIGS.values(), ids=CONFIGS)
def test_a_config_that_no_network_has_is_refused(model, here, values):
    with pytest.raises(VidfitError):
        open_model(with_json(model, CONFIG, setting(**values)))


IGNORED = {
    "kernels": {"_attn_implementation": "org/kernel", "attn_implementation": "org/kernel"},
    "code": {"auto_map": {"AutoModel": "evil.Evil", "AutoConfig": "evil.Evil"}},
    "quantiser": {"quantization_config": {"quant_method": "evil"}},
    "type": {"dtype": "load", "torch_dtype": "load"},
    "kernel config": {"kernel_config": {"x": "org/kernel"}, "fusion_config": {"x": "evil"}},
    "weights elsewhere": {"transformers_weights": "../../../evil.safetensors"},
}


@pytest.mark.parametrize("values", IGNORED.values(), ids=IGNORED)
def test_fields_that_ask_for_more_than_a_network_are_not_read(model, values):
    expected = zoo.restore(MODEL / "backbones" / "0")
    found = zoo.restore(with_json(model, CONFIG, setting(**values)) / "backbones" / "0")
    assert found.spec == expected.spec
    frames = np.zeros((1, 1, 16, 16, 3), np.uint8)
    np.testing.assert_array_equal(found.forward(frames), expected.forward(frames))


@pytest.mark.parametrize(
    "name",
    ["adapter_config.json", "adapter_model.safetensors", "modeling.py", "pytorch_model.bin",
     "generation_config.json", "processor_config.json", "model.bin", ".hidden"],
)  # fmt: skip
def test_a_member_has_no_files_but_those_that_vidfit_writes(model, here, name):
    config = {"peft_type": "LORA", "megatron_core": "evil", "megatron_config": {}, "r": 8}
    (model / "backbones" / "0" / name).write_text(json.dumps(config))
    with pytest.raises(VidfitError, match=f"has '{name}', which vidfit never writes"):
        open_model(altered.rehash(model))


def test_an_adapter_beside_a_network_of_the_hub_is_not_looked_for(model, tmp_path, monkeypatch):
    canary = altered.plant(tmp_path / "here")
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    shutil.copy(canary.parent / "evil.py", (tmp_path / "modules").mkdir() or tmp_path / "modules")
    place = model / "backbones" / "0"
    config = {"peft_type": "LORA", "megatron_core": "evil", "megatron_config": {"x": 1}, "r": 8,
              "target_modules": ["query"], "base_model_name_or_path": "org/name"}  # fmt: skip
    (place / "adapter_config.json").write_text(json.dumps(config))
    shutil.copy(place / "model.safetensors", place / "adapter_model.safetensors")
    zoo.load(f"hf:{place}")
    assert not canary.exists()


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["mean_D", "scale_D", "weight_KD", "bias_K"])
def test_a_head_of_no_numbers_is_refused(model, here, name, number):
    with_arrays(model, HEAD, lambda arrays: arrays[name].flat.__setitem__(0, number))
    with pytest.raises(ModelError, match=f"array '{name}' holds numbers out of range, NaN"):
        open_model(model)


HEADS = {
    "turned": lambda arrays: arrays.update(weight_KD=arrays["weight_KD"].T.copy()),
    "missing": lambda arrays: arrays.pop("bias_K"),
    "one more": lambda arrays: arrays.update(evil=arrays["bias_K"]),
    "of no size": lambda arrays: arrays.update(mean_D=np.zeros((), np.float32)),
    "empty": lambda arrays: arrays.update(bias_K=np.zeros(0, np.float32)),
    "broadcast": lambda arrays: arrays.update(mean_D=arrays["mean_D"][None].repeat(9, 0)),
    "whole numbers": lambda arrays: arrays.update(bias_K=np.zeros(2, np.int64)),
}


@pytest.mark.parametrize("change", HEADS.values(), ids=HEADS)
def test_arrays_that_no_head_has_are_refused(model, here, change):
    with pytest.raises(ModelError, match="the head's array"):
        open_model(with_arrays(model, HEAD, change))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_weights_of_no_numbers_are_refused(model, here, number):
    def change(arrays):
        name = sorted(arrays)[0]
        arrays[name] = np.full_like(arrays[name], number)

    altered.revised(with_arrays(model, WEIGHTS, change))
    with pytest.raises(VidfitError, match="holds NaN or infinity"):
        open_model(model)


def test_weights_that_overflow_do_not_answer(model, here, tmp_path):
    def change(arrays):
        for name in arrays:
            arrays[name] = np.full_like(arrays[name], 3e38)

    altered.revised(with_arrays(model, WEIGHTS, change))
    with pytest.raises(ModelError, match="tokens that are no numbers"):
        open_model(model)
    predictor = load(altered.trusted(model))  # as if it had answered noise
    with pytest.raises(VideoError, match="gave features that are not finite"):
        run_predict(predictor, str(write_clip(tmp_path / "v.mp4")), workers=1)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numpy, on the way to NaN
def test_an_answer_that_is_no_number_is_an_error(model, here, tmp_path):
    huge = {"scale_D": 3e38, "weight_KD": 3e38}
    with_arrays(
        model, HEAD, lambda a: a.update({n: np.full_like(a[n], x) for n, x in huge.items()})
    )
    with pytest.raises(ModelError, match="answers to noise are no probabilities"):
        open_model(model)
    predictor = load(altered.trusted(model))
    with pytest.raises(ModelError, match="answers a clip with nan at a novelty of"):
        run_predict(predictor, str(write_clip(tmp_path / "v.mp4")), workers=1)


def test_windows_have_a_bound(model, here, tmp_path):
    predictor = load(with_json(model, "model.json", setting(window_seconds=1e-7)))
    predictor = replace(predictor, model=replace(predictor.model, longest_seconds=0.0))
    with pytest.raises(VideoError, match="more than 1,000,000 answers"):
        run_predict(predictor, str(write_clip(tmp_path / "v.mp4")), workers=1)


# ---------------------------------------------------------------- graphs


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "network.onnx"
    onnx_engine.export(zoo.restore(MODEL / "backbones" / "0"), path)
    return onnx.load(path)


@pytest.fixture
def graph(exported):
    found = onnx.ModelProto()
    found.CopyFrom(exported)
    return found


def outside(tensor):
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../secret"
    return tensor


def loop():
    flag = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
    count = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    on = helper.make_tensor_value_info("on", TensorProto.BOOL, [])
    same = helper.make_node("Identity", ["go"], ["on"])
    body = helper.make_graph([same], "b", [count, flag], [on])
    rounds = helper.make_tensor("rounds", TensorProto.INT64, [], [2**62])
    return rounds, helper.make_node("Loop", ["rounds", ""], [], body=body)


def in_initializer(graph):
    outside(graph.graph.initializer[0])


def in_sparse(graph):
    values = helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    graph.graph.sparse_initializer.append(helper.make_sparse_tensor(outside(values), indices, [4]))


def in_function(graph):
    node = helper.make_node("Constant", [], ["y"], value=outside(TensorProto(name="v")))
    opset = [helper.make_opsetid("", 20)]
    graph.functions.append(helper.make_function("own", "f", [], ["y"], [node], opset))


def in_training(graph):
    graph.training_info.add().algorithm.initializer.append(outside(TensorProto(name="v")))


def function(graph):
    node = helper.make_node("Identity", ["x"], ["y"])
    opset = [helper.make_opsetid("", 20)]
    graph.functions.append(helper.make_function("own", "f", ["x"], ["y"], [node], opset))


def endless(graph):
    rounds, node = loop()
    graph.graph.initializer.append(rounds)
    graph.graph.node.append(node)


def custom(graph):
    graph.graph.node[0].domain = "com.evil"


def by_pixels(graph):
    cast = helper.make_node("Cast", ["frames"], ["sizes"], to=TensorProto.INT64)
    shape = helper.make_node("Reshape", ["sizes", "flat"], ["flat_sizes"])
    graph.graph.initializer.append(helper.make_tensor("flat", TensorProto.INT64, [1], [-1]))
    grow = helper.make_node("ConstantOfShape", ["flat_sizes"], ["large"])
    graph.graph.node.extend([cast, shape, grow])


def turned_round(graph):
    nodes = list(graph.graph.node)[::-1]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def another_output(graph):
    graph.graph.output.append(graph.graph.output[0])


GRAPHS = {
    in_initializer: "other files",
    in_sparse: "other files",
    in_function: "other files",
    in_training: "other files",
    function: "functions of its own",
    endless: "operation 'Loop'",
    custom: "operation 'com.evil ",
    by_pixels: "size depends on pixels",
    turned_round: "inputs come after it",
    another_output: "give ..tokens",
}


@pytest.mark.parametrize("change", GRAPHS, ids=lambda change: change.__name__)
def test_a_graph_of_more_than_arithmetic_is_refused(graph, change, tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(graph.SerializeToString())
    check_network(path)  # the honest one is taken
    change(graph)
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(ValueError, match=GRAPHS[change]):
        check_network(path)


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x08" * 1000, b"\xff" * 10])
def test_what_is_no_graph_is_refused(tmp_path, content):
    (tmp_path / "network.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"network\.onnx"):
        check_network(tmp_path / "network.onnx")


def with_graph(folder, graph):
    """Write a model around a graph, with a spec that names it."""
    folder.mkdir()
    (folder / "given.onnx").write_bytes(graph.SerializeToString())
    vit = zoo.restore(MODEL / "backbones" / "0")
    member = graph_backbone(vit.spec, folder / "given.onnx", "small", "onnx")
    old = load_model(MODEL)
    arrays = {n: a[..., :24] if n.endswith("D") else a for n, a in old.arrays.items()}
    model = replace(old, members=("small",), arrays=arrays)
    save_model(model, folder / "model", lambda _, to: zoo.save(member, to))
    return with_json(folder / "model", "model.json", setting(temperature=1.25))  # not known here


def test_a_child_with_limits_tries_a_model_once(graph, tmp_path, monkeypatch):
    model = with_graph(tmp_path / "a", graph)
    assert not is_known(model)
    open_model(model)
    assert is_known(model)
    monkeypatch.setattr("vidfit.study.opened_model.try_in_child", None)  # it is not asked again
    open_model(model)


def test_a_graph_that_wants_all_memory_ends_alone(graph, tmp_path):
    shape = helper.make_tensor("large", TensorProto.INT64, [2], [2**20, 2**14])
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    graph.graph.initializer.extend([shape, one])
    first = graph.graph.node[0].output[0]
    graph.graph.node.extend([
        helper.make_node("Expand", ["one", "large"], ["much"]),
        helper.make_node("ReduceMean", ["much"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "tokens_before"], ["tokens"]),
    ])  # fmt: skip
    for node in graph.graph.node[:-1]:
        for i, name in enumerate(node.output):
            if name == "tokens":
                node.output[i] = "tokens_before"
    assert first
    model = with_graph(tmp_path / "a", graph)
    with pytest.raises(ModelError):
        open_model(model)
    assert not is_known(model)


# ---------------------------------------------------------------- files and commands


def test_a_file_that_no_digest_covers_is_refused(model):
    document = json.loads((model / "model.json").read_text())
    del document["files"][SPEC]
    (model / "model.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match=rf"holds '{SPEC}', which its model.json does not name"):
        load_model(model)


def test_pull_refuses_what_predict_refuses(model, here, tmp_path):
    run_pull(str(model), tmp_path / "honest")
    for number, values in enumerate(({"temperature": 0.0}, {"members": ["motion", "x"]})):
        bad = with_json(altered.copy(tmp_path / f"bad{number}", model), "model.json",
                        setting(**values))  # fmt: skip
        with pytest.raises(ModelError, match=f"bad{number}"):
            run_pull(str(bad), tmp_path / "pulled")
        assert not (tmp_path / "pulled").exists()


CARDS = [{"accuracy": 1}, {"accuracy": {"value": "x"}}, {"members": 7}, {"compression": {"a": 1}},
         {"members": [{"name": ["motion"]}]}]  # fmt: skip


@pytest.mark.parametrize("card", CARDS, ids=str)
def test_a_card_that_cannot_be_put_into_words_is_said(model, tmp_path, card):
    with_json(model, "model.json", setting(card=card))
    with pytest.raises(ModelError, match="card cannot be put into words"):
        run_push(model, str(tmp_path / "there"))


COMMANDS = {
    "predict": lambda m: ["predict", m, "video.mp4"],
    "export": lambda m: ["export", m],
    "benchmark": lambda m: ["benchmark", m],
    "push": lambda m: ["push", m, "there"],
    "pull": lambda m: ["pull", m, "here"],
    "compress": lambda m: ["compress", m, "clips"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_it_with_status_2(command, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with_json(model, "model.json", setting(temperature=0.0))
    result = call(*COMMANDS[command](model))
    assert result.exit_code == 2 and "temperature is 0.0; give" in result.output


def test_digests_of_this_file_are_those_of_the_model():
    files = json.loads((MODEL / "model.json").read_text())["files"]
    for name, digest in files.items():
        assert hashlib.sha256((MODEL / name).read_bytes()).hexdigest() == digest
