"""Jobs over HTTP."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.serve.conftest import until
from tests.serve.routes.test_models import write_model

from vidfit.documents import json_in
from vidfit.manifest.annotations import read_annotations
from vidfit.serve.jobs import OVER
from vidfit.serve.routes import jobs as routes


def begin(served, **asked):
    headers = asked.pop("headers", {})
    body = {"command": "label", "library": served.library(), **asked}
    return served.page.post("/v1/jobs", json=body, headers=headers)


def test_a_job_is_accepted_and_found_under_its_address(served):
    body = {"options": {"backbone": ["none-of-that-name"]}, "headers": {"idempotency-key": "k"}}
    accepted = begin(served, **body)
    assert accepted.status_code == 202
    path = accepted.headers["location"]
    body = {"options": {"backbone": ["none-of-that-name"]}, "headers": {"idempotency-key": "k"}}
    assert begin(served, **body).headers["location"] == path
    found = until(lambda: served.page.get(path).json(), lambda one: one["state"] in OVER)
    assert found["state"] == "failed" and found["status"] == 2 and found["said"]
    assert [one["id"] for one in served.page.get("/v1/jobs").json()["jobs"]] == [found["id"]]
    assert served.page.get(f"{path}/log").status_code == 200
    assert served.page.delete(path).status_code == 409
    assert served.page.post(f"{path}/resume").status_code == 202
    told = served.page.get(f"{path}/events").text
    assert told.rstrip().endswith('data: {"event": "state", "state": "failed"}')


def test_a_job_learns_the_labels_that_were_given(served, videos):
    ids = served.ids()
    body = {"library": served.library(), "clips": [ids["left/left0.mp4"]], "label": "given"}
    served.page.post("/v1/labels", json=body)
    job = begin(served, command="select", options={"backbone": ["none"]}).json()
    folder = served.service.jobs.folder / job["id"]
    text = (folder / "clips.csv").read_text()
    words = json_in((folder / "command.json").read_text())
    assert f"--only-below={videos}" in words and words[-2:] == ["--", str(folder / "clips.csv")]
    assert f"{videos}/left/left0.mp4" in text and "given" in text


def test_boxes_are_learned_as_people_changed_them(serve, boxed):
    served = serve(boxed)
    served.service.jobs.close()  # so that the job waits
    found = served.page.get("/v1/libraries").json()["libraries"]
    library = next(one["id"] for one in found if one["frames"] == "boxes")
    clip = served.page.get(f"/v1/libraries/{library}/frames").json()["clip"]["values"][0]
    box = {"label": "tram", "left": 1.0, "top": 2.0, "right": 9.5, "bottom": 12.0}
    drawn = {"library": library, "boxes": [box]}
    assert served.page.post(f"/v1/clips/{clip}/frames/0/boxes", json=drawn).status_code == 201
    for options in ({"minutes": 2}, {"minutes": 2, "task": "detect"}):
        job = begin(served, command="fit", library=library, options=options).json()
        folder = served.service.jobs.folder / job["id"]
        words = json_in((folder / "command.json").read_text())
        assert words.count("--task=detect") == 1 and words[-1] == str(folder / "boxes.csv")
        assert job["options"] == options
        listed = read_annotations(folder / "boxes.csv")
        labels = [[box.label for box in one.boxes] for one in listed.frames]
        assert labels == [["car", "bus", "tram"], ["car"], []]
    for wrong in (
        {"command": "select"}, {"command": "fit", "options": {"task": "tag"}},
        {"command": "fit", "library": served.library("run"), "options": {"task": "detect"}},
    ):  # fmt: skip
        assert begin(served, **{"library": library, **wrong}).status_code == 422, wrong


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"command": "models"}, 422), ({"library": "0" * 12}, 404), ({"clip": "0" * 16}, 422),
        ({"command": "predict"}, 422), ({"model": "0" * 12}, 422),
        ({"command": "predict", "model": "0" * 12}, 404),
        ({"options": {"output": "/tmp"}}, 422), ({"options": {"backbone": ["a.py:B"]}}, 422),
        ({"what": "spans", "command": "fit"}, 422), ({"evil": 1}, 422),
    ],
)  # fmt: skip
def test_what_is_no_job_is_refused_and_leaves_nothing(served, asked, status):
    assert begin(served, **asked).status_code == status
    assert list(served.service.jobs.folder.iterdir()) == []


def test_a_run_without_a_model_answers_nothing(served):
    refused = begin(served, command="predict", model=served.library("run"))
    assert refused.status_code == 422 and "no model" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("frames", "formats"), [("", "json,csv,vtt"), ("boxes", "json,csv"), ("masks", "json,csv")]
)
def test_a_model_answers_in_formats_that_its_task_has(served, frames, formats):
    served.service.jobs.close()  # so that the job waits
    run = served.library("run")
    (served.run / "model").mkdir(exist_ok=True)
    (served.run / "model" / "model.json").write_text("{}")
    libraries = served.service.libraries
    libraries.put(replace(libraries.get(run), frames=frames))
    job = begin(served, command="predict", model=run).json()
    words = (served.service.jobs.folder / job["id"] / "command.json").read_text()
    assert f"--format={formats}" in json_in(words)


def test_a_model_of_people_asks_to_what_they_agreed(served):
    served.service.jobs.close()  # so that the job waits
    run = served.library("run")
    write_model(served.run, {}, task="faces")
    refused = begin(served, command="predict", model=run)
    assert refused.status_code == 422 and "i-have-consent" in refused.json()["detail"]
    for text in ("", "ab", " abc", "a\nb"):
        options = {"i-have-consent": text}
        assert begin(served, command="predict", model=run, options=options).status_code == 422
    said = "door of our workshop; forms of May"
    job = begin(served, command="predict", model=run, options={"i-have-consent": said}).json()
    words = json_in((served.service.jobs.folder / job["id"] / "command.json").read_text())
    assert f"--i-have-consent={said}" in words and "--format=json,csv" in words
    other = begin(served, command="fit", options={"i-have-consent": said})
    assert other.status_code == 422  # fits of people begin on the command line


def test_what_a_job_found_in_frames_is_open_when_it_is_done(served, monkeypatch):
    def prepare(service, wish, folder):
        (folder / "output").mkdir()
        found = {"format": "vidfit.people/1", "path": str(served.clips / "left" / "left0.mp4")}
        (folder / "output" / "left0.json").write_text(json.dumps(found, indent=1))
        return ["--version"]

    monkeypatch.setattr(routes, "prepare", prepare)
    path = begin(served, command="predict").headers["location"]
    job = until(lambda: served.page.get(path).json(), lambda one: one["state"] in OVER)
    library = served.page.get(f"/v1/libraries/{job['result_library']}").json()
    assert (library["name"], library["frames"], library["clip_count"]) == (
        "predict clips",
        "faces",
        1,
    )


def test_read_only_begins_no_job_that_waits_from_before(serve, tmp_path):
    state = tmp_path / "state"
    before = serve(state=state).service
    before.jobs.close()  # so that what is added waits
    asked = {"command": "label", "library": "0" * 12}
    job = before.jobs.add(asked, "me", lambda folder: ["--version"], most_waiting=1)
    before.close()
    served = serve(state=state, read_only=True)
    for _ in range(3):
        served.service.jobs._look()
    assert served.page.get(f"/v1/jobs/{job.id}").json()["state"] == "waiting"
    assert served.page.delete(f"/v1/jobs/{job.id}").status_code == 403
    served.service.close()
    after = serve(state=state)
    until(lambda: after.page.get(f"/v1/jobs/{job.id}").json(), lambda one: one["state"] == "done")


def test_a_page_stops_a_job_and_has_it_go_on(served, monkeypatch):
    forever = ["serve", "--port", "0", "--state", "state"]
    monkeypatch.setattr(routes, "prepare", lambda service, wish, folder: forever)
    path = begin(served).headers["location"]

    def when(*states: str) -> dict:
        return until(lambda: served.page.get(path).json(), lambda one: one["state"] in states)

    for turn in range(2):
        begun = served.service.jobs.folder / path.rpartition("/")[2] / "state" / "vidfit.db"
        until(begun.exists, bool)
        assert when("running")["status"] is None
        assert served.page.delete(path).status_code == 202
        assert when(*OVER)["state"] == "stopped"
        begun.unlink()
        told = served.page.get(f"{path}/events").text
        assert told.rstrip().endswith('data: {"event": "state", "state": "stopped"}')
        if not turn:
            resumed = served.page.post(f"{path}/resume")
            assert resumed.status_code == 202 and resumed.json()["state"] in ("waiting", "running")
