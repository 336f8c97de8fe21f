"""From clips without labels to a list, to answers, to the next list."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from vidfit.errors import BackboneError, ManifestError, NotEnoughDataError, VidfitError
from vidfit.features import FeatureStore
from vidfit.jobs.label.options import LabelOptions
from vidfit.jobs.label.run import run_label
from vidfit.launch import Here
from vidfit.manifest import read_manifest
from vidfit.progress import SILENT
from vidfit.selection.active import LABELS_A_CLASS


@pytest.fixture
def output(fitted, tmp_path):
    """An output folder with the features of an earlier fit."""
    shutil.copytree(fitted.output / "features", tmp_path / "out" / "features")
    return tmp_path / "out"


@pytest.fixture
def flat(fitted, tmp_path):
    """The twelve clips in one folder, which tells nothing of their classes."""
    folder = tmp_path / "flat"
    folder.mkdir()
    for path in sorted(fitted.clips.rglob("*.mp4")):
        (folder / path.name).symlink_to(path)
    return folder


def asking(fitted, **changes):
    return LabelOptions(backbones=fitted.backbones, workers=1, **changes)


def fill(path):
    """Answer every row rightly: the names begin with the class."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["label"] = Path(row["path"]).stem[:-1]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def paths(found):
    return [one.clip.path for one in found.proposed]


def test_from_no_label_to_all(fitted, flat, output):
    first = run_label(flat, output, asking(fitted, count=5))
    assert len(set(paths(first))) == 5 and first.labels == {} and first.clip_count == 12
    assert {one.method for one in first.proposed} == {"typical"}
    answers = fill(output / "to-label.csv")
    second = run_label(flat, output, asking(fitted, count=5, answers=answers))
    assert sum(second.labels.values()) == 5 and second.empty == ()
    assert not set(paths(first)) & set(paths(second))
    last = run_label(flat, output, asking(fitted, count=5, answers=fill(answers)))
    assert len(last.proposed) == 2
    done = run_label(flat, output, asking(fitted, count=5, answers=fill(answers)))
    assert done.proposed == () and done.labels == {"left": 6, "right": 6}
    labelled = read_manifest(output / "clips.csv")
    assert all(Path(clip.path).stem[:-1] == clip.label for clip in labelled.clips)
    assert answers.read_text().count("\n") == 1, "nothing is left to fill in"


def test_features_of_a_fit_are_not_computed_again(fitted, flat, output):
    before = sorted(path.name for path in (output / "features").rglob("part-*"))
    run_label(flat, output, asking(fitted))
    assert sorted(path.name for path in (output / "features").rglob("part-*")) == before


def test_a_damaged_part_is_computed_again(fitted, flat, output):
    (first, *_) = (output / "features").rglob("part-*.parquet")
    first.write_bytes(first.read_bytes()[:-20])
    assert run_label(flat, output, asking(fitted)).failures == ()


def test_the_same_seed_proposes_the_same(fitted, flat, output):
    first = run_label(flat, output, asking(fitted, count=4))
    assert paths(run_label(flat, output, asking(fitted, count=4))) == paths(first)


def test_with_enough_labels_the_margin_chooses(fitted, flat, output, monkeypatch):
    monkeypatch.setattr("vidfit.selection.active.LABELS_A_CLASS", 2)
    assert LABELS_A_CLASS > 2
    run_label(flat, output, asking(fitted, count=8))
    answers = fill(output / "to-label.csv")
    found = run_label(flat, output, asking(fitted, count=2, answers=answers))
    assert [one.method for one in found.proposed] == ["margin", "margin"]
    assert "left" in found.proposed[0].why and "right" in found.proposed[0].why


def test_clips_of_a_test_split_and_those_that_cannot_be_read_are_not_proposed(
    fitted, flat, output, tmp_path
):
    (flat / "left0.mp4").unlink()
    (flat / "left0.mp4").write_text("no video")
    listed = tmp_path / "clips.csv"
    rows = [f"flat/{path.name},{'test' if '1' in path.name else ''}\n" for path in flat.iterdir()]
    listed.write_text("path,split\n" + "".join(rows))
    found = run_label(listed, output, asking(fitted, count=50))
    assert len(found.proposed) == found.clip_count == 9
    assert not any("1" in Path(path).name for path in paths(found))
    (failure,) = found.failures
    assert failure.name.endswith("left0.mp4")


def test_a_backbone_that_fails_leaves_the_others(fitted, flat, output):
    broken = fitted.backbones[1].replace(":Colour", ":Broken")
    options = LabelOptions(backbones=("motion", broken), workers=1)
    found = run_label(flat, output, options)
    assert len(found.proposed) == 10
    (failure,) = found.failures
    assert "divides by zero" in failure.reason


def test_without_any_backbone_there_is_nothing_to_go_by(fitted, flat, output):
    broken = fitted.backbones[1].replace(":Colour", ":Broken")
    with pytest.raises(BackboneError, match="divides by zero"):
        run_label(flat, output, LabelOptions(backbones=(broken,), workers=1))


def test_nothing_can_be_read(fitted, tmp_path):
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "a.mp4").write_text("no video")
    with pytest.raises(
        NotEnoughDataError, match=r"^1 of 1 cannot be used: .*No clip is left to look at"
    ):
        run_label(tmp_path / "flat", tmp_path / "out", asking(fitted))


def test_answers_that_do_not_fit_are_refused_before_anything_is_computed(fitted, flat, tmp_path):
    answers = tmp_path / "answers.csv"
    answers.write_text("path,label\nother.mp4,left\n")
    with pytest.raises(ManifestError, match=r"other.mp4, which is none of the 12 clips"):
        run_label(flat, tmp_path / "out", asking(fitted, answers=answers))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("changes", [{"count": 0}, {"workers": 0}])
def test_options_without_meaning(flat, tmp_path, changes):
    (name,) = changes
    with pytest.raises(VidfitError, match=f"{name} is 0; give"):
        run_label(flat, tmp_path / "out", LabelOptions(**changes))


def test_what_was_seen_is_what_the_store_holds(fitted, output):
    from vidfit.backbones import load
    from vidfit.features import temporal_statistics
    from vidfit.jobs.label.run import look
    from vidfit.study.candidates import load_candidates

    clips = read_manifest(fitted.clips).clips
    store = FeatureStore(output / "features")
    loaded, _ = load_candidates(("motion",), ())
    seen = look(clips, loaded, store, Here(1), SILENT)
    known = dict(store.rows(load("motion").spec))
    expected = {temporal_statistics(one.tokens_ND).tobytes() for one in known.values()}
    assert seen.clips == clips
    assert {row.tobytes() for row in seen.blocks[0]} == expected
    assert np.isfinite(seen.blocks[0]).all()
