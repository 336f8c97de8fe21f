"""The answers to many videos as one table, written as they come."""

from __future__ import annotations

import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vidfit.answers import Timeline
from vidfit.contracts import Failure
from vidfit.shown import shown, visible

_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("start_seconds", pa.float64()),
        ("end_seconds", pa.float64()),
        ("label", pa.string()),
        ("declined", pa.bool_()),
        ("probability", pa.float64()),
        ("why", pa.string()),
        ("scores", pa.list_(pa.float64())),
        ("failure", pa.string()),
        ("value", pa.float64()),
    ]
)
_ROWS_A_GROUP = 4096


class AnswersTable:
    """A Parquet file with a row for each segment, and one for each video without an answer.

    It gets its name when all is written, and is not there when that was interrupted.

    Parameters
    ----------
    path
        The file; one that is there is replaced.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._temporary = path, path.with_name(f".{path.name}-{uuid.uuid4().hex}")
        self._writer = pq.ParquetWriter(self._temporary, _SCHEMA, compression="zstd")
        self._rows: list[dict[str, object]] = []

    def __enter__(self) -> AnswersTable:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
            if kind is None:
                self._temporary.replace(self._path)
        finally:
            self._temporary.unlink(missing_ok=True)

    def add(self, answer: Timeline | Failure) -> None:
        """Add the answers to a video."""
        if isinstance(answer, Failure):
            self._rows.append({"path": shown(answer.name), "failure": shown(answer.reason)})
        else:
            path = shown(answer.path)
            self._rows += [
                {
                    "path": path,
                    "start_seconds": segment.start_seconds,
                    "end_seconds": segment.end_seconds,
                    "label": None if segment.label is None else visible(segment.label),
                    "declined": segment.declined,
                    "probability": segment.probability,
                    "why": segment.why,
                    "scores": list(segment.scores),
                    "value": segment.value,
                }
                for segment in answer.segments
            ]
        if len(self._rows) >= _ROWS_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, _SCHEMA))
        self._rows.clear()
