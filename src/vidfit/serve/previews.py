"""Posters, strips and proxies, made ahead: nobody waits in a request for a decoder.

What the page shows goes first; the rest is made while there is nothing else to do. A clip that
cannot be read is noted with its reason and not tried again until its file changes: one bad video
holds nothing up.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vidfit.errors import VidfitError
from vidfit.files import write_whole
from vidfit.serve.line_child import ChildClockError, ChildDiedError, ChildOverError, LineChild
from vidfit.serve.proxy import PROXY
from vidfit.serve.stills import FACTS, FRAME, TIMES

What = Literal["stills", "times", "proxy", "frame"]
PreviewState = Literal["ready", "waiting", "failed", "unasked"]

CLOCK_SECONDS: Mapping[str, float] = {"stills": 60.0, "times": 60.0, "proxy": 3600.0, "frame": 60.0}
"""How long a child may take; then it is killed, and the clip has failed."""

MADE: Mapping[str, str] = {"stills": FACTS, "times": TIMES, "proxy": PROXY, "frame": FRAME}
"""File of each that is written last."""

_ASKED, _AHEAD = 0, 1
"""Ranks: what somebody looks at, and what somebody may look at later."""

MEMORY_BYTES = 4 * 2**30
"""Addresses of a child, of which libraries take about 1 GiB without using them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be made of a file that was found below a root."""

    what: What
    file: Path
    start_seconds: float = 0.0
    end_seconds: float | None = None
    frame: int = 0

    def folder(self, below: Path) -> Path:
        """Return where it is put: another folder for another version of the file.

        Raises
        ------
        OSError
            If the file is gone.
        """
        status = self.file.stat()
        span = f"{self.start_seconds:.6f}-{self.end_seconds}" if self.what == "stills" else ""
        span = f"frame {self.frame}" if self.what == "frame" else span
        facts = f"{self.file}\0{status.st_size}\0{status.st_mtime_ns}\0{span}"
        name = hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()[:24]
        return below / name[:2] / name


class Previews:
    """What is made of videos, below a folder.

    Parameters
    ----------
    most_bytes
        Of all that lies there; beyond, nothing is made ahead, and proxies are refused.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._lines: dict[str, list[tuple[int, int, Wish]]] = {"stills": [], "proxy": []}
        self._waiting: dict[Wish, int] = {}
        self._closed = False
        self._bytes = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        self._children = {line: PreviewChild() for line in self._lines}
        self._threads = [
            threading.Thread(target=self._work, args=(line,), name=line, daemon=True)
            for line in self._lines
        ]
        for thread in self._threads:
            thread.start()

    def find(self, wish: Wish, name: str) -> Path | None:
        """Return a file that was made, if it is there."""
        try:
            path = wish.folder(self._folder) / name
        except OSError:
            return None
        return path if path.is_file() else None

    def state(self, wish: Wish) -> tuple[PreviewState, str]:
        """Return how far it is, and why it failed."""
        try:
            folder = wish.folder(self._folder)
        except OSError:
            return "failed", "the file is gone"
        if (folder / MADE[wish.what]).is_file():
            return "ready", ""
        with suppress(OSError):
            return "failed", (folder / f"{wish.what}.failed").read_text(encoding="utf-8")
        if wish.what == "proxy" and self.is_full():  # not noted: there may be room again
            return "failed", "the disk quota of the server is used up"
        with self._changed:
            return ("waiting" if wish in self._waiting else "unasked"), ""

    def ask(self, wishes: Iterable[Wish], *, ahead: bool = False) -> None:
        """Have what is not there made: of what is looked at, what was asked last comes first."""
        missing = [wish for wish in wishes if self.state(wish)[0] in ("unasked", "waiting")]
        with self._changed:
            for wish in missing:
                if ahead and wish in self._waiting:
                    continue
                turn = next(self._order) if ahead else -next(self._order)
                self._waiting[wish] = turn
                line = "proxy" if wish.what == "proxy" else "stills"
                heapq.heappush(self._lines[line], (_AHEAD if ahead else _ASKED, turn, wish))
            self._changed.notify_all()

    def is_full(self) -> bool:
        """Return whether there is no room for more."""
        return self._bytes >= self._most_bytes

    def close(self) -> None:
        """Stop; what is half made is left out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for child in self._children.values():
            child.kill()
        for thread in self._threads:
            thread.join(5)

    def _next(self, line: str) -> Wish | None:
        """Wait for the next wish; ``None`` at the end."""
        queue = self._lines[line]
        with self._changed:
            while not self._closed:
                while queue:
                    rank, turn, wish = heapq.heappop(queue)
                    if self._waiting.get(wish) != turn:
                        continue  # it was asked for again, and has moved forward
                    if rank == _ASKED or not self.is_full():
                        return wish
                    del self._waiting[wish]
                self._changed.wait()
        return None

    def _work(self, line: str) -> None:
        while (wish := self._next(line)) is not None:
            with suppress(OSError, VidfitError):  # gone, or the disk is full: it can be asked again
                self._make(wish, wish.folder(self._folder), self._children[line])
            with self._changed:
                self._waiting.pop(wish, None)

    def _make(self, wish: Wish, folder: Path, child: PreviewChild) -> None:
        if (folder / MADE[wish.what]).is_file():
            return
        if wish.what == "proxy" and self.is_full():
            return
        said = child.do(wish, folder, CLOCK_SECONDS[wish.what])
        if said is None:  # the server is stopping
            return
        if said:
            write_whole(folder / f"{wish.what}.failed", said.encode("utf-8", "replace"))
        with self._changed:
            self._bytes += sum(p.stat().st_size for p in folder.iterdir() if p.is_file())


class PreviewChild:
    """A process that makes one preview after another."""

    def __init__(self) -> None:
        self._child = LineChild("vidfit.serve.preview_child", str(MEMORY_BYTES))

    def do(self, wish: Wish, folder: Path, clock_seconds: float) -> str | None:
        """Return why it could not be done: nothing where it was; ``None`` after `kill`."""
        task: dict[str, Any] = {
            "what": wish.what, "path": str(wish.file), "folder": str(folder),
            "start_seconds": wish.start_seconds, "end_seconds": wish.end_seconds,
            "frame": wish.frame,
        }  # fmt: skip
        try:
            said = str(self._child.ask(task, clock_seconds))
        except ChildClockError:
            return f"it took more than {clock_seconds:.0f} s; is it damaged?"
        except ChildDiedError:
            return "the decoder broke down over it, or it needs more memory than a preview may take"
        except ChildOverError:
            return None
        if said:  # the memory that a failure leaves behind is not the next clip's
            self._child.rest()
        return said

    def kill(self) -> None:
        """End the process for good."""
        self._child.kill()
