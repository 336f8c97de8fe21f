"""What `vidfit predict` found in videos, over frames; names only where consent stands."""

from __future__ import annotations

import json

import pytest
from tests.serve.routes.test_boxes import BUS, Frames

from vidfit.errors import ManifestError
from vidfit.report.data import json_text
from vidfit.serve.boxes.found import answers_in, found_video
from vidfit.serve.opening import open_run, roots_of, runs_below

FACTS = {"duration_seconds": 0.6, "width_pixels": 64, "height_pixels": 48, "frame_count": 6}
FRAMES = [
    {"frame": 0, "seconds": 0.0, "boxes": [[1, 10, 10, 30, 22, 0.5], [2, 40, 20, 50, 30, 0.75]]},
    {"frame": 1, "seconds": 0.1, "boxes": [[1, 11, 10, 31, 22, None]]},
]


def write(folder, video, document):
    folder.mkdir(exist_ok=True)
    head = json_text({**document, "path": str(video)})
    document = {"format": document["format"], "path": str(video), **json.loads(head)}
    (folder / f"{video.stem}.json").write_text(json.dumps(document, indent=1))
    return folder


def people(**changes):
    tracks = [
        {"track": 1, "name": "Ada L.", "similarity": 0.97, "over": 0.03},
        {"track": 2, "name": "unknown", "similarity": 0.81, "over": -0.1},
    ]
    return {"format": "vidfit.people/1", **FACTS, "consent": "the door of our workshop",
            "people": ["Ada L.", "Grace"], "threshold": 0.94, "tracks": tracks, "frames": FRAMES,
            **changes}  # fmt: skip


def objects(**changes):
    tracks = [
        {"track": 1, "label": "car", "score": 0.8},
        {"track": 2, "label": "bus", "score": 0.6},
    ]
    return {"format": "vidfit.objects/1", **FACTS, "classes": ["bus", "car"], "tracks": tracks,
            "frames": FRAMES, **changes}  # fmt: skip


@pytest.fixture
def answered(serve, boxed, tmp_path):
    """Return a function that serves answers to a video, beside the list of boxes in it."""

    def start(document) -> Frames:
        write(tmp_path / "answers", boxed.parent / "a.mp4", document)
        return Frames(serve(boxed, tmp_path / "answers"), "answers")

    return start


def test_faces_have_the_names_of_their_tracks_and_say_to_what_people_agreed(answered):
    of = answered(people())
    assert of.page.get(f"/v1/libraries/{of.library}").json()["frames"] == "faces"
    assert of.table["consent"] == "the door of our workshop" and not of.table["has_truth"]
    assert of.table["classes"] == ["Ada L.", "unknown"]
    assert (of.table["found"], of.table["missed"], of.table["false_alarms"]) == (
        [2, 1],
        [0, 0],
        [0, 0],
    )
    found = of.look()["found"]
    assert [(box["label"], box["score"], box["track"]) for box in found] == [
        ("Ada L.", 0.97, 1), ("unknown", 0.81, 2)
    ]  # fmt: skip
    assert of.served.when_ready(f"{of.path}/picture").status_code == 200


@pytest.mark.parametrize("consent", ["", "  ", None])
def test_without_consent_no_name_is_told(answered, consent):
    of = answered(people(consent=consent))
    assert of.table["consent"] == "" and of.table["classes"] == ["face"]
    assert {box["label"] for box in of.look()["found"]} == {"face"}
    told = json.dumps([of.table, of.look(), of.page.get("/v1/libraries").json()])
    assert "Ada" not in told and "Grace" not in told


def test_faces_are_not_changed_exported_or_learned(answered):
    of = answered(people())
    assert of.draw(BUS).status_code == 422
    assert of.page.get(f"/v1/libraries/{of.library}/boxes").status_code == 404
    job = {"command": "fit", "library": of.library, "options": {"task": "detect"}}
    assert of.page.post("/v1/jobs", json=job).status_code == 422


def test_objects_are_taken_over_and_only_what_people_saw_is_exported(answered):
    of = answered(objects())
    found = of.look()["found"]
    assert [(box["label"], box["score"], box["track"]) for box in found] == [
        ("bus", 0.75, 2), ("car", 0.5, 1)
    ]  # fmt: skip
    second = of.page.get(f"{of.path[:-1]}1", params={"library": of.library}).json()
    assert second["found"][0]["score"] == 0.8  # filled in: that of its track
    assert of.page.get(f"/v1/libraries/{of.library}/boxes").status_code == 404
    assert of.draw(BUS).status_code == 201
    text = of.page.get(f"/v1/libraries/{of.library}/boxes").text
    assert text.count("a.mp4") == 1 and "bus" in text


def test_a_folder_of_answers_is_a_run_and_no_root(tmp_path, boxed):
    folder = write(tmp_path / "answers", boxed.parent / "a.mp4", objects())
    (folder / "other.json").write_text('{"format": "vidfit.timeline/1",\n "path": "x.mp4"}')
    (folder / "broken.json").write_bytes(b"\xff\xfe{")
    assert [path.name for path in answers_in(folder)] == ["a.json"]
    assert runs_below(tmp_path / "answers") == [folder] and roots_of([folder]).places == ()
    library = open_run(folder)
    assert (library.frames, len(library.clips)) == ("boxes", 1)


@pytest.mark.parametrize(
    "wrong",
    [{"tracks": None}, {"frames": [{"frame": 0}]}, {"width_pixels": "x"},
     {"frames": [{"frame": 0, "seconds": 0, "boxes": [[7, 0, 0, 1, 1, None]]}]}],
)  # fmt: skip
def test_damaged_answers_are_left_out(answered, boxed, tmp_path, wrong):
    of = answered(objects())
    path = tmp_path / "answers" / "b.json"
    write(tmp_path / "answers", boxed.parent / "b.mp4", objects(**wrong))
    with pytest.raises(ManifestError, match="run `vidfit predict` again"):
        found_video(path)
    assert of.page.get(f"/v1/libraries/{of.library}/frames").json()["frame"] == [0, 1]
