"""What a job tells, as server-sent events; each person has a bound of streams that are open."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.documents import to_json
from vidfit.serve.endpoint import EVENT_STREAM
from vidfit.serve.job_child import EVENTS
from vidfit.serve.jobs import OVER, Jobs, JobState
from vidfit.serve.problems import ProblemError, response_of

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

MOST_STREAMS = 32
"""Of a person, over all pages and programs; each looks at the database four times a second."""

_LOOK_SECONDS, _QUIET_SECONDS = 0.25, 15.0


class EventStreams:
    """How many streams each person has open."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), Counter[str]()

    def add(self, person: str) -> None:
        """Count one more; raises ProblemError (429) where there are `MOST_STREAMS`."""
        with self._lock:
            if self._count[person] >= MOST_STREAMS:
                raise ProblemError(
                    429,
                    f"{MOST_STREAMS} of your streams of events are open; close one, or ask "
                    "GET /v1/jobs now and then",
                    retry_seconds=5,
                )
            self._count[person] += 1

    def remove(self, person: str) -> None:
        """Count one less."""
        with self._lock:
            self._count[person] -= 1
            if not self._count[person]:
                del self._count[person]


def stream(jobs: Jobs, job_id: str, seen: int, streams: EventStreams, person: str) -> Response:
    """Return the events of a job after the one of number ``seen``, until the job is over."""
    from starlette.responses import StreamingResponse

    class CountedResponse(StreamingResponse):
        """Counted from before its head until the client is gone, whatever ends it."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            """Send it, or that too many are open."""
            try:
                streams.add(person)
            except ProblemError as problem:
                await response_of(problem)(scope, receive, send)
                return
            try:
                await super().__call__(scope, receive, send)
            finally:
                streams.remove(person)

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return CountedResponse(_told(jobs, job_id, seen), headers=headers, media_type=EVENT_STREAM)


async def _told(jobs: Jobs, job_id: str, seen: int) -> AsyncIterator[bytes]:
    """Yield events by number until the job is over; a comment now and then shows who is gone."""
    from anyio import to_thread

    path, state, offset, number, quiet = jobs.folder / job_id / EVENTS, "", 0, 0, 0.0
    while True:
        now: JobState = (await to_thread.run_sync(jobs.get, job_id)).state
        lines, offset = await to_thread.run_sync(_lines, path, offset)
        for line in lines:
            number += 1
            if number > seen:
                yield b"id: %d\ndata: %s\n\n" % (number, line)
        if now in OVER and lines:  # the end is told behind all that is there
            continue
        if now != state:
            yield b"data: %s\n\n" % to_json({"event": "state", "state": now}).encode()
            state = now
        if now in OVER:
            return
        quiet = 0.0 if lines else quiet + _LOOK_SECONDS
        if quiet >= _QUIET_SECONDS:
            quiet = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(_LOOK_SECONDS)


def _lines(path: Path, offset: int) -> tuple[list[bytes], int]:
    """Return some whole lines of a file from an offset on, and the offset behind them."""
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            found = stream.read(2**20) + stream.readline()  # or a longer line stays unread
    except OSError:
        return [], offset
    whole = found[: found.rfind(b"\n") + 1]
    return whole.splitlines(), offset + len(whole)
