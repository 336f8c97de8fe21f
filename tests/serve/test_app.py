"""Requests and refusals: JSON in, JSON out, problems as the standard has them."""

from __future__ import annotations

import gzip

import pytest
from starlette.testclient import TestClient
from tests.clips import write_clip
from tests.serve.conftest import ADDRESS, PAGE

from vidfit.documents import json_in
from vidfit.serve.app import build
from vidfit.serve.wire import MOST_BODY_BYTES


def test_a_refusal_is_a_problem_and_names_no_path(served):
    response = served.page.get("/v1/clips/0000000000000000")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:vidfit:not-found", "title": "Not Found", "status": 404,
        "detail": "there is no such thing here; ids come from the lists of this server",
    }  # fmt: skip
    assert served.page.get("/v1/nothing").json() == response.json()


def test_another_method_is_not_allowed(served):
    response = served.page.put("/v1/libraries", json={})
    assert response.status_code == 405 and response.json()["status"] == 405


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_taken(served, kind):
    """A form of another site can send all types but this one without asking."""
    response = served.page.post("/v1/previews", content=b"{}", headers={"content-type": kind})
    assert response.status_code == 415


def test_a_body_has_a_bound_while_it_comes_in(served):
    sent = 0

    def endless():
        nonlocal sent
        while sent < 100:
            sent += 1
            yield b" " * 2**18

    headers = {"content-type": "application/json"}
    response = served.page.post("/v1/previews", content=endless(), headers=headers)
    assert response.status_code == 413
    assert MOST_BODY_BYTES < 2**21


def test_clips_are_sent_zipped_and_not_twice(served):
    path = f"/v1/libraries/{served.library()}/clips"
    plain = served.page.get(path, headers={"accept-encoding": "identity"})
    zipped = served.page.get(path, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip" and zipped.json() == plain.json()
    again = served.page.get(path, headers={"if-none-match": plain.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert gzip.decompress(served.service.table(served.service.libraries.all()[0]).zipped)


def test_what_a_run_found_is_sent_without_its_clips(served):
    library = served.library("run")
    found = served.page.get(f"/v1/libraries/{library}/documents/report").json()
    assert found["score"]["value"] == 0.75 and "clips" not in found and "failures" not in found
    for name in ("ranking", "report.json", "..%2freport"):
        assert served.page.get(f"/v1/libraries/{library}/documents/{name}").status_code == 404


def test_names_are_data_not_markup(serve, tmp_path):
    folder = tmp_path / "odd"
    write_clip(folder / "<img src=x onerror=alert(1)>.mp4")
    served = serve(folder)
    library = next(
        one["id"] for one in served.page.get("/v1/libraries").json()["libraries"]
        if one["name"] == "odd"
    )  # fmt: skip
    response = served.page.get(f"/v1/libraries/{library}/clips")
    assert response.headers["content-type"] == "application/json"
    assert response.json()["name"] == ["<img src=x onerror=alert(1)>.mp4"]
    page = served.page.get("/static/start.js").text
    assert "innerHTML" not in page and "outerHTML" not in page and "insertAdjacent" not in page


def test_a_fault_of_the_server_says_nothing_of_it(served, monkeypatch):
    def broken(self, clip):
        raise ZeroDivisionError("secret of the server")

    monkeypatch.setattr(type(served.service.libraries), "clip", broken)
    client = TestClient(build(served.service), base_url=ADDRESS, raise_server_exceptions=False)
    client.cookies = served.page.cookies
    response = client.get("/v1/clips/0000000000000000", headers=PAGE)
    assert response.status_code == 500 and "secret" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_hundred_thousand_clips_are_one_answer(tmp_path):
    from vidfit.contracts import Clip
    from vidfit.serve.libraries import table_of
    from vidfit.serve.library import Library, clip_ids
    from vidfit.serve.wire import json_of

    clips = tuple(Clip(f"/v/{i % 100}/{i}.mp4", label=f"c{i % 9}") for i in range(100_000))
    ids = clip_ids(clips)
    assert len(set(ids)) == 100_000
    library = Library("0" * 12, "many", "videos", tmp_path, clips, ids, classes=("c0",))
    found = json_in(json_of(table_of(library)))
    assert found["count"] == 100_000 == len(found["label"]["codes"])
    assert (
        found["name"][5] == "5/5.mp4"
        and found["label"]["values"][found["label"]["codes"][10]] == "c1"
    )


@pytest.mark.parametrize("number", ["-1", "9" * 19, "9" * 400])
def test_numbers_that_nothing_counts_are_refused(served, number):
    job = "0" * 32
    for path in (f"/v1/labels?library={served.library()}&since=", f"/v1/jobs/{job}/log?offset="):
        assert served.page.get(f"{path}{number}").status_code == 422
        assert served.page.get(f"{path}{2**63 - 1}").status_code in (200, 404)


def test_ids_that_are_no_text_are_refused_where_they_are_written(served):
    body = b'{"clips": ["\\ud800"]}'
    headers = {"content-type": "application/json"}
    response = served.page.post("/v1/queue/release", content=body, headers=headers)
    assert response.status_code == 400
