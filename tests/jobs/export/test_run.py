"""What is exported runs without vidfit and answers as vidfit does, or is not written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests import tiny_model
from tests.runtime.conftest import Trunk
from tests.tiny_model import CLASSES, linear, network, write_model

from vidfit import backbones as zoo
from vidfit.backbones.encoder import FrameEncoder
from vidfit.contracts import ClipFeatures
from vidfit.errors import BackboneError, ModelError
from vidfit.fusion.answers import OverAnswers
from vidfit.fusion.average import LinearPool
from vidfit.jobs.export.graphs import file_stems
from vidfit.jobs.export.parity import difference
from vidfit.jobs.export.run import Exported, run_export
from vidfit.jobs.predict.predictor import Predictor
from vidfit.jobs.predict.run import run_predict
from vidfit.model import load_model, member_directory
from vidfit.networks import Shape, build
from vidfit.networks.head import NetworkHead
from vidfit.runtime.openvino import core
from vidfit.study import heads

CLIP_SHAPE = (3, 2, 32, 24, 3)


@pytest.fixture(scope="module", autouse=True)
def tiny_family():
    zoo.RESTORE["tiny"] = tiny_model.FAMILY
    yield
    del zoo.RESTORE["tiny"]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "model", [network()], linear())


@pytest.fixture(scope="module")
def exported(model) -> Exported:
    return run_export(model, model.with_name("onnx"), "onnx")


@pytest.fixture(scope="module")
def graphs(exported):
    """Members that are graphs, as compression leaves them: their export takes no time."""
    file = exported.directory / "tiny.onnx"
    return [tiny_model.graph(file, name) for name in ("tiny-int8", "tiny/int8")]


def clips(count: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (count, *CLIP_SHAPE), dtype=np.uint8)


def own_answers(directory: Path, frames) -> list[tuple[str, float]]:
    """Return what vidfit answers to frames [B, V, T, H, W, C], by its slow and sure way."""
    model = load_model(directory)
    members = [zoo.restore(member_directory(directory, i)) for i in range(len(model.members))]
    predictor = Predictor(model, tuple(members), heads.restore(model.head, model.arrays))
    empty = np.zeros(0)
    return [
        predictor.answer(
            {
                m.spec.name: ClipFeatures(np.concatenate(m.forward(views)), empty, empty, 0.0)
                for m in members
            }
        )
        for views in frames
    ]


def assert_same_answers(answers, expected):
    for answer_K, said in zip(answers, expected, strict=True):
        assert CLASSES[int(answer_K.argmax())] == said.label
        assert answer_K.sum() == pytest.approx(1.0, abs=1e-5)
        assert answer_K.max() == pytest.approx(said.probability, abs=1e-5)
        assert 0.34 < said.probability < 0.999  # a sure answer would hide differences


def run_onnx(path, frames, names=("frames",)):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    return session.run(["probabilities", "novelty"], dict.fromkeys(names, frames))


# ---------------------------------------------------------------- ONNX


def test_the_files_of_an_export(exported):
    assert sorted(path.name for path in exported.directory.iterdir()) == [
        "README.md", "card.json", "classifier.onnx", "export.json", "preprocessing.json",
        "tiny.onnx",
    ]  # fmt: skip
    assert set(exported.parity) == {"classifier.onnx", "tiny.onnx"} and exported.notes == ()
    # float32 carries 1.2e-7; sums of some hundred terms leave a few of it.
    assert all(parity < 1e-5 for parity in exported.parity.values())
    facts = json.loads((exported.directory / "export.json").read_text())
    assert facts["parity"] == exported.parity and facts["format"] == "onnx"
    assert json.loads((exported.directory / "card.json").read_text())["clips"] == 12
    assert "library_name: vidfit" in (exported.directory / "README.md").read_text()


@pytest.mark.parametrize("count", [1, 3])
def test_the_classifier_answers_as_vidfit_does(model, exported, count):
    answers, novelty = run_onnx(exported.directory / "classifier.onnx", clips(count))
    assert novelty.shape == (count,) and (novelty > 0).all()
    assert_same_answers(answers, own_answers(model, clips(count)))


def test_a_member_gives_tokens_for_any_number_of_views(exported):
    import onnxruntime

    session = onnxruntime.InferenceSession(exported.directory / "tiny.onnx")
    for views in (clips(1)[0][:1], clips(2).reshape(-1, *CLIP_SHAPE[1:])):
        (tokens,) = session.run(["tokens"], {"frames": views})
        np.testing.assert_allclose(tokens, network().forward(views), rtol=1e-4, atol=1e-5)


ALONE = """
import json, sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
meta = session.get_modelmeta().custom_metadata_map
facts = json.loads(meta["preprocessing"])
one = facts["members"][0]
shape = 2, one["views"], one["frames_a_view"], one["height_pixels"], one["width_pixels"], 3
answer = session.run(["probabilities"], {one["classifier_input"]: np.zeros(shape, np.uint8)})[0]
print(json.loads(meta["classes"])[1], answer.shape, "torch" in sys.modules, "vidfit" in sys.modules)
"""


def test_it_runs_with_onnxruntime_alone_and_says_how(exported):
    path = exported.directory / "classifier.onnx"
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{CLASSES[1]} (2, 3) False False"
    onnx.checker.check_model(path, full_check=True)


def test_preprocessing_says_how_to_feed_it(exported):
    facts = json.loads((exported.directory / "preprocessing.json").read_text())
    assert facts["classes"] == list(CLASSES) and facts["temperature"] == 1.7
    (one,) = facts["members"]
    assert one["file"] == "tiny.onnx" and one["classifier_input"] == "frames"
    assert (one["views"], one["frames_a_view"], one["height_pixels"], one["width_pixels"]) == (
        3, 2, 32, 24,
    )  # fmt: skip


def test_graphs_of_compression_and_several_members_become_one_graph(graphs, tmp_path):
    directory = write_model(tmp_path / "model", graphs, linear(2))
    found = run_export(directory, tmp_path / "out", "onnx")
    assert set(found.parity) == {"classifier.onnx", "tiny-int8.onnx", "tiny-int8-1.onnx"}
    names = ["frames_0", "frames_1"]
    answers, _ = run_onnx(tmp_path / "out" / "classifier.onnx", clips(3), names)
    assert_same_answers(answers, own_answers(directory, clips(3)))
    facts = json.loads((tmp_path / "out" / "preprocessing.json").read_text())
    assert [m["classifier_input"] for m in facts["members"]] == names


def test_a_trained_network_is_the_head_of_a_graph(graphs, tmp_path):
    shape = Shape(dim=16, tokens=8, classes=3, width=8)
    rng = np.random.default_rng(2)
    means, scales = rng.normal(size=16).astype("f"), rng.uniform(0.5, 2, 16).astype("f")
    head = NetworkHead.of("lstm", shape, build("lstm", shape), means, scales)
    directory = write_model(tmp_path / "model", graphs[:1], head, heads.NETWORK)
    found = run_export(directory, tmp_path / "out", "onnx")
    assert found.notes == () and found.parity["classifier.onnx"] < 1e-5
    for count in (1, 3):
        answers, novelty = run_onnx(tmp_path / "out" / "classifier.onnx", clips(count))
        assert novelty.shape == (count,)
        assert_same_answers(answers, own_answers(directory, clips(count)))


# ---------------------------------------------------------------- other formats


def test_openvino_answers_as_vidfit_does(graphs, tmp_path):
    directory = write_model(tmp_path / "model", graphs[:1], linear())
    found = run_export(directory, tmp_path / "out", "openvino")
    assert set(found.parity) == {"classifier.xml", "tiny-int8.xml"}
    assert not list((tmp_path / "out").glob("*.onnx"))
    assert len(list((tmp_path / "out").glob("*.bin"))) == 2
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    path = str(tmp_path / "out" / "classifier.xml")
    compiled = core().compile_model(path, "CPU", settings)
    answers = compiled({"frames": clips(3)})["probabilities"]
    assert_same_answers(answers, own_answers(directory, clips(3)))


def test_weights_are_read_by_torch(model, tmp_path):
    from safetensors.torch import load_file

    found = run_export(model, tmp_path / "out", "safetensors")
    assert found.parity == {"model.safetensors": 0.0}
    state = load_file(tmp_path / "out" / "model.safetensors")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["id2label"] == dict(zip("012", CLASSES, strict=True))
    prefix = config["members"][0]["prefix"]
    own = FrameEncoder(Trunk(), network().spec.preprocessing)
    own.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if prefix in k})
    np.testing.assert_array_equal(state["head.weight_KD"].numpy(), linear().weight_KD)


def test_the_weights_of_a_graph_are_not_torn_out_of_it(graphs, tmp_path):
    directory = write_model(tmp_path / "model", graphs[:1], linear())
    with pytest.raises(ModelError, match=r"tiny-int8 is an ONNX graph.*use --format onnx"):
        run_export(directory, tmp_path / "out", "safetensors")
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- what cannot be one graph


def test_an_algorithm_among_the_members_leaves_the_networks(graphs, tmp_path):
    motion = zoo.load("motion")
    head = linear(1, 3 * (motion.spec.dim + 16))
    directory = write_model(tmp_path / "model", [motion, graphs[0]], head)
    found = run_export(directory, tmp_path / "out", "onnx")
    assert set(found.parity) == {"tiny-int8.onnx"}
    assert "motion is an algorithm of vidfit and no network" in found.notes[0]
    assert "no classifier: not all members are networks" in found.notes[1]
    members = json.loads((tmp_path / "out" / "preprocessing.json").read_text())["members"]
    assert [m["file"] for m in members] == [None, "tiny-int8.onnx"]


def test_another_head_leaves_the_networks(graphs, tmp_path):
    pool = OverAnswers((linear(),), LinearPool(np.ones(1, np.float32)))
    directory = write_model(tmp_path / "model", graphs[:1], pool, "linear-pool")
    found = run_export(directory, tmp_path / "out", "onnx")
    assert set(found.parity) == {"tiny-int8.onnx"}
    assert "the head is of the kind 'linear-pool'" in found.notes[0]


@pytest.mark.parametrize("format", ["onnx", "openvino", "safetensors"])
def test_a_model_without_a_network_is_refused(tmp_path, format):
    motion = zoo.load("motion")
    directory = write_model(tmp_path / "model", [motion], linear(1, 3 * motion.spec.dim))
    with pytest.raises(ModelError, match=r"answers by motion.*`vidfit predict`.*--network-only"):
        run_export(directory, tmp_path / "out", format)
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- whole or not at all


def test_an_unknown_format_and_a_damaged_model_are_refused(model, tmp_path):
    with pytest.raises(ModelError, match="no format 'tflite'; valid are onnx"):
        run_export(model, tmp_path / "out", "tflite")
    with pytest.raises(ModelError, match="is no model"):
        run_export(tmp_path, tmp_path / "out")


def test_only_an_export_is_replaced(model, tmp_path):
    out = tmp_path / "out"
    run_export(model, out, "safetensors")
    (out / "left over.txt").write_text("of the old export")
    run_export(model, out, "safetensors")
    assert not (out / "left over.txt").exists()
    (out / "export.json").unlink()
    with pytest.raises(ModelError, match="exists and is no export; choose another place"):
        run_export(model, out, "safetensors")
    assert (out / "model.safetensors").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [0.1, float("nan")])
def test_an_export_that_answers_otherwise_is_not_written(graphs, tmp_path, monkeypatch, error):
    monkeypatch.setattr("vidfit.jobs.export.graphs.difference", lambda *_: error)
    directory = write_model(tmp_path / "model", graphs[:1], linear())
    with pytest.raises(ModelError, match=r"differs from vidfit's own answers.*nothing was written"):
        run_export(directory, tmp_path / "out", "onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("error", [0.008, float("nan")])
def test_a_classifier_that_answers_otherwise_is_left_out(graphs, tmp_path, monkeypatch, error):
    def differs_in_the_answer(found, expected):
        return error if expected.shape == (2,) else 0.0

    monkeypatch.setattr("vidfit.jobs.export.graphs.difference", differs_in_the_answer)
    directory = write_model(tmp_path / "model", graphs[:1], linear())
    found = run_export(directory, tmp_path / "out", "onnx")
    assert set(found.parity) == {"tiny-int8.onnx"}
    assert "no classifier: classifier.onnx differs from vidfit's own answers" in found.notes[0]
    assert not (tmp_path / "out" / "classifier.onnx").exists()


def test_weights_in_other_files_are_refused(graphs, tmp_path):
    file = tmp_path / "network.onnx"
    content = onnx.load(graphs[0].graph)
    tensor = content.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../secret"
    file.write_bytes(content.SerializeToString())
    directory = write_model(tmp_path / "model", [tiny_model.graph(file)], linear())
    with pytest.raises(BackboneError, match="keeps weights in other files"):
        run_export(directory, tmp_path / "out", "onnx")


FULL = """
import resource, sys
from pathlib import Path
from vidfit.errors import BackboneError, ModelError
from vidfit.fusion.answers import OverAnswers
from vidfit.fusion.average import LinearPool
from vidfit.jobs.export.run import run_export
import vidfit.jobs.export.graphs, openvino
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
try:
    run_export(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
except ModelError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("format", "most_bytes"), [("onnx", 2_000), ("onnx", 16_000), ("openvino", 22_000)]
)
def test_a_disk_that_takes_no_more_is_said_and_leaves_nothing(graphs, tmp_path, format, most_bytes):
    pytest.importorskip("resource")
    directory = write_model(tmp_path / "model", graphs[:1], linear())
    words = [str(directory), str(tmp_path / "out"), format, str(most_bytes)]
    done = subprocess.run(
        [sys.executable, "-c", FULL, *words], capture_output=True, text=True, check=True
    )
    assert "cannot write " in done.stdout, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


