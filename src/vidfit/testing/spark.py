"""A Spark cluster on this machine, to try what a cluster does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vidfit.errors import VidfitError

_START_SECONDS = 60.0
_EXECUTOR = "CoarseGrainedExecutorBackend"


@dataclass
class Cluster:
    """A standalone master and its workers, each a process of Java.

    Parameters
    ----------
    address
        ``spark://host:port``, for ``--on``.
    """

    address: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def executors(self) -> list[int]:
        """Return the process ids of the executors that run now."""
        found = subprocess.run(["pgrep", "-f", _EXECUTOR], capture_output=True, text=True)
        return [int(line) for line in found.stdout.split() if self._ours(int(line))]

    def kill_executor(self) -> int:
        """Kill one executor at once (SIGKILL), and return its process id.

        Raises
        ------
        VidfitError
            If none runs.
        """
        running = self.executors()
        if not running:
            raise VidfitError("no executor runs on this cluster")
        os.kill(running[0], signal.SIGKILL)
        return running[0]

    def _ours(self, pid: int) -> bool:
        """Whether an executor belongs to this cluster: its driver may serve another one."""
        try:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            return False
        return parent in {process.pid for process in self.processes}


@contextmanager
def cluster(
    folder: Path, workers: int = 2, cores: int = 1, memory: str = "1g"
) -> Iterator[Cluster]:
    """Run a standalone cluster of ``workers`` workers with ``cores`` cores each.

    Parameters
    ----------
    folder
        For logs and for what the workers write.

    Raises
    ------
    VidfitError
        If pyspark or Java is missing, or the cluster does not start.
    """
    try:
        import pyspark
    except ModuleNotFoundError as error:
        raise VidfitError("Spark needs pyspark: `pip install 'vidfit[spark]'`") from error
    home = Path(pyspark.__file__).parent
    host, port = "127.0.0.1", _free_port()
    made = Cluster(f"spark://{host}:{port}")
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": host,
        "SPARK_HOME": str(home),
        "PYSPARK_PYTHON": sys.executable,
    }
    master = ("master.Master", "--host", host, "--port", str(port), "--webui-port", "0")
    worker = ("worker.Worker", "--host", host, "--webui-port", "0", "--cores", str(cores))
    try:
        for number in range(workers + 1):
            place = folder / f"spark-{number}"
            place.mkdir(parents=True, exist_ok=True)
            words: tuple[str, ...] = master
            if number:
                words = (*worker, "--memory", memory, "--work-dir", str(place), made.address)
            with (place / "log").open("wb") as log:
                command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{words[0]}"]
                made.processes.append(
                    subprocess.Popen(
                        [*command, *words[1:]], stdout=log, stderr=log, env=environment
                    )
                )
            _wait(folder, number)
        yield made
    finally:
        for process in reversed(made.processes):
            process.terminate()
        for process in made.processes:
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(folder: Path, number: int) -> None:
    """Wait until the master listens, or a worker is registered."""
    log = folder / f"spark-{number}" / "log"
    wanted = "Successfully registered with master" if number else "New state: ALIVE"
    until = time.monotonic() + _START_SECONDS
    while wanted not in (said := log.read_text(errors="replace")):
        if time.monotonic() > until or "command not found" in said:
            raise VidfitError(
                f"the cluster does not start; it needs Java 17 or newer. {log} ends with: "
                f"{said[-300:]}"
            )
        time.sleep(0.1)
