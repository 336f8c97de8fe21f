"""Runs one job apart from the server: ``python -m vidfit.serve.job_child FOLDER``.

It outlives the page and the server. The folder has ``command.json`` (arguments of ``vidfit``);
``events.jsonl`` gets what the command tells of its progress, ``said.txt`` what it prints, and
``ended.json``, last and whole, how it ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from vidfit.documents import json_in, read_json, to_json
from vidfit.files import write_whole

COMMAND, EVENTS, SAID, ENDED = "command.json", "events.jsonl", "said.txt", "ended.json"
PATIENCE_SECONDS = 30.0
"""After an interrupt, before a command that does not end is ended."""

NICENESS = 5
"""Jobs go behind what somebody looks at."""

_MOST_EVENT_BYTES = 64 * 2**20
_LONGEST_LINE = 2000


def main(folder: Path) -> int:
    """Run the command to its end; an interrupt of this process interrupts it."""
    (folder / ENDED).unlink(missing_ok=True)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with suppress(OSError):
        os.nice(NICENESS)
    arguments = [str(word) for word in read_json(folder / COMMAND)]
    with (folder / SAID).open("ab") as said, (folder / EVENTS).open("ab", buffering=0) as events:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vidfit", "--progress=json", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=_interrupt, args=(process, stopped), daemon=True).start()
        for line in process.stderr or ():
            if events.tell() < _MOST_EVENT_BYTES:
                events.write(to_json(_event(line)).encode() + b"\n")
        status = process.wait()
    write_whole(folder / ENDED, to_json({"status": status, "at": time.time()}).encode())
    return 0


def _event(line: str) -> dict[str, Any]:
    """Return what a line of progress says; of any other line, the line."""
    line = line.rstrip("\n")
    try:
        found = json_in(line)
    except ValueError:
        found = None
    if isinstance(found, dict) and isinstance(found.get("event"), str):
        return found
    return {"event": "note", "text": line[:_LONGEST_LINE]}


def _interrupt(process: subprocess.Popen[str], stopped: threading.Event) -> None:
    """Wait for a stop; interrupt a command and what it started, and end it where it goes on."""
    stopped.wait()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        time.sleep(PATIENCE_SECONDS)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
