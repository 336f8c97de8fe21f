"""Samples are read by all readers together once an epoch, and gone on with to the very sample."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.clips import write_dataset
from torch.utils.data import DataLoader

from vidfit.errors import ManifestError, StoreError, VideoError, VidfitError
from vidfit.features.digests import file_digest
from vidfit.features.frames import write_frames
from vidfit.jobs.shard.options import ShardOptions
from vidfit.jobs.shard.run import run_shard
from vidfit.launch import Here
from vidfit.manifest import read_manifest
from vidfit.shards import samples as reading
from vidfit.shards.order import Order, joined, share, total, without
from vidfit.shards.stream import SampleLoader, Samples
from vidfit.shards.tar import header
from vidfit.training.clipset import ClipSet, FilesOfFrames, open_set
from vidfit.training.sharded import FramesInShards
from vidfit.video import VideoReader


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Return folders: loose clips, shards by video, shards by frame."""
    root = tmp_path_factory.mktemp("stream")
    write_dataset(root / "loose")
    run_shard(root / "loose", root / "video", ShardOptions(shard_clips=2, holdout=0.25))
    by_frame = ShardOptions("frame", like="efficientnet-lite0@2", shard_clips=2)
    run_shard(root / "loose", root / "frame", by_frame)
    return root


def keys(items):
    return [sample.key for sample in items]


def whole(batches):
    return [sample for batch in batches for sample in batch]


# ---------------------------------------------------------------- who reads what


@pytest.mark.parametrize("world", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_ranks_and_workers_are_disjoint_and_complete_in_every_epoch(shards, world, workers):
    everything = sorted(keys(Samples(shards / "frame")))
    assert len(everything) == 24
    for epoch in (0, 1):
        parts = []
        for rank in range(world):
            samples = Samples(shards / "frame", rank=rank, world=world, window=2)
            samples.set_epoch(epoch)
            expected = samples.left
            found = [s.key for batch in SampleLoader(samples, 4, workers) for s in batch]
            assert (len(found), samples.epoch) == (expected, epoch + 1)
            parts.append(found)
        assert sorted(itertools.chain(*parts)) == everything
        sizes = [len(part) for part in parts]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("world", "workers"), [(1, 3), (2, 2), (3, 4), (5, 2)])
def test_shares_differ_by_at_most_one(world, workers):
    for count in range(1, 60):
        own = [share([(0, count)], rank, world) for rank in range(world)]
        parts = [share(spans, w, workers) for spans in own for w in range(workers)]
        sizes = [total(spans) for spans in parts]
        assert max(sizes) - min(sizes) <= 1
        assert joined(itertools.chain(*parts)) == [(0, count)]


def test_the_order_depends_on_seed_and_epoch_and_mixes_within_a_window(shards):
    first = keys(Samples(shards / "frame", seed=1))
    assert keys(Samples(shards / "frame", seed=1)) == first
    assert keys(Samples(shards / "frame", seed=2)) != first
    samples = Samples(shards / "frame", seed=1)
    one, two = keys(samples), keys(samples)
    assert one == first and two != first and sorted(two) == sorted(first)
    straight = keys(Samples(shards / "frame", shuffle=False))
    assert straight == sorted(straight, key=straight.index) and straight != first


