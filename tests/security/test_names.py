"""Names of files and classes steer neither a terminal nor a spreadsheet, and end no run."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.called import call
from tests.clips import write_clip

from vidfit.answers import Segment, Timeline
from vidfit.cli.progress import Bars
from vidfit.contracts import Clip, Failure
from vidfit.jobs.fit.page import report_html
from vidfit.jobs.fit.terminal import report_markdown
from vidfit.jobs.label.answers import read_answers, write_to_label
from vidfit.jobs.label.value import Proposed
from vidfit.jobs.predict.answers_table import AnswersTable
from vidfit.jobs.predict.timeline import timeline_csv, timeline_json, timeline_vtt
from vidfit.manifest import Manifest, iter_clips, read_manifest, write_manifest
from vidfit.manifest.cells import read_cell, written_cell
from vidfit.report.data import json_text
from vidfit.shown import is_hidden, shown, shown_lines, visible

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egp4.exe\r\n-->\u2028<b>\udcff\x9b31m\u2066"
JOINED = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} نمی\N{ZERO WIDTH NON-JOINER}خواهم"


def hidden_in(text: str) -> set[str]:
    return {sign for sign in text if is_hidden(sign)} - {"\n"}


# ---------------------------------------------------------------- one function


def test_hidden_signs_are_shown_as_escapes():
    assert visible("a\x1b[31m\n\u202e\udce9") == r"a\x1b[31m\n\u202e\udce9"
    assert shown_lines("a\x1b\nb\u2066") == "a\\x1b\nb\\u2066"
    assert not hidden_in(shown(HOSTILE)) and "\n" not in shown(HOSTILE)


@pytest.mark.parametrize("name", ["naïve 日本語 → ok", JOINED, "עברית", "C:\\x1b", "a\u202fb"])
def test_names_that_people_write_stay_as_they_are(name):
    assert shown(name) == name


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_is_shown_can_be_written_and_steers_nothing(text):
    told = shown(text)
    assert not hidden_in(told) and "\n" not in told
    told.encode()
    assert shown(told) == told


# ---------------------------------------------------------------- formats


def hostile_timeline() -> Timeline:
    segments = (
        Segment(0.0, 1.0, f"={HOSTILE}", 0.9),
        Segment(1.0, 2.0, "=HYPERLINK(1)", 0.9),
        Segment(2.0, 3.0, None, 0.4, declined=True),
    )
    return Timeline(f"/data/{HOSTILE}.mp4", 3.0, (HOSTILE,), segments, segments, 1, 9, "1x1x1")


def test_timelines_of_hostile_names(tmp_path):
    timeline = hostile_timeline()
    for text in (timeline_csv(timeline), timeline_vtt(timeline), timeline_json(timeline)):
        assert not hidden_in(text)
        text.encode()
    read = json.loads(timeline_json(timeline))
    assert (read["path"], read["segments"][0]["label"]) == (timeline.path, f"={HOSTILE}")
    rows = list(csv.DictReader(timeline_csv(timeline).splitlines()))
    assert [read_cell(row["label"]) for row in rows] == [f"={HOSTILE}", "=HYPERLINK(1)", ""]
    assert not any(row["label"].startswith(("=", "-")) for row in rows)
    assert timeline_vtt(timeline).count("-->") == 3
    with AnswersTable(tmp_path / "answers.parquet") as table:
        table.add(timeline)
        table.add(Failure(timeline.path, HOSTILE))
    told = pq.read_table(tmp_path / "answers.parquet").to_pylist()
    assert not any(hidden_in(row[name] or "") for row in told for name in ("path", "failure"))
    assert [row["declined"] for row in told] == [False, False, True, None]


def test_pages_and_summaries_of_hostile_names():
    from tests.report.example import example_report

    report = example_report()
    first = replace(report.clips[0], clip=replace(report.clips[0].clip, path=f"/{HOSTILE}.mp4"))
    report = replace(
        report,
        data=HOSTILE,
        clips=(first, *report.clips[1:]),
        classes=(HOSTILE, *report.classes[1:]),
        failures=(Failure(HOSTILE, HOSTILE),),
        warnings=(HOSTILE,),
    )
    page = report_html(report)
    assert not hidden_in(page) and "<b>\\udcff" not in page
    page.encode()
    assert not hidden_in(shown_lines(report_markdown(report)))
    assert not hidden_in(json_text({"name": HOSTILE}))
    assert json.loads(json_text({"name": HOSTILE})) == {"name": HOSTILE}


# ---------------------------------------------------------------- predict


def test_a_file_name_that_is_not_utf8_is_answered_in_every_format(fitted, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    names = [b"caf\xe9.mp4", b"a\x1b[31m\nb.mp4", b"plain.mp4"]
    clip = write_clip(tmp_path / "clip.mp4")
    for name in names:
        shutil.copy(clip, os.fsencode(folder) + b"/" + name)
    result = call(
        "predict", fitted.model, folder, "-o", tmp_path / "out",
        "--format", "json,csv,vtt,png,parquet",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.count("frames seen") == 3 and not hidden_in(result.stdout)
    assert r"caf\udce9.mp4" in result.stdout and r"a\x1b[31m\nb.mp4" in result.stdout
    assert len(list((tmp_path / "out").iterdir())) == 3 * 4 + 1
    paths = {json.loads(p.read_text())["path"] for p in (tmp_path / "out").glob("*.json")}
    assert {os.fsencode(path).rpartition(b"/")[2] for path in paths} == set(names)


def test_progress_of_a_hostile_name(capsys):
    with Bars() as bars:
        bars.start(f"[red]{HOSTILE}https://u:PASSWORD@h/?SECRET", 1)
        bars.note(HOSTILE)
    told = capsys.readouterr().err
    assert "[red]" in told and not hidden_in(told)
    assert "PASSWORD" not in told and "SECRET" not in told


# ---------------------------------------------------------------- cells


@given(st.text(st.characters(exclude_categories=()) | st.sampled_from("'\\=+-@\t\r\nxu0 ")))
def test_a_cell_is_no_formula_and_reads_back(text):
    cell = written_cell(text)
    assert read_cell(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert not hidden_in(cell) and "\n" not in cell
    cell.encode()


@pytest.mark.parametrize("cell", ["a.mp4", "it's", "'quoted'", "C:\\new\\x1b.mp4", "", "'"])
def test_cells_of_others_are_read_as_they_are(cell):
    assert read_cell(cell) == written_cell(cell) == cell


NAMES = ("-a.mp4", "=1+1.mp4", "@b.mp4", "a\x1b[31m.mp4", "b\n.mp4", "'-c.mp4", "d\u202e.mp4")


def test_lists_of_odd_names_read_back(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_bytes(b"x")
    clips = tuple(
        Clip(str(tmp_path / name), label=f"={name}", group=f"+{name}", text="-1") for name in NAMES
    )
    for suffix in (".csv", ".parquet"):
        path = tmp_path / f"list{suffix}"
        write_manifest(Manifest(clips), path)
        assert read_manifest(path).clips == clips
        assert [clip.path for clip in iter_clips(path)] == [clip.path for clip in clips]
    text = (tmp_path / "list.csv").read_text()
    assert not hidden_in(text)
    for row in csv.reader(text.splitlines()):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


def test_the_list_to_label_reads_back(tmp_path):
    clips = tuple(Clip(f"{tmp_path}/{name}", label=None, group=f"={name}") for name in NAMES)
    clips = (*clips, Clip("-relative.mp4", group="-g"))
    for clip in clips[:-1]:
        (tmp_path / os.path.basename(clip.path)).write_bytes(b"x")  # noqa: PTH119
    path = write_to_label([Proposed(clip, "margin", "=why") for clip in clips[:-1]], tmp_path)
    assert not hidden_in(path.read_text("utf-8-sig"))
    rows = list(csv.DictReader(path.open(newline="")))
    assert all(row["group"].startswith("'") and row["why"] == "'=why" for row in rows)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows({**row, "label": written_cell("-1")} for row in rows)
    found = read_answers(path, Manifest(clips))
    assert set(found.labels.values()) == {"-1"} and len(found.labels) == len(NAMES)
