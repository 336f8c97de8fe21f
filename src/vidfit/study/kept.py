"""What was seen of a long video so far, beside its answers: a killed run goes on from there.

A line of JSON for each part, in a file that is named by the models, the video and the parts, and
that goes when the answers are complete.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError

_FLUSH_SECONDS = 2.0


_OLD_SECONDS = 7 * 24 * 3600.0


def _sweep(folder: Path, own: Path) -> None:
    """Remove what killed runs left a week ago: of a video that was replaced none ever goes on."""
    for path in folder.glob(".partial-*.jsonl"):
        with suppress(OSError):
            if path != own and time.time() - path.stat().st_mtime > _OLD_SECONDS:
                path.unlink()


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
        digest = hashlib.sha256(to_json(facts, sort_keys=True).encode()).hexdigest()[:16]
        self.path = folder / f".partial-{digest}.jsonl"
        _sweep(folder, self.path)
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
                    row = json_in(line)
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
            self._file.write(to_json(row).encode() + b"\n")
            if time.monotonic() - self._flushed > _FLUSH_SECONDS:
                self._file.flush()
                self._flushed = time.monotonic()
        except OSError as error:
            raise StoreError(
                f"cannot write {self.path}: {error.strerror or error}; free space or choose "
                "another folder"
            ) from error
