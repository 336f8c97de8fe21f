"""Each way runs in a process of its own, so that none inherits another's settings.

Allocator, thread pools and OpenCV's switches are of a process and cannot be taken back.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks._harness import Cost, measure

Stages = Mapping[str, Callable[[], Any]]
"""Name of a stage -> what it does; what it returns is kept for `Worker.result`."""


class Worker:
    """A process with stages that are run on request, one at a time.

    Parameters
    ----------
    make
        Function at the top of a module that loads what the stages need and returns them.
    """

    def __init__(self, make: Callable[[Sequence[Path]], Stages], paths: Sequence[Path]) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, make, paths), daemon=True)
        self._process.start()
        there.close()
        self.names: list[str] = self._connection.recv()

    def run(self, name: str) -> Cost:
        """Run a stage and return what it took in its process."""
        self.begin(name)
        return self.end()

    def begin(self, name: str) -> None:
        """Run a stage, and do not wait for it."""
        self._connection.send(("run", name))

    def end(self) -> Cost:
        """Wait for the stage that was begun, and return what it took."""
        cost: Cost = self._connection.recv()
        return cost

    def result(self, name: str) -> Any:
        """Return what the last run of a stage returned."""
        self._connection.send(("result", name))
        return self._connection.recv()

    def close(self) -> None:
        """End the process."""
        self._connection.send(("close", ""))
        self._process.join()


def together(workers: Sequence[Worker], name: str) -> Cost:
    """Run a stage in several processes at once; return what it took in one, on average."""
    for worker in workers:
        worker.begin(name)
    costs = [worker.end() for worker in workers]
    return Cost(
        max(cost.wall_seconds for cost in costs),
        sum(cost.cpu_seconds for cost in costs) / len(costs),
    )


def _serve(
    connection: Connection, make: Callable[[Sequence[Path]], Stages], paths: Sequence[Path]
) -> None:
    stages = make(paths)
    results: dict[str, Any] = {}
    for name, stage in stages.items():  # warm: first runs load libraries and fill caches
        results[name] = stage()
    connection.send(list(stages))
    while True:
        try:
            request, name = connection.recv()
        except EOFError:  # the benchmark was interrupted
            return
        if request == "close":
            return
        if request == "result":
            connection.send(results[name])
            continue

        def work(name: str = name) -> None:
            results[name] = stages[name]()

        connection.send(measure(work))
