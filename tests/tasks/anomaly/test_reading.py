"""Windows of normal and test recordings, what a data set may say wrongly; fit and predict."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest
from scipy.io import savemat
from tests.clips import FPS, HEIGHT, WIDTH, write_backbone

from vidfit import backbones
from vidfit.errors import ManifestError, VidfitError
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.page import report_html
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.fuse.options import FuseOptions
from vidfit.jobs.fuse.run import run_fuse
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.jobs.predict.timeline import timeline_csv
from vidfit.jobs.select.run import run_select
from vidfit.model import load_model
from vidfit.study.model_card import model_card_markdown
from vidfit.study.options import SelectOptions
from vidfit.tasks.anomaly import TASK
from vidfit.tasks.anomaly.kind import NORMAL_LABEL, USUAL
from vidfit.tasks.anomaly.reading import read_recordings_of
from vidfit.tasks.localise.moments import parsed
from vidfit.video import write_video

SECONDS = 8
EVENT = (3.0, 5.5)
HEAD = ("path", "label", "start", "end")


def video(path, event=None, seed=0, seconds=SECONDS):
    """Write grey that flickers; in an event it is red."""
    rng = np.random.default_rng(seed)
    count = int(seconds * FPS)
    frames = np.full((count, HEIGHT, WIDTH, 3), 110.0) + rng.normal(0, 6, (count, 1, 1, 3))
    if event:
        frames[int(event[0] * FPS) : int(event[1] * FPS)] += (90, -60, -60)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames += rng.normal(0, 10, (*frames.shape[:3], 1))
    write_video(path, np.clip(frames, 0, 255).astype(np.uint8), FPS)
    return path


def table(folder, rows, name="spans.csv"):
    with (folder / name).open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return folder / name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six normal videos, two test videos with an event, one without, and a table of events."""
    root = tmp_path_factory.mktemp("scene")
    for i in range(6):
        video(root / "normal" / f"n{i}.mp4", seed=i)
    for i in range(2):
        video(root / "test" / f"t{i}.mp4", EVENT, seed=10 + i)
    video(root / "test" / "t2.mp4", seed=20)
    table(root, [*((f"test/t{i}.mp4", "red", *EVENT) for i in range(2)),
                 ("test/t2.mp4", USUAL, "", "")])  # fmt: skip
    return root


def labels(manifest, name):
    return [clip.label for clip in manifest.clips if clip.path.endswith(name)]


def events(manifest, name):
    return {label for label in labels(manifest, name) if label not in (USUAL, NORMAL_LABEL)}


def test_windows_of_normal_videos_are_normal_and_events_have_their_time(folder):
    found = read_recordings_of(folder)
    assert set(labels(found, "n3.mp4")) == {NORMAL_LABEL} and set(labels(found, "t2.mp4")) == {
        USUAL
    }
    (event,) = events(found, "t0.mp4")
    assert parsed(event)[1:] == pytest.approx(EVENT)
    for clip in found.clips:
        if clip.path.endswith("t0.mp4"):
            middle = (clip.start_seconds + clip.end_seconds) / 2
            assert (clip.label == event) == (EVENT[0] <= middle < EVENT[1])
    assert not found.rejected and not found.warnings


def test_a_table_alone_says_the_same(folder, tmp_path):
    rows = [
        *((folder / "normal" / f"n{i}.mp4", NORMAL_LABEL, "", "") for i in range(6)),
        *((folder / "test" / f"t{i}.mp4", "red", *EVENT) for i in range(2)),
    ]
    found = read_recordings_of(table(tmp_path, rows))
    assert events(found, "t1.mp4") == events(read_recordings_of(folder), "t1.mp4")
    assert sum(clip.label == NORMAL_LABEL for clip in found.clips) == 6 * 2 * SECONDS


