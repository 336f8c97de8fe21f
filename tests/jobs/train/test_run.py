"""Training end to end: cached tokens, a tuned backbone, a network of its own, interrupts."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.backbones import tiny_hf
from tests.clips import write_dataset

from vidfit import backbones as zoo
from vidfit.errors import StoreError, VidfitError
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.jobs.train import folder as training_run
from vidfit.jobs.train.accumulation import run_check
from vidfit.jobs.train.options import TrainOptions
from vidfit.jobs.train.run import run_train
from vidfit.model import load_model
from vidfit.planning.file import write_plan
from vidfit.plans import Data, Layout, Machine, Plan, Prediction, Recipe, Subject

HERE = Machine("here", "cpu", 1, 2**33, {"fp32": 1e11}, 1e10, 2)
QUICK = Recipe(epochs=12, learning_rate=3e-3, dropout=0.0)
BY_FOURS = Layout(4, 2)


def plan_of(subject: Subject, recipe: Recipe = QUICK, layout: Layout = BY_FOURS) -> Plan:
    """Return a plan for clips of two classes."""
    tokens = 8 if subject.backbone else 16
    data = Data(clips=16, classes=2, rarest=8, tokens=tokens)
    return Plan(subject, layout, recipe, Prediction(2**29, 0.1, 0.0, 5.0), data, HERE)


def trained(clips: Path, output: Path, plan: Plan, **options):
    """Train as a plan says; return the report."""
    write_plan(plan, output / "plan.json")
    return run_train(clips, output, TrainOptions(output / "plan.json", **options))


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """Sixteen clips of texture that moves left or right, each a recording of its own."""
    return write_dataset(tmp_path_factory.mktemp("clips") / "clips", 8)


@pytest.fixture(scope="module")
def on_motion(clips, tmp_path_factory):
    """A Bi-LSTM over the tokens of the motion statistics."""
    output = tmp_path_factory.mktemp("motion")
    return trained(clips, output, plan_of(Subject("bilstm-attention", "motion", width=32))), output


def test_a_head_on_cached_tokens_learns(on_motion, clips):
    report, output = on_motion
    assert report.learned + report.chosen_by + report.tested == 16
    assert report.tested >= 2
    assert report.score is not None and report.score.value == 1.0  # motion tells left from right
    assert report.history[-1].loss < 0.5 * report.history[0].loss
    predictor = load(output / "model")
    eager = replace(predictor.model, unknown_probability=0.0, unknown_novelty=np.inf)
    for way in ("left", "right"):
        timeline = run_predict(replace(predictor, model=eager), str(clips / way / f"{way}3.mp4"))
        assert timeline.segments[0].label == way


def test_what_was_written_says_what_was_done(on_motion):
    report, output = on_motion
    for name in ("training.html", "training.svg", "training.json"):
        assert (output / name).stat().st_size > 500
    lines = (output / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(QUICK.epochs))
    model = load_model(output / "model")
    assert model.card["plan"]["subject"]["network"] == "bilstm-attention"
    # How far memory rises depends on what this process has held before.
    assert report.peak_bytes > 0 and report.step_seconds > 0


def test_an_interrupted_run_goes_on_to_the_same_weights(on_motion, clips, tmp_path, monkeypatch):
    report, whole = on_motion
    steps = iter(range(10**6))
    real = training_run.execute

    def execute(folder, progress=None, stop=lambda: False, own=()):
        return real(folder, progress, lambda: next(steps) >= 7)

    monkeypatch.setattr(training_run, "execute", execute)
    with pytest.raises(KeyboardInterrupt):
        trained(clips, tmp_path, report.plan)
    assert not (tmp_path / "run" / "trained.safetensors").exists()
    monkeypatch.setattr(training_run, "execute", real)
    trained(clips, tmp_path, report.plan)
    weights = "run/trained.safetensors"
    assert (tmp_path / weights).read_bytes() == (whole / weights).read_bytes()


def test_another_plan_does_not_go_on_from_it(on_motion, clips, tmp_path, monkeypatch):
    report, _ = on_motion
    monkeypatch.setattr(training_run, "_write_trained", lambda *_: None)
    with pytest.raises(StoreError, match="no run that has ended"):
        trained(clips, tmp_path, report.plan)
    other = replace(report.plan, recipe=replace(QUICK, learning_rate=1e-4))
    with pytest.raises(StoreError, match="of another plan"):
        trained(clips, tmp_path, other)


@pytest.mark.parametrize("regime", ["lp-ft", "lora"])
def test_a_tuned_backbone_is_saved_with_its_weights(clips, tmp_path, regime):
    source = tiny_hf.write("resnet", tmp_path / "resnet")
    subject = Subject("mean", f"hf:{source}", regime, width=16)
    report = trained(clips, tmp_path / "out", plan_of(subject, replace(QUICK, epochs=2)))
    tuned = load(tmp_path / "out" / "model").backbones[0].spec
    assert tuned.revision != zoo.load(subject.backbone).spec.revision
    assert tuned.sampling == zoo.load(subject.backbone).spec.sampling
    assert report.score is not None
    timeline = run_predict(load(tmp_path / "out" / "model"), str(clips / "left" / "left0.mp4"))
    assert timeline.segments


def test_a_network_that_sees_frames_is_a_model_too(clips, tmp_path):
    recipe = replace(QUICK, epochs=1)
    report = trained(clips, tmp_path, plan_of(Subject("cnn-lstm", "", "full", width=16), recipe))
    predictor = load(tmp_path / "model")
    assert predictor.model.members == ("cnn-lstm",)
    assert report.tested > 0
    assert run_predict(predictor, str(clips / "left" / "left0.mp4")).windows[0].probability >= 0.5


def test_two_processes_learn_what_one_learns(on_motion, clips, tmp_path):
    report, _ = on_motion
    layout = Layout(4, 1, processes=2, sharding="ddp")
    again = trained(clips, tmp_path, replace(report.plan, layout=layout))
    losses = [[epoch.loss for epoch in one.history] for one in (report, again)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
    assert again.score == report.score


def test_copies_are_joined_and_a_second_score_is_said_to_be_one(clips, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    doubled = shutil.copytree(clips, tmp_path / "clips")
    shutil.copy(next((doubled / "left").iterdir()), doubled / "left" / "again.mp4")
    plan = plan_of(Subject("bilstm-attention", "motion", width=8), replace(QUICK, epochs=1))
    first = trained(doubled, tmp_path / "first", plan)
    assert any("16 instead of 17" in line for line in first.warnings)
    assert not any("opened" in line for line in first.warnings)
    second = trained(doubled, tmp_path / "second", plan)
    assert any("test clips were opened 2 times" in line for line in second.warnings)


def test_a_plan_for_other_classes_is_refused(clips, tmp_path):
    plan = plan_of(Subject("mean", "motion"))
    with pytest.raises(VidfitError, match=r"for 3 classes, and the clips are of 2 \(left, right"):
        trained(clips, tmp_path, replace(plan, data=replace(plan.data, classes=3)))


def test_no_plan_is_a_clear_error(clips, tmp_path):
    with pytest.raises(VidfitError, match=r"there is no plan .*`vidfit plan"):
        run_train(clips, tmp_path, TrainOptions(tmp_path / "absent.json"))


def test_accumulation_is_proven_or_refuted(clips, tmp_path):
    options = TrainOptions(tmp_path / "plan.json")
    write_plan(plan_of(Subject("lstm", "motion", width=16)), tmp_path / "plan.json")
    assert run_check(clips, tmp_path, options).agrees
    write_plan(plan_of(Subject("cnn-lstm", "", "full", width=16)), tmp_path / "plan.json")
    found = run_check(clips, tmp_path, options)
    assert not found.agrees
    assert found.batch_norms
