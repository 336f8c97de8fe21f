"""Answers over time: of the video that is asked for, and by jobs that are done."""

from __future__ import annotations

import time

import pytest

from vidfit.answers import Segment, Timeline
from vidfit.documents import to_json
from vidfit.jobs.predict.timeline import timeline_json


@pytest.fixture
def answered(served):
    """Write what a job answered to a clip; return its id."""
    clip, _ = served.service.libraries.clip(served.ids()["left/left0.mp4"])
    segments = (
        Segment(0.0, 1.0, "left", 0.9, scores=(0.9, 0.1)),
        Segment(1.0, 1.6, None, 0.5, True, "low confidence", (0.5, 0.5)),
    )
    timeline = Timeline(clip.path, 1.6, ("left", "right"), segments, segments, 8, 20, "1xevenx8")
    jobs, job = served.service.jobs, "f" * 32
    output = jobs.folder / job / "output"
    output.mkdir(parents=True)
    (output / "left0.json").write_text(timeline_json(timeline), encoding="utf-8")
    (output / "broken.json").write_text('{"format": "vidfit.timeline/2",\n "path": "')
    asked = to_json({"command": "predict", "library": served.library(), "model": "0" * 12})
    row = (job, "Ann", asked, "[]", "done", time.time())
    served.service.store.write(
        lambda c: (
            c.execute(
                "INSERT INTO jobs(id, person, asked, arguments, state, at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
            and None
        )
    )
    return job


def test_the_answers_to_a_video_are_found(served, answered):
    ids = served.ids()
    (found,) = served.page.get(f"/v1/clips/{ids['left/left0.mp4']}/timelines").json()["timelines"]
    assert found["job"] == answered and found["classes"] == ["left", "right"]
    assert [one["label"] for one in found["segments"]] == ["left", None]
    assert found["windows"][0]["scores"] == [0.9, 0.1] and found["duration_seconds"] == 1.6
    other = served.page.get(f"/v1/clips/{ids['right/right0.mp4']}/timelines").json()
    assert other == {"timelines": []}


def test_what_a_job_wrote_is_sent_by_name_and_nothing_else(served, answered, tmp_path):
    folder = served.service.jobs.folder / answered / "output"
    (folder / "page.html").write_text("<script>")
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    (folder / "link.json").symlink_to(secret)
    listed = served.page.get(f"/v1/jobs/{answered}/results").json()["results"]
    assert [one["name"] for one in listed] == ["broken.json", "left0.json"]
    sent = served.page.get(f"/v1/jobs/{answered}/results/left0.json")
    assert sent.status_code == 200 and sent.headers["content-disposition"] == "attachment"
    for name in ("page.html", "link.json", "..%2fcommand.json", "%2e%2e", "none.json"):
        assert served.page.get(f"/v1/jobs/{answered}/results/{name}").status_code == 404
