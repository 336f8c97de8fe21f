"""Twelve kinds of bad files beside good clips: each is used or named, and none does harm."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from tests.clips import write_dataset
from tests.video.cases import CASES, DAMAGED, Recipe, overwritten, truncated, write, x264

from vidfit.backbones.motion import motion
from vidfit.contracts import Clip
from vidfit.features import FeatureStore, clip_digest
from vidfit.jobs.fit.page import report_html
from vidfit.jobs.fit.run import FitOptions, run_fit
from vidfit.jobs.fit.terminal import report_markdown
from vidfit.report.data import report_json
from vidfit.reported import Report


def _absurd_duration(folder: Path) -> Path:
    path = write(folder, Recipe("absurd.mkv", options=x264(12), frames=30))
    data = bytearray(path.read_bytes())
    place = data.index(b"\x44\x89\x88") + 3  # the element Duration: a double, in milliseconds
    data[place : place + 8] = struct.pack(">d", 1e12)
    path.write_bytes(bytes(data))
    return path


def _one_pixel(folder: Path) -> Path:
    recipe = Recipe("one.mkv", codec="ffv1", pixel_format="bgr0", width=1, height=1, frames=5)
    return write(folder, recipe)


def _still_8k(folder: Path) -> Path:
    path = folder / "still.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 7680, 4320, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(7680, 4320, "yuvj420p")))
        container.mux(stream.encode(None))
    return path


def _forbidden(folder: Path) -> Path:
    path = write(folder, Recipe("forbidden.mp4", options=x264(12), frames=5))
    path.chmod(0)
    return path


# What a person is told of a file that cannot be used.
REFUSED = {
    "empty": "empty",
    "text": "is text, not a video",
    "broken_header": "header is damaged",
    "audio_only": "holds no video stream, only audio",
    "no_frames": "no picture can be decoded",
    "noise_inside": "damaged",
    "no_decoder": "there is no decoder",
    "no_decoder_avi": "there is no decoder",
    "decoder_refuses": "no picture can be decoded",
    "zero_size": "no picture can be decoded",
    "unknown_pixels": "no picture can be decoded",
    "broken_link": "No such file|a link to a file that is gone",
    "forbidden": "Permission denied",
}
# What is odd, but can be read.
READ = {
    "truncated": truncated,
    "overwritten": overwritten,
    "one_pixel": _one_pixel,
    "still_8k": _still_8k,
    "negative_times": CASES["h264_negative_times"],
    "absurd_duration": _absurd_duration,
}
KINDS = [*REFUSED, *READ]


def add_bad_files(folder: Path, scratch: Path) -> dict[str, Path]:
    """Put one file of each kind into a class folder."""
    made = {}
    for kind in KINDS:
        work = scratch / kind
        work.mkdir()
        make = READ.get(kind) or (_forbidden if kind == "forbidden" else DAMAGED[kind][0])
        source = make(work)
        made[kind] = folder / f"bad {kind}{source.suffix}"
        shutil.move(source, made[kind])
    return made


@pytest.fixture(scope="module")
def outcome(fitted, tmp_path_factory) -> tuple[Report, dict[str, Path], Path]:
    """Fit the good clips with the bad ones among them."""
    root = tmp_path_factory.mktemp("bad")
    clips = shutil.copytree(fitted.clips, root / "clips")
    (root / "scratch").mkdir()
    bad = add_bad_files(clips / "left", root / "scratch")
    with pytest.MonkeyPatch.context() as patch:
        if os.geteuid() == 0:  # no file is forbidden to root
            _refuse(patch, bad["forbidden"])
        report = run_fit(clips, root / "out", FitOptions(backbones=("motion",)))
    return report, bad, root / "out"


def _refuse(patch: pytest.MonkeyPatch, path: Path) -> None:
    opened = Path.open

    def open_or_refuse(self, *args, **kwargs):
        if self == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return opened(self, *args, **kwargs)

    patch.setattr(Path, "open", open_or_refuse)


def test_there_are_at_least_twelve_kinds(outcome):
    _, bad, _ = outcome
    assert len(bad) >= 12
    assert all(path.exists() or path.is_symlink() for path in bad.values())


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_named_with_a_plain_reason(outcome, kind):
    report, bad, _ = outcome
    (failure,) = [failure for failure in report.failures if failure.name == str(bad[kind])]
    assert len(failure.reason.splitlines()) == 1
    assert re.search(REFUSED[kind], failure.reason), failure.reason


@pytest.mark.parametrize("kind", READ)
def test_what_is_odd_is_used_or_named(outcome, kind):
    report, bad, _ = outcome
    used = {result.clip.path for result in report.clips}
    named = {failure.name for failure in report.failures}
    assert (str(bad[kind]) in used) != (str(bad[kind]) in named)
    assert str(bad[kind]) in used  # all of these kinds can be read today


def test_what_is_used_in_part_is_noted(outcome):
    report, bad, _ = outcome
    notes = {note.name: note.text for note in report.notes}
    assert notes.keys() == {str(bad[kind]) for kind in ("truncated", "overwritten")}
    assert re.fullmatch(
        r"\d+ of 72 frames are damaged; others were taken", notes[str(bad["overwritten"])]
    )
    assert "the file is cut short" in notes[str(bad["truncated"])]
    assert "2 clips used with a note:" in report_markdown(report)
    assert "2 clips are in every figure above" in report_html(report)
    assert len(json.loads(report_json(report))["notes"]) == 2


def test_notes_are_kept_with_the_features(outcome):
    report, bad, output = outcome
    clips = next(iter(bad.values())).parents[1]
    again = run_fit(clips, output, FitOptions(backbones=("motion",)))
    assert again.notes == report.notes


def test_twenty_good_clips_beside_eight_that_no_decoder_takes(tmp_path):
    clips = write_dataset(tmp_path / "clips", recordings=10)
    kinds = ("no_decoder", "no_decoder_avi", "decoder_refuses", "zero_size", "unknown_pixels")
    bad = []
    for i in range(8):
        work = tmp_path / f"{i}"
        work.mkdir()
        source = DAMAGED[kinds[i % len(kinds)]][0](work)
        bad.append(clips / ("left", "right")[i % 2] / f"bad{i}{source.suffix}")
        shutil.move(source, bad[-1])
    command = [sys.executable, "-c", "from vidfit.cli.main import main; main()", "fit", str(clips)]
    command += ["-o", str(tmp_path / "out"), "--backbone", "motion"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "8 clips could not be used:" in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["clip_count"] == 20
    assert sorted(failure["name"] for failure in report["failures"]) == sorted(map(str, bad))


def test_every_file_is_accounted_for(outcome, fitted):
    report, bad, _ = outcome
    assert report.clip_count == 12 + len(READ)
    assert {failure.name for failure in report.failures} == {str(bad[kind]) for kind in REFUSED}
    assert report.score.value > 0.5


def test_good_clips_have_the_same_features_as_without_bad_ones(outcome, fitted):
    _, _, output = outcome
    alone = dict(FeatureStore(fitted.output / "features").rows(motion().spec))
    beside = dict(FeatureStore(output / "features").rows(motion().spec))
    good = [clip_digest(Clip(str(path))) for path in sorted(fitted.clips.rglob("*.mp4"))]
    assert len(good) == 12
    for digest in good:
        np.testing.assert_array_equal(beside[digest].tokens_ND, alone[digest].tokens_ND)
    assert all(np.isfinite(found.tokens_ND).all() for found in beside.values())