def test_no_normal_recording_is_refused(folder, tmp_path):
    rows = [(folder / "test" / f"t{i}.mp4", "red", *EVENT) for i in range(2)]
    with pytest.raises(ManifestError, match="no recording that is normal throughout"):
        read_recordings_of(table(tmp_path, rows))
    (tmp_path / "empty" / "videos").mkdir(parents=True)
    with pytest.raises(ManifestError, match="no folder of normal videos"):
        read_recordings_of(tmp_path / "empty")
    (tmp_path / "empty" / "normal").mkdir()
    with pytest.raises(ManifestError, match="normal holds no video"):
        read_recordings_of(tmp_path / "empty")


def test_a_test_video_among_normal_ones_is_not_learned(folder, tmp_path):
    for i in range(4):
        video(tmp_path / "train" / f"n{i}.mp4", seed=i)
    video(tmp_path / "train" / "odd.mp4", EVENT)
    table(tmp_path, [("train/odd.mp4", "red", *EVENT)])
    found = read_recordings_of(tmp_path)
    assert NORMAL_LABEL not in labels(found, "odd.mp4") and events(found, "odd.mp4")
    assert any("lies among normal videos, and has events" in w for w in found.warnings)
    (tmp_path / "train" / "test").mkdir()
    (tmp_path / "train" / "odd.mp4").rename(tmp_path / "train" / "test" / "odd.mp4")
    found = read_recordings_of(tmp_path)
    assert not any(clip.path.endswith("odd.mp4") for clip in found.clips)
    assert any("lies inside a folder of recordings" in w for w in found.warnings)


