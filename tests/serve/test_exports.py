"""What was labelled goes out as files that vidfit and others read."""

from __future__ import annotations

import json

import pytest

from vidfit.manifest import read_manifest


def export(served, tmp_path, suffix="csv", **query):
    response = served.page.get(f"/v1/libraries/{served.library()}/export", params=query)
    assert response.status_code == 200, response.text
    assert "attachment" in response.headers["content-disposition"]
    path = tmp_path / f"out.{suffix}"
    path.write_bytes(response.content)
    return path


def give(served, name, **changes):
    body = {"library": served.library(), "clips": [served.ids()[name]], "label": "left"}
    assert served.page.post("/v1/labels", json={**body, **changes}).status_code == 201


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_labels_are_read_as_a_list_of_clips(served, tmp_path, form):
    give(served, "left/left0.mp4", label="=up")
    give(served, "left/left1.mp4", kind="unsure", label=None)
    manifest = read_manifest(export(served, tmp_path, form, form=form))
    found = {clip.path.rpartition("/")[2]: clip.label for clip in manifest.clips}
    assert found["left0.mp4"] == "=up" and found["right0.mp4"] == "right"
    assert "left1.mp4" not in found


def test_the_test_queue_is_the_test_split(served, tmp_path):
    give(served, "left/left0.mp4", sample="test")
    give(served, "left/left1.mp4", sample="active")
    manifest = read_manifest(export(served, tmp_path))
    splits = {clip.path.rpartition("/")[2]: clip.split for clip in manifest.clips}
    assert splits["left0.mp4"] == "test" and splits["left1.mp4"] == "train"
    assert splits["right1.mp4"] == "train"


def mark(served, **changes):
    span = {"start_seconds": 0.2, "end_seconds": 0.9, "label": "fall", **changes}
    clip = served.ids()["left/left0.mp4"]
    assert served.page.post(f"/v1/clips/{clip}/spans", json=span).status_code == 201


def test_spans_are_read_as_parts_of_videos(served, tmp_path):
    mark(served)
    (clip,) = read_manifest(export(served, tmp_path, what="spans")).clips
    assert (clip.start_seconds, clip.end_seconds, clip.label) == (0.2, 0.9, "fall")


def test_spans_are_read_by_an_activitynet_reader(served, tmp_path):
    from labelformat.formats.activitynet import ActivityNetTemporalClassificationInput

    from vidfit.manifest.spans import parse_activitynet

    served.when_ready(f"/v1/clips/{served.ids()['left/left0.mp4']}/facts")
    mark(served)
    mark(served, label="stand", start_seconds=1.0, end_seconds=1.5)
    path = export(served, tmp_path, "json", form="activitynet", what="spans")
    rows = parse_activitynet(path.read_text(), path.name)
    assert [(c.path, c.start_seconds, c.end_seconds, c.label) for c in rows.clips] == [
        ("left/left0.mp4", 0.2, 0.9, "fall"), ("left/left0.mp4", 1.0, 1.5, "stand")
    ]  # fmt: skip
    (video,) = ActivityNetTemporalClassificationInput(path).get_labels()
    assert video.duration_s == 1.6 and video.subset == "training"
    assert [(e.start_time_s, e.end_time_s) for e in video.events] == [(0.2, 0.9), (1.0, 1.5)]


def test_spans_with_frames_are_timelines_of_label_studio(served, tmp_path):
    mark(served, start_frame=3, end_frame=11)
    mark(served, start_seconds=1.0, end_seconds=1.5)  # its frames are not known
    path = export(served, tmp_path, "json", form="label-studio", what="spans")
    ((task,),) = [json.loads(path.read_text())]
    (result,) = task["predictions"][0]["result"]
    assert result["value"] == {"ranges": [{"start": 4, "end": 12}], "timelinelabels": ["fall"]}


def test_what_is_not_there_cannot_be_exported(served):
    path = f"/v1/libraries/{served.library()}/export"
    assert served.page.get(path, params={"what": "spans"}).status_code == 404
    query = {"what": "spans", "form": "activitynet"}
    assert served.page.get(path, params=query).status_code == 404
    assert served.page.get(path, params={"form": "activitynet"}).status_code == 422
    assert served.page.get(path, params={"form": "evil"}).status_code == 422


def test_every_correction_is_a_row_that_stays(served):
    """Given, given anew, taken back, marked, moved, removed: all of it can be read afterwards."""
    clip = served.ids()["left/left0.mp4"]

    def log() -> list[tuple]:
        store = served.service.store
        labels = store.rows("SELECT seq, clip, person, kind, label, undoes FROM labels ORDER BY 1")
        return [
            *labels,
            *store.rows("SELECT seq, id, person, label, removed FROM spans ORDER BY 1"),
        ]

    span = {"start_seconds": 0.2, "end_seconds": 0.9, "label": "fall"}
    undo = {"library": served.library()}
    before: list[tuple] = []
    span_id = ""
    for act in ("give", "give anew", "undo", "mark", "move", "remove"):
        if act.startswith("give"):
            give(served, "left/left0.mp4", label=act)
        elif act == "undo":
            assert served.page.post("/v1/labels/undo", json=undo).status_code == 200
        elif act == "mark":
            span_id = served.page.post(f"/v1/clips/{clip}/spans", json=span).json()["id"]
        elif act == "move":
            moved = served.page.put(f"/v1/spans/{span_id}", json={**span, "end_seconds": 1.0})
            assert moved.status_code == 200
        else:
            assert served.page.delete(f"/v1/spans/{span_id}").status_code == 200
        after = log()
        assert len(after) == len(before) + 1 and set(before) < set(after), act
        before = after
    assert [row[3] for row in before[:3]] == ["label", "label", "undo"]
