"""A plan is mailed around: it names no code that runs, and no size that ends a machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.called import call
from tests.clips import write_dataset
from tests.security.altered import BEFORE, plant

from vidfit.errors import StoreError, VidfitError
from vidfit.jobs.train.folder import execute
from vidfit.planning.file import read_plan


@pytest.fixture
def plan(tmp_path):
    def write(**subject):
        document = json.loads((BEFORE / "plan.json").read_text())
        document["subject"].update(subject)
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(document))
        return path

    return write


@pytest.mark.parametrize("name", ["evil.py:Evil", "random:evil.py:Evil", "evil.py:Evil@4"])
def test_a_plan_does_not_name_a_file_that_is_run(plan, name):
    with pytest.raises(VidfitError, match=r"a file that would be run"):
        read_plan(plan(backbone=name))
    assert read_plan(plan(backbone=name), own=(name,)).subject.backbone == name


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return str(write_dataset(tmp_path_factory.mktemp("clips") / "clips", 8))


COMMANDS = {
    "train": lambda clips, plan: ["train", clips, "--plan", plan],
    "check": lambda clips, plan: ["train", clips, "--plan", plan, "--check-accumulation"],
    "shard": lambda clips, plan: ["shard", clips, "shards", "--by", "frame", "--plan", plan],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_only_who_types_the_command_chooses_code(command, plan, clips, tmp_path, monkeypatch):
    canary = plant(tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    words = COMMANDS[command](clips, (plan(backbone="evil.py:Evil")))
    result = call(*words)
    assert result.exit_code == 2 and "--backbone FILE.py:NAME" in result.output
    assert not canary.exists()
    call(*words, "--backbone", "evil.py:Evil")
    assert canary.exists()
    sys.modules.pop("evil")


def test_a_worker_is_told_by_its_launcher(plan, tmp_path):
    canary = plant(tmp_path / "here")
    run = tmp_path / "run"
    run.mkdir()
    plan(backbone="evil.py:Evil").rename(run / "plan.json")
    command = [sys.executable, "-P", "-m", "vidfit.jobs.worker", str(run)]
    alone = subprocess.run(command, cwd=canary.parent, capture_output=True, text=True)
    assert alone.returncode == 2 and "would be run" in alone.stderr
    assert "Traceback" not in alone.stderr and not canary.exists()
    subprocess.run([*command, "evil.py:Evil"], cwd=canary.parent, capture_output=True)
    assert canary.exists()


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ({"layers": 10**6}, "layers is 1000000; give 1 to 256"),
        ({"width": 10**9}, "width is 1000000000; give 1 to 8,192"),
        ({"width": 8192, "layers": 200}, "a network of 200 layers of width 8192"),
        ({"heads": 0}, "heads is 0; give 1 to 1,024"),
    ],
)
def test_sizes_have_bounds(plan, subject, said):
    with pytest.raises(VidfitError, match=said):
        read_plan(plan(**subject))


@pytest.mark.parametrize("text", ["[" * 10**5, '{"a":' * 10**5, "1" * 5000, "\udcff", '"\\ud800"'])
def test_what_no_plan_looks_like_is_said_in_words(tmp_path, text):
    (tmp_path / "plan.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(VidfitError):
        read_plan(tmp_path / "plan.json")


def test_a_run_with_rows_that_are_not_there_is_refused(tmp_path):
    import numpy as np

    from vidfit.training.clipset import ClipSet

    labels_M = np.arange(4) % 2
    ClipSet(labels_M, {"tokens": np.zeros((4, 8, 1280), np.float32)}).write(tmp_path / "set")
    (tmp_path / "plan.json").write_text((BEFORE / "plan.json").read_text())
    np.save(tmp_path / "choose.npy", np.array([1]))
    np.save(tmp_path / "unlabelled.npy", np.zeros(0, np.int64))
    for rows in ([9], [-1], [0.5]):
        np.save(tmp_path / "learn.npy", np.array(rows))
        with pytest.raises(StoreError, match="rows that are no whole numbers of 0 to 3"):
            execute(tmp_path)
    np.save(tmp_path / "learn.npy", np.array([0]))
    (tmp_path / "start.safetensors").write_bytes(b"no tensors")
    with pytest.raises(StoreError, match="no run that can be executed"):
        execute(tmp_path)
