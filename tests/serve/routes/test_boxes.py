"""Frames: corrected, taken back, leased and exported, and found after the server was killed."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import cv2
import numpy as np
import pytest
from tests.serve.conftest import Served, logged_in, write_boxed_run

from vidfit.manifest.annotations import read_annotations
from vidfit.serve.options import ServeOptions
from vidfit.serve.service import Service
from vidfit.tasks.detect.reading import read_frames

BUS = {"label": "bus", "left": 1.0, "top": 2.0, "right": 9.5, "bottom": 12.0}


class Frames:
    """Frame 0 of the first video of a list, and what can be done to it."""

    def __init__(self, served: Served, name: str = "boxed"):
        found = served.page.get("/v1/libraries").json()["libraries"]
        self.served, self.page = served, served.page
        self.library = next(one["id"] for one in found if one["name"] == name)
        self.table = self.page.get(f"/v1/libraries/{self.library}/frames").json()
        self.clip = self.table["clip"]["values"][0]
        self.path = f"/v1/clips/{self.clip}/frames/0"

    def look(self) -> dict:
        return self.page.get(self.path, params={"library": self.library}).json()

    def boxes(self) -> list[tuple]:
        names = ("label", "left", "top", "right", "bottom")
        return [tuple(box[name] for name in names) for box in self.look()["boxes"]]

    def id(self, label: str) -> str:
        return next(box["id"] for box in self.look()["boxes"] if box["label"] == label)

    def draw(self, *boxes: dict, page=None):
        body = {"library": self.library, "boxes": boxes}
        return (page or self.page).post(f"{self.path}/boxes", json=body)

    def alter(self, box_id: str, box: dict, page=None):
        body = {"library": self.library, "box": box}
        return (page or self.page).put(f"{self.path}/boxes/{box_id}", json=body)

    def remove(self, box_id: str, page=None):
        query = {"library": self.library}
        return (page or self.page).delete(f"{self.path}/boxes/{box_id}", params=query)

    def undo(self, page=None):
        return (page or self.page).post(f"{self.path}/undo", json={"library": self.library})

    def leave(self, page=None) -> None:
        clips = {"clips": [self.look()["lease"]]}
        assert (page or self.page).post("/v1/queue/release", json=clips).status_code == 204


CAR_LISTED, BUS_LISTED = ("car", 10.0, 10.0, 30.0, 22.0), ("bus", 40.0, 20.0, 50.0, 30.0)


@pytest.fixture
def frames(serve, boxed) -> Frames:
    return Frames(serve(boxed))


def test_a_list_of_boxes_is_a_library_of_frames(frames):
    facts = frames.page.get(f"/v1/libraries/{frames.library}").json()
    assert (facts["frames"], facts["clip_count"]) == ("boxes", 2)
    assert frames.table["frame"] == [0, 3, 0] and frames.table["objects"] == [2, 1, 0]
    assert frames.table["classes"] == ["bus", "car"] and frames.table["by"]["codes"] == [-1] * 3
    assert frames.boxes() == [CAR_LISTED, BUS_LISTED] and frames.look()["by"] == ""


def test_each_correction_is_kept_and_taken_back(frames):
    assert frames.alter(frames.id("car"), {**BUS, "label": "car"}).status_code == 200
    assert frames.boxes() == [("car", 1.0, 2.0, 9.5, 12.0), BUS_LISTED]
    assert frames.draw(BUS, {**BUS, "label": "tram"}).status_code == 201
    assert [label for label, *_ in frames.boxes()] == ["car", "bus", "bus", "tram"]
    assert frames.remove(frames.id("car")).status_code == 200
    assert [label for label, *_ in frames.boxes()] == ["bus", "bus", "tram"]
    table = frames.page.get(f"/v1/libraries/{frames.library}/frames").json()
    assert table["objects"][0] == 3 and table["by"]["values"] == ["me"]
    assert "tram" in table["classes"]
    assert len(frames.undo().json()["boxes"]) == 4  # what was removed is there again
    assert len(frames.undo().json()["boxes"]) == 2  # what was drawn together goes together
    assert frames.undo().json()["by"] == "" and frames.boxes() == [CAR_LISTED, BUS_LISTED]
    assert frames.undo().status_code == 404


def test_a_frame_that_is_right_or_empty_was_looked_at(frames):
    assert frames.draw().json()["by"] == "me"
    assert frames.boxes() == [CAR_LISTED, BUS_LISTED]
    for label in ("car", "bus"):
        frames.remove(frames.id(label))
    assert frames.boxes() == [] and frames.look()["by"] == "me"


def test_what_is_acknowledged_outlives_the_server(frames, boxed, tmp_path):
    frames.draw(BUS)
    state = frames.served.service.options.state
    frames.served.service.close()
    service = Service([boxed], ServeOptions(state, ahead=0))
    try:
        again = Frames(Served(service, logged_in(service), boxed, boxed))
        assert [label for label, *_ in again.boxes()] == ["car", "bus", "bus"]
    finally:
        service.close()


def test_a_frame_is_one_persons_at_a_time(frames):
    other = frames.served.browser("Bob")
    held = frames.page.post(f"{frames.path}/lease", json={"library": frames.library})
    assert held.status_code == 200 and held.json()["holder"] == ""
    seen = other.post(f"{frames.path}/lease", json={"library": frames.library}).json()
    assert seen["holder"] == "me"
    for refused in (frames.draw(BUS, page=other), frames.remove(frames.id("car"), page=other)):
        assert refused.status_code == 409 and "me is at this frame" in refused.json()["detail"]
    frames.draw(BUS)
    frames.leave()
    box_id = next(box["id"] for box in frames.look()["boxes"] if box["person"] == "me")
    assert frames.alter(box_id, {**BUS, "left": 3.0}, page=other).status_code == 200
    assert frames.undo().status_code == 409  # it is Bob's now
    frames.leave(page=other)
    refused = frames.undo()
    assert refused.status_code == 409 and "Bob has changed it since" in refused.json()["detail"]


def test_what_is_no_box_is_refused(frames):
    for box in ({**BUS, "right": 1.0}, {**BUS, "label": " "}, {**BUS, "left": -1}, {"label": "x"}):
        assert frames.draw(box).status_code == 422, box
    assert frames.alter("none", BUS).status_code == 404
    assert frames.boxes() == [CAR_LISTED, BUS_LISTED] and frames.look()["by"] == ""
    for path in ("x", "-1", "9" * 30):
        address = f"/v1/clips/{frames.clip}/frames/{path}"
        assert frames.page.get(address, params={"library": frames.library}).status_code == 404
    other = frames.served.library()
    assert frames.page.get(frames.path, params={"library": other}).status_code == 404


def test_the_picture_is_that_of_the_frame(frames, boxed):
    answer = frames.served.when_ready(f"{frames.path}/picture")
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (48, 64, 3)
    beyond = frames.served.when_ready(f"/v1/clips/{frames.clip}/frames/77/picture")
    assert beyond.status_code == 404 and "6 frames" in beyond.json()["detail"]


def test_exports_are_what_fit_reads(frames, tmp_path, boxed):
    frames.alter(frames.id("car"), {**BUS, "label": "tram"})
    for form, name in (("csv", "out.csv"), ("coco", "out.json")):
        content = frames.page.get(
            f"/v1/libraries/{frames.library}/boxes", params={"form": form}
        ).content
        path = tmp_path / name
        path.write_bytes(content)
        found = read_annotations(path).frames
        said = {(one.path[-5:], one.index): [box.label for box in one.boxes] for one in found}
        assert said == {("a.mp4", 0): ["tram", "bus"], ("a.mp4", 3): ["car"], ("b.mp4", 0): []}
        (tram,) = [box for one in found for box in one.boxes if box.label == "tram"]
        assert tram.edges == (1.0, 2.0, 9.5, 12.0)
        assert len(read_frames(path).clips) >= 2
    rows = frames.page.get(f"/v1/libraries/{frames.library}/boxes").text
    assert next(csv.reader(io.StringIO(rows)))[:3] == ["path", "frame", "label"]


def test_cvat_gets_a_zip_of_a_file_for_each_video(frames, tmp_path, boxed):
    frames.alter(frames.id("car"), {**BUS, "label": "tram", "ignored": True})
    answer = frames.page.get(f"/v1/libraries/{frames.library}/boxes", params={"form": "cvat"})
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith('-boxes.zip"')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert sorted(archive.namelist()) == ["a.xml", "b.xml"]
        archive.extractall(tmp_path / "cvat")
    found = [read_annotations(tmp_path / "cvat" / name) for name in ("a.xml", "b.xml")]
    assert found[0].form == "CVAT" and set(found[0].classes) == {"bus", "car", "tram"}
    said = {
        (one.path[-5:], one.index): [(box.label, box.edges, box.ignored) for box in one.boxes]
        for of in found
        for one in of.frames
    }
    assert said["a.mp4", 0] == [
        ("tram", (1.0, 2.0, 9.5, 12.0), True), ("bus", BUS_LISTED[1:], False)
    ]  # fmt: skip
    assert said["a.mp4", 3] == [("car", (12.0, 10.0, 32.0, 22.0), False)]
    assert said["a.mp4", 1] == said["b.mp4", 0] == []


def test_photos_go_to_cvat_with_their_names(serve, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("one", "two"):
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((48, 64, 3), np.uint8))
    rows = "path,label,x,y,w,h\none.png,car,1,2,3,4\ntwo.png,,,,,\n"
    (folder / "boxes.csv").write_text(rows)
    served = serve(folder / "boxes.csv")
    of = Frames(served, "photos")
    answer = of.page.get(f"/v1/libraries/{of.library}/boxes", params={"form": "cvat"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["images.xml"]
        archive.extractall(tmp_path)
    found = read_annotations(tmp_path / "images.xml")
    assert found.rejected == () and [len(one.boxes) for one in found.frames] == [1, 0]


def test_a_run_shows_what_its_model_found_and_got_wrong(serve, boxed, tmp_path):
    run = Frames(serve(boxed, write_boxed_run(tmp_path / "found", boxed)), "found")
    assert run.table["has_answers"] and run.table["frame"] == [0, 3]
    assert (run.table["missed"], run.table["false_alarms"]) == ([1, 1], [1, 0])
    surer = run.page.get(f"/v1/libraries/{run.library}/frames", params={"least": 0.5}).json()
    assert surer["false_alarms"] == [0, 0]
    assert [box["score"] for box in run.look()["found"]] == [0.9, 0.4]
    table = run.page.get(f"/v1/libraries/{run.library}/clips").json()
    assert table["label"]["values"] == ["1 car, 1 bus"]  # in words, as answers are said
    run.draw(BUS)  # what is changed in a run is changed in the list
    listed = Frames(run.served)
    assert ("bus", 1.0, 2.0, 9.5, 12.0) in listed.boxes()
    coco = run.page.get(f"/v1/libraries/{run.library}/boxes", params={"form": "coco"})
    assert len(json.loads(coco.content)["annotations"]) == 4


def test_masks_are_shown_and_not_changed(serve, boxed, tmp_path):
    folder = write_boxed_run(tmp_path / "masks", boxed)
    for name in ("answers.json", "report.json"):
        text = (folder / name).read_text()
        document = json.loads(text)
        for one in document["frames"] if name == "answers.json" else ():
            one |= {"grid": [1, 2], "objects": [2, 0], "found": [1, 0, 1, 1]}
        document |= {"labels": "mask"} if name == "report.json" else {}
        (folder / name).write_text(json.dumps(document))
    masks = Frames(serve(boxed, folder), "masks")
    assert masks.table["has_masks"] and masks.table["classes"] == ["bus", "car"]
    seen = masks.look()["mask"]
    assert seen == {"rows": 1, "columns": 2, "objects": [2, 0], "found": [1, 0, 1, 1]}
    assert masks.draw(BUS).status_code == 422


def test_damaged_answers_are_none(serve, boxed, tmp_path):
    folder = write_boxed_run(tmp_path / "found", boxed)
    (folder / "answers.json").write_text("{}")
    served = serve(boxed, folder)
    library = served.page.get("/v1/libraries").json()["libraries"][-1]["id"]
    table = served.page.get(f"/v1/libraries/{library}/frames").json()
    assert table["frame"] == []