def test_each_part_of_an_epoch_is_of_few_shards():
    order = Order(np.arange(0, 1001, 10), 3, 0, window=4)
    for start in range(0, 1000, 40):
        (found,) = (samples for _, samples in order.samples([(start, start + 40)]))
        assert len({int(sample) // 10 for sample in found}) == 4
    everything = np.concatenate([samples for _, samples in order.samples([(0, 1000)])])
    assert sorted(everything) == list(range(1000))
    spans = [(5, 17), (39, 90), (999, 1000)]
    parts = [samples for _, samples in order.samples(spans)]
    np.testing.assert_array_equal(
        np.concatenate(parts), np.concatenate([everything[a:b] for a, b in spans])
    )


def test_spans():
    assert without([(0, 10)], [(2, 3), (5, 8)]) == [(0, 2), (3, 5), (8, 10)]
    assert without([(0, 4), (6, 9)], [(3, 7)]) == [(0, 3), (7, 9)]
    assert without([(2, 4)], [(0, 9)]) == []
    assert joined([(3, 5), (0, 2), (2, 3), (7, 7)]) == [(0, 5)]


# ---------------------------------------------------------------- what is read


def test_samples_are_what_was_stored(shards):
    clips = {
        clip.path.rpartition("loose/")[2]: clip for clip in read_manifest(shards / "loose").clips
    }
    for sample in Samples(shards / "video"):
        clip = clips[f"{sample.key}.mp4"]
        assert sample.video == Path(clip.path).read_bytes()
        assert sample.facts["label"] == clip.label and sample.facts["group"] == clip.group
    for sample in Samples(shards / "frame"):
        assert sample.frame_HWC.shape == (224, 224, 3)
        assert sample.facts["label"] == sample.key.partition("/")[0]


def test_one_split_may_be_read_alone(shards):
    parts = [keys(Samples(shards / "video", split=split)) for split in ("train", "test")]
    assert sorted(parts[0] + parts[1]) == sorted(keys(Samples(shards / "video")))
    assert parts[0] and parts[1]
    with pytest.raises(VidfitError, match="no samples of the split 'val'; there are test, train"):
        Samples(shards / "video", split="val")


def test_what_stands_side_by_side_is_read_at_once(shards, monkeypatch):
    reads = []
    plain = reading.read_into

    def counted(archive, span, to):
        reads.append(span.size)
        plain(archive, span, to)

    monkeypatch.setattr(reading, "read_into", counted)
    assert len(keys(Samples(shards / "frame", shuffle=False))) == 24
    assert len(reads) == 6  # one a shard
    reads.clear()
    assert len(keys(Samples(shards / "frame", shuffle=False, buffer_bytes=1))) == 24
    assert len(reads) == 24


def test_urls_give_the_same_samples(shards):
    for path in (shards / "frame").iterdir():
        if path.is_file():
            with fsspec.open(f"memory://stream/{path.name}", "wb") as to:
                to.write(path.read_bytes())
    here, there = Samples(shards / "frame"), Samples("memory://stream")
    for one, other in zip(here, there, strict=True):
        assert one == other


def test_a_transform_makes_what_is_handed_out(shards):
    samples = Samples(shards / "video", transform=lambda sample: len(sample.video))
    assert all(isinstance(size, int) for size in samples)
    loader = SampleLoader(samples, 4, collate=sum)
    assert sum(loader) == sum(len(sample.video) for sample in Samples(shards / "video"))


def test_a_plain_data_loader_reads_each_sample_once(shards):
    samples = Samples(shards / "frame")
    loader = DataLoader(samples, batch_size=None, num_workers=2, collate_fn=lambda one: one)
    for epoch in range(2):
        samples.set_epoch(epoch)
        assert Counter(sample.key for sample in loader).most_common(1)[0][1] == 1


@pytest.mark.parametrize("kind", ["video", "frame"])
def test_plain_webdataset_reads_the_shards(shards, kind):
    webdataset = pytest.importorskip("webdataset")
    urls = sorted(str(path) for path in (shards / kind).glob("*.tar"))
    data = webdataset.WebDataset(urls, shardshuffle=False)
    if kind == "frame":
        data = data.decode()
    found = {sample["__key__"]: sample for sample in data}
    own = {sample.key: sample for sample in Samples(shards / kind)}
    assert found.keys() == own.keys()
    for key, sample in own.items():
        if kind == "frame":
            np.testing.assert_array_equal(found[key]["npy"], sample.frame_HWC)
            assert found[key]["json"] == sample.facts
        else:
            assert found[key]["mp4"] == sample.video
            assert json.loads(found[key]["json"]) == sample.facts


# ---------------------------------------------------------------- going on


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batches", [0, 1, 3, 5])
def test_a_state_goes_on_at_the_next_sample(shards, workers, batches):
    samples = Samples(shards / "frame", seed=3, window=2)
    loader = SampleLoader(samples, 3, workers)
    first = whole(itertools.islice(loader, batches))
    state = json.loads(json.dumps(loader.state_dict()))
    again = Samples(shards / "frame", seed=3, window=2)
    again.load_state_dict(state)
    rest = whole(SampleLoader(again, 3, workers))
    assert sorted(keys(first + rest)) == sorted(keys(Samples(shards / "frame")))
    assert again.epoch == 1
    if workers == 0:
        assert keys(first + rest) == keys(Samples(shards / "frame", seed=3, window=2))


def test_another_number_of_ranks_goes_on_from_the_states_of_all(shards):
    seen, states = [], []
    for rank in range(2):
        samples = Samples(shards / "frame", rank=rank, world=2)
        loader = SampleLoader(samples, 2, 2)
        seen += keys(whole(itertools.islice(loader, 2 + rank)))
        states.append(samples.state_dict())
    for rank in range(3):
        samples = Samples(shards / "frame", rank=rank, world=3)
        with pytest.raises(StoreError, match="give those of all ranks"):
            samples.load_state_dict(states[0])
        samples.load_state_dict(states)
        seen += keys(samples)
    assert sorted(seen) == sorted(keys(Samples(shards / "frame")))


def test_a_state_of_another_order_is_refused(shards):
    state = Samples(shards / "frame", seed=1).state_dict()
    for other in (
        Samples(shards / "frame", seed=2),
        Samples(shards / "video", seed=1),
        Samples(shards / "frame", seed=1, window=3),
    ):
        with pytest.raises(StoreError, match="of other shards, or of another seed"):
            other.load_state_dict(state)


@pytest.mark.parametrize("batches", [1, 4])
def test_a_killed_reader_with_workers_loses_and_repeats_nothing(shards, tmp_path, batches):
    command = [
        sys.executable, "-m", "tests.shards.reader",
        str(shards / "frame"), str(tmp_path / "state.json"), "2",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    for _ in range(batches):
        assert process.stdout.readline() == b"batch\n"
    os.killpg(process.pid, signal.SIGKILL)  # its workers, too
    process.communicate(timeout=60)
    kept = json.loads((tmp_path / "state.json").read_text())
    assert batches * 3 <= len(kept["seen"]) <= 24
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)
    seen = json.loads((tmp_path / "state.json").read_text())["seen"]
    assert Counter(seen) == Counter(keys(Samples(shards / "frame")))


@pytest.mark.parametrize("workers", [0, 2])
def test_one_loader_reads_each_sample_once_in_every_epoch(shards, workers):
    samples = Samples(shards / "frame", seed=3, window=2)
    everything = sorted(keys(Samples(shards / "frame")))
    loader = SampleLoader(samples, 7, workers)
    for epoch in range(3):
        read = []
        for batch in loader:
            read += keys(batch)
            state = json.loads(json.dumps(loader.state_dict()))
            assert state["epoch"] == epoch
            assert total(state["done"]) == len(read)
        assert sorted(read) == everything
        assert (samples.epoch, samples.left) == (epoch + 1, 24)
        again = Samples(shards / "frame", seed=3, window=2)
        again.load_state_dict(state)
        rest = SampleLoader(again, 7, workers)
        assert list(rest) == []
        assert sorted(keys(whole(rest))) == everything
        assert again.epoch == epoch + 2


def test_workers_that_live_on_read_each_sample_once_in_every_epoch(shards):
    loader = DataLoader(
        Samples(shards / "frame"), batch_size=5, num_workers=1, persistent_workers=True,
        collate_fn=keys,
    )  # fmt: skip
    assert [len(set(whole(loader))) for _ in range(2)] == [24, 24]


@pytest.mark.parametrize("step", ["transform", "collate"])
def test_what_failed_before_it_was_handed_out_is_not_counted(shards, step):
    def fails(item):
        seen.append(item)
        if len(seen) == 6:
            raise OSError("once")
        return item

    seen = []
    samples = Samples(shards / "frame", transform=fails if step == "transform" else None)
    loader = SampleLoader(samples, 4, collate=fails if step == "collate" else None)
    read = []
    with pytest.raises(OSError, match="once"):
        for batch in loader:
            read += keys(batch)
    assert samples.left == 24 - len(read) > 0
    read += keys(whole(loader))
    assert sorted(read) == sorted(keys(Samples(shards / "frame")))


# ---------------------------------------------------------------- damage


def test_damaged_and_missing_shards_are_told(shards, tmp_path):
    for path in (shards / "frame").iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    victim = tmp_path / "clips-000001.tar"
    content = bytearray(victim.read_bytes())
    content[0] ^= 1
    victim.write_bytes(content)
    with pytest.raises(StoreError, match=r"is not where the index says .*does not add up"):
        list(Samples(tmp_path))
    victim.write_bytes((shards / "frame" / "clips-000002.tar").read_bytes())
    with pytest.raises(StoreError, match="stands in its place"):
        list(Samples(tmp_path, shuffle=False))
    victim.write_bytes(content[: len(content) // 2])
    with pytest.raises(VideoError, match="is cut short"):
        list(Samples(tmp_path, shuffle=False))
    victim.unlink()
    with pytest.raises(VideoError, match="no such shard"):
        list(Samples(tmp_path))


@pytest.mark.parametrize(("beyond", "why"), [(2048, "it is longer"), (-512, "it holds mp4 alone")])
def test_a_video_that_is_longer_than_the_index_says_is_told(tmp_path, beyond, why):
    folder = tmp_path / "out"
    write_dataset(tmp_path / "loose", recordings=1)
    run_shard(tmp_path / "loose", folder, ShardOptions(shard_clips=2))
    row = pq.read_table(folder / "index.parquet").to_pylist()[0]
    with (folder / row["shard"]).open("r+b") as stream:
        stream.seek(row["offset"])
        stream.write(header(row["member"], row["bytes"] + beyond))
    with pytest.raises(StoreError, match=rf"is not where the index says \({why}"):
        list(Samples(folder, shuffle=False))


@pytest.mark.parametrize("column", ["key", "shard", "offset", "bytes", "frames", "split"])
def test_an_index_without_a_column_is_damaged(shards, tmp_path, column):
    table = pq.read_table(shards / "video" / "index.parquet")
    pq.write_table(table.drop_columns([column]), tmp_path / "index.parquet")
    (tmp_path / "shards.json").write_bytes((shards / "video" / "shards.json").read_bytes())
    with pytest.raises(ManifestError, match=rf"index\.parquet is damaged .*{column}"):
        Samples(tmp_path)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("shard", None), ("shard", "../x.tar"), ("offset", None), ("offset", -512),
        ("bytes", 0), ("bytes", None), ("bytes", -1), ("frames", None),
    ],
)  # fmt: skip
def test_an_index_of_impossible_values_is_told(shards, tmp_path, column, value):
    table = pq.read_table(shards / "video" / "index.parquet")
    rows = table.to_pylist()
    rows[1][column] = value
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), tmp_path / "index.parquet")
    (tmp_path / "shards.json").write_bytes((shards / "video" / "shards.json").read_bytes())
    with pytest.raises(ManifestError, match="is described otherwise than"):
        Samples(tmp_path)


