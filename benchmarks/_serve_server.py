"""`vidfit serve` in a process of its own, as people start it: begun, asked, watched, killed."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vidfit.documents import json_in, to_json

TOKEN = "the-token-of-a-measured-server"
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 600.0


@dataclass
class Serving:
    """A server over sources; its state folder outlives it, as that of people does."""

    sources: Sequence[Path]
    state: Path
    port: int = 0
    options: Sequence[str] = ()
    process: subprocess.Popen[str] = field(init=False, repr=False)

    def start(self) -> Serving:
        """Start, and return once it takes requests."""
        self.state.mkdir(parents=True, exist_ok=True)
        token = self.state.parent / "token"
        token.write_text(TOKEN)
        # A shell's background jobs ignore SIGINT, and so would what they start.
        heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        call = f"{heed}; from vidfit.cli.main import main; main()"
        self.process = subprocess.Popen(
            [
                sys.executable, "-c", call, "serve", *map(str, self.sources), "--state",
                str(self.state), "--port", str(self.port), "--token-file", str(token),
                *self.options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        said: list[str] = []
        clock = threading.Timer(_START_SECONDS, self.process.kill)
        clock.start()
        for line in self.process.stdout or ():
            said.append(line)
            if line.startswith("Open "):
                self.port = int(line.split("/login")[0].rpartition(":")[2])
                break
        clock.cancel()
        if not said or not said[-1].startswith("Open "):
            raise SystemExit(f"vidfit serve did not start: {''.join(said)}")
        threading.Thread(target=self.process.communicate, daemon=True).start()
        return self

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def login(self, person: str) -> str:
        """Return the address that logs a person in."""
        return f"{self.address}/login?token={TOKEN}&person={quote(person)}"

    def kill(self) -> None:
        """End it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it as an interrupt does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def cpu_seconds(self) -> float:
        """Return the processor's time of the server itself, all threads."""
        return cpu_seconds(self.process.pid)

    def memory_mb(self) -> float:
        """Return what the server itself holds in memory now."""
        return memory_mb(self.process.pid)

    def peak_mb(self) -> float:
        """Return the most that it has held."""
        return memory_mb(self.process.pid, "VmHWM")


def cpu_seconds(pid: int) -> float:
    """Return the processor's time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(pid: int, what: str = "VmRSS") -> float:
    """Return the memory of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


class Program:
    """A client with a key, on one connection that it keeps; it asks again while nobody answers."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and JSON; raises OSError where the connection breaks."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Authorization": f"Bearer {self._key}"}
        content = None
        if body is not None:
            headers["Content-Type"], content = "application/json", to_json(body).encode()
        try:
            self._connection.request(method, path, content, headers)
            answer = self._connection.getresponse()
            found = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise OSError(str(error)) from error
        kind = answer.headers.get_content_type()
        return answer.status, json_in(found) if kind.endswith("json") and found else found

    def patiently(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask until there is an answer: for reads, and for what may be done twice."""
        while True:
            try:
                return self.ask(method, path, body)
            except OSError:
                time.sleep(0.05)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def new_key(state: Path, person: str) -> str:
    """Make a key for a program."""
    from vidfit.serve.people import make_key
    from vidfit.serve.service import opened_store

    store = opened_store(state)
    try:
        return make_key(store, person)
    finally:
        store.close()
