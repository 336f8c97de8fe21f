"""What `vidfit label` says, and the next command that it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.called import call

from vidfit.cli.label import show_labelling
from vidfit.contracts import Clip, Failure
from vidfit.jobs.label.options import LabelOptions
from vidfit.jobs.label.value import Labelling, Proposed


def found(**changes):
    facts = {
        "proposed": tuple(Proposed(Clip(f"{i}.mp4"), "margin", "why") for i in range(12)),
        "labels": {"fight": 9, "noFight": 7},
        "clip_count": 40,
        "empty": ("7.mp4#1.5",),
        "grouping": "from videos.txt",
        "failures": (Failure("bad.mp4", "it is empty"),),
    }
    return Labelling(**{**facts, **changes})


def test_where_labelling_stands_and_what_to_type_next(tmp_path, capsys):
    show_labelling(found(), "clips", tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "16 of 40 clips have a label: fight 9, noFight 7",
        "Recordings: from videos.txt",
    ]
    assert "  bad.mp4: it is empty" in lines and "  7.mp4#1.5" in lines
    assert "12 clips to label next, by the method margin:" in lines
    assert "  9.mp4  why" in lines and "  10.mp4  why" not in lines and "  and 2 more" in lines
    to_label = tmp_path / "to-label.csv"
    assert lines[-2].endswith(f"vidfit label clips --answers {to_label} -o {tmp_path}")
    assert lines[-1] == f"Fit      vidfit fit clips -o {tmp_path}"


def test_the_fit_is_on_the_merged_list_where_there_is_one(tmp_path, capsys):
    (tmp_path / "clips.csv").touch()
    show_labelling(found(proposed=()), "clips", tmp_path)
    out = capsys.readouterr().out
    assert f"vidfit fit {tmp_path / 'clips.csv'}" in out and "Next" not in out


def test_without_two_classes_no_fit_is_offered(tmp_path, capsys):
    show_labelling(found(labels={}, empty=(), failures=()), "clips", tmp_path)
    out = capsys.readouterr().out
    assert "0 of 40 clips have a label\n" in out
    assert "vidfit fit" not in out and "empty" not in out and "left out" not in out


def test_options_arrive(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        "vidfit.jobs.label.run.run_label", lambda *args: asked.append(args) or found()
    )
    words = ["label", "clips", "--count", "3", "--answers", "a.csv", "--backbone", "motion"]
    words += ["--groups", "g.csv", "--workers", "2", "--seed", "4", "-o", tmp_path]
    result = call(*words)
    assert result.exit_code == 0, result.output
    ((clips, output, options, _),) = asked
    assert (clips, output) == ("clips", tmp_path)
    assert options == LabelOptions(3, Path("a.csv"), ("motion",), Path("g.csv"), 2, False, 4)


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["nowhere"], 2, "There is no"),
        (["nowhere", "--count", "0"], 2, "Invalid value for '--count'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words, status, complaint, tmp_path):
    result = call("label", *words, "-o", tmp_path / "out")
    assert result.exit_code == status
    assert complaint in result.output
    assert not (tmp_path / "out").exists()