@pytest.mark.parametrize("told", [3, [3], [{}], [{"name": []}], None])
def test_a_document_of_impossible_shards_is_told(shards, tmp_path, told):
    (tmp_path / "index.parquet").write_bytes((shards / "video" / "index.parquet").read_bytes())
    document = json.loads((shards / "video" / "shards.json").read_text()) | {"shards": told}
    (tmp_path / "shards.json").write_text(json.dumps(document))
    with pytest.raises(ManifestError, match="is described otherwise than"):
        Samples(tmp_path)


@pytest.mark.parametrize("facts", [b"[]", b"{}", b"3"])
def test_stored_frames_without_their_facts_are_told(shards, tmp_path, facts):
    row = pq.read_table(shards / "frame" / "index.parquet").to_pylist()[0]
    content = (shards / "frame" / row["shard"]).read_bytes()
    victim = tmp_path / row["shard"]
    with tarfile.open(shards / "frame" / row["shard"]) as tar:
        member = tar.getmember(f"{row['key']}/000000.json")
    end = member.offset_data + member.size
    victim.write_bytes(content[: member.offset_data] + facts.ljust(member.size) + content[end:])
    with pytest.raises(VideoError, match="these frames are damaged"):
        VideoReader(f"{victim}::{row['key']}").pts_seconds  # noqa: B018
    with pytest.raises(VideoError, match="these frames are damaged"):
        file_digest(f"{victim}::{row['key']}")