def test_a_relative_folder_is_read_as_an_absolute_one(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    here, there = read_recordings_of(folder.name), read_recordings_of(folder)
    assert (here.clips, here.rejected) == (there.clips, there.rejected)


def test_events_beyond_the_end_overlapping_or_without_an_end_are_said(folder, tmp_path):
    rows = [
        *((folder / "normal" / f"n{i}.mp4", NORMAL_LABEL, "", "") for i in range(6)),
        (folder / "normal" / "n0.mp4", NORMAL_LABEL, 1, 2),
        (folder / "test" / "t0.mp4", "red", 3, 4.5),
        (folder / "test" / "t0.mp4", "odd", 4, 5.5),
        (folder / "test" / "t0.mp4", "red", 90, 95),
        (folder / "test" / "t1.mp4", "red", 6, 20),
        (folder / "test" / "t2.mp4", "red", 6, ""),
        (folder / "gone.mp4", "red", 1, 2),
    ]
    found = read_recordings_of(table(tmp_path, rows))
    (event,) = events(found, "t0.mp4")
    assert parsed(event)[1:] == pytest.approx(EVENT)  # two that overlap are one
    said, refused = " ".join(found.warnings), " ".join(f.reason for f in found.rejected)
    assert (
        "Events that overlap the one before them, and are one with it: 1" in said
        and "ends at 20 s" in said
    )
    assert "beyond the end" in refused and "it has no end" in refused
    assert "is said of a whole recording" in refused
    assert any("gone.mp4" in failure.name for failure in found.rejected)


def test_time_of_rows_that_cannot_be_used_is_not_usual(folder, tmp_path):
    rows = [
        *((folder / "normal" / f"n{i}.mp4", NORMAL_LABEL, "", "") for i in range(6)),
        (folder / "test" / "t0.mp4", "red", 3, 4.5),
        (folder / "test" / "t0.mp4", "", 1, 2),
        (folder / "test" / "t0.mp4", "red", 6, ""),
        (folder / "test" / "t1.mp4", USUAL, "", ""),
        (folder / "test" / "t1.mp4", "red", "soon", 3),
    ]
    found = read_recordings_of(table(tmp_path, rows))
    usual = [c for c in found.clips if c.path.endswith("t0.mp4") and c.label == USUAL]
    assert usual and all(c.end_seconds <= 1 or 2 <= c.start_seconds < 6 for c in usual)
    assert not any(c.path.endswith("t1.mp4") for c in found.clips)
    assert any("of 2 videos" in said and "no background" in said for said in found.warnings)


def test_few_normal_recordings_are_cut_into_blocks(tmp_path):
    video(tmp_path / "long.mp4", seconds=40)
    found = read_recordings_of(table(tmp_path, [("long.mp4", NORMAL_LABEL, "", "")]))
    assert len({clip.group for clip in found.clips}) == 10
    assert any("cut into blocks of time" in warning for warning in found.warnings)
    assert any("nothing can be ranked" in warning for warning in found.warnings)


def frame_folder(path, count=20):
    path.mkdir(parents=True)
    for i in range(count):
        cv2.imwrite(str(path / f"{i + 1:03d}.png"), np.full((HEIGHT, WIDTH), 90 + i, np.uint8))
    return path


FLAGS = np.zeros(20, bool)
FLAGS[5:12] = True


def ucsd_masks(root):
    gt = root / "Test" / "Test001_gt"
    gt.mkdir()
    for i, unusual in enumerate(FLAGS):
        cv2.imwrite(str(gt / f"{i + 1:03d}.bmp"), np.full((HEIGHT, WIDTH), 255 * unusual, np.uint8))


def ucsd_list(root):
    (root / "Test" / "UCSDped2.m").write_text(
        "TestVideoFile = {};\nTestVideoFile{end+1}.gt_frame = [6:12];\n"
    )


def frames_csv(root):
    with (root / "frames.csv").open("w", newline="") as file:
        rows = [("Test001", i, int(f)) for i, f in enumerate(FLAGS)]
        csv.writer(file).writerows([("clip", "frame", "anomalous"), *rows])


def shanghaitech(root):
    (root / "Test" / "test_frame_mask").mkdir()
    np.save(root / "Test" / "test_frame_mask" / "Test001.npy", FLAGS.astype(np.int8))


@pytest.mark.parametrize("says", [ucsd_masks, ucsd_list, frames_csv, shanghaitech])
def test_frames_that_data_sets_mark_are_events(tmp_path, says):
    for i in range(4):
        frame_folder(tmp_path / "Train" / f"Train{i:03d}")
    frame_folder(tmp_path / "Test" / "Test001")
    says(tmp_path)
    found = read_recordings_of(tmp_path)
    (event,) = events(found, "Test001")
    assert parsed(event)[1:] == pytest.approx((5 / 25, 12 / 25))


def avenue(root, cells):
    for i in range(4):
        video(root / "training_videos" / f"{i:02d}.mp4", seed=i)
    video(root / "testing_videos" / "01.mp4", EVENT)
    folder = root / "ground_truth_demo" / "testing_label_mask"
    folder.mkdir(parents=True)
    volume = np.empty((1, len(cells)), object)
    for i, cell in enumerate(cells):
        volume[0, i] = cell
    savemat(folder / "1_label.mat", {"volLabel": volume})


def test_volumes_of_avenue_are_events(tmp_path):
    count = int(SECONDS * FPS)
    unusual = (np.arange(count) >= 40) & (np.arange(count) < 60)
    avenue(tmp_path, [np.full((4, 6), u, np.uint8) for u in unusual] + [np.zeros((4, 6))])
    found = read_recordings_of(tmp_path)
    (event,) = events(found, "01.mp4")
    assert parsed(event)[1:] == pytest.approx((40 / FPS, 60 / FPS))
    assert any("frames are marked" in warning for warning in found.warnings)  # one too many


def test_what_holds_no_numbers_is_refused(tmp_path):
    avenue(tmp_path / "a", ["words", "more"])
    with pytest.raises(ManifestError, match="no volLabel of masks"):
        read_recordings_of(tmp_path / "a")
    for i in range(4):
        frame_folder(tmp_path / "b" / "Train" / f"Train{i:03d}")
    frame_folder(tmp_path / "b" / "Test" / "Test001")
    shanghaitech(tmp_path / "b")
    objects = np.array([{"a": 1}], object)
    np.save(tmp_path / "b" / "Test" / "test_frame_mask" / "Test001.npy", objects)
    with pytest.raises(ManifestError, match="Object arrays cannot be loaded"):
        read_recordings_of(tmp_path / "b")
    (tmp_path / "b" / "Test" / "test_frame_mask" / "Test001.npy").unlink()
    (tmp_path / "b" / "Test" / "x.m").write_text("a.gt_frame = [9:2];")
    with pytest.raises(ManifestError, match="valid is FIRST:LAST"):
        read_recordings_of(tmp_path / "b")
    (tmp_path / "b" / "Test" / "x.m").write_text("a.gt_frame = [1:2];\nb.gt_frame = [1:2];")
    with pytest.raises(ManifestError, match="of 2 videos, and there are 1"):
        read_recordings_of(tmp_path / "b")


def test_a_test_video_of_which_nothing_is_said_is_listed(folder, tmp_path):
    for i in range(4):
        frame_folder(tmp_path / "Train" / f"Train{i:03d}")
    frame_folder(tmp_path / "Test" / "Test001")
    found = read_recordings_of(tmp_path)
    assert "nothing says which of its time is unusual" in found.rejected[0].reason


def test_fit_ranks_events_and_predict_raises_the_alarm(folder, tmp_path):
    backbone = write_backbone(tmp_path)
    report = run_fit(folder, tmp_path / "out", FitOptions((backbone,), task="anomaly"))
    assert (report.metric, report.task) == ("micro-auc", "what is unusual")
    by_name = {figure.metric: figure.score.value for figure in report.figures}
    assert by_name["micro-auc"] > 0.95 and by_name["events-found"] == 1
    assert by_name["delay"] < 1.0
    assert "false alarms an hour" in report_html(report)
    model = load_model(tmp_path / "out" / "model")
    assert model.head == "rarity" and np.isinf(model.unknown_novelty)
    assert "It always answers." in model_card_markdown(model)
    timeline = run_predict(load(tmp_path / "out" / "model"), str(folder / "test" / "t0.mp4"))
    alarms = [s for s in timeline.segments if s.label == "unusual"]
    assert any(s.start_seconds <= EVENT[0] + 0.5 and s.end_seconds >= EVENT[1] - 0.5
               for s in alarms)  # fmt: skip
    assert all(s.value is not None and not s.declined for s in timeline.windows)
    assert timeline_csv(timeline).splitlines()[0].endswith(",value")


def test_select_ranks_and_fuse_refuses(folder, tmp_path):
    backbone = write_backbone(tmp_path)
    ranking = run_select(folder, tmp_path / "ranked", SelectOptions((backbone,), task="anomaly"))
    assert ranking.metric == "micro-auc" and ranking.naive.value > 0.95
    with pytest.raises(VidfitError, match="cannot be combined"):
        run_fuse(folder, tmp_path / "fused", FuseOptions((backbone,), task="anomaly"))


def test_its_own_encoders_are_known_by_name():
    assert all(backbones.load(name).spec.name == name for name in TASK.backbones)


def test_without_a_labelled_event_a_model_is_made_and_said_to_be_unranked(folder, tmp_path):
    rows = [(folder / "normal" / f"n{i}.mp4", NORMAL_LABEL, "", "") for i in range(6)]
    report = run_fit(
        table(tmp_path, rows), tmp_path / "out",
        FitOptions((write_backbone(tmp_path),), task="anomaly"),
    )  # fmt: skip
    assert report.metric == "alarms-an-hour" and len(report.figures) == 1
    assert np.isfinite(report.score.high)
    assert ">nan" not in report_html(report)
    assert any("nothing can be ranked" in warning for warning in report.warnings)
    assert load_model(tmp_path / "out" / "model").task == "anomaly"
