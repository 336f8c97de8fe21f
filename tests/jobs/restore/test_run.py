"""From clips to a restorer that is measured on recordings it has not seen."""

from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytest
from tests.moving import frames, videos

from vidfit.errors import NotEnoughDataError, StoreError, VidfitError
from vidfit.jobs.restore.options import RestoreOptions
from vidfit.jobs.restore.run import run_restore
from vidfit.jobs.restore.terminal import lines
from vidfit.jobs.restore.value import BICUBIC, CHOSEN, LANCZOS, LEARNED
from vidfit.pixels.restore.learned import RestoreRecipe
from vidfit.pixels.restore.pretrained import PretrainedRestorer
from vidfit.pixels.restore.restorer import load_restorer
from vidfit.video import write_video


def options(**change):
    return RestoreOptions(**{"scale": 2, "steps": 25, "width": 8, "blocks": 1, **change})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("restore")
    videos(folder / "clips", ("a", "b", "c"))
    return folder, run_restore(folder / "clips", folder / "run", options())


def test_each_way_is_measured_on_each_recording(run):
    folder, report = run
    assert [row.name for row in report.rows] == [BICUBIC, LANCZOS, *LEARNED, CHOSEN]
    assert report.recordings == report.clips == 3 and report.networks == 3 + (
        not report.keeps_filter
    )
    assert set(report.by_recording) == {"a.mp4", "b.mp4", "c.mp4"}
    assert report.row(BICUBIC).gain_decibels.value == 0.0
    assert 0 < report.row(CHOSEN).figures["ssim_luma"].value < 1
    assert not (folder / "run" / "checkpoints").exists()
    told = "\n".join(lines(report))
    assert "antialiased bicubic to 1/2" in told and "warping error" in told


def test_the_model_is_what_is_chosen(run):
    folder, report = run
    restorer = load_restorer(folder / "run" / "model")
    assert (restorer.network is None) == report.keeps_filter
    assert restorer.card["report"]["chosen"] == report.chosen
    written = json.loads((folder / "run" / "report.json").read_text())
    assert written["chosen"] == report.chosen and len(written["rows"]) == 6


def test_the_page_shows_before_and_after_and_asks_nothing_of_others(run):
    folder, _ = run
    page = (folder / "run" / "report.html").read_text()
    assert page.count('type="range"') == 3 and page.count("data:image/jpeg") == 9
    assert "http://" not in page and "https://" not in page


def test_with_one_recording_it_says_so(tmp_path):
    video = videos(tmp_path / "clips", ("only",), count=24)[0]
    report = run_restore(video.parent, tmp_path / "run", options())
    assert report.one_recording and np.isnan(report.gain.low) and not report.beats_filter
    assert "nothing is known of other recordings" in report.why


def test_what_cannot_be_used_is_named(tmp_path):
    clips = tmp_path / "clips"
    videos(clips, ("a", "b"))
    write_video(clips / "black.mp4", [np.zeros((64, 96, 3), np.uint8)] * 9, 12.5)
    write_video(clips / "short.mp4", frames(count=1, seed=5), 12.5)
    write_video(clips / "tiny.mp4", frames(height=16, width=16, seed=6), 12.5)
    (clips / "broken.mp4").write_bytes(b"no video")
    report = run_restore(clips, tmp_path / "run", options(steps=2))
    said = {f.name.rpartition("/")[2]: f.reason for f in report.failures}
    assert set(said) == {"black.mp4", "tiny.mp4", "broken.mp4"}
    assert "one colour" in said["black.mp4"] and "32 or more" in said["tiny.mp4"]
    assert report.clips == 3  # one frame is enough to learn from


def test_black_clips_alone_are_refused(tmp_path):
    (tmp_path / "clips").mkdir()
    write_video(tmp_path / "clips" / "black.mp4", [np.zeros((64, 96, 3), np.uint8)] * 9, 12.5)
    with pytest.raises(NotEnoughDataError, match="all of it is of one colour"):
        run_restore(tmp_path / "clips", tmp_path / "run", options())


def test_odd_sizes_are_learned_from(tmp_path):
    videos(tmp_path / "clips", ("a", "b"), height=65, width=97)
    report = run_restore(tmp_path / "clips", tmp_path / "run", options(scale=4, steps=2))
    assert report.clips == 2 and not report.failures


