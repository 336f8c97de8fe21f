from __future__ import annotations

import json
import math
from dataclasses import fields, replace

import pytest
from tests.report.example import bare_report, example_report, large_report

from vidfit.contracts import Failure, clip_key
from vidfit.errors import StoreError
from vidfit.jobs.fit.page import write_report
from vidfit.jobs.fit.terminal import report_markdown, without_network
from vidfit.report.data import json_text, report_json, rounded
from vidfit.reported import Report


def test_json_holds_every_field_in_order_without_pictures():
    read = json.loads(report_json(example_report()))
    expected = [f.name for f in fields(Report) if f.name not in ("thumbnails", "answers")]
    assert list(read) == ["format", *expected]


def test_json_equals_the_report():
    report = example_report()
    read = json.loads(report_json(report))
    assert read["score"] == {"value": 0.7574, "low": 0.6931, "high": 0.8163}
    assert tuple(map(tuple, read["confusion_KK"])) == report.confusion_KK
    assert tuple(read["classes"]) == report.classes
    assert read["provenance"] == report.provenance
    for row, candidate in zip(read["candidates"], report.candidates, strict=True):
        assert row["name"] == candidate.name and row["chosen"] is candidate.chosen
        assert row["seconds_per_clip"] == pytest.approx(candidate.seconds_per_clip, rel=1e-5)
    for row, result in zip(read["clips"], report.clips, strict=True):
        assert row["key"] == clip_key(result.clip)
        assert row["clip"]["label"] == result.clip.label
        assert row["probability"] == pytest.approx(result.probability, rel=1e-5)


def test_json_writes_null_for_what_was_not_measured():
    text = report_json(bare_report())
    read = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert read["score"] == {"value": 0.75, "low": None, "high": None}
    assert read["calibration_error"] is None


def test_json_is_the_same_each_time():
    assert report_json(example_report()) == report_json(example_report())


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, 0.0), (1 / 3, 0.333333), (1234.56789012, 1234.56789), (1.23456789e-9, 1.23457e-9)],
)
def test_rounding_keeps_six_digits(value, expected):
    assert rounded(value) == expected


def test_rounding_has_no_number_for_nan_and_infinity():
    assert rounded(math.nan) is None and rounded(math.inf) is None


def test_markdown_names_the_answer_and_its_price():
    text = report_markdown(example_report())
    assert text.startswith("**Use efficientnet-lite0: 75.7 % [69.3, 81.6] on recordings")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    names = ["concat", "efficientnet-lite1", "efficientnet-lite0", "efficientnet-lite2"]
    assert [row.split(" | ")[1] for row in rows[2:]] == [*names, "mean-colour"]
    assert "\n3 more candidates in the report.\n" in text
    assert len({row.count("|") for row in rows}) == 1
    assert sum(row.startswith("| → |") for row in rows) == 1


def test_a_model_without_a_network_is_said_to_be_a_dead_end_for_others():
    report = example_report()
    assert without_network(report) == ""
    chosen = [replace(c, chosen=c.name == "motion-histogram") for c in report.candidates]
    text = without_network(replace(report, candidates=tuple(chosen)))
    assert text == (
        "motion-histogram has no network, so that compress and export have nothing to work on; "
        "fit with --network-only takes the best that has one"
    )


def test_markdown_stays_short_and_in_its_cells():
    text = report_markdown(large_report(5, 60))
    assert len(text.splitlines()) < 32
    assert sum(line.startswith("|") for line in text.splitlines()) <= 2 + 6
    assert "nan" not in report_markdown(bare_report())


def test_markdown_names_what_was_left_out_and_why():
    report = replace(
        example_report(),
        failures=tuple(Failure(f"{i}.mp4", "is empty") for i in range(9)),
        dropped=(Failure("lite9", "is unknown"),),
    )
    text = report_markdown(report)
    assert "- 0.mp4: is empty" in text and "- and 4 more, in the report" in text
    assert "- lite9: is unknown" in text


def test_markdown_escapes_names():
    from tests.report.example import hostile_report

    assert "<script>" not in report_markdown(hostile_report())


def test_write_report_leaves_two_whole_files(tmp_path):
    directory = tmp_path / "new" / "out"
    first = write_report(example_report(), directory)
    assert first == directory / "report.html"
    write_report(bare_report(), directory)
    assert sorted(p.name for p in directory.iterdir()) == ["report.html", "report.json"]
    assert json.loads((directory / "report.json").read_text())["clip_count"] == 8
    assert "</html>" in first.read_text()


def test_write_report_fails_where_a_file_is_in_the_way(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(FileExistsError):
        write_report(example_report(), tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_write_report_leaves_no_part_behind_when_it_cannot_replace(tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(StoreError, match=r"report\.json"):
        write_report(example_report(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_a_document_is_as_json_writes_it_whole():
    document = {
        "text": 'a "b"\n',
        "none": [],
        "rows": [{"x": [1, 0.5, None], "y": {}}, {"x": [], "y": {"z": True}}, [], [[1], 2]],
        "one": {"deep": [{"a": 1}]},
    }
    assert json_text(document) == json.dumps(document, indent=1) + "\n"
    rows = {"rows": iter(document["rows"]), "bytes": (b"\0\xff", b"\1\2")}
    assert json.loads(json_text(rows)) == {
        "rows": document["rows"],
        "bytes": [[0, 255], [1, 2]],
    }
