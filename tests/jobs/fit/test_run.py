"""Clips in, an honest report and a runnable model out; or a plain word on what is missing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.clips import Counting, spec, write_backbone, write_clip, write_dataset

from vidfit.backbones.motion import motion
from vidfit.contracts import Cost
from vidfit.errors import BackboneError, BudgetError, ManifestError, NotEnoughDataError, VidfitError
from vidfit.features import FeatureStore
from vidfit.features.digests import spec_key
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import METHODS, run_fit
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.model import load_model
from vidfit.study import candidates as candidates_module
from vidfit.study import opened as opened_module
from vidfit.study.candidates import Loaded, within_memory

MOTION = FitOptions(backbones=("motion",))


def read(output: Path) -> dict:
    return json.loads((output / "report.json").read_text())


def without_times(report: dict) -> dict:
    """Drop what a second run may measure anew."""
    kept = {key: value for key, value in report.items() if key not in ("stages", "machine")}
    kept["candidates"] = [{**row, "seconds_per_clip": None} for row in report["candidates"]]
    return kept


def test_outputs_and_plausible_figures(fitted):
    report = read(fitted.output)
    assert sorted(path.name for path in fitted.output.iterdir()) == [
        "features", "model", "ranking.html", "ranking.json", "ranking.svg", "report.html",
        "report.json",
    ]  # fmt: skip
    assert (report["clip_count"], report["group_count"]) == (12, 12)
    assert report["classes"] == ["left", "right"]
    assert report["chosen"] == "motion"  # no frame alone tells left from right
    score = {row["name"]: row["score"]["value"] for row in report["candidates"]}
    fusions = {f"{method}-2" for method in METHODS}
    assert set(score) == {"motion", "colour", *fusions, "majority class"}
    assert score["motion"] > 0.9 > 0.8 > score["colour"]
    assert score["majority class"] == 0.5
    assert report["score"]["low"] <= report["score"]["value"] <= report["score"]["high"]
    assert np.sum(report["confusion_KK"]) == 12
    assert len(report["clips"]) == 12 and report["failures"] == []
    assert all(row["seconds_per_clip"] >= 0 for row in report["candidates"])
    model = load_model(fitted.model)
    assert (model.classes, model.members) == (("left", "right"), ("motion",))
    assert model.window_seconds == pytest.approx(1.6, abs=0.05)
    declines = report["declines"]
    assert 0 <= declines["known"]["low"] <= declines["known"]["value"] <= 1
    assert declines["new"] is None and "with two classes" in declines["why"]
    assert model.card["declines"]["why"] == declines["why"]
    assert model.strict_probability >= model.unknown_probability


def test_a_second_run_computes_nothing_and_finds_the_same(fitted, tmp_path, monkeypatch):
    output = shutil.copytree(fitted.output, tmp_path / "out")
    computed = []
    build = opened_module.build_table

    def watched(clips, backbones, store, workers, progress, **asked):
        before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*.parquet")}
        table = build(clips, backbones, store, workers, progress, **asked)
        after = {path: path.stat().st_mtime_ns for path in store.root.rglob("*.parquet")}
        computed.append(before != after)
        return table

    monkeypatch.setattr(opened_module, "build_table", watched)
    run_fit(fitted.clips, output, FitOptions(backbones=fitted.backbones, workers=1))
    assert computed == [False, False]  # the race, and what is gathered of the finalists
    assert without_times(read(output)) == without_times(read(fitted.output))
    first, second = load_model(fitted.model), load_model(output / "model")
    assert replace(first, arrays={}) == replace(second, arrays={})
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(second.arrays[name], array)


def test_features_lost_to_damage_are_computed_again(fitted, tmp_path):
    """The names of the clips can still be read; their features cannot."""
    output = shutil.copytree(fitted.output, tmp_path / "out")
    # A slow machine writes more parts, as they are written after a time.
    parts = list((output / "features" / spec_key(motion().spec)).glob("*.parquet"))
    for part in parts:
        data = bytearray(part.read_bytes())
        data[len(data) // 3] ^= 0xFF
        part.write_bytes(bytes(data))
    run_fit(fitted.clips, output, FitOptions(backbones=fitted.backbones))
    assert without_times(read(output)) == without_times(read(fitted.output))
    assert len(list((output / "features").rglob("*.broken"))) == len(parts) > 0


def test_predictions_on_held_out_clips_are_those_of_the_report(fitted, tmp_path):
    """The way back goes through video, frames and networks again, and through files."""
    write_dataset(tmp_path / "clips", recordings=6, clips=2)
    options = FitOptions(backbones=fitted.backbones, holdout=0.34)
    report = run_fit(tmp_path / "clips", tmp_path / "out", options)
    assert "test split" in report.protocol
    assert 4 <= len(report.clips) <= 12
    held_out = {result.clip.group for result in report.clips}
    assert len(held_out) == len(report.clips) / 2  # whole recordings
    predictor = load(tmp_path / "out" / "model", fitted.backbones[1:])
    for result in report.clips:
        timeline = run_predict(predictor, result.clip.path)
        (segment,) = timeline.segments
        assert segment.label == (None if segment.declined else result.predicted)
        if result.declined:
            assert segment.declined
        assert segment.probability == pytest.approx(result.probability, abs=1e-4)
        assert (segment.start_seconds, segment.end_seconds) == (0.0, timeline.duration_seconds)


def test_a_failing_candidate_is_dropped_and_named(fitted, tmp_path):
    own = Path(fitted.backbones[1].rpartition(":")[0])
    names = ("motion", f"{own}:Broken", "no-such-backbone", "motion")
    report = run_fit(fitted.clips, fitted.warm(tmp_path), FitOptions(backbones=names))
    reasons = [(failure.name, failure.reason) for failure in report.dropped]
    assert reasons[0] == (f"{own}:Broken", "ZeroDivisionError: this network divides by zero")
    assert reasons[1][0] == "no-such-backbone" and "Valid are" in reasons[1][1]
    assert reasons[2] == ("motion", "the name 'motion' is taken; give its spec another name")
    assert report.chosen == "motion"


def test_a_candidate_that_fails_later_is_dropped_too(fitted, tmp_path, monkeypatch):
    """It ran on the probe; on some clip it does not."""
    late = Counting("late", fail_from=9)
    late_loaded = Loaded(late, Cost(0.01, 0.01, 0))
    load_all = candidates_module.load_candidates

    def loaded(*args, **kwargs):
        found, dropped = load_all(*args, **kwargs)
        return [*found, late_loaded], dropped

    monkeypatch.setattr(candidates_module, "load_candidates", loaded)
    report = run_fit(fitted.clips, fitted.warm(tmp_path), MOTION)
    assert [failure.name for failure in report.dropped] == ["late"]
    assert "enough" in report.dropped[0].reason
    assert {row.name for row in report.candidates} == {"motion", "majority class"}


def test_no_candidate_that_runs_is_an_error(fitted, tmp_path):
    with pytest.raises(BackboneError, match="no candidate runs here"):
        run_fit(fitted.clips, tmp_path, FitOptions(backbones=("nothing",)))


# ---------------------------------------------------------------- budgets


def loaded(name: str, milliseconds: float = 0.0, mebibytes: float = 0.0) -> Loaded:
    cost = Cost(0.01, milliseconds / 1e3, int(mebibytes * 2**20))
    return Loaded(Counting(name), cost)


def test_memory_drops_the_largest_first(monkeypatch):
    offered = [loaded("small", mebibytes=10), loaded("large", mebibytes=300)]
    monkeypatch.setattr(candidates_module, "resident_bytes", lambda: 410 * 2**20)
    kept, dropped = within_memory(offered, 200 * 2**20)
    assert [c.name for c in kept] == ["small"]
    assert dropped[0].name == "large" and "it takes 300 MiB" in dropped[0].reason
    with pytest.raises(BudgetError, match=r"100 MiB do not suffice.*small.*110 MiB"):
        within_memory(offered, 100 * 2**20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minutes": 1e-7}, r"no candidate is left; .*motion: over the budget of 1e-07"),
        ({"memory_bytes": 1000}, "do not suffice: vidfit with the smallest candidate"),
    ],
)
def test_a_budget_that_nothing_fits(fitted, tmp_path, options, message):
    with pytest.raises(BudgetError, match=message):
        run_fit(fitted.clips, tmp_path, replace(MOTION, **options))
    assert not (tmp_path / "model").exists()


# ---------------------------------------------------------------- too little data


def link(fitted, folder: Path, **counts: int) -> Path:
    """Take so many recordings of each class."""
    for kind, count in counts.items():
        (folder / kind).mkdir(parents=True)
        for i in range(count):
            (folder / kind / f"{kind}{i}.mp4").symlink_to(fitted.clips / kind / f"{kind}{i}.mp4")
    return folder


def test_clips_without_labels(fitted, tmp_path):
    for i in range(3):
        shutil.copy(fitted.clips / "left" / f"left{i}.mp4", tmp_path / f"{i}.mp4")
    with pytest.raises(
        NotEnoughDataError, match=r"have no label. 0 labelled clips are of 0 classes.*CLASS/\*"
    ):
        run_fit(tmp_path, tmp_path / "out", MOTION)


def test_one_class(fitted, tmp_path):
    with pytest.raises(NotEnoughDataError, match=r"of 1 class \('left'\); two classes"):
        run_fit(link(fitted, tmp_path / "clips", left=6), tmp_path / "out", MOTION)


@pytest.mark.parametrize("count", [1, 2])
def test_a_class_of_one_or_two_recordings_of_one_clip(fitted, tmp_path, count):
    clips = link(fitted, tmp_path / "clips", left=6, right=count)
    with pytest.raises(NotEnoughDataError, match=f"'right' has {count} clips? of {count} record"):
        run_fit(clips, tmp_path / "out", MOTION)
    assert not (tmp_path / "out").exists()  # refused before anything is computed


def test_three_clips_in_total(fitted, tmp_path):
    clips = link(fitted, tmp_path / "clips", left=2, right=1)
    with pytest.raises(NotEnoughDataError, match=r"'left' has 2 clips.*'right' has 1 clip of"):
        run_fit(clips, tmp_path / "out", MOTION)


@pytest.mark.parametrize("right", [3, 4])
def test_a_class_of_a_few_recordings_is_fitted_with_fewer_folds(fitted, tmp_path, right):
    clips = link(fitted, tmp_path / "clips", left=6, right=right)
    report = run_fit(clips, fitted.warm(tmp_path / "out"), MOTION)
    assert report.protocol.startswith(f"nested cross-validation, {right} folds")
    notes = [w for w in report.warnings if "folds lowered" in w]
    assert notes == [
        f"5 folds lowered to {right}: class 'right' has clips of {right} recordings only."
    ]


def test_a_class_of_two_recordings_of_two_clips(fitted, tmp_path):
    rows = ["path,label,group"]
    for kind in ("left", "right"):
        rows += [f"{fitted.clips}/{kind}/{kind}{i}.mp4,{kind},{kind}-{i // 2}" for i in range(4)]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    report = run_fit(tmp_path / "clips.csv", fitted.warm(tmp_path / "out"), MOTION)
    assert (report.clip_count, report.group_count) == (8, 4)
    assert report.protocol.startswith("nested cross-validation, 2 folds")


def test_a_class_whose_clips_one_fold_could_hold(fitted, tmp_path):
    """Two folds, for the other class has but two recordings; one holds two of these three."""
    rows = ["path,label,group"]
    rows += [f"{fitted.clips}/left/left{i}.mp4,left,l{i}" for i in range(3)]
    rows += [f"{fitted.clips}/right/right{i}.mp4,right,r{i // 2}" for i in range(4)]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    with pytest.raises(NotEnoughDataError, match=r"'left' has 3 clips of 3.*one of 2 folds"):
        run_fit(tmp_path / "clips.csv", fitted.warm(tmp_path / "out"), MOTION)


def test_every_clip_broken(tmp_path):
    for kind in ("left", "right"):
        (tmp_path / "clips" / kind).mkdir(parents=True)
        for i in range(4):
            (tmp_path / "clips" / kind / f"{kind}{i}.mp4").write_text("no video")
    with pytest.raises(
        NotEnoughDataError,
        match=r"8 of 8 cannot be used: .*is text, not a video.*0 of 8 clips can be read",
    ):
        run_fit(tmp_path / "clips", tmp_path / "out", MOTION)


def test_clips_that_are_broken_leave_too_few(fitted, tmp_path):
    clips = link(fitted, tmp_path / "clips", left=5, right=2)
    for i in range(2, 5):
        (clips / "right" / f"right{i}.mp4").write_text("no video")
    message = r"Too few clips that can be read \(3 cannot\).*'right' has 2 clips"
    with pytest.raises(NotEnoughDataError, match=message):
        run_fit(clips, fitted.warm(tmp_path / "out"), MOTION)


def table(fitted, path: Path, rows: list[tuple[str, int, str]]) -> Path:
    lines = [f"{fitted.clips}/{kind}/{kind}{i}.mp4,{kind},{split}" for kind, i, split in rows]
    path.write_text("\n".join(["path,label,split", *lines]))
    return path


def test_a_class_that_only_the_test_split_has(fitted, tmp_path):
    other = write_clip(tmp_path / "other.mp4", "left", 99)
    rows = [(kind, i, "train") for kind in ("left", "right") for i in range(4)]
    path = table(fitted, tmp_path / "clips.csv", rows)
    with path.open("a") as file:
        file.write(f"\n{other},new,test\n{write_clip(tmp_path / 'b.mp4', 'left', 98)},new,test")
        file.write(f"\n{write_clip(tmp_path / 'c.mp4', 'left', 97)},new,test\n")
    with pytest.raises(NotEnoughDataError, match=r"classes that no other clip has \('new'\)"):
        run_fit(path, fitted.warm(tmp_path / "out"), MOTION)


def test_a_test_split_of_the_data_is_used_and_said(fitted, tmp_path):
    rows = [(kind, i, "test" if i > 3 else "train") for kind in ("left", "right") for i in range(6)]
    path = table(fitted, tmp_path / "clips.csv", rows)
    report = run_fit(path, fitted.warm(tmp_path / "out"), replace(MOTION, holdout=0.5))
    assert {Path(result.clip.path).stem for result in report.clips} == {
        "left4", "left5", "right4", "right5",
    }  # fmt: skip
    assert any("test split of its own" in warning for warning in report.warnings)


def test_a_test_split_that_cuts_recordings_is_said(fitted, tmp_path):
    rows = ["path,label,split,group"]
    for kind in ("left", "right"):
        for i in range(6):
            split = "test" if i > 3 else "train"
            rows.append(f"{fitted.clips}/{kind}/{kind}{i}.mp4,{kind},{split},{kind}{i % 4}")
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    report = run_fit(tmp_path / "clips.csv", fitted.warm(tmp_path / "out"), MOTION)
    assert any("split cuts 4 recordings" in warning for warning in report.warnings)


def test_a_test_split_of_one_recording_has_no_interval(fitted, tmp_path):
    rows = ["path,label,split,group"]
    for kind in ("left", "right"):
        rows += [f"{fitted.clips}/{kind}/{kind}{i}.mp4,{kind},train,{kind}{i}" for i in range(4)]
        rows += [f"{fitted.clips}/{kind}/{kind}{i}.mp4,{kind},test,one" for i in (4, 5)]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    report = run_fit(tmp_path / "clips.csv", fitted.warm(tmp_path / "out"), MOTION)
    assert report.score.value > 0.5 and np.isnan(report.score.low)
    assert read(tmp_path / "out")["score"]["low"] is None
    assert "interval not measured" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"holdout": 1.0}, "holdout is 1.0"), ({"holdout": -0.1}, "holdout"), ({"workers": 0}, "wor")],
)
def test_options_out_of_range(fitted, tmp_path, options, message):
    with pytest.raises(VidfitError, match=message):
        run_fit(fitted.clips, tmp_path, replace(MOTION, **options))


def test_a_source_that_is_not_there(tmp_path):
    with pytest.raises(ManifestError, match="There is no"):
        run_fit(tmp_path / "nowhere", tmp_path / "out", MOTION)


def test_own_backbones_know_their_way_back(fitted, tmp_path):
    own = write_backbone(tmp_path)
    run_fit(fitted.clips, tmp_path / "out", FitOptions(backbones=(own,)))
    predictor = load(tmp_path / "out" / "model", (own,))
    assert predictor.backbones[0].spec.name == "colour"
    store = FeatureStore(tmp_path / "out" / "features")
    assert len(store.known(predictor.backbones[0].spec)) == 12
    assert store.known(spec()) == set()


def test_recordings_that_share_clips_count_as_one(fitted, tmp_path):
    """Copies are joined before anything is learned; those that look alike when asked."""
    clips = shutil.copytree(fitted.clips, tmp_path / "clips")
    copied = sorted((clips / "left").glob("*.mp4"))[0]
    shutil.copy(copied, clips / "left" / "a-second-name.mp4")
    output = fitted.warm(tmp_path / "out")
    copies = run_fit(clips, output, MOTION)
    joined = run_fit(clips, output, replace(MOTION, merge_duplicates=True))
    assert len(copies.near_duplicates) == len(joined.near_duplicates) == 1
    assert (copies.group_count, joined.group_count) == (12, 12)
    assert any("12 instead of 13" in warning for warning in copies.warnings)
    (line,) = (warning for warning in joined.warnings if "instead of" in warning)
    assert "clips that look the same" in line and "12 instead of 13" in line
