"""Streams of events: counted, and given back when who reads is gone."""

from __future__ import annotations

import socket

import pytest
from tests.serve.conftest import until

from vidfit.serve import streams as module
from vidfit.serve.people import make_key
from vidfit.serve.problems import ProblemError
from vidfit.serve.streams import EventStreams


def test_each_person_has_a_bound_of_their_own(monkeypatch):
    monkeypatch.setattr(module, "MOST_STREAMS", 1)
    streams = EventStreams()
    streams.add("Ann")
    streams.add("Bob")
    with pytest.raises(ProblemError) as refused:
        streams.add("Ann")
    assert refused.value.status == 429 and refused.value.headers["Retry-After"] == "5"
    streams.remove("Ann")
    streams.add("Ann")


def test_all_that_a_finished_job_told_is_sent(served):
    jobs = served.service.jobs
    jobs.close()  # what is begun from now on waits
    asked = {"command": "label", "library": "0" * 12}
    job = jobs.add(asked, "me", lambda folder: ["--version"], most_waiting=1).id
    jobs._moved(job, "waiting", "done")
    texts = [f"line {number} {'.' * 5000}" for number in range(300)]
    texts[7] = "." * 2**21  # longer than what is read at once
    told = "".join(f'{{"event": "note", "text": "{text}"}}\n' for text in texts)
    (jobs.folder / job / "events.jsonl").write_text(told)
    for seen in (0, 250):
        asking = served.page.get(f"/v1/jobs/{job}/events", headers={"last-event-id": str(seen)})
        *events, state = asking.text.strip().split("\n\n")
        assert [int(one.split()[1]) for one in events] == [*range(seen + 1, 301)]
        assert state == 'data: {"event": "state", "state": "done"}'


def test_a_stream_that_is_closed_makes_room_for_another(listening, monkeypatch):
    monkeypatch.setattr(module, "MOST_STREAMS", 2)
    served, port = listening()
    jobs, key = served.service.jobs, make_key(served.service.store, "Bot")
    jobs.close()  # what is begun from now on waits
    asked = {"command": "label", "library": "0" * 12}
    job = jobs.add(asked, "Bot", lambda folder: ["--version"], most_waiting=1)

    def opened() -> tuple[socket.socket, bytes]:
        asking = socket.create_connection(("127.0.0.1", port), timeout=60)
        head = f"GET /v1/jobs/{job.id}/events HTTP/1.1\r\nHost: localhost\r\n"
        asking.sendall(f"{head}Authorization: Bearer {key}\r\n\r\n".encode())
        return asking, asking.recv(12)

    first, second, third = opened(), opened(), opened()
    for asking, status in (first, second, third):
        assert status == (b"HTTP/1.1 429" if asking is third[0] else b"HTTP/1.1 200")
    first[0].close()

    def again() -> bytes:
        asking, status = opened()
        asking.close()
        return status

    until(again, lambda status: status == b"HTTP/1.1 200")
    for asking, _ in (second, third):
        asking.close()
