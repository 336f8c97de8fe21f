"""Work on Apache Spark: Arrow batches in, Parquet out; lost executors are replaced by Spark.

Items are cut into parts, one Spark task each, and written down as they come, so that no list of
them need fit into memory. A worker opens the work once and keeps it from part to part
(`vidfit.launch.spark_worker`). Spark commits what a part gave once, however often it was tried.

All machines must see the scratch folder, the videos and the output under the same names, as with
torchrun on several machines; and run the same vidfit.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from vidfit.errors import VidfitError
from vidfit.hardware import hardware
from vidfit.launch import rows
from vidfit.launch.spark_worker import ITEMS, SparkPart, run_process, work_of
from vidfit.progress import SILENT, Progress
from vidfit.shown import counted
from vidfit.work import Found, Given, Workload

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


LARGEST_PART = 256
"""Items of a part: what is done again when its executor is lost."""

PARTS_A_WORKER = 8
"""So many parts for each worker, where there are items enough: they then end together."""

TRIES = 4
"""How often Spark tries a part before it gives up."""

RESTARTS = 3
"""Spark does not start processes that train together again; we do, from the last checkpoint."""

_LOOK_SECONDS = 0.2
_STALE_SECONDS = 24 * 3600.0


@dataclass
class OnSpark:
    """A Spark session as a place to run; see `vidfit.launch.Launcher`.

    Parameters
    ----------
    workers
        Tasks that the cluster runs at once.
    scratch
        Folder that all workers see; made and removed by this object.
    start_seconds
        How long the session took to start; 0 where it was there already.
    """

    session: SparkSession
    workers: int
    scratch: Path
    start_seconds: float = 0.0
    _jobs: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Have the scratch folder removed with this object, at the latest when Python ends."""
        weakref.finalize(self, shutil.rmtree, self.scratch, ignore_errors=True)

    @classmethod
    def start(cls, master: str, workers: int | None, scratch: Path) -> OnSpark:
        """Take the session that is active, or start one.

        Parameters
        ----------
        master
            Address of a cluster; empty for the active session, or else the Spark of this machine.

        Raises
        ------
        VidfitError
            If pyspark or Java is missing, or the cluster cannot be reached.
        """
        folder = _own_folder(scratch)
        started = time.perf_counter()
        session, fresh = _session(master, workers, folder / "spark.log")
        seconds = time.perf_counter() - started if fresh else 0.0
        return cls(session, int(session.sparkContext.defaultParallelism), folder, seconds)

    def map(
        self, task: Workload[Given, Found], items: Iterable[Given], progress: Progress = SILENT
    ) -> Iterator[Found]:
        """Yield the result of each item in the order of parts, and in them as the task gives it.

        Raises
        ------
        VidfitError
            If a part fails again and again, with the reason.
        """
        from pyspark.sql.pandas.types import from_arrow_schema

        from vidfit.launch.shipping import pack

        self._jobs += 1
        folder = self.scratch / f"job-{self._jobs}"
        sizes = self._write_items(task.item, items, folder)
        if not sizes:
            return
        (folder / "task").write_bytes(pack(task, self.scratch / "weights"))
        part = SparkPart(str(folder), task.item, task.result)
        numbers = self.session.range(0, len(sizes), 1, len(sizes))
        found = numbers.mapInArrow(work_of(part), from_arrow_schema(rows.schema(task.result)))
        output = folder / "results"
        # Parts that end early are told of early; results are read when all are there.
        self._watched(lambda: found.write.parquet(output.as_uri()), sizes, progress)
        for file in sorted(output.glob("part-*.parquet")):
            for batch in pq.ParquetFile(file).iter_batches():
                yield from rows.from_batch(task.result, batch)
        shutil.rmtree(folder, ignore_errors=True)

    def processes(
        self, module: str, arguments: Sequence[str], count: int, look: Callable[[], bool]
    ) -> None:
        """Run a module in processes that know of one another, by Spark's TorchDistributor.

        A process that dies ends them all; they are started again, up to ``RESTARTS`` times.
        """
        from pyspark.ml.torch.distributor import TorchDistributor

        local = (self.session.sparkContext.master or "").startswith("local")
        for attempt in range(RESTARTS + 1):
            distributor = TorchDistributor(count, local_mode=local, use_gpu=False)
            train = partial(distributor.run, run_process, module, list(arguments))
            try:
                self._watched(train, [], SILENT, look)
            except VidfitError as error:
                if attempt == RESTARTS:
                    raise VidfitError(
                        f"{counted(count, 'process', 'processes')} ended after {RESTARTS} "
                        f"restarts: {error}. The same "
                        "command goes on from the last checkpoint"
                    ) from error
            else:
                return

    def _write_items(self, kind: type[Given], items: Iterable[Given], folder: Path) -> list[int]:
        """Write items down as they come, a file for each part; return how many each has."""
        count = len(items) if isinstance(items, Sized) else None
        size = LARGEST_PART
        if count is not None:
            size = min(size, -(-count // (PARTS_A_WORKER * self.workers)) or 1)
        (folder / ITEMS).mkdir(parents=True)
        sizes = []
        for number, some in enumerate(rows.runs(items, size)):
            batch = rows.to_batch(kind, some)
            with pq.ParquetWriter(folder / ITEMS / f"{number:08d}.parquet", batch.schema) as file:
                file.write_batch(batch)
            sizes.append(len(some))
        return sizes

    def _watched(
        self,
        job: Callable[[], object],
        sizes: list[int],
        progress: Progress,
        look: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run a Spark job in a thread, tell of its parts, and stop it when asked to."""
        from pyspark import InheritableThread

        context = self.session.sparkContext
        group = f"vidfit-{id(self)}-{self._jobs}-{time.monotonic_ns()}"
        errors: list[BaseException] = []

        def run() -> None:
            context.setJobGroup(group, "vidfit", interruptOnCancel=True)
            try:
                job()
            except BaseException as error:
                errors.append(error)

        thread = InheritableThread(target=run, daemon=True)
        thread.start()
        told = 0
        try:
            while thread.is_alive():
                thread.join(_LOOK_SECONDS)
                if sizes:
                    done = sum(sizes[: self._parts_done(group)])
                    progress.advance(done - told)
                    told = done
                if look():
                    context.cancelJobGroup(group)
                    thread.join()
                    return
        except BaseException:
            context.cancelJobGroup(group)
            raise
        if errors:
            raise VidfitError(_reason(errors[0])) from errors[0]
        if sizes:
            progress.advance(sum(sizes) - told)

    def _parts_done(self, group: str) -> int:
        tracker = self.session.sparkContext.statusTracker()
        jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
        stages = [tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds]
        return sum(stage.numCompletedTasks for stage in stages if stage)


def _session(master: str, workers: int | None, log: Path) -> tuple[SparkSession, bool]:
    """Return the active session, or a new one, and whether it is new."""
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise VidfitError(
            "Spark needs pyspark, which is not installed: `pip install 'vidfit[spark]'`"
        ) from error
    active = SparkSession.getActiveSession()
    if active is not None:
        return _on(master, active), False
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    local = not master or master.startswith("local")
    builder = SparkSession.builder.appName("vidfit")
    for key, value in _settings(local).items():
        builder = builder.config(key, value)
    address = master or f"local[{workers or hardware().cores},{TRIES}]"
    try:
        with _errors_to(log):
            session = builder.master(address).getOrCreate()
            session.range(1).count()  # executors are there when the first job has ended
    except Exception as error:  # of Python, of the bridge to Java, or of Java
        said = log.read_text(errors="replace").splitlines() if log.is_file() else []
        raise VidfitError(
            f"Spark does not start on {address} ({_reason(error)}{': ' if said else ''}"
            f"{said[-1] if said else ''}). It needs Java 17 or newer "
            "(`apt install openjdk-17-jre-headless`, JAVA_HOME) and a cluster that is there"
        ) from error
    _on(master, session)  # one that another thread started is not active in this one, and taken
    session.sparkContext.setLogLevel("OFF" if local else "ERROR")
    return session, True


def _on(master: str, session: SparkSession) -> SparkSession:
    """Return a session, unless another cluster was asked for."""
    address = session.sparkContext.master
    if master and address != master:
        raise VidfitError(
            f"this process has a Spark session on {address} already; stop it first, or run "
            "on 'spark', which takes it"
        )
    return session


def _settings(local: bool) -> dict[str, str]:
    settings = {
        "spark.task.maxFailures": str(TRIES),
        # Workers keep open what they have opened, from part to part and from job to job.
        "spark.python.worker.reuse": "true",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.ui.showConsoleProgress": "false",
    }
    if local:
        settings |= {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
    return settings


def _own_folder(scratch: Path) -> Path:
    """Make a folder of our own, and sweep what killed processes left long ago."""
    scratch.mkdir(parents=True, exist_ok=True)
    for left in scratch.glob(".spark-*"):
        with suppress(FileNotFoundError):  # another process swept it
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".spark-", dir=scratch)).resolve()
    folder.chmod(0o755)  # workers of a cluster may run as others
    (folder / "weights").mkdir()
    return folder


@contextmanager
def _errors_to(log: Path) -> Iterator[None]:
    """Send what the process of Java says on its own account to a file, not to the terminal."""
    kept = os.dup(2)
    try:
        with log.open("wb") as stream:
            os.dup2(stream.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _reason(error: BaseException) -> str:
    """Return what went wrong in one line: of a worker's trace the error that it ends with."""
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip()]
    own = [line.partition(": ")[2] for line in lines if line.startswith("vidfit.errors.")]
    if own:
        return own[0]
    said = [line for line in lines if not line.startswith((" ", "\t", "Traceback"))]
    traced = any(line.startswith("Traceback") for line in lines)
    return (said or [repr(error)])[-1 if traced else 0]
