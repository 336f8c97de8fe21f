"""The layout of MMSA, tables of numbers or classes, and what is refused."""

from __future__ import annotations

import pytest

from vidfit.errors import ManifestError
from vidfit.labels import A_NUMBER, ONE
from vidfit.tasks import CLASSIFY, task_named
from vidfit.tasks.sentiment import BACKBONES
from vidfit.tasks.sentiment.reading import read

_HEAD = "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode\n"


@pytest.fixture
def mmsa(tmp_path):
    (tmp_path / "Raw" / "abc").mkdir(parents=True)
    (tmp_path / "Raw" / "abc" / "0001.mp4").write_bytes(b"x")
    rows = ["abc,1,it is fine,1.5,,,,Positive,train", "xyz,12,no,-2.4,,,,Negative,test"]
    (tmp_path / "label.csv").write_text(_HEAD + "\n".join([*rows, ",3,what,0,,,,Neutral,train"]))
    return tmp_path


def test_mmsa_gives_clips_words_speakers_and_splits(mmsa):
    manifest = read(mmsa, None, None)
    first, second = manifest.clips
    assert (first.group, first.label, first.split, first.text) == (
        "abc", "1.5", "train", "it is fine",
    )  # fmt: skip
    assert first.path.endswith("Raw/abc/0001.mp4")
    assert (second.path, second.split) == ("words:xyz/12", "test")
    assert manifest.kind is A_NUMBER and "1 of 2" in manifest.warnings[0]
    assert manifest.rejected[0].name == "label.csv, row 3"


def test_classes_are_classified_by_the_same_encoders(tmp_path):
    table = tmp_path / "said.csv"
    table.write_text("text,label\nyes,positive\nno,negative\n")
    manifest = read(table, None, None)
    assert manifest.kind is ONE
    task = task_named("sentiment")
    suited = task.suited(task, manifest)
    assert (suited.name, suited.kind, suited.backbones) == (CLASSIFY.name, ONE, BACKBONES)


def test_a_number_outside_of_the_scale_is_refused(tmp_path):
    table = tmp_path / "said.csv"
    table.write_text("text,score\nyes,3.5\nno,-1\n")
    with pytest.raises(ManifestError, match=r"outside \[-3, 3\], such as 3.5"):
        read(table, None, None)


def test_numbers_up_to_one_have_the_figures_of_ch_sims(tmp_path):
    table = tmp_path / "said.csv"
    table.write_text("text,score\nyes,0.8\nno,-1\n")
    manifest = read(table, None, None)
    task = task_named("sentiment")
    assert "sims-acc2" in task.suited(task, manifest).measures
