"""Two runs, clip by clip."""

from __future__ import annotations

import pytest
from tests.serve.conftest import report_of, write_run


@pytest.fixture
def compared(serve, tmp_path, videos):
    """The run of all tests, and one that is right where it is wrong, and wrong once."""
    rows = report_of(videos)["clips"]
    rows[1]["predicted"], rows[3]["predicted"] = "left", "left"
    served = serve(write_run(tmp_path / "other", videos, clips=rows))
    found = served.page.get("/v1/libraries").json()["libraries"]
    return served, {one["name"]: one["id"] for one in found}


def test_two_runs_are_compared_clip_by_clip(compared):
    served, ids = compared
    clips = served.ids()
    query = {"first": ids["run"], "second": ids["other"]}
    found = served.page.get("/v1/compare", params=query).json()
    assert found["won"] == [clips["left/left1.mp4"]]
    assert found["lost"] == [clips["right/right1.mp4"]]
    assert found["clip_count"] == found["recording_count"] == 4
    assert found["first_accuracy"] == found["second_accuracy"] == 0.75
    difference = found["difference"]
    assert difference["value"] == 0.0 and difference["low"] < 0 < difference["high"]


def test_what_has_no_answers_cannot_be_compared(compared):
    served, ids = compared
    query = {"first": ids["run"], "second": ids["clips"]}
    assert served.page.get("/v1/compare", params=query).status_code == 422
    assert served.page.get("/v1/compare", params={"first": ids["run"]}).status_code == 422
    query = {"first": ids["run"], "second": "0" * 12}
    assert served.page.get("/v1/compare", params=query).status_code == 404
