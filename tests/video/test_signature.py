"""What a file is: by its name, by its first bytes, and by being there."""

from __future__ import annotations

import io
import os

import fsspec
import pytest
from tests.video.cases import CASES, Recipe, write, x264

from vidfit.errors import VideoError
from vidfit.features.digests import file_digest
from vidfit.video import VIDEO_SUFFIXES, address, is_video_path, probe, source, split_member
from vidfit.video.names import IMAGE_SUFFIXES
from vidfit.video.signature import LOOK_BYTES, holds_video, refusal
from vidfit.video.source import is_url


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("frame_folder", "gif")])
def test_no_kind_of_video_is_refused_by_its_first_bytes(tmp_path, name):
    assert refusal(CASES[name](tmp_path).read_bytes()[:LOOK_BYTES]) is None


@pytest.mark.parametrize(
    "name",
    [
        *("h264_gop12", "h264_mkv", "h264_flv", "h264_avi_no_pts", "h264_asf_false_pts"),
        *("h264_raw_stream", "h264_ts_late_start", "hevc_ts", "mpeg2_ps", "vp9_odd_size", "vp8"),
        "one_pixel",
    ],
)
def test_a_video_without_a_telling_name_is_known_by_its_bytes(tmp_path, name):
    path = CASES[name](tmp_path)
    nameless = path.rename(tmp_path / "recording.0001")
    assert not is_video_path(nameless)
    assert holds_video(nameless)
    assert probe(str(nameless)).frame_count > 0


def test_transport_streams_with_time_codes_are_known_too(tmp_path):
    packets = CASES["mpeg2_ts"](tmp_path).read_bytes()
    path = tmp_path / "00001"
    path.write_bytes(
        b"".join(b"\0\0\0\0" + packets[i : i + 188] for i in range(0, len(packets), 188))
    )
    assert holds_video(path)
    assert probe(str(path)).codec == "mpeg2video"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"G" * 1000,
        b"text",
        b"\0\0\0\x20ftypM4A " + bytes(40),
        b"\0\0\0\x20ftypheic" + bytes(40),
        b"RIFF\0\0\0\0WAVEfmt ",
        b"\x93NUMPY\x01\0" + bytes(100),
        b"ID3\x03\0" + bytes(100),
    ],
)
def test_other_files_are_not(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert not holds_video(tmp_path / "a")


def test_folders_pipes_and_lost_links_are_not(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link", tmp_path / "gone"):
        assert not holds_video(path)


def test_suffixes_of_cameras_are_known():
    known = {".qt", ".dav", ".mod", ".insv", ".lrv", ".m2t", ".tod", ".ogm", ".wtv", ".amv"}
    assert known <= VIDEO_SUFFIXES
    assert not VIDEO_SUFFIXES & IMAGE_SUFFIXES


@pytest.mark.parametrize("suffix", [".insv", ".lrv", ".dav", ".qt", ".mod"])
def test_mp4_under_the_suffix_of_a_camera_is_read(tmp_path, suffix):
    path = write(tmp_path, Recipe("v.mp4", options=x264(12), frames=24))
    assert probe(str(path.rename(tmp_path / f"v{suffix}"))).frame_count == 24


@pytest.mark.parametrize("name", ["tar::x.mp4", "a.tar::b.mp4", "simplecache::a.mp4"])
def test_a_file_of_the_disk_is_no_shard_and_no_url(tmp_path, monkeypatch, name):
    path = write(tmp_path, Recipe("v.mp4", options=x264(12), frames=24))
    digest = file_digest(str(path))
    path.rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for form in (name, str(tmp_path / name)):
        assert split_member(form) is None
        assert not is_url(form)
        assert probe(form).frame_count == 24
        assert file_digest(form) == digest
    (tmp_path / name).unlink()
    with pytest.raises(VideoError, match=r"no such shard|cannot be opened"):
        probe(name)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"<!DOCTYPE html><html>404</html>", "is a web page")],
)
def test_what_a_url_gives_is_looked_at_too(content, message):
    url = f"memory://foreign/{len(content)}.mp4"
    with fsspec.open(url, "wb") as file:
        file.write(content)
    with pytest.raises(VideoError, match=message):
        probe(url)


class Pipe(io.BytesIO):
    """What cannot be gone about in, as a server without ranges."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise OSError("not seekable")


def test_a_stream_that_cannot_be_gone_about_in_is_looked_at_and_read(tmp_path, monkeypatch):
    content = CASES["h264_mkv"](tmp_path).read_bytes()
    monkeypatch.setattr(address, "open_url", lambda path: Pipe(content))
    with source.open_container("memory://pipe") as container:
        assert sum(1 for _ in container.decode(video=0)) == 72
    monkeypatch.setattr(address, "open_url", lambda path: Pipe(b"#EXTM3U\n"))
    with pytest.raises(VideoError, match="is an HLS playlist"):
        source.open_container("memory://pipe")
