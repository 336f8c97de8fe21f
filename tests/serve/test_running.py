"""The server on a socket, and the client of it."""

from __future__ import annotations

import hashlib
import socket
import time

import pytest

from vidfit import Client
from vidfit import client as module
from vidfit.errors import VidfitError
from vidfit.serve import app, running
from vidfit.serve.people import make_key


@pytest.fixture
def client(listening):
    served, port = listening()
    return served, Client(f"http://127.0.0.1:{port}", make_key(served.service.store, "Bot"))


def test_a_client_lists_labels_and_uploads(client, videos, monkeypatch):
    served, asking = client
    library = next(one["id"] for one in asking.libraries() if one["kind"] == "videos")
    clips = asking.clips(library)
    asking.label(library, clips["id"][:2], "up")
    rows = asking.get("/v1/labels", library=library)["rows"]
    assert {(row["label"], row["person"]) for row in rows} == {("up", "Bot")}
    monkeypatch.setattr(module, "_PART_BYTES", 1000)  # in eight parts
    path = videos / "left" / "left0.mp4"
    asset = asking.upload(path)
    assert (
        asset["state"] == "ready"
        and asset["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    )
    assert served.page.get(f"/v1/clips/{asset['clip']}/video").content == path.read_bytes()
    asking.delete(f"/v1/assets/{asset['id']}")
    assert served.page.get(f"/v1/clips/{asset['clip']}/video").status_code == 404


def test_a_client_follows_a_job_to_its_end(client):
    served, asking = client
    library = next(one["id"] for one in asking.libraries() if one["kind"] == "videos")
    with pytest.raises(VidfitError, match="422: 'serve' is no command"):
        asking.begin("serve", library)
    job = asking.begin("label", library, options={"count": 2, "backbone": ["motion"]})
    told = list(asking.events(job["id"]))
    ended = asking.wait(job["id"], 1)
    assert ended["state"] == "done", ended
    assert told[-1] == {"event": "state", "state": "done"}
    assert {one["event"] for one in told} >= {"stage", "advance", "state"}
    assert len(list(asking.events(job["id"], 10_000))) == 1
    files = asking.results(job["id"])
    assert files["to-label.csv"].startswith(b"\xef\xbb\xbfpath,label")
    proposed = served.service.proposed(served.service.libraries.get(library))
    assert proposed is not None and proposed.read_bytes() == files["to-label.csv"]
    assert asking.get(f"/v1/jobs/{job['id']}")["command"] == "label"


@pytest.mark.parametrize("address", ["localhost:80", "ftp://a/", "http://", ""])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(VidfitError, match="is no address"):
        Client(address, "k")


def test_a_client_says_what_the_server_says(client):
    _, asking = client
    with pytest.raises(VidfitError, match="404: there is no such thing"):
        asking.get("/v1/clips/none")
    asking._key = "no"
    with pytest.raises(VidfitError, match="401: log in"):
        asking.libraries()
    with pytest.raises(VidfitError, match="no answer"):
        Client("http://127.0.0.1:1", "k", 1).libraries()


def test_who_does_not_finish_the_head_of_a_request_is_hung_up_on(listening, monkeypatch):
    monkeypatch.setattr(running, "HEADER_SECONDS", 0.5)
    _, port = listening()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        begun = time.monotonic()
        assert slow.recv(100) == b"" and time.monotonic() - begun < 15
    with socket.create_connection(("127.0.0.1", port), timeout=20) as quick:
        quick.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert quick.recv(15) == b"HTTP/1.1 200 OK"


def test_who_does_not_finish_a_body_is_told(listening, monkeypatch):
    monkeypatch.setattr(app, "_BODY_SECONDS", 0.5)
    served, port = listening()
    key = make_key(served.service.store, "Bot")
    head = (
        f"POST /v1/previews HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        slow.sendall(head.encode())
        assert slow.recv(12) == b"HTTP/1.1 408"


REFUSED = b"POST /v1/labels HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"


def test_who_is_refused_and_does_not_finish_the_body_is_hung_up_on(listening, monkeypatch):
    monkeypatch.setattr(running, "HEADER_SECONDS", 1.0)
    _, port = listening()
    with socket.create_connection(("127.0.0.1", port), timeout=15) as slow:
        slow.sendall(REFUSED)
        assert slow.recv(12) == b"HTTP/1.1 401"
        slow.sendall(b"{")
        while slow.recv(4096):
            pass


def test_who_is_refused_and_finishes_the_body_goes_on(listening):
    _, port = listening()
    with socket.create_connection(("127.0.0.1", port), timeout=15) as quick:
        quick.sendall(REFUSED)
        found = quick.recv(12)
        quick.sendall(b"{")
        quick.sendall(b"} GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while read := quick.recv(4096):
            found += read
    assert found.startswith(b"HTTP/1.1 401") and b"HTTP/1.1 200 OK" in found


def test_a_head_without_end_is_refused(listening):
    _, port = listening()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as long:
        long.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40_000)
        assert long.recv(12) == b"HTTP/1.1 400"


def test_a_port_that_is_taken_is_said():
    with running._bound("127.0.0.1", 0) as taken, pytest.raises(VidfitError, match="--port 0"):
        running._bound("127.0.0.1", taken.getsockname()[1])
