"""Where work runs: here, by torchrun, or on Apache Spark; jobs do not know which.

A `vidfit.work.Workload` says what is done with items, a `Launcher` where::

    place = launcher("spark://host:7077", scratch=Path("runs/clips"))
    for answer in place.map(task, videos):
        ...
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError
from vidfit.hardware import hardware
from vidfit.progress import SILENT, Progress
from vidfit.shown import counted
from vidfit.work import Found, Given, Launcher, Workload

HERE = "here"

RESTARTS = 3
"""After a dead process: the first restart may fail, as survivors still wait for it."""

_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Here:
    """The machine we are on: threads of this process, and processes of torchrun."""

    workers: int

    def map(
        self, task: Workload[Given, Found], items: Iterable[Given], progress: Progress = SILENT
    ) -> Iterator[Found]:
        """Yield the result of each item."""
        for result in task.open(self.workers)(items):
            progress.advance()
            yield result

    def processes(
        self, module: str, arguments: Sequence[str], count: int, look: Callable[[], bool]
    ) -> None:
        """Run a module by torchrun, which starts the processes and watches them.

        Raises
        ------
        VidfitError
            If a process died and restarts did not help.
        """
        threads = max(1, hardware().cores // count)
        command = [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", str(count), "--max-restarts", str(RESTARTS)),
            *("-m", module, *arguments),
        ]
        # Modules are never taken from the working directory, where anybody's files may lie.
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONSAFEPATH": "1"}
        with subprocess.Popen(command, env=environment) as started:
            while started.poll() is None:
                time.sleep(_LOOK_SECONDS)
                if look():
                    # From a terminal all have heard it; torchrun tells those that have not.
                    time.sleep(_LOOK_SECONDS)
                    started.send_signal(signal.SIGTERM)
                    started.wait()
                    return
        if started.returncode:
            raise VidfitError(
                f"{counted(count, 'process', 'processes')} ended with status "
                f"{started.returncode} after {RESTARTS} "
                "restarts; what they said stands above. The same command goes on from the last "
                "checkpoint"
            )


def launcher(on: str = HERE, *, workers: int | None = None, scratch: Path) -> Launcher:
    """Return the place that a user named.

    Parameters
    ----------
    on
        ``"here"``; ``"spark"``, the Spark of this machine or the session that is active; or the
        address of a cluster, such as ``spark://host:7077``.
    workers
        Items at once; ``None`` takes all usable cores. A cluster has its own number.
    scratch
        Folder that all workers of a cluster see; what is written there is removed again.

    Raises
    ------
    VidfitError
        If there is no such place, or Spark or Java is missing.
    """
    if on == HERE:
        return Here(workers or hardware().cores)
    if on == "spark" or on.startswith(("spark://", "local[", "yarn", "k8s://")):
        from vidfit.launch.spark import OnSpark

        return OnSpark.start("" if on == "spark" else on, workers, scratch)
    raise VidfitError(
        f"there is no place {on!r} to run on; valid are 'here', 'spark' and the address of a "
        "cluster such as 'spark://host:7077'"
    )
