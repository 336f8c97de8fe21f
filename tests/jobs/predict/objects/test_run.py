"""Objects of videos on the command line: what is told, what is written, what goes wrong."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from tests.called import call
from tests.jobs.predict.objects.squares import SIDE, red_at, write_detector, write_squares

from vidfit.boxes import Box
from vidfit.jobs.predict.looked import LookedVideo
from vidfit.jobs.predict.objects import run
from vidfit.jobs.predict.objects.value import VideoObjects
from vidfit.jobs.predict.objects.written import objects_mot
from vidfit.manifest.annotations import parse_annotations
from vidfit.tracking.filled import TrackedFrame
from vidfit.video import VideoReader

FORMATS = "json,csv,coco,mot,mp4"


@pytest.fixture
def detector(tmp_path):
    return write_detector(tmp_path)


def rows_of(path):
    return list(csv.DictReader(path.open()))


def test_all_formats_tell_the_same_boxes(tmp_path, detector):
    video, out = write_squares(tmp_path / "v.mp4"), tmp_path / "out"
    words = ("-o", out, "--format", FORMATS, "--every", 4, "--line", "mid:30,0,30,60",
             "--zone", "left:0,0 20,0 20,30 0,30")  # fmt: skip
    result = call("predict", detector, video, *words)
    assert result.exit_code == 0, result.output
    assert "10 of 40 frames looked at, 2 tracks: 1 red, 1 green" in result.stdout
    assert "mid: 1 to the left, 0 to the right" in result.stdout
    assert "left: 1 visit," in result.stdout
    names = {p.name for p in out.iterdir()}
    assert names == {"v.json", "v.csv", "v.coco.json", "v.mot.txt", "v.mp4", "v.events.csv"}
    document = json.loads((out / "v.json").read_text())
    boxes = {(f["frame"], b[0]): b[1:5] for f in document["frames"] for b in f["boxes"]}
    for row in rows_of(out / "v.csv"):
        edges = [float(row[name]) for name in ("left", "top", "right", "bottom")]
        assert np.allclose(boxes.pop((int(row["frame"]), int(row["track"]))), edges)
    assert boxes == {}
    red = [row for row in rows_of(out / "v.csv") if row["label"] == "red"]
    assert [int(row["frame"]) for row in red] == list(range(37))  # the last look is frame 36
    assert all(abs(float(row["left"]) - red_at(int(row["frame"]))) < 1.1 for row in red)
    assert [bool(row["score"]) for row in red[:5]] == [True, False, False, False, True]
    for name in ("v.coco.json", "v.mot.txt"):
        read = parse_annotations(out / name)
        assert sum(len(frame.boxes) for frame in read.frames) == len(rows_of(out / "v.csv"))
        assert read.rejected == ()
    events = rows_of(out / "v.events.csv")
    assert [row["event"] for row in events] == ["appears", "leaves", "crosses"]
    with VideoReader(str(out / "v.mp4")) as reader:
        assert (len(reader.pts_seconds), reader.info.width_pixels) == (40, 96)


def test_what_was_filled_in_is_written_to_hundredths(tmp_path):
    video = LookedVideo("v.mp4", 1.0, 640, 480, 1, 0, 0, 1, 1)
    box = Box("red", 499.76 + 1e-9, 2 / 3, 499.76 + 31.4, 100.1 + 0.2, track=1)
    frames = [TrackedFrame(0, 0.0, (box,))]
    objects_mot(VideoObjects(video, "d", ("red",), (), ()), frames, tmp_path / "v.mot.txt")
    assert (tmp_path / "v.mot.txt").read_text() == "1,1,500.76,1.67,31.4,99.63,1,1,1\n"


def test_a_killed_run_goes_on_and_tells_the_same(tmp_path, detector, monkeypatch):
    video, whole, killed = write_squares(tmp_path / "v.mp4"), tmp_path / "whole", tmp_path / "k"
    words = ("predict", detector, video, "--format", "json,csv", "--every", 2)
    assert call(*words, "-o", whole).exit_code == 0
    look_at, asked = run.look_at, []

    def dies(reader, finder, wanted, workers):
        for number, look in enumerate(look_at(reader, finder, wanted, workers)):
            if number == 7:
                raise KeyboardInterrupt
            yield look

    def counts(reader, finder, wanted, workers):
        asked.append(len(wanted))
        return look_at(reader, finder, wanted, workers)

    monkeypatch.setattr(run, "look_at", dies)
    assert call(*words, "-o", killed).exit_code == 130
    (left,) = killed.iterdir()
    assert left.name.startswith(".partial-")
    monkeypatch.setattr(run, "look_at", counts)
    assert call(*words, "-o", killed).exit_code == 0
    assert asked == [14]  # of 20: six are known, the last of them is looked at once more
    assert {p.name: p.read_bytes() for p in killed.iterdir()} == {
        p.name: p.read_bytes() for p in whole.iterdir()
    }


def test_broken_videos_are_told_and_stop_nothing(tmp_path, detector):
    sound = write_squares(tmp_path / "sound.mp4")
    (tmp_path / "broken.mp4").write_bytes(sound.read_bytes()[:300])
    result = call(
        "predict", detector, tmp_path / "broken.mp4", sound, tmp_path / "no.mp4", "--json"
    )
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    told = json.loads(line)
    assert told["path"] == str(sound) and [t["label"] for t in told["tracks"]] == ["red", "green"]
    assert "broken.mp4: not answered" in result.stderr and "no.mp4: not answered" in result.stderr


def test_a_span_a_cut_and_a_photo(tmp_path, detector):
    first, second = tmp_path / "a.mp4", tmp_path / "b.mp4"
    write_squares(first, 40), write_squares(second, 12, seed=5)
    (tmp_path / "list.csv").write_text(f"path,start,end\n{first},0.5,1.0\n")
    out = tmp_path / "out"
    assert call("predict", detector, tmp_path / "list.csv", "-o", out).exit_code == 0
    (written,) = out.glob("*.json")
    document = json.loads(written.read_text())
    assert (document["first_frame"], document["last_frame"]) == (10, 19)
    assert [frame["frame"] for frame in document["frames"]] == list(range(10, 19))
    assert document["frames"][0]["boxes"][0][1] == pytest.approx(red_at(10), abs=1)
    assert document["tracks"][0]["start_seconds"] == pytest.approx(0.5)
    assert document["tracks"][1]["end_seconds"] - 0.95 < 1e-6
    assert document["frames"][0]["boxes"][0][3] - document["frames"][0]["boxes"][0][1] > SIDE - 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "vtt", "-o", "OUT"), "there is no format 'vtt' of objects"),
        (("--smooth", "2"), "takes no --smooth"),
        (("--line", "1,2,3"), "'1,2,3' is no line"),
        (("--zone", "a:0,0 9,0 9,9", "--line", "a:0,0,1,1"), "are called 'a'"),
        (("--score", "0.05"), "give 0.1 to 1"),
        (("--every", "0"), "--every 0 is no whole number of 1 or more"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(tmp_path, detector, words, said):
    video = write_squares(tmp_path / "v.mp4", 4)
    words = [str(tmp_path / "out") if word == "OUT" else word for word in words]
    result = call("predict", detector, video, *words)
    assert result.exit_code == 2 and said in result.stderr


def test_events_of_an_earlier_run_go_with_its_answers(tmp_path, detector):
    words = "predict", detector, write_squares(tmp_path / "v.mp4", 4), "-o", tmp_path / "out"
    assert call(*words, "--line", "30,0,30,60").exit_code == 0
    assert (tmp_path / "out" / "v.events.csv").is_file()
    assert call(*words).exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["v.json"]


def test_a_line_or_zone_that_could_count_nothing_is_refused_before_any_look(tmp_path, detector):
    words = "predict", detector, write_squares(tmp_path / "v.mp4", 4), "-o", tmp_path / "out"
    result = call(*words, "--line", "mid:30,0,30,60", "--zone", "yard:97,0 200,0 200,60")
    assert result.exit_code == 1
    assert "not answered: 'yard' lies outside of its 96 x 64 pixels" in result.stderr
    assert "Answers" not in result.output and not (tmp_path / "out").exists()


def test_a_near_name_is_told(tmp_path):
    result = call("predict", "nanodet2", tmp_path / "v.mp4")
    assert result.exit_code == 2 and "did you mean 'nanodet'?" in result.stderr


def test_an_encoder_that_finds_no_boxes_and_options_of_other_tasks(tmp_path, fitted):
    video = write_squares(tmp_path / "v.mp4", 4)
    result = call("predict", "motion", video)
    assert result.exit_code == 2 and "finds no boxes" in result.stderr
    result = call("predict", "motion", video, "--format", "png", "-o", tmp_path / "out")
    assert result.exit_code == 2 and "finds no boxes" in result.stderr
    result = call("predict", fitted.model, video, "--every", 2)
    assert result.exit_code == 2 and "--every is for models of detect" in result.stderr
