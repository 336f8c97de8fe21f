"""Ids in, never paths: what lies outside of the roots is as what is not there."""

from __future__ import annotations

import os
from urllib.parse import quote

import pytest
from tests.serve.conftest import write_run

from vidfit.serve.roots import Roots, canonical

MISSING = "0" * 16
NAMES = [
    "../../../../etc/passwd", "..", "%2e%2e", "%2e%2e%2fetc%2fpasswd", "..%2f..%2fetc%2fpasswd",
    "/etc/passwd", "%2fetc%2fpasswd", "a%00b", "%00", "#", "%23", "%5c..%5c", "file:///etc/passwd",
    "left%2fleft0.mp4", "left0.mp4", "~", "e9d39ab0c7e989e4%00",
]  # fmt: skip
OF_A_CLIP = ["poster", "strip", "facts", "times", "video", "proxy"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_id_answers_as_what_is_missing(served, name):
    page, plain = served.page, quote(name, safe="%/#")
    answers = {page.get(f"/v1/clips/{plain}/{part}").text for part in OF_A_CLIP} | {
        page.get(f"/v1/libraries/{plain}/clips").text,
        page.get(f"/v1/clips/{plain}").text,
    }
    missing = page.get(f"/v1/clips/{MISSING}/video")
    assert missing.status_code == 404
    if name == "#":  # the rest of the address is not sent
        return
    assert answers == {missing.text}


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e/app.py", "/etc/passwd", "a%00.js", ".x.js"])
def test_the_page_s_own_files_are_all_that_is_static(served, name):
    assert served.page.get(f"/static/{name}").status_code == 404


def test_a_link_out_of_the_roots_is_missing(serve, tmp_path, videos):
    outside = tmp_path / "outside.mp4"
    outside.write_bytes((videos / "left" / "left0.mp4").read_bytes())
    served = serve(copied=True)
    clip = served.ids()["left/left0.mp4"]
    assert served.page.get(f"/v1/clips/{clip}/video").status_code == 200
    (served.clips / "left" / "left0.mp4").unlink()
    (served.clips / "left" / "left0.mp4").symlink_to(outside)  # after the folder was read
    for part in OF_A_CLIP:
        assert served.page.get(f"/v1/clips/{clip}/{part}").status_code == 404


def test_a_report_opens_no_file_outside_of_the_roots(serve, tmp_path, videos):
    """Whoever wrote a report may name any file in it."""
    secret = tmp_path / "secret.mp4"
    secret.write_bytes((videos / "left" / "left0.mp4").read_bytes())
    clip = {
        "path": str(secret), "start_seconds": 0.0, "end_seconds": None, "label": "left",
        "group": None, "split": None, "text": None,
    }  # fmt: skip
    row = {"clip": clip, "predicted": "left", "probability": 1.0, "probability_of_label": 1.0,
           "declined": False}  # fmt: skip
    other = write_run(tmp_path / "mailed", videos, clips=[row], failures=[], near_duplicates=[])
    served = serve(other)
    found = served.page.get("/v1/libraries").json()["libraries"]
    mailed = next(one for one in found if one["name"] == "mailed")
    assert mailed["unreachable_count"] == 1
    (one,) = served.page.get(f"/v1/libraries/{mailed['id']}/clips").json()["id"]
    for part in OF_A_CLIP:
        assert served.page.get(f"/v1/clips/{one}/{part}").status_code == 404


def test_roots_give_files_below_them_only(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").touch()
    (tmp_path / "in-too").mkdir()
    (tmp_path / "in-too" / "b").touch()
    (folder / "out").symlink_to(tmp_path / "in-too" / "b")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe")
    roots = Roots().joined(folder)
    assert roots.file(str(folder / "a")) == folder / "a"
    assert roots.real(str(folder)) == folder
    for name in ("in/out", "in/loop", "in/../in-too/b", "in-too/b", "in/none", "in/a\0", "in/pipe"):
        assert roots.file(f"{tmp_path}/{name}") is None


def test_a_single_file_is_a_root_of_itself(tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    roots = Roots().joined(tmp_path / "a")
    assert roots.file(str(tmp_path / "a")) and roots.file(str(tmp_path / "b")) is None


def test_folders_are_resolved_once(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    seen: dict[str, str] = {}
    assert canonical(str(tmp_path / "link" / "x.mp4"), seen) == str(tmp_path / "real" / "x.mp4")
    assert seen == {str(tmp_path / "link"): str(tmp_path / "real")}
