"""Rows of a table that lies in a file: what is large of each clip is read as it is needed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices


@dataclass(frozen=True)
class RowsOnDisk:
    """Some rows of a table in a file, in half precision; to take some of them copies none.

    ``np.asarray`` reads them. It stands where vectors [M, D] do; whoever learns from it reads a
    few rows at a time.

    Parameters
    ----------
    table_XD
        All rows of the file.
    rows_M
        Which of them these are.
    """

    table_XD: NDArray[np.float16]
    rows_M: Indices

    def __len__(self) -> int:
        return len(self.rows_M)

    def __iter__(self) -> Iterator[NDArray[np.float16]]:
        return (self.table_XD[row] for row in self.rows_M)

    def __getitem__(self, which: Any) -> RowsOnDisk | NDArray[np.float16]:  # noqa: ANN401
        """Return one row as an array, several as what they are."""
        if isinstance(which, int | np.integer):
            row: NDArray[np.float16] = self.table_XD[self.rows_M[which]]
            return row
        return RowsOnDisk(self.table_XD, self.rows_M[which])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401
        return np.asarray(self.table_XD[self.rows_M], dtype)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and numbers of each."""
        return len(self.rows_M), self.table_XD.shape[1]


class Shelf:
    """Vectors by the digest of their clip, in memory or in a file that is gone with the process."""

    def __init__(self, folder: Path | None) -> None:
        self._file: IO[bytes] | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (kept with its rows)
        self._places: dict[str, int] = {}
        self._vectors: dict[str, Floats] = {}
        self._width = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def put(self, digest: str, vector_D: Floats) -> None:
        """Add the vector of a clip."""
        if digest in self._places:
            return
        self._places[digest] = len(self._places)
        self._width = len(vector_D)
        if self._file is None:
            self._vectors[digest] = vector_D
        else:
            self._file.write(vector_D.astype(np.float16, copy=False).tobytes())

    def rows(self, digests: Sequence[str]) -> Floats:
        """Return the vectors of clips, in their order."""
        if self._file is None:
            return np.stack([self._vectors[digest] for digest in digests])
        self._file.flush()
        shape = len(self._places), self._width
        table_XD = np.memmap(self._file, np.float16, "r", shape=shape)
        places = np.array([self._places[digest] for digest in digests], np.int64)
        # It has what is asked of vectors: length, shape, rows by number or mask.
        return RowsOnDisk(table_XD, places)  # type: ignore[return-value]