# ---------------------------------------------------------------- small parts


def test_file_names_differ_and_are_names_on_any_system():
    names = ["hf:org/name", "hf:org/Name", "../..", "classifier", "net@8"]
    stems = file_stems(names)
    assert stems == ["hf-org-name", "hf-org-Name-1", "member", "classifier-3", "net-8"]


def test_differences_are_relative_to_the_largest_value():
    assert difference(np.array([1.0, 9.0]), np.array([0.0, 10.0])) == pytest.approx(0.1)
    assert difference(np.zeros(2), np.zeros(3)) == np.inf
    assert np.isnan(difference(np.array([np.nan]), np.ones(1)))
    assert difference(np.zeros(2), np.zeros(2)) == 0.0


# ---------------------------------------------------------------- documents


def test_the_lines_of_the_documents_answer_as_vidfit_does(model, exported, tmp_path):
    from tests.clips import write_clip

    page = Path(__file__).parents[3] / "docs" / "export.md"
    (code,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        if "onnxruntime" in block
    )
    write_clip(tmp_path / "video.mp4", frames=31)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model-onnx").symlink_to(exported.directory)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    label, probability, _ = done.stdout.rsplit(maxsplit=2)
    loaded = load_model(model)
    head = heads.restore(loaded.head, loaded.arrays)
    predictor = Predictor(loaded, (network(),), head)
    (segment,) = run_predict(predictor, str(tmp_path / "video.mp4"), window_seconds=9.0).segments
    assert label == segment.label
    # PyAV's own scaling rounds pixels by a level or two.
    assert float(probability) == pytest.approx(segment.probability, abs=0.01)
