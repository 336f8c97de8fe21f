"""Addresses in lists are followed only where they are allowed, and keep their secrets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.called import call
from tests.clips import write_clip
from tests.security.server import PAGE, serving

from vidfit.errors import VideoError, VidfitError
from vidfit.features.digests import file_digest
from vidfit.jobs.fit.run import FitOptions, run_fit
from vidfit.manifest import read_manifest
from vidfit.shards.units import units_of
from vidfit.shown import name_of, public, shown
from vidfit.video import VideoReader, address, policy
from vidfit.video.address import open_url
from vidfit.video.policy import Policy, enforced

SECRET = "?token=SECRET&x=1"
USER = "somebody:PASSWORD@"


@pytest.fixture
def site(fitted):
    """Serve one good clip and what can be wrong with others."""
    good = (fitted.clips / "left" / "left0.mp4").read_bytes()
    files = {
        "/portal/index.parquet": PAGE, "/portal/shards.json": PAGE,
        "/good.mp4": good, "/good": good, "/empty.mp4": b"", "/page.mp4": PAGE,
        "/noise.mp4": b"\x00\x01noise" * 999, "/refused.mp4": 403, "/moved.mp4": "/good.mp4",
        "/away.mp4": "http://localhost:9/private.mp4", "/out.mp4": "file:///etc/passwd",
    }  # fmt: skip
    with serving(files) as running:
        yield running


# ---------------------------------------------------------------- what is said of each


WRONG = {
    "/refused.mp4": "HTTP status 403 (Forbidden)",
    "/gone.mp4": "HTTP status 404 (Not Found)",
    "/empty.mp4": "the file is empty (0 bytes)",
    "/page.mp4": "is a web page (HTML), not a video",
    "/noise.mp4": "not a known video format",
    "/away.mp4": "redirects to localhost, on a private network or this machine",
    "/out.mp4": "redirects to file://, which is not followed",
}


@pytest.mark.parametrize(("path", "message"), WRONG.items())
def test_a_url_that_is_no_video_says_why_and_is_asked_once(site, path, message):
    url = site.url(path + SECRET, USER)
    for _ in range(4):
        with pytest.raises(VideoError) as error:
            VideoReader(url)
        assert message in str(error.value)
    assert site.asked[path] <= 1


def test_a_url_that_failed_is_asked_again_after_a_while(site, monkeypatch):
    monkeypatch.setattr(address, "REMEMBERED_SECONDS", 0.0)
    for _ in range(2):
        with pytest.raises(VideoError, match="403"):
            open_url(site.url("/refused.mp4"))
    assert site.asked["/refused.mp4"] == 2


def test_another_file_at_the_same_url_is_another_video():
    files = {"/a.mp4": b"one"}
    with serving(files) as server:
        first = file_digest(server.url("/a.mp4"))
        assert file_digest(server.url("/a.mp4")) == first
        files["/a.mp4"] = b"two"  # of the same size: its ETag tells
        assert file_digest(server.url("/a.mp4")) != first


def test_the_document_has_what_is_said():
    text = Path(__file__).parents[2].joinpath("docs", "videos.md").read_text()
    assert [message for message in WRONG.values() if f"| `{message}` |" not in text] == []


@pytest.mark.parametrize("path", ["/good.mp4", "/good", "/moved.mp4"])
def test_a_url_with_a_query_is_read(site, path):
    with VideoReader(site.url(path + SECRET, USER)) as reader:
        assert reader.info.frame_count == 20


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nosuch://host/a.mp4", "there is no reader for nosuch://"),
        ("rtsp://host/stream", "there is no reader for rtsp://"),
        ("http://127.0.0.1:9/a.mp4", "Connect call failed"),
    ],
)
def test_a_url_that_cannot_be_opened_is_a_video_error_everywhere(url, message):
    with pytest.raises(VideoError, match=message):
        file_digest(url) if url.startswith("n") else open_url(url)
    with pytest.raises(VideoError, match=message):
        VideoReader(url)


def test_each_failure_stays_in_its_row_of_predict(fitted, site, tmp_path):
    videos = [site.url(path + SECRET, USER) for path in (*WRONG, "/good")]
    local = fitted.clips / "right" / "right0.mp4"
    result = call(
        "predict", fitted.model, *videos, "rtsp://camera/1", site.url("/portal"), local,
        "-o", tmp_path, "--format", "json,csv,vtt,parquet",
    )  # fmt: skip
    assert result.exit_code == 1 and result.exception.__class__ is SystemExit
    for message in WRONG.values():
        assert message in result.stderr
    assert "rtsp://camera/1: not answered" in result.stderr
    assert f"{site.url('/portal')}: not answered" in result.stderr
    assert result.stdout.count("frames seen") == 2
    assert {path.name for path in tmp_path.glob("*.json")} == {"good.json", "right0.json"}
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for text in (result.output, written.decode("latin-1")):
        assert "SECRET" not in text and "PASSWORD" not in text


# ---------------------------------------------------------------- what lists may name


def listed(folder: Path, clips: Path, *rows: str) -> Path:
    """Write a table of twelve good clips and some rows."""
    good = [f"{path},{path.parent.name}" for path in sorted(clips.rglob("*.mp4"))]
    folder.mkdir(exist_ok=True)
    path = folder / "list.csv"
    path.write_text("\n".join(["path,label", *good, *(f"{row},left" for row in rows)]))
    return path


def test_rows_with_addresses_are_not_followed_and_end_nothing(fitted, site, tmp_path):
    rows = [
        site.url("/good.mp4" + SECRET, USER), "file:///etc/passwd", "s3://bucket/a.mp4",
        "nosuch://b/a.mp4", "zip://a.mp4::http://127.0.0.1:9/a.zip", "http://[::1]/a.mp4",
        "simplecache::file:///etc/passwd", "http://169.254.169.254/latest/a.mp4",
    ]  # fmt: skip
    report = run_fit(
        listed(tmp_path, fitted.clips, *rows), tmp_path / "out", FitOptions(("motion",))
    )
    assert len(report.clips) == 12
    assert [failure.name for failure in report.failures] == rows
    for failure in report.failures:
        assert re.search("is an address in a list|is no address", failure.reason)
    assert not site.asked
    for name in ("report.html", "report.json", "ranking.html", "ranking.json", "model/model.json"):
        text = (tmp_path / "out" / name).read_text()
        assert "SECRET" not in text and "PASSWORD" not in text, name


def test_what_is_allowed_is_followed_once_and_the_rest_told(fitted, site, tmp_path):
    rows = [site.url(path + SECRET, USER) for path in ("/good", *WRONG)]
    table = listed(tmp_path, fitted.clips, *rows, "nosuch://b/a.mp4")
    words = ["--allow-url", site.url("/"), "--allow-url", "nosuch://b/", "--no-train"]
    result = call("fit", table, "-o", tmp_path / "out", "--backbone", "motion", *words)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    reasons = {failure["name"]: failure["reason"] for failure in report["failures"]}
    assert len(reasons) == len(WRONG) + 1  # names stay unique, without their secrets
    for path, message in WRONG.items():
        (told,) = [why for name, why in reasons.items() if path in name]
        assert message in told
        assert site.asked[path] <= 1, path
    everything = result.output + json.dumps(report)
    assert "SECRET" not in everything and "PASSWORD" not in everything


def test_predict_does_not_follow_addresses_of_lists(fitted, site, tmp_path):
    table = tmp_path / "list.txt"
    table.write_text(f"{fitted.clips}/left/left0.mp4\n{site.url('/good.mp4')}\n")
    result = call("predict", fitted.model, table)
    assert result.exit_code == 1 and "is an address in a list" in result.stderr
    assert result.stdout.count("frames seen") == 1 and not site.asked
    result = call("predict", fitted.model, table, "--allow-url", site.url("/"))
    assert result.exit_code == 0 and result.stdout.count("frames seen") == 2


HOSTS = ("https://data.example.org/clips/", "s3://bucket/", "file:///data/")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://data.example.org/clips/a.mp4?token=1", True),
        ("https://u:p@DATA.example.org/clips/a/b.mp4", True),
        ("s3://bucket/a.mp4", True),
        ("simplecache::s3://bucket/a.mp4", True),
        ("zip://a.mp4::https://data.example.org/clips/x.zip", True),
        ("https://data.example.org/clips/a.tar::b/c.mp4", True),
        ("file:///data/a.mp4", True),
        ("clips/a.mp4", True),
        ("http://data.example.org/clips/a.mp4", False),
        ("https://data.example.org/other/a.mp4", False),
        ("https://data.example.org/clips-of-others/a.mp4", False),
        ("https://data.example.org/clips/../a.mp4", False),
        ("https://data.example.org/clips/%2e%2e/a.mp4", False),
        ("https://data.example.org:8443/clips/a.mp4", False),
        ("https://data.example.org@evil.example/clips/a.mp4", False),
        ("https://data.example.org.evil.example/clips/a.mp4", False),
        ("https://evil.example/\\@data.example.org/clips/a.mp4", False),
        ("https://data.example.org/clips/a b.mp4", False),
        ("https://evil.example/a.tar::https/b.mp4", False),
        ("zip://a.mp4::https://evil.example/x.zip", False),
        ("s3://bucket-of-others/a.mp4", False),
        ("file:///etc/passwd", False),
        ("file:///data/../etc/passwd", False),
        ("reference://::https://data.example.org/clips/x.json", False),
    ],
)
def test_which_addresses_a_policy_follows(url, allowed):
    assert (Policy(urls=HOSTS).refusal(url) is None) == allowed


@pytest.mark.parametrize("beginning", ["example.org", "s3://", "nosuch:///", "://x", ""])
def test_a_beginning_that_allows_nothing_is_refused(beginning, fitted):
    with pytest.raises(VidfitError, match="is no beginning of addresses"):
        Policy(urls=(beginning,))
    result = call("predict", fitted.model, "a.mp4", "--allow-url", beginning)
    assert result.exit_code == 2 and "is no beginning of addresses" in result.stderr


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.7", "192.168.1.1", "169.254.169.254", "2130706433",
     "0.0.0.0", "100.64.0.1", "0x7f.1"],
)  # fmt: skip
def test_all_public_hosts_are_not_the_private_ones(host):
    assert "private network" in str(Policy(urls=("http://",)).refusal(f"http://{host}/a.mp4"))


def test_all_public_hosts_are_allowed_by_a_scheme(monkeypatch):
    found = [(2, 1, 6, "", ("93.184.215.14", 0))]
    monkeypatch.setattr(policy.socket, "getaddrinfo", lambda *args, **options: found)
    assert Policy(urls=("https://",)).refusal("https://public.example/a.mp4") is None
    assert Policy(urls=("https://",)).refusal("http://public.example/a.mp4") is not None


def test_files_of_lists_stay_below_the_folders_named(fitted, tmp_path):
    inside = write_clip(tmp_path / "in" / "left" / "a.mp4")
    link = tmp_path / "in" / "left" / "link.mp4"
    link.symlink_to(fitted.clips / "left" / "left1.mp4")
    table = listed(tmp_path / "in", fitted.clips, str(inside), "left/link.mp4", "left/../../b.mp4")
    with enforced(Policy(below=(tmp_path / "in",))):
        manifest = read_manifest(table)
    assert [clip.path for clip in manifest.clips] == [str(inside)]
    assert all("lies outside" in failure.reason for failure in manifest.rejected)
    assert len(read_manifest(table).clips) == 15  # anywhere, unless it is asked for
    result = call("fit", table, "--only-below", tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 2


# ---------------------------------------------------------------- how they are shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("https://u:p@host/a.mp4?sig=1: no", "https://host/a.mp4?~b2e57c: no"),
        ("https://host/a.mp4#2.5", "https://host/a.mp4#2.5"),
        ("https://host/a.mp4?sig=1#2.5", "https://host/a.mp4?~b2e57c#2.5"),
        ("https://host/#access_token=1", "https://host/?~"),
        ("(see https://host/x?)", "(see https://host/x?)"),
        ("url='https://k:s@host/a?sig=1')", "url='https://host/a?~b2e57c')"),
        ("zip://a.mp4::s3://KEY:SECRET@b/c.zip", "zip://a.mp4::s3://b/c.zip"),
        ("https://host/a?to=https://u:p@x/", "https://host/a?~"),
        ("mail me@host: a?b=c", "mail me@host: a?b=c"),
    ],
)
def test_addresses_are_shown_without_secrets(text, seen):
    assert public(text).startswith(seen)
    assert public(public(text)) == public(text) and shown(text) == public(text)


def test_two_addresses_stay_two():
    assert public("http://h/v?id=1") != public("http://h/v?id=2")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a.mp4?token=a/b.avi", "https://h/a.mp4"),
        ("https://h/a.mp4#x", "https://h/a.mp4"),
        ("https://h/a.tar::what?.mp4", "https://h/a.tar::what?.mp4"),
        ("http://[::1]/a.mp4?x", "http://[::1]/a.mp4"),
        ("/data/what?.mp4", "/data/what?.mp4"),
    ],
)
def test_the_name_of_an_address(url, name):
    assert name_of(url) == name


def test_shards_name_what_came_from_an_address_without_its_secrets(site):
    from vidfit.contracts import Clip

    clips = [Clip(site.url(f"/good.mp4?token=SECRET{i}", USER), label="a") for i in range(2)]
    units, failures = units_of(clips)
    assert not failures and len({unit.key for unit in units}) == len({u.name for u in units}) == 2
    assert not any("SECRET" in f"{u.key}{u.name}" or "PASSWORD" in u.name for u in units)
    assert {unit.suffix for unit in units} == {".mp4"}
