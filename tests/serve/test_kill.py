"""A server that is killed: its fit goes on, and is seen again by the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.clips import write_dataset
from tests.serve.conftest import until

from vidfit import Client
from vidfit.documents import from_json
from vidfit.errors import VidfitError
from vidfit.serve.people import make_key
from vidfit.serve.service import opened_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def server(tmp_path):
    """Return a function that starts ``vidfit serve`` on one state, and gives it with a client."""
    state, started = tmp_path / "state", []
    clips = write_dataset(tmp_path / "clips", recordings=4)
    store = opened_store(state)
    key = make_key(store, "Bot")
    store.close()

    def start() -> tuple[subprocess.Popen[str], Client]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vidfit", "serve", clips, "--state", state,
             "--port", "0", "--ahead", "0"],
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        started.append(process)
        assert process.stdout
        line = next(line for line in process.stdout if line.startswith("Open "))
        return process, Client(line.split()[1].partition("/login")[0], key)

    yield start
    for process in started:
        process.kill()
        process.wait(30)
        process.stdout.close()


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
    except OSError:
        return ""


def child_of(folder: Path) -> int:
    """Return the process that runs the job of a folder."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    found = [pid for pid in pids if f"job_child {folder}" in command_of(pid)]
    return found[0] if found else 0


def test_a_fit_outlives_its_server_and_learns_what_was_corrected(server, tmp_path):
    """The next server sees it, stops it, has it go on, and opens what it has written."""
    process, asking = server()
    library = asking.libraries()[0]["id"]
    clips = asking.clips(library)
    corrected = clips["label"]["values"][1 - clips["label"]["codes"][0]]
    asking.label(library, clips["id"][:1], corrected)
    options = {"backbone": ["motion"], "keep-untested": True}
    job = asking.begin("fit", library, options=options)["id"]
    folder = (tmp_path / "state" / "jobs" / job).resolve()
    until(lambda: (folder / "events.jsonl").is_file(), bool, 250)
    child = until(lambda: child_of(folder), bool, 250)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert child_of(folder) == child  # it goes on

    _, asking = server()
    found = asking.get(f"/v1/jobs/{job}")
    assert found["state"] in ("running", "done") and found["command"] == "fit"
    with suppress(VidfitError):  # unless it is done by now
        asking.delete(f"/v1/jobs/{job}")
        if asking.wait(job, 400)["state"] == "stopped":
            asking.post(f"/v1/jobs/{job}/resume", {})
    ended = asking.wait(job, 400)
    assert ended["state"] == "done", (folder / "said.txt").read_text()
    libraries = {one["id"]: one for one in asking.libraries()}
    assert libraries[ended["result_library"]]["kind"] == "run"

    exported = asking._asked("GET", f"/v1/libraries/{library}/export?form=csv")
    assert exported == (folder / "clips.csv").read_bytes()  # what was fitted is what is exported
    rows = from_json(asking.results(job)["report.json"])["clips"]
    labels = {Path(row["clip"]["path"]).name: row["clip"]["label"] for row in rows}
    assert labels[Path(clips["name"][0]).name] == corrected and len(labels) == 8
