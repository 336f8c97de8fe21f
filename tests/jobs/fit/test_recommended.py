"""What is recommended: the same on a busy machine, nothing that is not proven, with its price."""

from __future__ import annotations

import numpy as np
import pytest
from tests.called import call
from tests.clips import BACKBONE_FILE, write_clip, write_dataset

from vidfit.contracts import Clip, Cost
from vidfit.evaluate import few_recordings
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.select.run import run_select
from vidfit.model import load_model
from vidfit.progress import SILENT
from vidfit.selection import Rule, Terms
from vidfit.study import candidates as candidates_module
from vidfit.study.compare import compare
from vidfit.study.folds import Folds
from vidfit.study.options import SelectOptions
from vidfit.study.table import Table

DEAR = """

class Dear(Colour):
    spec = replace(Colour.spec, name="dear", revision="dear-1", gmacs_per_view=1.0)
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Two encoders that answer alike, and differ by what they are said to cost."""
    file = tmp_path_factory.mktemp("own") / "cheap_and_dear.py"
    file.write_text(BACKBONE_FILE + DEAR)
    return f"{file}:Colour", f"{file}:Dear"


@pytest.mark.parametrize("seconds", [(0.0568, 0.0665), (0.0844, 0.0807)])
def test_timings_that_differ_under_load_give_one_model(fitted, own, tmp_path, monkeypatch, seconds):
    """These were measured for one pair of encoders in two runs of one command."""
    timed = dict(zip(("colour", "dear"), seconds, strict=True))

    def once(backbone, clips):
        return 0.0, timed[backbone.spec.name]

    monkeypatch.setattr(candidates_module, "_time", once)
    report = run_fit(fitted.clips, fitted.warm(tmp_path), FitOptions(backbones=own))
    assert report.chosen == "colour"


def test_what_is_not_proven_is_not_recommended(fitted, own, tmp_path):
    """No colour tells left from right: that is said first, and nothing is told to be used."""
    output = fitted.warm(tmp_path / "out")
    told = call("fit", fitted.clips, "--backbone", own[0], "-o", output)
    assert told.exit_code == 0
    first = next(line for line in told.output.splitlines() if line.startswith("**"))
    assert first.startswith("**Nothing here is proven better than always saying 'left' (50.0 %).")
    assert "Use " not in told.output and "Model " in told.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Nothing here is proven better than always saying" in page
    ranking = (tmp_path / "out" / "ranking.html").read_text()
    assert "Nothing here is proven better than always saying" in ranking


def test_what_is_proven_is_recommended(fitted, tmp_path):
    output = fitted.warm(tmp_path / "out")
    told = call("fit", fitted.clips, "--backbone", "motion", "-o", output)
    assert told.exit_code == 0 and "**Use motion" in told.output and "Use it" in told.output


def test_few_recordings_are_said_to_be_few(tmp_path):
    clips = write_dataset(tmp_path / "clips", recordings=3, clips=2)
    report = run_fit(clips, tmp_path / "out", FitOptions(backbones=("motion",)))
    few = [warning for warning in report.warnings if warning.startswith("Few recordings: 6.")]
    assert len(few) == 1
    assert "Few recordings: 6." in (tmp_path / "out" / "report.html").read_text()
    ranking = run_select(clips, tmp_path / "out", SelectOptions(backbones=("motion",)))
    assert any(warning.startswith("Few recordings: 6.") for warning in ranking.warnings)


def test_many_recordings_are_not(fitted):
    page = (fitted.output / "report.html").read_text()
    assert "Few recordings" not in page and "Only 12 recordings: intervals are wide" in page


@pytest.mark.parametrize(
    ("count", "beginning"),
    [(1, "Few recordings: 1."), (9, "Few"), (10, "Only 10"), (11, "Only 11"), (19, "Only 19")],
)
def test_a_count_of_recordings_near_the_limit_is_said(count, beginning):
    (warning,) = few_recordings(count)
    assert warning.startswith(beginning)


def test_many_recordings_need_no_warning():
    assert few_recordings(20) == ()


@pytest.fixture
def with_a_rare_class(fitted, tmp_path):
    """Clips of a third class, all of one recording."""
    rows = [
        f"{fitted.clips}/{kind}/{kind}{i}.mp4,{kind},{kind}{i}"
        for kind in ("left", "right")
        for i in range(6)
    ]
    rows += [f"{write_clip(tmp_path / f'rare{i}.mp4', 'left', 50 + i)},rare,rare" for i in range(3)]
    file = tmp_path / "clips.csv"
    file.write_text("\n".join(["path,label,group", *rows]))
    return file


