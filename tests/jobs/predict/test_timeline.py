from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from tests.report.example import example_timeline

from vidfit.answers import Segment
from vidfit.errors import VidfitError
from vidfit.jobs.predict.picture import class_colours, clock, clock_ticks, timeline_png
from vidfit.jobs.predict.timeline import (
    TIMELINE_WRITERS,
    timeline_csv,
    timeline_json,
    timeline_vtt,
    write_timeline,
)
from vidfit.manifest.cells import read_cell
from vidfit.report.wording import answer

CUE = re.compile(r"(\d{2,}):(\d{2}):(\d{2})\.(\d{3}) --> (\d{2,}):(\d{2}):(\d{2})\.(\d{3})")


def cues(text):
    """Read WebVTT by its grammar: header, blank line, blocks of one arrow and its payload."""
    header, *blocks = text.rstrip("\n").split("\n\n")
    assert header == "WEBVTT"
    found = []
    for block in blocks:
        if block.startswith("NOTE"):
            assert "-->" not in block
            continue
        times, *payload = block.split("\n")
        n = [int(v) for v in CUE.fullmatch(times).groups()]
        start = ((n[0] * 60 + n[1]) * 60 + n[2]) * 1000 + n[3]
        end = ((n[4] * 60 + n[5]) * 60 + n[6]) * 1000 + n[7]
        assert end > start and payload and "-->" not in "".join(payload)
        found.append((start, end, "\n".join(payload)))
    return found


def test_vtt_has_a_cue_for_each_segment():
    timeline = example_timeline(70)
    found = cues(timeline_vtt(timeline))
    assert len(found) == len(timeline.segments)
    for (start, end, text), segment in zip(found, timeline.segments, strict=True):
        assert start == round(1000 * segment.start_seconds)
        assert end == round(1000 * segment.end_seconds)
        percent = f"{100 * segment.probability:.0f} %"
        declined = f"declined (best class {percent})"
        assert text == (declined if segment.declined else f"{segment.label} {percent}")


def test_vtt_survives_hostile_labels_and_empty_spans():
    odd = Segment(5.0, 5.0, "a --> b\n\n<i>c</i> & d", 0.5)
    timeline = replace(example_timeline(), path="x\n\n-->y.mp4", segments=(odd,))
    assert cues(timeline_vtt(timeline)) == [
        (5000, 5001, "a --&gt; b &lt;i&gt;c&lt;/i&gt; &amp; d 50 %")
    ]


def test_csv_reads_back():
    odd = Segment(0.0, 1.5, 'chop, "fine"\nly', 0.25)
    timeline = replace(example_timeline(), segments=(odd, *example_timeline().segments))
    rows = list(csv.DictReader(io.StringIO(timeline_csv(timeline))))
    assert len(rows) == len(timeline.segments)
    assert read_cell(rows[0].pop("label")) == odd.label
    assert rows[0] == {
        "start_seconds": "0.000", "end_seconds": "1.500", "declined": "false",
        "probability": "0.2500", "why": "", "scores": "",
    }  # fmt: skip
    for row, segment in zip(rows[1:], example_timeline().segments, strict=True):
        assert row["label"] == (segment.label or "")
        assert row["declined"] == str(segment.declined).lower()


def test_what_was_declined_says_why_and_carries_all_scores():
    scores = (0.125, 0.5, 0.25, 0.0625, 0.0625)
    doubted = Segment(0.0, 1.5, None, 0.5, True, "low confidence", scores)
    timeline = replace(example_timeline(), segments=(doubted,), windows=(doubted,))
    (row,) = csv.DictReader(io.StringIO(timeline_csv(timeline)))
    assert row["why"] == "low confidence"
    assert row["scores"] == (
        "stir 0.5000, chop 0.2500, pour 0.1250, peel 0.0625, wash hands 0.0625"
    )
    read = json.loads(timeline_json(timeline))["windows"][0]
    assert (read["why"], read["scores"]) == ("low confidence", list(scores))
    assert read["scores"][read["scores"].index(0.5)] == read["probability"]


