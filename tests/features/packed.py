"""Stores whose parts are joined, and what must be in them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from tests.clips import spec
from tests.features.test_store import features

from vidfit.features import FeatureStore
from vidfit.features.digests import spec_key


def folder_of(store: FeatureStore) -> Path:
    return store.root / spec_key(spec())


def names(store: FeatureStore, pattern: str) -> list[Path]:
    return sorted(folder_of(store).glob(pattern))


def fill(root: Path, parts: int, of: str = "clip") -> FeatureStore:
    """Write parts of two rows, each by a store of its own, so that none is joined."""
    for i in range(parts):
        rows = {f"{of}{i}-{j}": features(10 * i + j, tokens=1 + j) for j in range(2)}
        FeatureStore(root).write(spec(), rows)
    return FeatureStore(root)


def joined(tmp_path: Path, parts: int = 10) -> tuple[FeatureStore, Path]:
    store = fill(tmp_path, parts)
    store.compact(spec())
    (path,) = names(store, "pack-*.tar")
    return store, path


def keys(parts: int, of: str = "clip") -> set[str]:
    return {f"{of}{i}-{j}" for i in range(parts) for j in range(2)}


def check(store: FeatureStore, wanted: set[str]) -> None:
    """Every row is there once, as it was written, whoever is asked."""
    rows = list(store.rows(spec()))
    assert sorted(key for key, _ in rows) == sorted(wanted)
    assert store.known(spec()) == wanted
    held = store.held(spec())
    assert all(key in held for key in wanted)
    assert not any(f"other{i}" in held for i in range(100))
    for key, found in rows:
        part, _, row = key.lstrip("abcdefghijklmnopqrstuvwxyz").partition("-")
        expected = features(10 * int(part) + int(row), tokens=1 + int(row))
        for field in dataclasses.fields(expected):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name))