def test_a_class_of_one_recording_does_not_end_the_run(fitted, with_a_rare_class, tmp_path):
    options = FitOptions(backbones=("motion",))
    report = run_fit(with_a_rare_class, fitted.warm(tmp_path / "out"), options)
    assert report.classes == ("left", "right") and report.chosen == "motion"
    (note,) = (warning for warning in report.warnings if "Not tested" in warning)
    assert "'rare' has 3 clips of 1 recording" in note and "left" not in note.partition(".")[0]
    assert load_model(tmp_path / "out" / "model").classes == ("left", "right")
    ranking = run_select(with_a_rare_class, tmp_path / "out", SelectOptions(backbones=("motion",)))
    assert ranking.classes == ("left", "right")
    assert any("'rare' has 3 clips" in warning for warning in ranking.warnings)


def test_a_class_of_one_recording_is_learned_where_that_is_wanted(
    fitted, with_a_rare_class, tmp_path
):
    options = FitOptions(backbones=("motion",), keep_untested=True)
    report = run_fit(with_a_rare_class, fitted.warm(tmp_path / "out"), options)
    assert report.classes == ("left", "right")
    assert any(w == "In the model, but never tested: 'rare'." for w in report.warnings)
    assert load_model(tmp_path / "out" / "model").classes == ("left", "rare", "right")


def test_a_fusion_learns_a_class_of_one_recording_where_that_is_wanted(
    fitted, with_a_rare_class, tmp_path
):
    from vidfit.jobs.fuse.options import FuseOptions
    from vidfit.jobs.fuse.run import run_fuse

    options = FuseOptions(backbones=("motion",), keep_untested=True)
    found = run_fuse(with_a_rare_class, fitted.warm(tmp_path / "out"), options)
    assert found.classes == ("left", "right") and found.clip_count == 12
    assert any(w == "In the model, but never tested: 'rare'." for w in found.warnings)
    assert load_model(tmp_path / "out" / "model").classes == ("left", "rare", "right")


# ---------------------------------------------------------------- what the verdict says

CLIPS, RECORDINGS = 80, 20
ALIKE = {"cheap": Cost(0.001, 0.05, 0, 4.0), "dear": Cost(0.001, 0.05, 0, 4.0)}
COSTS = {"cheap": Cost(0.01, 0.01, 0, 1.0), "dear": Cost(0.01, 0.1, 0, 9.0)}


def compared(vectors, methods=(), rule=Rule(), costs=COSTS):
    recording_M = np.arange(CLIPS) % RECORDINGS
    labels_M = recording_M % 4
    clips = tuple(Clip(f"{i}", label="abcd"[k], group=f"r{g}") for i, (k, g) in
                  enumerate(zip(labels_M, recording_M, strict=True)))  # fmt: skip
    table = Table(clips, tuple("abcd"), labels_M, vectors, (), np.ones(CLIPS))
    return compare(table, Folds(table.classes), Terms(costs, methods, rule), SILENT)


def features(rng, classes, noise):
    labels_M = np.arange(CLIPS) % RECORDINGS % 4
    hot_MK = np.eye(4)[labels_M] * np.isin(np.arange(4), classes)
    return (hot_MK + noise * rng.normal(size=hot_MK.shape)).astype(np.float32)


def test_the_verdict_says_what_cheapness_costs():
    rng = np.random.default_rng(4)
    good = features(rng, range(4), 0.45)
    near = good + 0.15 * rng.normal(size=good.shape).astype(np.float32)
    found = compared({"cheap": near, "dear": good})
    assert (found.choice.best_single.name, found.chosen.name) == ("dear", "cheap")
    assert "cheap is taken in place of dear" in found.verdict
    assert "at 5.5 times the time; --prefer best takes it" in found.verdict
    best = compared({"cheap": near, "dear": good}, rule=Rule(cheapest=False))
    assert best.chosen.name == "dear" and "in place of" not in best.verdict


def test_a_proven_fusion_has_a_price_that_is_named():
    rng = np.random.default_rng(5)
    parts = {"cheap": features(rng, (0, 1), 0.3), "dear": features(rng, (2, 3), 0.3)}
    kept = compared(parts, ("stack",), costs=ALIKE)
    assert kept.chosen.name == "stack-2" and kept.verdict.startswith("Fusion kept: stack-2")
    assert "at 2.0 times the time" in kept.verdict
    refused = compared(parts, ("stack",), Rule(give_up=0.9), ALIKE)
    assert refused.chosen.method == ""
    assert "fusion not taken" in refused.verdict and "--prefer best takes it" in refused.verdict
