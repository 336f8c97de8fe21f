"""A model directory is whole, or refused; what stands there is replaced in one step."""

from __future__ import annotations

import json
import math
import multiprocessing
import pickle
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from vidfit.errors import ModelError
from vidfit.model import Model, load_model, member_directory, save_model


def example(**changes) -> Model:
    model = Model(
        classes=("go", "størt/…"),
        members=("one", "org/two"),
        head="linear",
        arrays={"weight_KD": np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::-1]},
        temperature=1.5,
        unknown_probability=0.4,
        unknown_novelty=9.0,
        window_seconds=2.0,
        longest_seconds=3.0,
        card={"data": "clips", "figures": [1, 2.5, None]},
    )
    return replace(model, **changes)


def write_member(index: int, folder: Path) -> None:
    (folder / "weights.safetensors").write_bytes(bytes([index]) * 100)
    (folder / "spec.json").write_text("{}")


@pytest.fixture
def saved(tmp_path):
    save_model(example(), tmp_path / "model", write_member)
    return tmp_path / "model"


def rewrite(directory: Path, **changes) -> None:
    path = directory / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_round_trip(saved):
    loaded, expected = load_model(saved), example()
    for field in fields(Model):
        if field.name != "arrays":
            assert getattr(loaded, field.name) == getattr(expected, field.name)
    np.testing.assert_array_equal(loaded.arrays["weight_KD"], expected.arrays["weight_KD"])
    assert (member_directory(saved, 1) / "weights.safetensors").read_bytes() == b"\1" * 100
    assert sorted(path.name for path in saved.parent.iterdir()) == ["model"]


def test_the_document_is_json_whatever_was_not_measured(tmp_path):
    card = {"accuracy": {"value": 0.5, "low": math.nan}, "figures": [math.inf]}
    save_model(example(unknown_novelty=math.inf, card=card), tmp_path / "model", write_member)
    json.loads((tmp_path / "model" / "model.json").read_text(), parse_constant=pytest.fail)
    loaded = load_model(tmp_path / "model")
    assert loaded.unknown_novelty == math.inf
    assert loaded.card == {"accuracy": {"value": 0.5, "low": None}, "figures": ["Infinity"]}


def test_a_model_with_bare_nan_and_infinity_is_read(saved):
    rewrite(saved, unknown_novelty=math.inf, card={"accuracy": math.nan})
    assert "NaN" in (saved / "model.json").read_text()
    loaded = load_model(saved)
    assert loaded.unknown_novelty == math.inf and math.isnan(loaded.card["accuracy"])


def test_a_model_of_before_there_were_strict_thresholds_is_read(saved):
    path = saved / "model.json"
    document = json.loads(path.read_text())
    del document["strict_probability"], document["strict_novelty"]
    path.write_text(json.dumps(document))
    loaded = load_model(saved)
    assert (loaded.unknown_probability, loaded.unknown_novelty) == (0.4, 9.0)
    assert loaded.strict_probability is None and loaded.strict_novelty is None


@pytest.mark.parametrize(("field", "value"), [("strict_probability", 2), ("strict_novelty", -1)])
def test_strict_thresholds_that_no_model_has_are_refused(saved, field, value):
    rewrite(saved, **{field: value})
    with pytest.raises(ModelError, match=field):
        load_model(saved)


def test_folders_above_are_made(tmp_path):
    save_model(example(), tmp_path / "a" / "b" / "model", write_member)
    assert load_model(tmp_path / "a" / "b" / "model").classes == example().classes


def test_a_model_is_replaced_whole(saved):
    (saved / "left over.txt").write_text("of the old model")
    save_model(example(members=("one",), temperature=2.0), saved, write_member)
    assert load_model(saved).temperature == 2.0
    assert not (saved / "left over.txt").exists()
    assert not member_directory(saved, 1).exists()
    assert sorted(path.name for path in saved.parent.iterdir()) == ["model"]


def test_a_failing_member_leaves_the_old_model(saved):
    def fail(index, folder):
        write_member(index, folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(ModelError, match="No space left on device"):
        save_model(example(temperature=2.0), saved, fail)
    assert load_model(saved).temperature == 1.5
    assert sorted(path.name for path in saved.parent.iterdir()) == ["model"]


def test_another_folder_is_not_overwritten(tmp_path):
    mine = tmp_path / "model" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("precious")
    with pytest.raises(ModelError, match="is no model; choose another place"):
        save_model(example(), tmp_path / "model", write_member)
    assert mine.read_text() == "precious"


def test_scratch_folders_of_killed_writers_are_removed(tmp_path):
    left = tmp_path / ".vidfit-model-killed" / "model"
    left.mkdir(parents=True)
    (left / "head.safetensors").write_bytes(b"half")
    (tmp_path / ".model-of-mine").mkdir()  # not ours to remove
    save_model(example(), tmp_path / "model", write_member)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".model-of-mine", "model"]


