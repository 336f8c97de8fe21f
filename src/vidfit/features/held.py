"""Which rows a store has, told from a few bytes each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

KEY_BYTES = 8
"""Of a row's key, in an index."""

Shorts = NDArray[np.uint64]


def short_key(key: str) -> int:
    """Return the 8 bytes of a row's key that an index holds."""
    short = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES)
    return int.from_bytes(short.digest(), "little")


class HeldKeys:
    """Keys of rows that a store has, of those in packs by 8 bytes each.

    A key that is not there is taken for one that is with a chance of N / 2^64, N rows in packs.
    """

    def __init__(self, names: set[str], shorts: Iterable[Shorts] = ()) -> None:
        self._names = names
        self._short_R = np.concatenate([np.zeros(0, np.uint64), *shorts])
        self._short_R.sort()

    def __contains__(self, key: object) -> bool:
        """Return whether the row of a key is there."""
        if key in self._names:
            return True
        if not (len(self._short_R) and isinstance(key, str)):
            return False
        short = np.uint64(short_key(key))
        place = int(np.searchsorted(self._short_R, short))
        return place < len(self._short_R) and bool(self._short_R[place] == short)
