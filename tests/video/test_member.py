"""Members of shards: their notation, and every kind of video read from a tar as if loose."""

from __future__ import annotations

import io
import json
import tarfile

import fsspec
import numpy as np
import pytest
from tests.video.cases import CASES

from vidfit.errors import VideoError
from vidfit.features.digests import file_digest
from vidfit.video import VideoReader, split_member
from vidfit.video.source import is_url


@pytest.mark.parametrize(
    ("path", "parts", "url"),
    [
        ("/a/train-0.tar::boxing/v1.mp4", ("/a/train-0.tar", "boxing/v1.mp4"), False),
        ("a.tar::b c/ü.mp4", ("a.tar", "b c/ü.mp4"), False),
        ("s3://b/a.tar::v.mp4", ("s3://b/a.tar", "v.mp4"), True),
        ("simplecache::s3://b/a.tar::v.mp4", ("simplecache::s3://b/a.tar", "v.mp4"), True),
        ("tar://v.mp4::s3://b/a.tar", None, True),
        ("zip://a.tar::s3://b/a.zip", None, True),
        ("zip://a.tar::a.zip", None, True),
        ("simplecache::s3://b/v.mp4", None, True),
        ("/a/v.mp4", None, False),
        ("/a/a.tar", None, False),
    ],
)
def test_a_member_is_told_from_a_chained_url(path, parts, url):
    assert split_member(path) == parts
    assert is_url(path) is url


