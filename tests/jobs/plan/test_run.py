"""Plans of real subjects: each asks children, which take seconds to start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.called import call
from tests.clips import write_dataset

from vidfit.contracts import Clip
from vidfit.errors import BackboneError, BudgetError, NotEnoughDataError, VidfitError
from vidfit.jobs.plan import run as job
from vidfit.jobs.plan.options import PlanOptions
from vidfit.planning.choice import choose
from vidfit.planning.file import read_plan
from vidfit.planning.measured import Known
from vidfit.planning.memory import Line, Sizes

MIB = 2**20


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("plan") / "clips")


@pytest.fixture
def no_children(monkeypatch):
    """Laws of a subject without running it."""
    peaks = {False: Line(100 * MIB, 50 * MIB), True: Line(100 * MIB, 10 * MIB)}
    known = Known(
        Sizes(20 * MIB, 20 * MIB, 2 * MIB, 10),
        peaks,
        peaks,
        {False: 3e9, True: 4e9},
        clip_seconds=1.0,
    )
    monkeypatch.setattr(job, "look", lambda *_, **__: known)
    monkeypatch.setattr(job, "choose_tried", lambda setting, _: (setting, choose(setting)))


def test_a_plan_is_made_shown_and_written(clips, tmp_path):
    words = ["plan", clips, "-o", tmp_path / "out", "--network", "mean"]
    words += ["--backbone", "efficientnet-lite0@1", "--epochs", 3]
    result = call(*words)
    assert result.exit_code == 0, result.output
    plan = read_plan(tmp_path / "out" / "plan.json")
    assert plan.subject.regime == "probe"
    assert "10 or fewer, all weights would overfit" in plan.reasons["regime"]
    assert plan.layout.batch_clips == plan.layout.micro_batch <= plan.data.clips
    assert 2**19 < plan.predicted.peak_bytes < 2**28
    assert plan.predicted.total_seconds > 0 and not plan.machine.described
    # Which layout is fastest is measured, and differs from machine to machine.
    assert "| **" in result.stdout and "vidfit train" in result.stdout
    assert (tmp_path / "out" / "plan.svg").read_text().startswith("<svg")


def test_minutes_cut_epochs_and_then_the_regime(clips, tmp_path, no_children):
    asked = {"backbone": "efficientnet-lite0@1", "network": "mean", "epochs": 20}
    whole = job.run_plan(clips, tmp_path, PlanOptions(**asked, regime="full"))
    minutes = whole.predicted.total_seconds / 60
    cut = job.run_plan(
        clips, tmp_path, PlanOptions(**asked, regime="full", minutes=minutes * 0.525)
    )
    assert cut.recipe.epochs == 10 and "cut from 20" in cut.reasons["epochs"]
    with pytest.raises(BudgetError, match="are enough for 1 pass over"):
        job.run_plan(clips, tmp_path, PlanOptions(**asked, regime="full", minutes=minutes / 15))


def test_a_described_machine_is_planned_with_estimates(clips, tmp_path, no_children):
    options = PlanOptions("efficientnet-lite0@1", "mean", "full", gpu="24GiB x 2")
    plan = job.run_plan(clips, tmp_path, options)
    assert plan.layout.processes == 2 and plan.layout.sharding == "ddp"
    assert plan.layout.precision == "bf16" and plan.machine.described
    assert any("estimates" in warning for warning in plan.warnings)


def test_what_does_not_fit_is_planned_smaller_unless_it_was_asked_for(
    clips, tmp_path, no_children, monkeypatch
):
    monkeypatch.setattr(job, "_data", lambda *_: job.Data(300, 2, 50, 8))
    tried = []

    def tried_choice(setting, _):
        tried.append(setting.recipe)
        if len(tried) < 3:
            raise BudgetError("nothing fits into 1 GiB. Give more")
        return setting, choose(setting)

    monkeypatch.setattr(job, "choose_tried", tried_choice)
    plan = job.run_plan(clips, tmp_path, PlanOptions("efficientnet-lite0@1", "mean"))
    assert plan.subject.regime == "probe"
    assert plan.reasons["regime"].startswith("lp-ft does not fit (nothing fits into 1 GiB); lora")


def test_a_wrong_name_is_told_before_anything_is_read_or_run(tmp_path):
    with pytest.raises(BackboneError, match="There is no network 'lsmt'; did you mean 'lstm'"):
        job.run_plan(tmp_path / "nowhere", tmp_path, PlanOptions(network="lsmt"))


def test_what_is_learned_from_is_what_train_learns_from():
    split = [Clip("a", label="x", split="train"), Clip("b", label="x", split="test")]
    assert job._data(split, 8, 0.0).clips == 1
    free = [Clip(str(i), label="xy"[i % 2]) for i in range(100)]
    data = job._data(free, 8, 0.0)
    assert (data.clips, data.classes, data.rarest) == (64, 2, 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (PlanOptions(minutes=0), "minutes is 0; give more than 0"),
        (PlanOptions(regime="ful"), "valid are 'probe', 'lp-ft'"),
        (PlanOptions(gpu="T4", memory_bytes=1), "leave memory_bytes away"),
    ],
)
def test_options_without_meaning_are_refused(options, message):
    with pytest.raises(VidfitError, match=message):
        job.run_plan("nowhere", Path("out"), options)


def test_clips_without_a_label_are_counted_and_planned_for(clips, tmp_path, no_children):
    more = write_dataset(tmp_path / "more", 9)
    options = PlanOptions(network="mean", regime="probe", unlabelled=more)
    plan = job.run_plan(clips, tmp_path / "taught", options)
    alone = job.run_plan(clips, tmp_path / "alone", replace(options, unlabelled=None))
    assert (plan.data.unlabelled, alone.data.unlabelled) == (18, 0)
    assert plan.recipe.unlabelled_ratio == round(18 / plan.data.clips) and plan.recipe.ema
    assert plan.predicted.total_seconds > 2 * alone.predicted.total_seconds
    assert read_plan(tmp_path / "taught" / "plan.json").recipe == plan.recipe


def test_clips_that_are_known_with_their_labels_are_none_to_plan_for(clips, tmp_path):
    with pytest.raises(NotEnoughDataError, match="no clip to learn from without a label"):
        job.run_plan(clips, tmp_path, PlanOptions(unlabelled=clips))


def test_words_are_counted_for_a_network_that_reads_them(clips, tmp_path, no_children):
    table = tmp_path / "clips.csv"
    paths = sorted(clips.rglob("*.mp4"))
    rows = [f"{p},{p.parent.name},{'say it' if i % 2 else 'it'}" for i, p in enumerate(paths)]
    table.write_text("\n".join(["path,label,text", *rows]))
    options = PlanOptions(backbone="", network="video-text")
    plan = job.run_plan(table, tmp_path / "out", options)
    assert plan.subject.vocabulary == 2 + 3 and "read beside frames" in plan.reasons["vocabulary"]
    frames = job.run_plan(table, tmp_path / "out", replace(options, network="cnn"))
    assert frames.subject.vocabulary == 0
    assert read_plan(tmp_path / "out" / "plan.json") == frames
