"""Label Studio. Its converter pins another numpy: a parser of a few lines stands in for it here,

after the description of its exports, https://labelstud.io/guide/export and
https://labelstud.io/tags/videorectangle.
"""

from __future__ import annotations

import json

import pytest
from tests.manifest.annotations.examples import (
    FOUND,
    PHOTOS,
    VIDEO,
    annotated,
    in_order,
    write,
)

from vidfit.boxes import Box
from vidfit.errors import ManifestError
from vidfit.manifest.annotations import parse_annotations, rows
from vidfit.manifest.annotations.label_studio import label_studio_files, parse_label_studio

RECTANGLE = {"x": 25, "y": 50, "width": 50, "height": 25, "rotation": 0}


def of(result, **parts):
    task = {"data": {"image": "/data/local-files/?d=in/a.jpg"}, "annotations": [{"result": result}]}
    return parse_label_studio([{**task, **parts}], "x.json")


def drawn(**parts):
    value = {**RECTANGLE, "rectanglelabels": ["car"]}
    return {"type": "rectanglelabels", "original_width": 64, "original_height": 48, "value": value,
            **parts}  # fmt: skip


def moved(*sequence):
    parts = [{**RECTANGLE, "frame": f, "x": x, "enabled": on} for f, x, on in sequence]
    value = {"framesCount": 8, "sequence": parts, "labels": ["car"]}
    item = drawn(type="videorectangle", value=value)
    return of([item], data={"video": "v.mp4"})


@pytest.mark.parametrize("frames", [PHOTOS[1:], VIDEO, FOUND], ids=["photos", "video", "found"])
def test_what_was_written_is_read_back(tmp_path, frames):
    found = parse_annotations(write(tmp_path, label_studio_files(annotated(frames))))
    assert found.form == "Label Studio" and not found.rejected and not found.notes
    assert list(map(in_order, found.frames)) == list(map(in_order, frames))


def test_a_small_parser_reads_what_was_written(tmp_path):
    write(tmp_path, label_studio_files(annotated(PHOTOS)))
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert [task["data"]["image"] for task in tasks] == [frame.path for frame in PHOTOS]
    for task, frame in zip(tasks, PHOTOS, strict=True):
        (prediction,) = task["predictions"]
        for item, box in zip(prediction["result"], frame.boxes, strict=True):
            value, across = item["value"], item["original_width"] / 100
            down = item["original_height"] / 100
            left, top = value["x"] * across, value["y"] * down
            edges = left, top, left + value["width"] * across, top + value["height"] * down
            assert edges == pytest.approx(box.edges) and value["rectanglelabels"] == [box.label]


def test_percent_become_pixels():
    found = of([drawn(), {"type": "choices"}])
    assert found.notes[0].text == "1 result of it no rectanglelabels, and not read"
    assert found.frames[0].path == "in/a.jpg"
    assert found.frames[0].boxes == (Box("car", 16, 24, 48, 36),)


def test_a_rectangle_moves_evenly_while_it_is_enabled():
    found = moved((2, 0, True), (4, 20, False), (6, 40, True))
    assert [[box.left / 64 * 100 for box in frame.boxes] for frame in found.frames] == [
        [], [0], [10], [20], [], [40], [40], [40],
    ]  # fmt: skip


def test_a_few_bytes_cannot_ask_for_any_number_of_boxes(monkeypatch):
    monkeypatch.setattr(rows, "MOST_BETWEEN", 7)
    assert len(moved((2, 0, True)).frames[7].boxes) == 1
    with pytest.raises(ManifestError, match="more than 7 boxes"):
        moved((1, 0, True))


def test_a_task_that_nobody_worked_on_was_not_looked_at():
    two = [
        {"data": {"image": "a.jpg"}, "annotations": []},
        {"data": {"image": "b.jpg"}, "annotations": [{"was_cancelled": True, "result": [drawn()]}]},
        {"data": {"image": "c.jpg"}, "annotations": [{"result": []}]},
    ]
    assert [f.path for f in parse_label_studio(two, "x.json").frames] == ["c.jpg"]


def test_faults_are_named_by_their_place():
    with pytest.raises(ManifestError) as error:
        moved((0, 1, True))
    assert "[0].annotations[0].result[0]: its frame is 0; a whole number from 1 is valid" in str(
        error.value
    )
    with pytest.raises(ManifestError, match=r"result\[0\]: it has no label"):
        of([drawn(value=RECTANGLE)])
