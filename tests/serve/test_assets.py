"""Uploads: in parts, checked, and within bounds."""

from __future__ import annotations

import hashlib

import pytest

from vidfit.errors import StoreError
from vidfit.serve.assets import Assets, AssetWish
from vidfit.serve.store import Store

RAW = {"content-type": "application/octet-stream"}


@pytest.fixture
def content(videos) -> bytes:
    return (videos / "left" / "left0.mp4").read_bytes()


def put(served, path, content, **headers):
    return served.page.put(path, content=content, headers={**RAW, **headers})


def begin(served, content, **changes):
    body = {"name": "a.mp4", "size_bytes": len(content), **changes}
    return served.page.post("/v1/assets", json=body)


def test_a_file_is_uploaded_at_once_and_is_a_clip(served, content):
    digest = hashlib.sha256(content).hexdigest()
    asset = put(served, f"/v1/assets?name=my%20video.mp4&sha256={digest}", content)
    assert asset.status_code == 200 and asset.json()["state"] == "ready"
    clip = asset.json()["clip"]
    assert served.page.get(f"/v1/clips/{clip}/video").content == content
    assert served.page.get(f"/v1/clips/{clip}").json()["name"] == "my video.mp4"
    names = [one["name"] for one in served.page.get("/v1/libraries").json()["libraries"]]
    assert "uploads" in names
    (kept,) = served.service.assets.folder.iterdir()
    assert kept.name == f"{asset.json()['id']}.mp4"  # a random name, not the one that was given


def test_parts_go_on_where_they_broke_off(served, content):
    asset = begin(served, content).json()
    path, half, size = f"/v1/assets/{asset['id']}", len(content) // 2, len(content)
    first = put(served, path, content[:half], **{"content-range": f"bytes 0-{half - 1}/{size}"})
    assert first.status_code == 202 and first.json()["received_bytes"] == half
    wrong = put(
        served, path, content[half:], **{"content-range": f"bytes {half + 1}-{size - 1}/{size}"}
    )
    assert wrong.status_code == 416 and f"from byte {half}" in wrong.json()["detail"]
    short = content[half : half + 10]  # the client breaks off: less comes than it said
    put(served, path, short, **{"content-range": f"bytes {half}-{size - 1}/{size}"})
    at = served.page.get(path).json()["received_bytes"]
    assert at == half + 10
    last = put(served, path, content[at:], **{"content-range": f"bytes {at}-{size - 1}/{size}"})
    assert last.status_code == 200 and last.json()["sha256"] == hashlib.sha256(content).hexdigest()
    assert put(served, path, b"x").status_code == 409


def test_what_was_altered_or_is_no_video_is_refused_and_not_kept(served, content):
    for bad, more in ((content, {"sha256": "0" * 64}), (b"<html>" * 99, {}), (b"<svg/>", {})):
        asset = begin(served, bad, **more).json()
        refused = put(served, f"/v1/assets/{asset['id']}", bad)
        assert refused.status_code == 422
        assert served.page.get(f"/v1/assets/{asset['id']}").json()["state"] == "refused"
    assert list(served.service.assets.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"size_bytes": 0}, 422), ({"size_bytes": 10_001}, 413), ({"name": "../a.mp4"}, 422),
        ({"name": "a.html"}, 422), ({"name": "a.svg"}, 422), ({"name": "a\0.mp4"}, 422),
        ({"name": ""}, 422), ({"sha256": "xyz"}, 422),
    ],
)  # fmt: skip
def test_what_cannot_be_uploaded_is_said_before(serve, changes, status):
    served = serve(most_upload_bytes=10_000)
    assert begin(served, b"x", **changes).status_code == status


def test_more_than_was_said_is_refused_while_it_comes_in(served, content):
    asset = begin(served, content[:100]).json()
    more = put(served, f"/v1/assets/{asset['id']}", iter([content[:90], content[90:]]))
    assert more.status_code == 413
    assert served.page.get(f"/v1/assets/{asset['id']}").json()["received_bytes"] <= 100
    assert put(served, "/v1/assets?name=a.mp4", iter([content])).status_code == 411


def test_uploads_have_a_quota_together(serve, content):
    served = serve(most_stored_bytes=len(content) + 10)
    assert begin(served, content).status_code == 201
    second = begin(served, content)
    assert second.status_code == 507 and "quota" in second.json()["detail"]
    first = served.page.get("/v1/assets").json()["assets"][0]["id"]
    assert served.page.delete(f"/v1/assets/{first}").status_code == 204
    assert begin(served, content).status_code == 201


def test_uploads_outlive_a_restart(tmp_path, content):
    store = Store(tmp_path / "x.db")
    (tmp_path / "assets").mkdir()
    first = Assets(store, tmp_path / "assets", 10**6, 10**6)
    asset = first.add(AssetWish("a.mp4", 10), "Ann")
    assert Assets(store, tmp_path / "assets", 10**6, 10**6).get(asset.id) == asset
    store.close()


@pytest.mark.parametrize("ending", ["", ".part"])  # behind its name was given, and before
def test_an_upload_that_was_whole_when_the_server_was_killed_is_ready(serve, content, ending):
    first = serve()
    asset = begin(first, content).json()["id"]
    part = first.service.assets.folder / f"{asset}.mp4.part"
    part.unlink()
    part.with_name(f"{asset}.mp4{ending}").write_bytes(content)
    second = serve(state=first.service.options.state)
    found = second.page.get(f"/v1/assets/{asset}").json()
    assert found["state"] == "ready" and found["sha256"] == hashlib.sha256(content).hexdigest()
    assert second.page.get(f"/v1/clips/{found['clip']}/video").content == content


def test_an_upload_whose_row_could_not_be_written_is_ready_when_it_is_asked_again(
    served, content, monkeypatch
):
    asset = begin(served, content).json()["id"]

    def full(change):
        raise StoreError("cannot write x.db: database or disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(served.service.store, "write", full)
        assert put(served, f"/v1/assets/{asset}", content).status_code == 422
    again = put(served, f"/v1/assets/{asset}", content)
    assert again.status_code == 200 and again.json()["state"] == "ready"


def test_an_upload_of_which_nothing_is_there_begins_anew(served, content):
    asset = begin(served, content).json()["id"]
    (served.service.assets.folder / f"{asset}.mp4.part").unlink()
    assert put(served, f"/v1/assets/{asset}", content).status_code == 200


def test_ids_that_are_not_there_are_missing(served):
    for one in ("none", "..%2f..%2fvidfit.db", "%00"):
        assert served.page.get(f"/v1/assets/{one}").status_code == 404
        assert put(served, f"/v1/assets/{one}", b"x").status_code == 404
        assert served.page.delete(f"/v1/assets/{one}").status_code == 404
