"""Shards: the same bytes whatever happens, the same features as loose files, nothing lost."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.called import call
from tests.clips import Counting, write_clip, write_dataset
from tests.sharded import BY_VIDEO, sums

from vidfit.contracts import Clip
from vidfit.errors import ManifestError, NotEnoughDataError, StoreError, VideoError, VidfitError
from vidfit.features import FeatureStore
from vidfit.features.digests import clip_digest, file_digest
from vidfit.features.extract import extract
from vidfit.features.views import gather_views
from vidfit.jobs.shard.options import ShardOptions
from vidfit.jobs.shard.run import run_shard
from vidfit.launch import Here
from vidfit.manifest import iter_clips, read_manifest, write_manifest
from vidfit.progress import SILENT
from vidfit.shards import ShardSize, layout, units_of
from vidfit.shards import index as indexing
from vidfit.shards import write as writing
from vidfit.shards.tar import Tar
from vidfit.video import VideoReader

BY_FRAME = ShardOptions("frame", like="efficientnet-lite0@2", shard_clips=4)


@pytest.fixture(scope="module")
def by_frame(loose, tmp_path_factory):
    folder = tmp_path_factory.mktemp("by_frame")
    run_shard(loose, folder, BY_FRAME)
    return folder


@pytest.mark.parametrize(("options", "kind"), [(BY_VIDEO, "by_video"), (BY_FRAME, "by_frame")])
def test_bytes_do_not_hang_on_workers_or_on_where_the_clips_lie(
    options, kind, loose, tmp_path, request
):
    expected = sums(request.getfixturevalue(kind))
    moved = tmp_path / "moved"
    loose.rename(moved)
    try:
        run_shard(moved, tmp_path / "out", replace(options, workers=3))
    finally:
        moved.rename(loose)
    assert sums(tmp_path / "out") == expected
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.tar")}
    again = run_shard(loose, tmp_path / "again", replace(options, workers=1))
    assert again.were_there == 0 and sums(tmp_path / "again") == expected
    assert run_shard(loose, tmp_path / "again", options).were_there == len(before)


@pytest.mark.parametrize("kind", ["by_video", "by_frame"])
def test_a_shard_is_as_large_as_was_reckoned(kind, loose, request):
    folder = request.getfixturevalue(kind)
    look = None
    if kind == "by_frame":
        look = VideoReader(read_manifest(folder).clips[0].path).stored.look
    clips = [replace(c, split=s.split) for c, s in zip(
        read_manifest(loose).clips, read_manifest(folder).clips, strict=True
    )]  # fmt: skip
    units, _ = units_of(clips, look is not None)
    size = ShardSize(most_clips=3 if look is None else 4)
    for plan in layout(units, size, look):
        assert plan.size_bytes == (folder / plan.name).stat().st_size


def test_the_list_of_clips_comes_back_in_its_order(loose, by_video, by_frame):
    clips = read_manifest(loose).clips
    for folder in (by_video, by_frame):
        found = read_manifest(folder)
        assert [(c.label, c.group) for c in found.clips] == [(c.label, c.group) for c in clips]
        assert found.rejected == ()
    split = [clip.split for clip in read_manifest(by_video).clips]
    assert set(split) == {"train", "test"} and 2 <= split.count("test") <= 4


def test_no_recording_is_in_two_splits(tmp_path):
    write_dataset(tmp_path / "clips", recordings=4, clips=2)
    run_shard(tmp_path / "clips", tmp_path / "out", ShardOptions(holdout=0.25, shard_clips=2))
    rows = pq.read_table(tmp_path / "out" / "index.parquet").to_pylist()
    splits = {}
    for row in rows:
        assert row["shard"].startswith(row["split"])
        splits.setdefault(row["group"], set()).add(row["split"])
    assert len(splits) == 8 and all(len(found) == 1 for found in splits.values())


def test_features_are_the_same_rows_from_loose_files_shards_and_urls(loose, by_video, tmp_path):
    for path in by_video.iterdir():
        if path.is_file():
            with fsspec.open(f"memory://shards/{path.name}", "wb") as to:
                to.write(path.read_bytes())
    rows = {}
    for number, source in enumerate((loose, by_video, f"file://{by_video}", "memory://shards")):
        clips = read_manifest(source).clips
        assert all(("::" in clip.path) is (source is not loose) for clip in clips)
        store = FeatureStore(tmp_path / str(number))
        done = extract(clips, [Counting()], store, Here(workers=1))
        assert (done.computed, done.failures) == (12, {})
        rows[source] = dict(store.rows(Counting().spec))
        # What one source has computed, another need not compute again.
        assert extract(clips, [Counting()], FeatureStore(tmp_path / "0"), Here(1)).computed == 0
    for found in rows.values():
        assert found.keys() == rows[loose].keys()
        for digest, features in found.items():
            expected = rows[loose][digest]
            np.testing.assert_array_equal(features.tokens_ND, expected.tokens_ND)
            np.testing.assert_array_equal(features.indices, expected.indices)
            np.testing.assert_array_equal(features.pts_seconds, expected.pts_seconds)


def test_stored_frames_are_those_of_the_clip_with_their_times(loose, by_frame):
    from vidfit.backbones import load

    spec = load("efficientnet-lite0@2").spec
    for clip, stored in zip(read_manifest(loose).clips, read_manifest(by_frame).clips, strict=True):
        assert file_digest(stored.path) == file_digest(clip.path)
        with VideoReader(clip.path) as one, VideoReader(stored.path) as other:
            ((index_VT, frames),) = gather_views(one, clip, [spec])
            ((found_VT, found),) = gather_views(other, stored, [spec])
            np.testing.assert_array_equal(found, frames)
            np.testing.assert_array_equal(found_VT, index_VT)
            seen = np.unique(index_VT)
            np.testing.assert_array_equal(other.pts_seconds[seen], one.pts_seconds[seen])
            assert other.stored.duration_seconds == one.duration_seconds
            with pytest.raises(VideoError, match=r"hold frames .*wanted.*vidfit shard CLIPS OUT"):
                gather_views(other, stored, [Counting().spec])


def test_training_is_given_stored_frames_as_they_are(loose, by_frame, tmp_path):
    from vidfit.backbones import load
    from vidfit.study.clipsets import frame_set, token_set
    from vidfit.study.subject import OWN_SIGHT, Sight

    spec = load("efficientnet-lite0@2").spec
    seen = Sight(spec.sampling, spec.preprocessing, 8, spec.dim, sees_frames=True)
    clips, stored = (read_manifest(source).clips for source in (loose, by_frame))
    one = frame_set(clips, seen, tmp_path / "frames", Here(1), SILENT)
    other = frame_set(stored, seen, tmp_path / "none", Here(1), SILENT)
    assert not (tmp_path / "none").exists()
    rows = np.arange(len(clips))
    np.testing.assert_array_equal(other.set.arrays["frames"][rows], one.set.arrays["frames"][rows])
    np.testing.assert_array_equal(other.set.labels_M, one.set.labels_M)
    np.testing.assert_array_equal(other.seconds_M, one.seconds_M)
    assert other.groups == one.groups
    store = FeatureStore(tmp_path / "features")
    with pytest.raises(
        StoreError, match=r"hold frames 1xevenx2 of 224x224.*vidfit shard CLIPS OUT"
    ):
        token_set(stored, Counting(), store, Here(1), SILENT)
    with pytest.raises(StoreError, match=r"frames 16xevenx1 of 112x112 are wanted"):
        frame_set(stored, OWN_SIGHT, tmp_path / "none", Here(1), SILENT)
    gone = [*stored[:2], replace(stored[2], path=f"{by_frame}/clips-000099.tar::left/x")]
    missing = frame_set(gone, seen, tmp_path / "none", Here(1), SILENT)
    assert len(missing.clips) == 2 and "no such shard" in missing.failures[0].reason


def test_a_video_with_several_clips_is_stored_once(tmp_path):
    write_clip(tmp_path / "v.mp4", frames=40)
    spans = [Clip(str(tmp_path / "v.mp4"), i * 0.8, (i + 1) * 0.8, "ab"[i % 2]) for i in range(4)]
    from vidfit.manifest import Manifest

    write_manifest(Manifest(tuple(spans)), tmp_path / "clips.csv")
    done = run_shard(tmp_path / "clips.csv", tmp_path / "out")
    assert (done.document["totals"]["videos"], done.document["totals"]["clips"]) == (1, 4)
    found = read_manifest(tmp_path / "out").clips
    assert [(c.start_seconds, c.end_seconds, c.label) for c in found] == [
        (c.start_seconds, c.end_seconds, c.label) for c in spans
    ]
    assert [clip_digest(c) for c in found] == [clip_digest(c) for c in spans]


def test_shards_by_video_can_be_sharded_by_frame(loose, by_video, by_frame, tmp_path):
    run_shard(by_video, tmp_path / "out", BY_FRAME)
    a, b = (read_manifest(folder).clips for folder in (by_frame, tmp_path / "out"))
    for one, other in zip(a, b, strict=True):
        assert file_digest(one.path) == file_digest(other.path)


def test_videos_to_predict_on_are_found_in_shards(loose, by_video):
    found = list(iter_clips(by_video))
    assert len(found) == len(set(found)) == 12
    assert all(clip.path.startswith(f"{by_video}/t") and "::" in clip.path for clip in found)


def test_the_command_says_what_it_did_and_why(loose, tmp_path):
    words = ["shard", loose, tmp_path / "out", "--shard-size", "30kB"]
    split = ["--holdout", "0.25"]
    result = call(*words, *split)
    assert result.exit_code == 0
    assert "**12 clips of 12 videos in" in result.output
    assert "as asked for; readers wait" in result.output
    assert re.search(r"- train: (\d+) clips of \1 recordings\n- test: (\d+) clips", result.output)
    again = call(*words, *split)
    assert "shards were there" in again.output
    other = call(*words)
    assert other.exit_code == 2 and "Choose another folder" in other.output


# ---------------------------------------------------------------- what goes wrong


def test_a_clip_that_cannot_be_read_is_listed_and_tried_again(loose, tmp_path):
    clips = write_dataset(tmp_path / "clips", recordings=3)
    bad = clips / "left" / "left0.mp4"
    content = bad.read_bytes()
    bad.write_bytes(b"no video" * 100)
    for options in (ShardOptions(shard_clips=2), replace(BY_FRAME, shard_clips=2)):
        bad.write_bytes(b"no video" * 100)
        out = tmp_path / options.by
        done = run_shard(clips, out, options)
        assert [failure.name for failure in done.failures] == ["left/left0.mp4"]
        told = json.loads((out / "shards.json").read_text())
        assert told["failures"][0]["clip"] == "left/left0.mp4"
        assert told["totals"]["clips"] == 5
        assert len(read_manifest(out).clips) == 5
        assert "is not in the shards" in read_manifest(out).rejected[0].reason
        bad.write_bytes(content)
        assert run_shard(clips, out, options).failures == ()
        assert len(read_manifest(out).clips) == 6
    with pytest.raises(
        NotEnoughDataError,
        match=r"^1 of 1 cannot be used: no such file.*None of 1 clip can be stored",
    ):
        write_manifest(
            replace(read_manifest(bad), clips=(Clip(str(tmp_path / "no.mp4")),)),
            tmp_path / "none.csv",
        )
        run_shard(tmp_path / "none.csv", tmp_path / "none")


def test_other_settings_or_clips_are_refused_with_advice(loose, by_video, tmp_path):
    before = sums(by_video)
    for options in (ShardOptions(shard_clips=3), replace(BY_VIDEO, shard_clips=4), BY_FRAME):
        with pytest.raises(StoreError, match=r"holds shards of .*Choose another folder, or remove"):
            run_shard(loose, by_video, options)
    assert sums(by_video) == before
    (tmp_path / "other.tar").write_bytes(b"")
    with pytest.raises(StoreError, match="holds shards of unknown settings"):
        run_shard(loose, tmp_path, BY_VIDEO)


def test_a_video_that_changes_is_written_anew_and_old_shards_go(tmp_path):
    clips = write_dataset(tmp_path / "clips", recordings=3)
    options = ShardOptions(shard_bytes=16_000)
    first = run_shard(clips, tmp_path / "out", options)
    for video in clips.rglob("*.mp4"):
        write_clip(video, frames=4)
    done = run_shard(clips, tmp_path / "out", options)
    names = [shard["name"] for shard in done.document["shards"]]
    assert len(names) < len(first.document["shards"])
    assert sorted(path.name for path in (tmp_path / "out").glob("*.tar")) == sorted(names)
    run_shard(clips, tmp_path / "fresh", options)
    assert sums(tmp_path / "out") == sums(tmp_path / "fresh")


def test_the_last_shard_goes_when_its_only_video_has_become_empty(tmp_path):
    clips = write_dataset(tmp_path / "clips", recordings=2)
    options, out = ShardOptions(shard_clips=1), tmp_path / "out"
    run_shard(clips, out, options)
    (last,) = (
        row["path"]
        for row in pq.read_table(out / "index.parquet").to_pylist()
        if row["shard"] == "clips-000003.tar"
    )
    (clips / last).write_bytes(b"")
    done = run_shard(clips, out, options)
    assert done.were_there == 3
    names = [shard["name"] for shard in done.document["shards"]]
    assert sorted(path.name for path in out.glob("*.tar")) == sorted(names)
    assert [path.name for path in (out / ".parts").glob("clips-000003*")] == []


def test_a_video_that_grows_while_it_is_read_is_a_failure(loose, tmp_path, monkeypatch):
    laid_out = writing.open_container

    def grows(path, **kwargs):
        with Path(path).open("ab") as stream:
            stream.write(b"more")
        return laid_out(path, **kwargs)

    clips = write_dataset(tmp_path / "clips", recordings=2)
    monkeypatch.setattr(writing, "open_container", grows)
    with pytest.raises(NotEnoughDataError, match="shard again when nothing writes to it"):
        run_shard(clips, tmp_path / "out", ShardOptions(shard_clips=2, workers=1))


def test_a_full_disk_is_told_and_finished_shards_are_kept(loose, tmp_path, monkeypatch):
    put, left = Tar.put, [12_000]

    def full(self, data):
        left[0] -= len(data)
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        put(self, data)

    monkeypatch.setattr(Tar, "put", full)
    with pytest.raises(StoreError, match=r"No space left.*free space or choose another"):
        run_shard(loose, tmp_path, replace(BY_VIDEO, workers=1))
    monkeypatch.undo()
    assert not (tmp_path / "shards.json").exists()
    assert list(tmp_path.glob(".tmp-*")) == []
    with pytest.raises(ManifestError, match=r"no shards\.json: `vidfit shard` has not finished"):
        read_manifest(tmp_path)
    assert 0 < run_shard(loose, tmp_path, BY_VIDEO).were_there < 5


def test_missing_and_damaged_indexes_are_told(by_video, tmp_path):
    for path in by_video.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "index.parquet").unlink()
    with pytest.raises(ManifestError, match=r"no index\.parquet; copy it again"):
        read_manifest(tmp_path)
    (tmp_path / "index.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ManifestError, match=r"index\.parquet is damaged"):
        read_manifest(tmp_path)
    (tmp_path / "shards.json").write_text("{}")
    with pytest.raises(ManifestError, match=r"shards\.json is damaged"):
        read_manifest(tmp_path)
    with pytest.raises(VideoError, match="no such shard"):
        VideoReader(f"{tmp_path}/train-000099.tar::left/left0.mp4")


@pytest.mark.parametrize("content", ["[]", "3", '"x"', "null", "[[", "\udcff"])
def test_damaged_settings_are_told(content, loose, tmp_path):
    (tmp_path / ".parts").mkdir()
    path = tmp_path / ".parts" / "settings.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    (tmp_path / "clips-000000.tar").write_bytes(b"")
    with pytest.raises(StoreError, match="holds shards of unknown settings"):
        run_shard(loose, tmp_path, BY_VIDEO)


@pytest.mark.parametrize("column", ["shard", "member", "spans"])
def test_an_index_without_a_column_is_damaged(column, by_video, tmp_path):
    table = pq.read_table(by_video / "index.parquet")
    pq.write_table(table.drop_columns([column]), tmp_path / "index.parquet")
    (tmp_path / "shards.json").write_bytes((by_video / "shards.json").read_bytes())
    with pytest.raises(ManifestError, match=rf"index\.parquet is damaged .*{column}"):
        read_manifest(tmp_path)
    if column != "spans":
        with pytest.raises(ManifestError, match=rf"index\.parquet is damaged .*{column}"):
            list(iter_clips(tmp_path))


@pytest.mark.parametrize("value", ["1e999", "null", "[]"])
def test_a_shard_of_which_a_damaged_number_is_known_is_written_anew(value, loose, tmp_path):
    run_shard(loose, tmp_path, BY_VIDEO)
    before = sums(tmp_path)
    part = min((tmp_path / ".parts").glob("*.tar.json"))
    told = json.loads(part.read_text()) | {"samples": "VALUE"}
    part.write_text(json.dumps(told).replace('"VALUE"', value))
    run_shard(loose, tmp_path, BY_VIDEO)
    assert sums(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ShardOptions("frame"), "name a backbone"),
        (ShardOptions(like="motion"), "by video none are"),
        (ShardOptions("frames"), "valid are 'video' and 'frame'"),  # type: ignore[arg-type]
        (ShardOptions(shard_bytes=1, shard_clips=1), "not both"),
        (ShardOptions(holdout=1.0), "share of recordings"),
        (ShardOptions(workers=0), "give 1 or more"),
    ],
)
def test_options_without_meaning_are_refused(options, message, loose, tmp_path):
    with pytest.raises(VidfitError, match=message):
        run_shard(loose, tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


def test_an_index_in_pieces_has_the_same_rows_and_counts(loose, by_frame, tmp_path, monkeypatch):
    monkeypatch.setattr(indexing, "_ROWS_AT_ONCE", 1)
    done = run_shard(loose, tmp_path / "again", BY_FRAME)
    whole, pieces = (pq.read_table(f / "index.parquet") for f in (by_frame, tmp_path / "again"))
    assert whole.equals(pieces)
    assert len(pieces) > 1
    totals = done.document["totals"]
    assert totals["videos"] == len(set(whole["path"].to_pylist()))
    assert totals["clips"] == sum(map(len, whole["spans"].to_pylist()))
    assert sum(clips for clips, _ in done.splits.values()) == totals["clips"]


@pytest.mark.parametrize("content", ["{", "[]", '{"rows": 3}', '{"rows": [3]}', '{"rows": [{}]}'])
def test_a_part_that_was_damaged_while_others_were_written_is_told(
    content, loose, tmp_path, monkeypatch
):
    def damaged(part, folder):
        (folder / ".parts" / f"{part.name}.json").write_text(content, encoding="utf-8")
        return read_rows(part, folder)

    read_rows = indexing.read_rows
    monkeypatch.setattr(indexing, "read_rows", damaged)
    with pytest.raises(StoreError, match=r"is damaged .* remove it and shard again"):
        run_shard(loose, tmp_path / "out", BY_VIDEO)
    assert not (tmp_path / "out" / "index.parquet").exists()
