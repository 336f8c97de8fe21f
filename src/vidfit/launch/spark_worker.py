"""What a Spark worker runs: it opens the work once, and does one part of it after the other."""

from __future__ import annotations

import pickle
import runpy
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vidfit.launch import rows

ITEMS = "items"
_ROWS_A_BATCH = 64

Work = Callable[[Iterable[Any]], Iterator[Any]]


@dataclass(frozen=True)
class SparkPart:
    """Where the parts of a job lie, and what goes in and out."""

    folder: str
    item: type
    result: type


def work_of(part: SparkPart) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: numbers of parts in, results out."""

    def work(numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                yield from do(part, number)

    return work


def do(part: SparkPart, number: int) -> Iterator[pa.RecordBatch]:
    """Do one part; memory holds a few items and results at a time."""
    from pyspark import TaskContext

    context = TaskContext.get()
    again = context is not None and context.attemptNumber() > 0
    results = _opened(part.folder, again)(_items(part, number))
    for some in rows.runs(results, _ROWS_A_BATCH):
        yield rows.to_batch(part.result, some)


_kept: dict[str, Work] = {}


def _opened(folder: str, again: bool) -> Work:
    """Return the work of a job, opened once for a process.

    Where a part is tried again it is opened anew, to see what the first try had left.
    """
    if again or folder not in _kept:
        _kept.clear()  # jobs come one after the other
        with (Path(folder) / "task").open("rb") as stream:
            _kept[folder] = pickle.load(stream).open(1)
    return _kept[folder]


def _items(part: SparkPart, number: int) -> Iterator[Any]:
    file = pq.ParquetFile(Path(part.folder) / ITEMS / f"{number:08d}.parquet")
    for batch in file.iter_batches(_ROWS_A_BATCH):
        yield from rows.from_batch(part.item, batch)


def run_process(module: str, arguments: Sequence[str]) -> None:
    """Run ``python -m module arguments`` in this process, as one of TorchDistributor's.

    Raises
    ------
    RuntimeError
        If it ends with another status than 0.
    """
    kept = sys.argv
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError(f"{module} ended with status {ended.code}") from ended
    finally:
        sys.argv = kept
