"""A few bytes tell which rows a store has, and a wrong answer costs no row."""

from __future__ import annotations

import numpy as np
import pytest
from tests.clips import Counting, spec, write_clip
from tests.features.packed import names
from tests.features.test_store import features

from vidfit.contracts import Clip
from vidfit.features import FeatureStore, joining
from vidfit.features.digests import spec_key
from vidfit.features.extract import extract, extract_all
from vidfit.features.held import HeldKeys, short_key
from vidfit.launch import Here
from vidfit.progress import SILENT


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(joining, "FEW", 8)


def test_bytes_that_tell_of_held_rows_are_few(tmp_path):
    store = FeatureStore(tmp_path)
    for i in range(8):
        store.write(spec(), {f"{i}-{j}": features(0, tokens=1) for j in range(32)})
    (index,) = names(store, "pack-*.index")
    assert index.stat().st_size < 12 * 8 * 32


def test_short_keys_stand_for_keys():
    held = HeldKeys({"loose"}, [np.array([short_key("a"), short_key("b")], np.uint64)])
    assert "a" in held and "b" in held and "loose" in held
    assert "c" not in held and 3 not in held
    assert "a" not in HeldKeys(set())


def test_a_short_key_that_lies_is_found_out(tmp_path, monkeypatch):
    """Of 2^64 short keys two may be one: what is not there is then read in full."""
    clips = [Clip(str(write_clip(tmp_path / f"{i}.mp4", seed=i))) for i in range(2)]
    backbone, store = Counting(), FeatureStore(tmp_path / "store")
    extract(clips[:1], [backbone], store, Here(1))
    folder = store.root / spec_key(backbone.spec)
    joining.join(folder, sorted(folder.glob("part-*")))
    monkeypatch.setattr(HeldKeys, "__contains__", lambda self, key: True)

    def read(done):
        found = {key for key, _ in store.rows(backbone.spec)}
        return found if set(done.digests.values()) <= found else None

    done, found = extract_all(clips, [backbone], store, Here(1), SILENT, read)
    assert len(found) == 2 and done.computed == 1
