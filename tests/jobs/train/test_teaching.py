"""Clips without a label, end to end: none of a held-out recording, a verdict, an exact resume."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.clips import write_clip, write_dataset
from tests.jobs.train.test_run import HERE, trained

from vidfit.errors import NotEnoughDataError, StoreError, VidfitError
from vidfit.jobs.train import folder as training_run
from vidfit.jobs.train import teaching
from vidfit.jobs.train.teaching import check_taught, labels_alone
from vidfit.plans import Data, Layout, Plan, Prediction, Recipe, Subject

TAUGHT = Recipe(
    epochs=4, learning_rate=3e-3, dropout=0.0, ema=0.9, unlabelled_ratio=2, threshold=0.6,
    patience=3,
)  # fmt: skip
PLAN = Plan(
    Subject("mean", "motion", width=16), Layout(2, 2), TAUGHT, Prediction(2**29, 0.1, 0.0, 5.0),
    Data(16, 2, 8, 8), HERE,
)  # fmt: skip


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """Twelve labelled clips, each a recording of its own."""
    return write_dataset(tmp_path_factory.mktemp("clips") / "clips", 6)


@pytest.fixture(scope="module")
def more(clips, tmp_path_factory) -> Path:
    """Eight other clips, and copies of all that have a label."""
    folder = tmp_path_factory.mktemp("more") / "more"
    for seed in range(4):
        for kind in ("left", "right"):
            write_clip(folder / f"new-{kind}{seed}.mp4", kind, 7000 + 10 * seed + len(kind))
    for file in sorted(clips.rglob("*.mp4")):
        shutil.copy(file, folder / f"copy-of-{file.name}")
    return folder


@pytest.fixture(scope="module")
def report(clips, more, tmp_path_factory):
    output = tmp_path_factory.mktemp("taught")
    return trained(clips, output, PLAN, unlabelled=more), output


def test_copies_of_clips_that_choose_or_test_are_never_learned_from(report):
    found, output = report
    assert found.learned + found.chosen_by + found.tested == 12
    assert found.teaching.held == found.chosen_by + found.tested > 0
    assert found.teaching.clips == 8 + found.learned
    rows = {name: np.load(output / "run" / f"{name}.npy") for name in ("learn", "choose")}
    bare = np.load(output / "run" / "unlabelled.npy")
    labels_M = np.load(output / "run" / "set" / "labels.npy")
    assert len(bare) == found.teaching.clips and (labels_M[bare] == -1).all()
    assert all((labels_M[some] >= 0).all() for some in rows.values())


def test_it_is_compared_with_labels_alone_for_as_much_compute(report):
    found, output = report
    epochs = round(4 * (1 + 2 * 4 / 3))
    assert found.teaching.epochs_alone == epochs == 15
    alone = json.loads((output / "run" / "labels-alone" / "plan.json").read_text())
    assert alone["recipe"]["unlabelled_ratio"] == 0 and alone["recipe"]["epochs"] == epochs
    assert alone["recipe"]["patience"] == 11
    assert len(np.load(output / "run" / "labels-alone" / "unlabelled.npy")) == 0
    assert found.teaching.gain.low <= found.teaching.gain.value <= found.teaching.gain.high
    difference = found.score.value - found.teaching.alone.value
    assert found.teaching.gain.value == pytest.approx(difference)
    assert all(0 <= epoch.taught <= 1 for epoch in found.history)
    written = json.loads((output / "training.json").read_text())
    assert written["teaching"]["clips"] == found.teaching.clips
    page = (output / "training.html").read_text()
    assert f"{found.teaching.clips} clips without a label" in page
    assert "against labels alone for as much compute" in page


def test_an_interrupted_run_goes_on_to_the_same_weights(report, clips, more, tmp_path, monkeypatch):
    _, whole = report
    steps = iter(range(10**6))
    real = training_run.execute

    def execute(folder, progress=None, stop=lambda: False, own=()):
        return real(folder, progress, lambda: next(steps) >= 2)

    monkeypatch.setattr(training_run, "execute", execute)
    with pytest.raises(KeyboardInterrupt):
        trained(clips, tmp_path, PLAN, unlabelled=more)
    monkeypatch.setattr(training_run, "execute", real)
    trained(clips, tmp_path, PLAN, unlabelled=more)
    weights = "run/trained.safetensors"
    assert (tmp_path / weights).read_bytes() == (whole / weights).read_bytes()


def test_another_run_in_the_folder_is_not_handed_out(report, clips, more):
    """Neither that of labels alone, nor of other clips."""
    _, output = report
    alone = replace(PLAN, recipe=replace(TAUGHT, unlabelled_ratio=0))
    with pytest.raises(StoreError, match="holds a run of another plan, of other clips"):
        trained(clips, output, alone)
    with pytest.raises(StoreError, match="holds a run of another plan, of other clips"):
        trained(clips, output, PLAN, unlabelled=more, holdout=0.4)


def test_what_takes_long_is_not_compared_and_says_so(report, clips, more, tmp_path, monkeypatch):
    monkeypatch.setattr(teaching, "CHEAP_SECONDS", 0.0)
    short = replace(PLAN, recipe=replace(TAUGHT, epochs=1))
    found = trained(clips, tmp_path, short, unlabelled=more)
    assert found.teaching.gain is None and not (tmp_path / "run" / "labels-alone").exists()
    assert "Whether they pay was not measured" in (tmp_path / "training.html").read_text()


def test_only_copies_of_held_out_clips_are_nothing_to_learn_from(report, clips, tmp_path):
    _, output = report
    split = json.loads((output / "training.json").read_text())
    assert split["tested"]
    labelled = sorted(clips.rglob("*.mp4"))
    table = tmp_path / "clips.csv"
    rows = [f"{p},{p.parent.name},{'test' if p.stem[-1] in '01' else ''}" for p in labelled]
    table.write_text("\n".join(["path,label,split", *rows]))
    folder = tmp_path / "copies"
    folder.mkdir()
    shutil.copy(clips / "left" / "left0.mp4", folder / "again.mp4")
    with pytest.raises(NotEnoughDataError, match="none of 1 clip without a label is left"):
        trained(table, tmp_path / "out", PLAN, unlabelled=folder)


def test_plan_and_clips_must_agree():
    alone = replace(PLAN, recipe=Recipe())
    check_taught(PLAN, given=True)
    check_taught(alone, given=False)
    with pytest.raises(VidfitError, match="the plan learns from labels alone"):
        check_taught(alone, given=True)
    with pytest.raises(VidfitError, match="learns from 2 clips without a label for each with one"):
        check_taught(PLAN, given=False)


def test_labels_alone_compute_as_much():
    alone = labels_alone(PLAN).recipe
    assert alone.epochs * alone.passes == pytest.approx(TAUGHT.epochs * TAUGHT.passes, abs=0.5)
