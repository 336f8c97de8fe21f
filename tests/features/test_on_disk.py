"""Vectors on disk are what they are in memory, to half precision."""

from __future__ import annotations

import numpy as np

from vidfit.features.on_disk import RowsOnDisk, Shelf


def test_rows_are_taken_without_a_copy(tmp_path):
    rng = np.random.default_rng(0)
    vectors = {f"clip{i}": rng.normal(size=6).astype(np.float32) for i in range(5)}
    on_disk, in_memory = Shelf(tmp_path), Shelf(None)
    for digest, vector in vectors.items():
        on_disk.put(digest, vector)
        in_memory.put(digest, vector)
    order = ["clip3", "clip0", "clip3", "clip4"]
    rows, expected = on_disk.rows(order), in_memory.rows(order)
    assert isinstance(rows, RowsOnDisk) and rows.shape == (4, 6) and len(rows) == 4
    np.testing.assert_allclose(np.asarray(rows, np.float32), expected, atol=2e-3)
    some = rows[np.array([True, False, False, True])]
    assert some.table_XD is rows.table_XD
    np.testing.assert_allclose(np.asarray(some), expected[[0, 3]], atol=2e-3)
    np.testing.assert_allclose(np.stack(list(rows)), expected, atol=2e-3)
    assert not [path for path in tmp_path.iterdir() if path.stat().st_size]