def archive(folder, files):
    path = folder / "clips-000000.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for file in files:
            tar.add(file, arcname=f"class/{file.name}")
    return path


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Every kind of video that is one file, loose and in one shard."""
    folder = tmp_path_factory.mktemp("kinds")
    files = {}
    for name, make in CASES.items():
        (folder / name).mkdir()
        path = make(folder / name)
        if path.is_file():
            files[name] = path.rename(folder / f"{name}-{path.name}")
    return files, archive(folder, files.values())


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_video_is_read_from_a_shard_as_if_loose(kinds, name):
    files, shard = kinds
    if name not in files:
        pytest.skip("is a folder of images")
    member = f"{shard}::class/{files[name].name}"
    with VideoReader(str(files[name])) as loose, VideoReader(member) as stored:
        np.testing.assert_array_equal(stored.pts_seconds, loose.pts_seconds)
        some = np.unique(np.linspace(0, len(loose.pts_seconds) - 1, 5).astype(int))
        for expected, found in zip(loose.frames(some), stored.frames(some), strict=True):
            np.testing.assert_array_equal(found.rgb(), expected.rgb())
    with VideoReader(member) as fresh:
        (last,) = fresh.frames(some[-1:])
        np.testing.assert_array_equal(last.rgb(), expected.rgb())
    assert file_digest(member) == file_digest(str(files[name]))


def test_a_shard_at_a_url_is_read_by_parts(kinds):
    files, shard = kinds
    name = files["h264_gop12"].name
    with fsspec.open("memory://parts/a.tar", "wb") as to:
        to.write(shard.read_bytes())
    member = f"memory://parts/a.tar::class/{name}"
    with VideoReader(str(files["h264_gop12"])) as loose, VideoReader(member) as stored:
        for expected, found in zip(loose.frames([3, 50]), stored.frames([3, 50]), strict=True):
            np.testing.assert_array_equal(found.rgb(), expected.rgb())
    assert file_digest(member) == file_digest(str(files["h264_gop12"]))


def test_chained_urls_of_fsspec_still_open(kinds):
    files, shard = kinds
    with fsspec.open("memory://loose/v.mp4", "wb") as to:
        to.write(files["h264_gop12"].read_bytes())
    chained = f"tar://class/{files['h264_gop12'].name}::file://{shard}"
    for url in ("simplecache::memory://loose/v.mp4", chained):
        with VideoReader(url) as reader:
            assert len(list(reader.frames([0, 70]))) == 2


def test_a_missing_shard_or_member_is_named(kinds, tmp_path):
    _, shard = kinds
    with pytest.raises(VideoError, match=r"none\.tar: no such shard"):
        VideoReader(f"{tmp_path}/none.tar::a.mp4")
    with pytest.raises(VideoError, match=r"class/none\.mp4: cannot be found.*members and not this"):
        VideoReader(f"{shard}::class/none.mp4")
    with pytest.raises(VideoError, match="no such shard"):
        VideoReader("memory://nowhere/a.tar::a.mp4")


def test_a_folder_that_is_called_like_a_shard_is_told(tmp_path):
    (tmp_path / "x.tar").mkdir()
    with pytest.raises(VideoError, match=r"x\.tar: cannot be read: .*[Dd]irectory"):
        VideoReader(f"{tmp_path}/x.tar::a")


@pytest.mark.parametrize("name", ["a\0.mp4", "a\0.tar::b.mp4"])
def test_a_name_that_no_file_can_have_is_told(tmp_path, name):
    with pytest.raises(VideoError, match="null"):
        VideoReader(f"{tmp_path}/{name}")


def npy(frame) -> bytes:
    stream = io.BytesIO()
    np.save(stream, frame)
    return stream.getvalue()


FRAME = np.zeros((4, 6, 3), np.uint8)
KNOWN = {"index": 3, "pts_seconds": 0.5, "duration_seconds": 1.0, "content": "x"}
LOOK = {
    "sampling": {"clip_len": 1, "num_clips": 1, "interval_seconds": None},
    "size": [4, 6, None],
}


def stored(folder, *files):
    with tarfile.open(folder / "f.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for number, content in enumerate(files):
            suffix = "json" if content[:1] == b"{" else "npy" if content[:1] != b"v" else "mp4"
            info = tarfile.TarInfo(f"a/{number // 2:06d}.{suffix}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return f"{folder}/f.tar::a"


def known(**facts) -> bytes:
    return json.dumps({**KNOWN, **LOOK, **facts}).encode()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([b"v1", b"v2"], "none is there"),
        ([b"", known()], "no .npy of a frame"),
        ([npy(FRAME)[:40], known()], "no .npy of a frame"),
        ([npy(FRAME).replace(b"(4, 6, 3)", b"(9**9,3)"), known()], "no .npy of a frame"),
        ([npy(FRAME[:0])[:-1] + b"\n", known()], "no .npy of a frame"),
        ([npy(FRAME).replace(b"(4,", b"(9,"), known()], r"but of uint8 \[9, 6, 3\]"),
        ([npy(FRAME.astype(float)), known()], "but of float64"),
        ([npy(FRAME), known(index="q")], 'the index "q"'),
        ([npy(FRAME), known(index=10**12)], "the index 10"),
        ([npy(FRAME), known(index=True)], "the index true"),
        ([npy(FRAME), known(pts_seconds=[1])], "the pts_seconds"),
        ([npy(FRAME), known(duration_seconds=10**400)], "the duration_seconds 1000"),
        ([npy(FRAME), known(pts_seconds=float("nan"))], "the pts_seconds NaN"),
        ([npy(FRAME), known(), npy(FRAME[:2]), known()], "differ in size"),
        ([npy(FRAME), known(), npy(FRAME), known(index=4, pts_seconds=0.1)], "do not increase"),
    ],
)
def test_frames_in_a_shard_that_are_damaged_are_told(tmp_path, files, message):
    with pytest.raises(VideoError, match=message):
        _ = VideoReader(stored(tmp_path, *files)).pts_seconds


@pytest.mark.parametrize(
    "look",
    [{"sampling": {"clip_len": "q"}}, {"size": "abc"}, {"size": [4]}, {"size": [4, 6, "q"]}],
)
def test_frames_in_a_shard_with_a_damaged_look_are_told(tmp_path, look):
    path = stored(tmp_path, npy(FRAME), known(**look))
    with pytest.raises(VideoError, match="does not say how frames were sampled"):
        _ = VideoReader(path).stored.look
    assert VideoReader(stored(tmp_path, npy(FRAME), known())).stored.look.facts == LOOK


def test_a_shard_that_is_cut_short_or_damaged_gives_what_is_whole(kinds, tmp_path):
    _, shard = kinds
    content = shard.read_bytes()
    with tarfile.open(shard) as tar:
        first, second, third = list(tar)[:3]
    short = tmp_path / "short.tar"
    short.write_bytes(content[: second.offset_data + second.size // 2])
    assert len(VideoReader(f"{short}::{first.name}").pts_seconds) > 0
    with pytest.raises(VideoError, match=r"cut short at \d+ bytes"):
        VideoReader(f"{short}::{second.name}")
    broken = bytearray(content)
    broken[second.offset + 3] ^= 1
    short.write_bytes(broken)
    assert len(VideoReader(f"{short}::{first.name}").pts_seconds) > 0
    with pytest.raises(VideoError, match=f"damaged at byte {second.offset}"):
        VideoReader(f"{short}::{third.name}")
    short.write_bytes(b"no tar at all" * 100)
    with pytest.raises(VideoError, match="no tar header there"):
        VideoReader(f"{short}::{first.name}")