# ---------------------------------------------------------------- training on frames


def test_batches_of_training_are_the_same_from_files_and_from_shards(shards, tmp_path):
    from vidfit.backbones import load

    spec = load("efficientnet-lite0@2").spec
    clips, stored = (read_manifest(shards / kind).clips for kind in ("loose", "frame"))
    files = write_frames(clips, spec, tmp_path / "frames", Here(1))
    loose = FilesOfFrames(tuple(files.paths[clip] for clip in clips))
    inside = FramesInShards.of([clip.path for clip in stored], (2, 1, 224, 224, 3))
    assert len(inside) == len(loose) == 12
    rows = np.array([7, 0, 11, 7])
    np.testing.assert_array_equal(inside[rows], loose[rows])
    ClipSet(np.zeros(12, np.int64), {"frames": inside}).write(tmp_path / "set")
    again = open_set(tmp_path / "set").read(rows)
    np.testing.assert_array_equal(again.frames_BVTHWC, loose[rows])


def test_frames_of_another_size_in_their_place_are_refused(shards):
    paths = [clip.path for clip in read_manifest(shards / "frame").clips]
    other = FramesInShards.of(paths, (2, 1, 112, 112, 3))
    with pytest.raises(StoreError, match="does not hold frames of 112x112"):
        other[np.array([0])]