def test_without_a_proven_gain_the_better_filter_is_kept(tmp_path):
    videos(tmp_path / "clips", ("a", "b", "c"))
    spoilt = options(steps=3, recipe=RestoreRecipe(rate=0.5))
    report = run_restore(tmp_path / "clips", tmp_path / "run", spoilt)
    assert report.chosen == report.filter in (BICUBIC, LANCZOS) and report.networks == 3
    assert f"No gain over {report.filter}, the better filter, is proven" in report.why
    kept = load_restorer(tmp_path / "run" / "model")
    assert kept.network is None and kept.by == report.filter
    assert "not kept" in "\n".join(lines(report))


def test_an_interrupted_run_goes_on_to_the_bit(tmp_path, monkeypatch):
    from vidfit.jobs.restore import trainer

    videos(tmp_path / "clips", ("a", "b"))
    whole = run_restore(tmp_path / "clips", tmp_path / "whole", options(steps=4))
    asked = []

    def stopping(*args, stop, **facts):
        asked.append(facts["stage"])
        late = len(asked) == 2
        return learned(*args, stop=(lambda: True) if late else stop, **facts)

    learned = trainer.restore_network
    monkeypatch.setattr(trainer, "restore_network", stopping)
    with pytest.raises(KeyboardInterrupt):
        run_restore(tmp_path / "clips", tmp_path / "cut", options(steps=4))
    assert not (tmp_path / "cut" / "model").exists()
    monkeypatch.undo()
    again = run_restore(tmp_path / "clips", tmp_path / "cut", options(steps=4))
    assert again.by_recording == whole.by_recording


def test_a_full_disk_is_named_and_leaves_no_model(tmp_path, monkeypatch):
    videos(tmp_path / "clips", ("a", "b"))

    def fill(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises((StoreError, VidfitError), match=r"[Nn]o space left"):
        run_restore(tmp_path / "clips", tmp_path / "run", options(steps=1))
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_pretrained_network_is_measured_beside_and_works_where_it_is_chosen(
    tmp_path, monkeypatch
):
    from vidfit.jobs.restore import run as job
    from vidfit.pixels.restore import restorer
    from vidfit.pixels.restore.enlarge import bicubic

    def larger(pictures):
        return bicubic(pictures[:, :1], *(2 * side for side in pictures.shape[2:])).expand(
            -1, 3, -1, -1
        )

    one = PretrainedRestorer("sharp", 2, larger, "0", "BSD-3-Clause", for_looks=True)
    for module in (job, restorer):
        monkeypatch.setattr(module, "load_pretrained", lambda name: one)
    videos(tmp_path / "clips", ("a", "b"))
    asked = options(steps=3, pretrained=("sharp",))
    report = run_restore(tmp_path / "clips", tmp_path / "run", asked)
    assert [row.name for row in report.rows] == [BICUBIC, LANCZOS, *LEARNED, "sharp", CHOSEN]
    assert report.row("sharp").gain_decibels.value == pytest.approx(0, abs=0.2)
    (note,) = report.notes
    assert "sharp is pretrained" in note and "BSD-3-Clause" in note and "for looks" in note
    monkeypatch.setattr(job, "_kept", lambda sheet: "sharp")
    report = run_restore(tmp_path / "clips", tmp_path / "won", asked)
    assert report.chosen == "sharp" and report.networks == 2
    assert load_restorer(tmp_path / "won" / "model").network is one
    with pytest.raises(VidfitError, match="sharp makes frames 2 times larger; give --scale 2"):
        run_restore(tmp_path / "clips", tmp_path / "other", options(scale=4, pretrained=("sharp",)))


def test_scales_that_are_not_known_are_refused(tmp_path):
    with pytest.raises(VidfitError, match="valid are 2 and 4"):
        run_restore(tmp_path, tmp_path / "run", options(scale=3))


def test_an_example_chooses_how_small_frames_are_made(tmp_path):
    videos(tmp_path / "clips", ("a", "b"))
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(f + rng.normal(0, 12, f.shape), 0, 255).astype(np.uint8)
        for f in frames(count=5, seed=9)
    ]
    write_video(tmp_path / "old.mkv", noisy, 12.5, codec="ffv1", pixel_format="bgr0")
    like = options(like=tmp_path / "old.mkv", steps=1)
    report = run_restore(tmp_path / "clips", tmp_path / "run", like)
    assert "noise of 8 levels" in report.degradation
    assert report.degradation_why.startswith("old.mkv has fineness")