def _save_again_and_again(directory: str, temperature: float) -> None:
    for _ in range(10):
        save_model(example(temperature=temperature), Path(directory), write_member)


def test_two_writers_take_turns(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_save_again_and_again, args=(str(tmp_path / "model"), t))
        for t in (1.0, 2.0)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert load_model(tmp_path / "model").temperature in (1.0, 2.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "name", ["head.safetensors", "backbones/0/weights.safetensors", "backbones/1/spec.json"]
)
def test_an_altered_file_is_refused(saved, name):
    data = bytearray((saved / name).read_bytes())
    data[-1] ^= 1
    (saved / name).write_bytes(bytes(data))
    with pytest.raises(ModelError, match="was altered"):
        load_model(saved)


@pytest.mark.parametrize("name", ["head.safetensors", "backbones/1/weights.safetensors"])
def test_a_missing_file_is_refused(saved, name):
    (saved / name).unlink()
    with pytest.raises(ModelError, match=r"incomplete.*missing"):
        load_model(saved)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"has no model\.json"):
        load_model(tmp_path)


@pytest.mark.parametrize("format_", [2, "1", None])
def test_a_foreign_format_is_refused(saved, format_):
    rewrite(saved, format=format_)
    with pytest.raises(ModelError, match="update vidfit"):
        load_model(saved)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1}', "null", '{"format": 1, "f', "\0"]
)
def test_a_damaged_description_is_refused(saved, text):
    (saved / "model.json").write_text(text)
    with pytest.raises(ModelError, match=r"damaged|format"):
        load_model(saved)


def test_unknown_or_missing_fields_are_refused(saved):
    rewrite(saved, more=1)
    with pytest.raises(ModelError, match="more"):
        load_model(saved)


def test_a_head_that_no_digest_covers_is_refused(saved):
    rewrite(saved, files={})
    with pytest.raises(ModelError, match=r"head\.safetensors"):
        load_model(saved)


def test_a_pickle_is_never_opened(saved, tmp_path):
    import hashlib

    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "exploded",)

    head = saved / "head.safetensors"
    head.write_bytes(pickle.dumps(Bomb()))
    files = json.loads((saved / "model.json").read_text())["files"]
    rewrite(saved, files={**files, head.name: hashlib.sha256(head.read_bytes()).hexdigest()})
    with pytest.raises(ModelError, match="damaged"):
        load_model(saved)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/hostname", "a/../../secret", "a\\b", "C:x", ""]
)
def test_a_name_that_leaves_the_directory_is_refused(saved, name):
    (saved.parent / "secret").write_text("not of this model")
    files = json.loads((saved / "model.json").read_text())["files"]
    rewrite(saved, files={**files, name: "0" * 64})
    with pytest.raises(ModelError, match=r"names a file elsewhere.*do not trust it"):
        load_model(saved)


def test_files_of_hubs_and_version_control_may_lie_beside_a_model(saved):
    (saved / "README.md").write_text("about this model")
    (saved / ".gitattributes").write_text("*.safetensors filter=lfs")
    (saved / ".cache" / "huggingface").mkdir(parents=True)
    (saved / ".cache" / "huggingface" / "notes").write_text("of a download")
    assert load_model(saved).classes == example().classes


@pytest.mark.parametrize("name", ["backbones/0/adapter_config.json", "more.safetensors"])
def test_a_file_that_is_not_listed_is_refused(saved, name):
    (saved / name).write_bytes(b"anything")
    with pytest.raises(ModelError, match=rf"holds '{name}', which its model.json does not name"):
        load_model(saved)


def test_a_link_to_a_folder_is_refused(saved):
    (saved / "backbones" / "2").symlink_to(saved / "backbones" / "0")
    with pytest.raises(ModelError, match="holds 'backbones/2', which"):
        load_model(saved)


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "model").mkdir()
    save_model(example(), tmp_path / "model", write_member)
    assert load_model(tmp_path / "model").members == example().members


FULL = """
import resource, sys
from pathlib import Path
from tests.test_model import example, write_member
from vidfit.errors import ModelError
from vidfit.model import save_model
import numpy as np, safetensors.numpy
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    big = example(arrays={"weight_KD": np.zeros(9999, np.float32)})
    save_model(big, Path(sys.argv[1]), write_member)
except ModelError as error:
    print(error)
"""


def test_a_disk_that_takes_no_more_is_said_and_leaves_nothing(tmp_path):
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "model")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
    )
    assert f"cannot write the model to {tmp_path / 'model'}: " in done.stdout
    assert "File too large" in done.stdout
    assert list(tmp_path.iterdir()) == []
