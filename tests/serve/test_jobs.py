"""Jobs: they run apart, stop, go on, and outlive the server."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from tests.serve.conftest import until

from vidfit.errors import StoreError
from vidfit.serve import jobs as module
from vidfit.serve.jobs import OVER, Jobs
from vidfit.serve.problems import ProblemError
from vidfit.serve.store import Store

LONG = ["serve", "--port", "0", "--state", "state"]
"""Runs until it is interrupted."""


@pytest.fixture
def running(tmp_path):
    """Return a function that starts what watches jobs, on one store."""
    store, started = Store(tmp_path / "x.db"), []

    def start(at_a_time: int = 1) -> Jobs:
        jobs = Jobs(store, tmp_path / "jobs", at_a_time, lambda job_id: None)
        jobs.start()
        started.append(jobs)
        return jobs

    yield start
    for jobs in started:
        for job in jobs.all():
            if job.state not in OVER:
                jobs.stop(job.id)
    if started:
        until(started[-1].all, lambda found: all(job.state in OVER for job in found))
    for jobs in started:
        jobs.close()
    store.close()


def add(jobs, words, key="", person="Ann", asked=None, **changes):
    changes = {"most_waiting": 9, **changes}
    asked = asked or {"command": words[0], "library": "0" * 12}
    return jobs.add(asked, person, lambda folder: words, key=key, **changes)


def when(jobs, job, *states):
    return until(lambda: jobs.get(job.id), lambda found: found.state in states)


def test_a_job_runs_and_ends(running):
    jobs = running()
    job = add(jobs, ["--version"])
    ended = when(jobs, job, *OVER)
    assert ended.state == "done" and ended.status == 0 and ended.ended >= ended.begun >= ended.at
    assert "vidfit" in (jobs.folder / job.id / "said.txt").read_text()


def test_what_fails_says_why(running):
    jobs = running()
    job = add(jobs, ["fit", "/nonexistent-folder"])
    assert when(jobs, job, *OVER).state == "failed" and jobs.get(job.id).status == 2
    assert "There is no /nonexistent-folder" in jobs.progress(job.id).said


def test_a_job_stops_by_an_interrupt_and_the_same_command_goes_on(running):
    jobs = running()
    job = add(jobs, LONG)
    until(lambda: (jobs.folder / job.id / "state" / "vidfit.db").exists(), bool)
    with pytest.raises(ProblemError) as refused:
        jobs.resume(job.id)
    assert refused.value.status == 409
    jobs.stop(job.id)
    stopped = when(jobs, job, *OVER)
    assert stopped.state == "stopped" and stopped.status == 130
    again = jobs.resume(job.id)
    assert again.state in ("waiting", "running") and again.ended is None is again.status
    assert when(jobs, job, "running").ended is None


def test_jobs_wait_for_one_another_and_may_stop_before_they_begin(running):
    jobs = running()
    first, second, third = add(jobs, LONG), add(jobs, ["--version"]), add(jobs, ["--version"])
    when(jobs, first, "running")
    assert jobs.get(second.id).state == "waiting"
    assert jobs.stop(third.id).state == "stopped"
    jobs.stop(first.id)
    assert when(jobs, second, *OVER).state == "done"
    assert jobs.get(third.id).begun is None


def test_a_job_outlives_its_server_and_is_known_by_the_next(running):
    """The next server has another object and no child of its own: as after a kill."""
    first = running()
    job = add(first, LONG)
    until(lambda: (first.folder / job.id / "state" / "vidfit.db").exists(), bool)
    first.close()
    second = running()
    assert when(second, job, "running").id == job.id
    second.stop(job.id)
    first._children[job.id].wait(100)  # a child of this process stays a zombie until then
    assert when(second, job, *OVER).state == "stopped"


def test_a_job_that_was_killed_has_failed_and_can_be_resumed(running):
    jobs = running()
    job = add(jobs, LONG)
    until(lambda: (jobs.folder / job.id / "state" / "vidfit.db").exists(), bool)
    pid = jobs._children[job.id].pid
    numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    group = [number for number in numbers if _parent(number) == pid]
    os.kill(pid, signal.SIGKILL)
    assert when(jobs, job, *OVER).state == "failed"
    for child in group:
        os.kill(child, signal.SIGKILL)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_another_process_of_the_same_number_is_not_taken_for_the_job(running, monkeypatch):
    assert module._born(os.getpid()) == module._born(os.getpid()) != ""
    assert module._born(2**22 + 1) == ""


def test_a_key_adds_a_job_once(running):
    jobs = running()
    first = add(jobs, ["--version"], key="k")
    assert add(jobs, ["--version"], key="k").id == first.id
    assert add(jobs, ["--version"], key="k", person="Bob").id != first.id
    assert add(jobs, ["--version"]).id != first.id
    with pytest.raises(ProblemError, match="another request"):
        add(jobs, ["--version"], key="k", asked={"command": "fit", "library": "1"})
    assert len(list(jobs.folder.iterdir())) == 3


def test_one_person_has_so_many_jobs_at_a_time(running):
    jobs = running()
    add(jobs, LONG, most_waiting=1)
    with pytest.raises(ProblemError) as refused:
        add(jobs, ["--version"], most_waiting=1)
    assert refused.value.status == 429 and refused.value.headers["Retry-After"] == "30"
    assert add(jobs, ["--version"], person="Bob", most_waiting=1)


def test_a_full_disk_holds_jobs_up_no_longer_than_it_is_full(running, monkeypatch, caplog):
    jobs = running()
    write, tries = jobs._store.write, []

    def full(change):
        if threading.current_thread().name != "jobs":
            return write(change)
        tries.append(change)
        raise StoreError("cannot write x.db: database or disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(jobs._store, "write", full)
        job = add(jobs, ["--version"])
        until(lambda: len(tries), lambda count: count > 1)
    assert when(jobs, job, *OVER).state == "done"
    assert [one.getMessage() for one in caplog.records if "disk is full" in one.getMessage()] == [
        "jobs: cannot write x.db: database or disk is full"
    ]


def test_a_job_that_cannot_be_looked_at_holds_no_other_up(running, monkeypatch, caplog):
    jobs = running()

    def broken(job_id):
        raise KeyError("no such figure")

    monkeypatch.setattr(jobs, "_when_done", broken)
    assert when(jobs, add(jobs, ["--version"]), *OVER).state == "done"
    monkeypatch.setattr(jobs, "_at_a_time", 0)
    begin, bad = jobs._begin, add(jobs, LONG).id
    monkeypatch.setattr(jobs, "_begin", lambda one: broken(one) if one == bad else begin(one))
    monkeypatch.setattr(jobs, "_at_a_time", 2)
    assert when(jobs, add(jobs, ["--version"]), *OVER).state == "done"
    assert jobs.stop(bad).state == "stopped"
    assert any(one.exc_info for one in caplog.records if "no such figure" in one.getMessage())


def test_what_a_job_told_last_is_its_progress(running):
    jobs = running()
    job = add(jobs, ["--version"])
    when(jobs, job, *OVER)
    events = jobs.folder / job.id / "events.jsonl"
    events.write_text(
        '{"event": "stage", "stage": "look", "total": 5}\n'
        '{"event": "advance", "done": 3, "total": 5}\n'
        '{"event": "note", "text": "hm"}\nbroken\n{"event": "adv'
    )
    found = jobs.progress(job.id)
    assert (found.stage, found.done, found.total, found.said) == ("look", 3, 5, "hm")


def test_ids_that_are_not_there_are_missing(running):
    jobs = running()
    for ask in (jobs.get, jobs.stop, jobs.resume):
        with pytest.raises(ProblemError) as refused:
            ask("../x")
        assert refused.value.status == 404
