"""Exit codes, files and messages of the commands."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise

import pytest
from tests.called import call
from tests.clips import write_clip
from tests.video.cases import overwritten

import vidfit
from vidfit.cli import main
from vidfit.cli.quantities import memory_bytes, time_seconds
from vidfit.errors import VidfitError
from vidfit.study import opened
from vidfit.video import probe


def test_version_is_printed_alone():
    result = call("--version")
    assert (result.exit_code, result.stdout) == (0, f"vidfit {vidfit.__version__}\n")


@pytest.mark.parametrize("own", [None, "ACTIVE"])
def test_threads_of_torch_sleep_while_they_wait_unless_told_otherwise(monkeypatch, own):
    monkeypatch.delenv("OMP_WAIT_POLICY")
    if own:
        monkeypatch.setenv("OMP_WAIT_POLICY", own)
    assert call("models", "--json").exit_code == 0
    assert os.environ["OMP_WAIT_POLICY"] == (own or "PASSIVE")


@pytest.fixture
def clip(fitted):
    return fitted.clips / "left" / "left1.mp4"


# ---------------------------------------------------------------- fit


def test_fit_prints_the_summary_and_where_everything_lies(fitted, tmp_path):
    output = shutil.copytree(fitted.output, tmp_path / "out")  # with its features
    names = [word for name in fitted.backbones for word in ("--backbone", name)]
    result = call("fit", fitted.clips, "-o", output, *names, "--workers", 1)
    assert result.exit_code == 0, result.output
    assert "| candidate | accuracy [95 %] |" in result.stdout
    for name in ("motion", "colour", "majority class"):
        assert f"| {name} |" in result.stdout
    for path in (output / "report.html", output / "model"):
        assert str(path) in result.stdout and path.exists()
    assert "decode and extract: 12" in result.stderr  # progress, one line a stage


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "There is no"),
        (["nowhere", "--minutes", "-1"], "--minutes"),
        (["nowhere", "--holdout", "0.95"], "--holdout"),
        (["nowhere", "--memory", "much"], "'much' is no amount of memory; write 2GiB"),
        (["nowhere", "--workers", "0"], "--workers"),
    ],
)
def test_a_user_error_is_one_message_and_status_2(tmp_path, words, message):
    result = call("fit", *words, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.stderr and "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "count"),
    [("2GiB", 2 * 2**30), ("800MB", 800_000_000), ("1.5k", 1500), ("64 MiB", 2**26), ("123", 123)],
)
def test_amounts_of_memory(text, count):
    assert memory_bytes(text) == count


@pytest.mark.parametrize(("text", "seconds"), [("80ms", 0.08), ("0.5s", 0.5), ("2 s", 2.0)])
def test_lengths_of_time(text, seconds):
    assert time_seconds(text) == pytest.approx(seconds)


def test_select_says_what_to_use_and_what_to_type_next(fitted, tmp_path):
    result = call("select", fitted.clips, "-o", tmp_path, "--backbone", "motion")
    assert result.exit_code == 0, result.output
    assert "Use motion" in result.stdout
    assert f"vidfit fit {fitted.clips} --backbone motion -o {tmp_path}" in result.stdout
    assert (tmp_path / "ranking.html").is_file()


@pytest.mark.parametrize("option", [("--latency", "soon"), ("--prefer", "dearest")])
def test_select_refuses_what_it_cannot_read(fitted, tmp_path, option):
    result = call("select", fitted.clips, "-o", tmp_path, *option)
    assert result.exit_code == 2 and option[1] in result.stderr


def test_an_interrupt_is_status_130_and_says_how_to_go_on(fitted, tmp_path, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(opened, "build_table", interrupt)
    result = call("fit", fitted.clips, "-o", tmp_path, "--backbone", "motion")
    assert result.exit_code == 130
    assert "the same command goes on from here" in result.stderr


def test_a_system_that_refuses_is_one_line(fitted, tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied", str(tmp_path / "report.json"))

    monkeypatch.setattr(opened, "from_lists", refuse)
    result = call("fit", fitted.clips, "-o", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"vidfit: {tmp_path / 'report.json'}: Permission denied\n"


def test_a_bug_is_not_dressed_up_as_a_user_error(fitted, tmp_path, monkeypatch):
    def fail(*args, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(opened, "launcher", fail)
    result = call("fit", fitted.clips, "-o", tmp_path)
    assert result.exit_code == 1 and isinstance(result.exception, ZeroDivisionError)


# ---------------------------------------------------------------- predict


def test_predict_on_a_clip(fitted, clip):
    result = call("predict", fitted.model, clip)
    assert result.exit_code == 0, result.output
    head, line = result.stdout.splitlines()
    assert head.startswith(f"{clip}  1.60 s, ") and "seen (motion: 8 views of 3 frames, " in head
    assert line.split()[:4] == ["0.00", "-", "1.60", "s"]
    answered, declined = r"left \d+\.\d %", r"declined \([a-z ]+, best class \d+\.\d %\): left "
    assert re.search(rf" s  ({answered}$|{declined})", line)


@pytest.mark.parametrize(
    ("unknown", "words"),
    [("off", r"left \d+\.\d %$"), ("1", r"declined \(.*best class .* %\): left .* %, right .* %$")],
)
def test_predict_declines_as_it_is_asked(fitted, clip, unknown, words):
    result = call("predict", fitted.model, clip, "--unknown", unknown)
    assert result.exit_code == 0, result.output
    assert re.search(words, result.stdout.splitlines()[1])


@pytest.mark.parametrize("unknown", ["never", "0", "1.5", "nan"])
def test_predict_refuses_what_says_nothing_about_declining(fitted, clip, unknown):
    result = call("predict", fitted.model, clip, "--unknown", unknown)
    assert result.exit_code == 2
    assert "valid are 'off', 'strict', or a least probability above 0, to 1" in result.stderr


def test_predict_on_a_long_video_writes_every_format(fitted, tmp_path):
    video = write_clip(tmp_path / "long.mp4", "left", seed=5, frames=100)
    formats = "json,csv, vtt,png,mp4"
    result = call("predict", fitted.model, video, "-o", tmp_path / "out", "--format", formats)
    assert result.exit_code == 0, result.output
    files = {path.suffix: path for path in (tmp_path / "out").iterdir()}
    assert set(files) == {".json", ".csv", ".vtt", ".png", ".mp4"}
    timeline = json.loads(files[".json"].read_text())
    assert len(timeline["windows"]) == 5  # 8 s in windows of 1.6 s
    segments = timeline["segments"]
    assert segments[0]["start_seconds"] == 0 and segments[-1]["end_seconds"] == pytest.approx(8.0)
    assert all((a["label"], a["why"]) != (b["label"], b["why"]) for a, b in pairwise(segments))
    assert all(segment["declined"] == (segment["label"] is None) for segment in segments)
    rows = list(csv.DictReader(files[".csv"].open()))
    assert [row["label"] for row in rows] == [segment["label"] or "" for segment in segments]
    assert files[".vtt"].read_text().startswith("WEBVTT")
    assert files[".png"].read_bytes().startswith(b"\x89PNG")
    assert probe(str(files[".mp4"])).frame_count == 100
    assert len(result.stdout.splitlines()) == 2 + len(segments)  # and where the files lie


def test_predict_prints_a_line_of_json_for_each_video(fitted, clip, tmp_path):
    other = write_clip(tmp_path / "caf\u00e9.mp4", "right", seed=7)
    result = call("predict", fitted.model, clip, tmp_path / "gone.mp4", other, "--json")
    assert result.exit_code == 1 and "gone.mp4: not answered" in result.stderr
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["path"], second["path"]) == (str(clip), str(other))
    assert first["format"] == "vidfit.timeline/2"
    assert first["windows"][0]["end_seconds"] == pytest.approx(1.6)


def test_predict_with_a_format_writes_to_the_default_folder_and_says_where(
    fitted, clip, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = call("predict", fitted.model, clip, "--format", "csv")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "Answers  runs/answers"
    rows = list(csv.DictReader((tmp_path / "runs" / "answers" / "left1.csv").open()))
    assert [row["start_seconds"] for row in rows] == ["0.000"]


def test_predict_with_neither_format_nor_folder_writes_nothing(fitted, clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call("predict", fitted.model, clip)
    assert result.exit_code == 0 and "Answers" not in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_video_is_named_and_the_others_are_answered(fitted, clip, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    result = call("predict", fitted.model, bad, clip, tmp_path / "gone.mp4")
    assert result.exit_code == 1
    assert f"{bad}: not answered:" in result.stderr and "gone.mp4: not answered" in result.stderr
    assert str(clip) in result.stdout


def test_a_damaged_part_is_said(fitted, tmp_path):
    video = overwritten(tmp_path)
    result = call("predict", fitted.model, video, "--window", 0.36)
    assert result.exit_code == 0, result.output
    assert "s  not answered\n" in result.stdout
    assert f"{video}#" in result.stderr and "cannot be decoded" in result.stderr


def test_a_folder_of_videos_and_names_that_meet(fitted, clip, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        shutil.copy(clip, tmp_path / "in" / folder / "same.mp4")
    result = call("predict", fitted.model, tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "out").glob("same-*.json"))) == 2


def test_predict_answers_the_spans_of_a_table_and_names_bad_rows(fitted, clip, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(clip, tmp_path / "in" / "v.mp4")
    table = tmp_path / "in" / "list.csv"
    table.write_text("file_name,start,end\nv.mp4,0,0.8\nv.mp4,0.8,1.6\nv.mp4,5,4\n")
    result = call("predict", fitted.model, table, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert f"Read {table} as the table list.csv (file_name, start, end)" in result.stderr
    assert "row 3: v.mp4: not answered: ends at 4 s, not after its start at 5 s" in result.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["v@0-0.8.json", "v@0.8-1.6.json"]


def test_fit_says_in_one_line_what_it_read(fitted, tmp_path):
    result = call("fit", fitted.clips, "-o", tmp_path, "--backbone", "nonsense")
    assert result.stderr.startswith("Read as CLASS/*.mp4: left 6, right 6; 12 recordings, ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "xml"], "there is no format 'xml'; valid are json, csv, vtt, png, mp4"),
        (["--window", "0"], "--window"),
    ],
)
def test_wrong_options_of_predict(fitted, clip, words, message):
    result = call("predict", fitted.model, clip, *words)
    assert result.exit_code == 2 and message in result.stderr


def test_what_is_no_model_is_refused(tmp_path, clip):
    result = call("predict", tmp_path, clip)
    assert result.exit_code == 2
    assert "is no model: it has no model.json; give what `fit` wrote" in result.stderr


def test_a_folder_without_videos_is_refused(fitted, tmp_path):
    result = call("predict", fitted.model, tmp_path)
    assert result.exit_code == 2 and "holds no videos" in result.stderr


def test_a_member_of_ones_own_is_asked_for(fitted, clip, tmp_path):
    own = fitted.backbones[1]
    done = call("fit", fitted.clips, "-o", tmp_path, "--backbone", own, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == json.loads((tmp_path / "report.json").read_text())
    result = call("predict", tmp_path / "model", clip, "--backbone", own)
    assert result.exit_code == 0, result.output
    assert "(colour: 4 frames, evenly spread)" in result.stdout


def test_reported_passes_on_what_is_right():
    @main._reported
    def fine() -> None:
        return None

    @main._reported
    def wrong() -> None:
        raise VidfitError("give another")

    assert fine() is None
    with pytest.raises(main.typer.Exit) as caught:
        wrong()
    assert caught.value.exit_code == 2


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "a", "--top", "0"], "'--top': 0 is given; 1 or more is valid"),
        (["fit", "a", "--workers", "two"], "'--workers': two is given; a whole number is valid"),
        (["fit", "a", "--give-up", "x"], "'--give-up': x is given; a number is valid"),
        (["fit", "a", "--give-up", "101"], "'--give-up': 101 is given; at most 100 is valid"),
        (["convert", "a", "b", "--to", "x"], "'--to': 'x' is not one of 'coco', 'yolo', 'voc'"),
    ],
)
def test_an_option_is_refused_in_our_words(words, said):
    result = call(*words)
    assert result.exit_code == 2
    text = " ".join(result.stderr.replace("│", "").split())
    assert f"Invalid value for {said}" in text
    assert "Input should" not in text and "Value error" not in text


@pytest.mark.parametrize("module", ["vidfit", "vidfit.cli.main"])
def test_a_module_is_the_program(module):
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"vidfit {vidfit.__version__}\n"
