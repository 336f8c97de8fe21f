"""What was seen of a long video so far, beside its answers: a killed run goes on from there.

A line of JSON for each part, in a file that is named by the models, the video and the parts, and
that goes when the answers are complete.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from vidfit.errors import StoreError

_FLUSH_SECONDS = 2.0


class KeptRows:
    """Rows of JSON in a folder, appended as they are found, that go when all is done.

    Parameters
    ----------
    folder
        Where the file lies.
    facts
        All that the rows depend on, as JSON takes it: another run with the same facts goes on.
    """

    def __init__(self, folder: Path, facts: object) -> None:
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        self.path = folder / f".partial-{digest}.jsonl"
        self._file: IO[bytes] | None = None
        self._flushed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()
        if error is None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield all rows, those of an earlier run first; lines that were cut off are left out."""
        if self._file:
            self._file.flush()
        with suppress(FileNotFoundError), self.path.open("rb") as lines:
            for line in lines:
                with suppress(ValueError):
                    row = json.loads(line)
                    if isinstance(row, dict):
                        yield row

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row; a kill loses those of the last two seconds.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("ab")
                self._file.write(b"\n")  # after a line that was cut off
            self._file.write(json.dumps(row).encode() + b"\n")
            if time.monotonic() - self._flushed > _FLUSH_SECONDS:
                self._file.flush()
                self._flushed = time.monotonic()
        except OSError as error:
            raise StoreError(
                f"cannot write {self.path}: {error.strerror or error}; free space or choose "
                "another folder"
            ) from error
