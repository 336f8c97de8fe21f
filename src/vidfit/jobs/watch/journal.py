"""What was answered so far: a line of JSON for each file, kept through a kill or a full disk."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from vidfit.answers import Timeline
from vidfit.contracts import Failure
from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError
from vidfit.jobs.predict.timeline import timeline_line

FILE = "answers.jsonl"


@dataclass(frozen=True)
class Arrival:
    """A file as it was found.

    Parameters
    ----------
    path
        Where it lies.
    size_bytes, changed_ns
        Its length, and when it was last changed, in nanoseconds of the epoch: a file that has
        others of these is another file.
    """

    path: str
    size_bytes: int
    changed_ns: int


class Journal:
    """The answers in a folder, by the files that they are of.

    Parameters
    ----------
    folder
        Where `FILE` lies or will lie.
    asked_sha256
        Digest of the model that answers and of how it is asked; answers of others do not count.

    Raises
    ------
    StoreError
        If the file cannot be read.
    """

    def __init__(self, folder: Path, asked_sha256: str) -> None:
        self.path, self._asked = folder / FILE, asked_sha256
        self._whole = True
        self.answered: dict[str, Arrival] = {}
        try:
            with self.path.open("rb") as lines:
                for line in lines:
                    self._whole = line.endswith(b"\n")
                    self._take(line)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {error.strerror or error}") from error

    def _take(self, line: bytes) -> None:
        """Note what a line answers; one that a kill cut off answers nothing."""
        try:
            row = json_in(line)
            arrival = Arrival(row["path"], row["size_bytes"], row["changed_ns"])
            of = row["asked_sha256"]
        except (ValueError, KeyError, TypeError):
            return
        if of == self._asked:
            self.answered[arrival.path] = arrival

    def add(self, arrival: Arrival, answer: Timeline | Failure) -> None:
        """Append an answer; it is on the disk when this returns.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written; the file is as it was.
        """
        row = {**asdict(arrival), "asked_sha256": self._asked}
        if isinstance(answer, Failure):
            row["failure"] = answer.reason
        else:
            row["answer"] = json_in(timeline_line(answer))
        text = to_json(row).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                start = file.tell()
                try:
                    _write_all(file.fileno(), text if self._whole else b"\n" + text)
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(start)
                    raise
        except OSError as error:
            raise StoreError(
                f"cannot write {self.path}: {error.strerror or error}; free space or choose "
                "another folder. What was answered is kept: the same command goes on"
            ) from error
        self._whole = True
        self.answered[arrival.path] = arrival


def _write_all(handle: int, text: bytes) -> None:
    """Write all bytes: a disk that fills takes a part, and says so only at the next call."""
    while text:
        text = text[os.write(handle, text) :]
