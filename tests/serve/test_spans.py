"""Spans of long videos: marked, altered, removed, and as they were before."""

from __future__ import annotations

import pytest

SPAN = {"start_seconds": 0.2, "end_seconds": 0.9, "label": "fall", "start_frame": 3,
        "end_frame": 11}  # fmt: skip


@pytest.fixture
def clip(served) -> str:
    return served.ids()["left/left0.mp4"]


def spans(served, clip) -> list[dict]:
    return served.page.get(f"/v1/clips/{clip}/spans").json()["spans"]


def test_a_span_is_marked_altered_and_as_it_was(served, clip):
    made = served.page.post(f"/v1/clips/{clip}/spans", json=SPAN)
    assert made.status_code == 201
    span = made.json()
    assert {**span, **SPAN} == span and span["person"] == "me"
    wider = {**SPAN, "end_seconds": 1.2, "end_frame": 15}
    served.page.put(f"/v1/spans/{span['id']}", json=wider)
    assert [one["end_seconds"] for one in spans(served, clip)] == [1.2]
    assert served.page.post(f"/v1/spans/{span['id']}/undo").json()["end_seconds"] == 0.9
    removed = served.page.delete(f"/v1/spans/{span['id']}").json()
    assert removed["removed"] and spans(served, clip) == []
    assert served.page.put(f"/v1/spans/{span['id']}", json=SPAN).status_code == 404
    served.page.post(f"/v1/spans/{span['id']}/undo")
    assert len(spans(served, clip)) == 1


def test_a_new_span_that_is_taken_back_is_gone(served, clip):
    span = served.page.post(f"/v1/clips/{clip}/spans", json=SPAN).json()
    assert served.page.post(f"/v1/spans/{span['id']}/undo").json()["removed"]
    assert spans(served, clip) == []


def test_another_person_s_change_is_not_taken_back(served, clip):
    span = served.page.post(f"/v1/clips/{clip}/spans", json=SPAN).json()
    served.browser("Bob").put(f"/v1/spans/{span['id']}", json={**SPAN, "label": "b"})
    assert served.page.post(f"/v1/spans/{span['id']}/undo").status_code == 409


def test_spans_come_by_time(served, clip):
    for start in (0.5, 0.1):
        served.page.post(f"/v1/clips/{clip}/spans", json={**SPAN, "start_seconds": start})
    assert [one["start_seconds"] for one in spans(served, clip)] == [0.1, 0.5]


@pytest.mark.parametrize(
    "changes",
    [
        {"end_seconds": 0.2}, {"start_seconds": -1}, {"label": ""}, {"end_frame": 2},
        {"end_frame": None}, {"start_seconds": 1e12}, {"label": None},
    ],
)  # fmt: skip
def test_what_is_no_span_is_refused(served, clip, changes):
    assert served.page.post(f"/v1/clips/{clip}/spans", json={**SPAN, **changes}).status_code == 422
    assert spans(served, clip) == []


def test_ids_that_are_not_there_are_missing(served):
    assert served.page.get(f"/v1/clips/{'0' * 16}/spans").status_code == 404
    assert served.page.put(f"/v1/spans/{'0' * 32}", json=SPAN).status_code == 404
    assert served.page.delete("/v1/spans/..%2f").status_code == 404
