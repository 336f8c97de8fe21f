"""Labels that people give: kept at once, taken back rightly, never lost."""

from __future__ import annotations

import pytest


def give(served, names, client=None, **changes):
    ids = served.ids()
    body = {"library": served.library(), "clips": [ids[name] for name in names], "label": "left"}
    return (client or served.page).post("/v1/labels", json={**body, **changes})


def undo(served, client=None):
    return (client or served.page).post("/v1/labels/undo", json={"library": served.library()})


def stands(served, since: int = 0) -> dict:
    query = {"library": served.library(), "since": since}
    return served.page.get("/v1/labels", params=query).json()


def labels(served) -> dict:
    return {row["clip"]: (row["kind"], row["label"]) for row in stands(served)["rows"]}


def test_a_label_is_there_when_it_is_acknowledged_and_after_a_restart(serve, tmp_path):
    first = serve(state=tmp_path / "state")
    given = give(first, ["left/left0.mp4"], accepted=True, sample="active")
    assert given.status_code == 201
    (row,) = given.json()["rows"]
    assert row["person"] == "me" and row["accepted"] and row["sample"] == "active"
    first.service.close()
    again = serve(state=tmp_path / "state")
    assert labels(again) == {row["clip"]: ("label", "left")}


def test_many_clips_get_a_label_at_once_and_lose_it_at_once(served):
    give(served, ["left/left1.mp4"], label="old")
    give(served, ["left/left0.mp4", "left/left1.mp4", "right/right0.mp4"], label="new")
    ids = served.ids()
    assert {label for _, label in labels(served).values()} == {"new"}
    back = undo(served).json()["rows"]
    assert {row["clip"]: row["kind"] for row in back} == {
        ids["left/left0.mp4"]: "none", ids["left/left1.mp4"]: "label",
        ids["right/right0.mp4"]: "none",
    }  # fmt: skip
    assert labels(served)[ids["left/left1.mp4"]] == ("label", "old")
    undo(served)
    assert {kind for kind, _ in labels(served).values()} == {"none"}
    assert undo(served).status_code == 404


def test_undo_takes_back_one_s_own_and_nothing_that_another_said_since(served):
    bob = served.browser("Bob")
    give(served, ["left/left0.mp4"])
    give(served, ["left/left1.mp4"], bob, label="bob")
    assert undo(served).json()["rows"][0]["clip"] == served.ids()["left/left0.mp4"]
    give(served, ["right/right0.mp4"])
    give(served, ["right/right0.mp4"], bob, label="bob")
    assert undo(served).status_code == 409
    assert labels(served)[served.ids()["right/right0.mp4"]] == ("label", "bob")


def test_unsure_and_cleared_are_said_too(served):
    ids = served.ids()
    give(served, ["left/left0.mp4"], kind="unsure", label=None)
    give(served, ["left/left1.mp4"], kind="cleared", label=None)
    assert labels(served) == {
        ids["left/left0.mp4"]: ("unsure", None), ids["left/left1.mp4"]: ("cleared", None)
    }  # fmt: skip


def test_what_changed_since_is_told(served):
    give(served, ["left/left0.mp4"])
    seq = stands(served)["seq"]
    assert stands(served, seq) == {"seq": seq, "rows": []}
    give(served, ["left/left1.mp4"])
    (row,) = stands(served, seq)["rows"]
    assert row["clip"] == served.ids()["left/left1.mp4"] and row["seq"] > seq
    undo(served)
    (row,) = stands(served, row["seq"])["rows"]
    assert row["kind"] == "none"


def test_a_label_stands_in_the_run_as_in_its_folder(served):
    give(served, ["left/left0.mp4"], label="both")
    query = {"library": served.library("run")}
    (row,) = served.page.get("/v1/labels", params=query).json()["rows"]
    assert row["label"] == "both"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"clips": ["0" * 16]}, 404), ({"library": "0" * 12}, 404), ({"clips": []}, 422),
        ({"label": ""}, 422), ({"label": " a"}, 422), ({"label": "a\nb"}, 422),
        ({"label": None}, 422), ({"label": "x" * 201}, 422), ({"kind": "undo"}, 422),
        ({"sample": "evil"}, 422),
    ],
)  # fmt: skip
def test_what_is_no_label_is_refused(served, changes, status):
    assert give(served, ["left/left0.mp4"], **changes).status_code == status
    assert labels(served) == {}