def test_json_reads_back():
    timeline = example_timeline()
    read = json.loads(timeline_json(timeline))
    assert read["path"] == timeline.path and read["frame_count"] == timeline.frame_count
    assert len(read["windows"]) == len(timeline.windows)
    assert read["format"] == "vidfit.timeline/2"
    assert [s["label"] for s in read["segments"]] == [s.label for s in timeline.segments]
    assert [s["declined"] for s in read["segments"]] == [s.declined for s in timeline.segments]
    assert any(s["declined"] and s["label"] is None for s in read["segments"])


WORDS = [
    (Segment(0, 1, "unknown", 0.9), "unknown 90 %"),  # a class of that name is a class
    (Segment(0, 1, None, 0.9, declined=True), "declined (best class 90 %)"),
    (
        Segment(0, 1, None, 0.9, True, "unlike anything seen"),
        "declined (unlike anything seen, best class 90 %)",
    ),
    (Segment(0, 1, None, 0.0), "not answered"),
]


@pytest.mark.parametrize(("segment", "words"), WORDS)
def test_what_was_declined_is_told_from_classes_and_from_what_was_not_read(segment, words):
    timeline = replace(example_timeline(), segments=(segment,), windows=(segment,))
    assert answer(segment) == words
    assert cues(timeline_vtt(timeline)) == [(0, 1000, words)]
    assert json.loads(timeline_json(timeline))["segments"][0]["label"] == segment.label
    assert set(class_colours(timeline)) == ({"unknown"} if segment.label else set())


@pytest.mark.parametrize("minutes", [0.5, 130])
def test_picture_has_the_colours_of_its_segments(tmp_path, minutes):
    from PIL import Image

    timeline = example_timeline(minutes)
    path = tmp_path / "strip.png"
    timeline_png(timeline, path)
    image = Image.open(path).convert("RGB")
    assert image.width == 1920
    longest = max(
        (s for s in timeline.segments if s.label is not None),
        key=lambda s: s.end_seconds - s.start_seconds,
    )
    middle = (longest.start_seconds + longest.end_seconds) / 2 / timeline.duration_seconds
    x = round(1920 * (0.055 + 0.925 * middle))
    y = round(image.height * 0.235)
    colour = class_colours(timeline)[longest.label]
    expected = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    assert max(abs(a - b) for a, b in zip(image.getpixel((x, y)), expected, strict=True)) < 30


def test_picture_survives_no_segments_and_dollar_signs(tmp_path):
    empty = replace(example_timeline(), path="$x_{.mp4", segments=(), windows=(), classes=())
    timeline_png(empty, tmp_path / "empty.png")
    assert (tmp_path / "empty.png").stat().st_size > 1000


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("vidfit.jobs.predict.picture.find_spec", lambda name: None)
    with pytest.raises(VidfitError, match=r"pip install 'vidfit\[png\]'"):
        timeline_png(example_timeline(), tmp_path / "strip.png")
    assert not (tmp_path / "strip.png").exists()


def test_many_classes_get_colours_and_a_short_legend(tmp_path):
    segments = tuple(Segment(i, i + 1, f"class {i}", 0.5) for i in range(101))
    timeline = replace(example_timeline(), duration_seconds=101.0, segments=segments, windows=())
    assert len(class_colours(timeline)) == 101
    timeline_png(timeline, tmp_path / "many.png")
    assert (tmp_path / "many.png").exists()


@pytest.mark.parametrize("suffix", [".json", ".csv", ".vtt", ".png", ".PNG"])
def test_each_suffix_has_a_writer(tmp_path, suffix):
    assert suffix.lower() in TIMELINE_WRITERS
    path = write_timeline(example_timeline(0.5), tmp_path / "deep" / f"answer{suffix}")
    assert path.stat().st_size > 60
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["answer.srt", "answer"])
def test_unknown_suffix_is_refused_with_advice(tmp_path, name):
    with pytest.raises(VidfitError, match=r"\.json, \.csv, \.vtt, \.png"):
        write_timeline(example_timeline(0.5), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_clock_reads_like_one():
    assert [clock(v) for v in (0, 65, 3725, 2.5)] == ["0:00", "1:05", "1:02:05", "0:02.5"]
    assert clock_ticks(240) == [0, 30, 60, 90, 120, 150, 180, 210, 240]
    assert len(clock_ticks(1e7)) <= 11
