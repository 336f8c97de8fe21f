"""Windows of labelled spans, what a list may say wrongly; fit and predict on long videos."""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.clips import FPS, HEIGHT, WIDTH, write_backbone

from vidfit.contracts import Clip
from vidfit.errors import ManifestError, VidfitError
from vidfit.features import FeatureStore
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.fuse.options import FuseOptions
from vidfit.jobs.fuse.run import run_fuse
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.launch import Here
from vidfit.model import load_model
from vidfit.progress import SILENT
from vidfit.study.table import build_table
from vidfit.tasks import task_named
from vidfit.tasks.localise.learner import ChainedProbe
from vidfit.tasks.localise.moments import MOMENTS, NOTHING, parsed
from vidfit.tasks.localise.reading import BLOCKS, read_windows, windows
from vidfit.video import write_video

COLOURS = {"run": (180, 70, 70), "sit": (70, 180, 70), NOTHING: (110, 110, 110)}
HEAD = ("path", "label", "start", "end", "group")


def long_video(path, labels, seconds=4, seed=0):
    """Write a video in which each label has its colour for some seconds, with much noise."""
    rng = np.random.default_rng(seed)
    colours = np.repeat([COLOURS[label] for label in labels], seconds * FPS, axis=0)
    hue = rng.normal(0, 45, (len(colours) // 5 + 1, 3)).repeat(5, axis=0)[: len(colours)]
    frames = (colours + hue)[:, None, None] + rng.normal(0, 15, (len(colours), HEIGHT, WIDTH, 1))
    write_video(
        path, np.clip(frames, 0, 255).astype(np.uint8), FPS, options={"preset": "ultrafast"}
    )


def table(folder, rows, name="spans.csv"):
    with (folder / name).open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return folder / name


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Six videos of three recordings, and the list of their spans."""
    folder, rows = tmp_path_factory.mktemp("spans"), []
    rng = np.random.default_rng(1)
    for i in range(6):
        labels = [NOTHING, *rng.permutation(["run", "sit", NOTHING, "run", "sit"])]
        long_video(folder / f"v{i}.mp4", labels, seed=i)
        rows += [
            (f"v{i}.mp4", label, 4 * at, 4 * at + 4, f"r{i % 3}")
            for at, label in enumerate(labels)
            if label != NOTHING
        ]
    return folder, rows


def test_windows_cover_the_videos_and_have_the_span_of_their_middle(videos):
    folder, rows = videos
    found = read_windows(table(folder, rows))
    assert found.kind is MOMENTS and found.classes == (NOTHING, "run", "sit")
    one = [clip for clip in found.clips if clip.path.endswith("v0.mp4")]
    assert one[0].start_seconds == 0 and one[-1].end_seconds == pytest.approx(24, abs=0.2)
    assert all(a.end_seconds == b.start_seconds for a, b in pairwise(one))
    for clip in one:
        middle = (clip.start_seconds + clip.end_seconds) / 2
        spans = [(label, a, b) for path, label, a, b, _ in rows if path == "v0.mp4"]
        there = [span for span in spans if span[1] <= middle < span[2]]
        assert (parsed(clip.label) if there else clip.label) == (there[0] if there else NOTHING)


def test_time_between_is_not_background_where_the_list_names_the_background(videos):
    folder, rows = videos
    named = [*rows, ("v0.mp4", NOTHING, 0, 2, "r0")]
    found = read_windows(table(folder, named, "named.csv"))
    of = [clip.label for clip in found.clips if clip.path.endswith("v0.mp4")]
    assert 0 < of.count(NOTHING) < len(of) / 4


def test_time_of_a_row_without_a_label_is_not_labelled(videos):
    folder, rows = videos
    bare = [*rows, ("v0.mp4", "", 0, 24, "r0"), ("v9.mp4", "", 0, 9, "r0")]
    found = read_windows(table(folder, bare, "bare.csv"))
    of = [clip.label for clip in found.clips if clip.path.endswith("v0.mp4")]
    assert of and NOTHING not in of  # what a span covers stays labelled
    assert any(c.label == NOTHING for c in found.clips if c.path.endswith("v1.mp4"))


@pytest.mark.parametrize(
    ("row", "first", "last"),
    [
        (("v0.mp4", "run", 18, "", "r0"), 18, 24),  # it has no end
        (("v0.mp4", "run", "soon", 3, "r0"), 0, 24),  # it has no start
        (("v0.mp4", "sit", 0.2, 0.21, "r0"), 0.2, 0.21),  # too short for a window
        (("v0.mp4", "", 2, "", "r0"), 2, 24),
        (("v0.mp4", "", "", "", "r0"), 0, 24),
    ],
)
def test_time_of_rows_that_cannot_be_used_is_no_background(videos, row, first, last):
    folder, rows = videos
    whole = read_windows(table(folder, rows, "rows.csv"))
    found = read_windows(table(folder, [*rows, row], "lost.csv"))
    of, all_of = (
        {(c.start_seconds, c.end_seconds): c.label for c in m.clips if c.path.endswith("v0.mp4")}
        for m in (found, whole)
    )
    gone = all_of.keys() - of.keys()
    touched = {time for time in all_of if time[0] < last and first < time[1]}
    assert gone == {time for time in touched if all_of[time] == NOTHING} != set()
    assert not row[1] or any("they are no background" in said for said in found.warnings)


def test_windows_around_a_moment_are_not_background():
    edges, walk = np.arange(0.0, 11.0), Clip("a.mp4", 2.0, 4.0, "walk")
    found = windows("a.mp4", edges, [walk], [], NOTHING, [Clip("a.mp4", 6.0, 6.0)])
    assert [c.start_seconds for c in found] == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    found = windows("a.mp4", edges, [walk], [], NOTHING, [Clip("a.mp4", 3.5, 5.5)])
    assert [c.start_seconds for c in found if c.label == NOTHING] == [0, 1, 6, 7, 8, 9]


def test_what_boris_rejects_is_not_learned_as_background(videos):
    folder, _ = videos
    head = "Observation id,Media file name,Subject,Behavior,Behavior type,Time"
    events = [("run", "START", 4), ("run", "STOP", 8), ("sniff", "POINT", 10),
              ("sit", "STOP", 2), ("sit", "START", 20)]  # fmt: skip
    lines = [f"o,v0.mp4,cow,{label},{state},{time}" for label, state, time in events]
    (folder / "boris.csv").write_text("\n".join([head, *lines]))
    clips = read_windows(folder / "boris.csv").clips
    nothing = [(c.start_seconds, c.end_seconds) for c in clips if c.label == NOTHING]
    assert nothing and min(a for a, _ in nothing) >= 2 and max(b for _, b in nothing) <= 20
    assert not any(a <= 10 < b for a, b in nothing)


def test_spans_beyond_the_end_and_overlapping_ones_are_said(videos):
    folder, rows = videos
    begins = next(row[2] for row in rows if row[0] == "v2.mp4")
    more = [("v0.mp4", "run", 900, 905, "r0"), ("v1.mp4", "sit", 0, 23.9, "r1"),
            ("v2.mp4", "sit", begins - 2, begins + 1, "r2"), ("v3.mp4", "sit", 0.5, 0.51, "r0"),
            ("gone.mp4", "run", 0, 1, "r0")]  # fmt: skip
    found = read_windows(table(folder, [*rows, *more], "odd.csv"))
    assert any("beyond the end" in failure.reason for failure in found.rejected)
    assert any("overlap the one before them" in warning for warning in found.warnings)
    reasons = " ".join(failure.reason for failure in found.rejected)
    assert "the span before it covers it" in reasons and "has its middle in it" in reasons
    assert any("gone.mp4" in failure.name for failure in found.rejected)
    with pytest.raises(ManifestError, match=r"no span of .* beyond the end of the video"):
        read_windows(table(folder, [("v0.mp4", "run", 900, 905, "r0")], "beyond.csv"))


def test_one_recording_is_cut_into_blocks_with_a_warning(videos):
    folder, rows = videos
    found = read_windows(table(folder, [r for r in rows if r[0] == "v0.mp4"], "one.csv"))
    assert 2 < len({clip.group for clip in found.clips}) <= BLOCKS
    assert any("says nothing of others" in warning for warning in found.warnings)


def test_a_list_without_spans_is_refused(videos):
    folder, _ = videos
    (folder / "whole.csv").write_text("path,label\nv0.mp4,run\nv1.mp4,sit\n")
    with pytest.raises(ManifestError, match="has no labelled spans; valid is a table"):
        read_windows(folder / "whole.csv")


@pytest.mark.parametrize("text", ["run", "run 3 2", "run a b", " 1 2", "run -1 2"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ValueError, match="is no span"):
        MOMENTS.checked(text)


@pytest.fixture(scope="module")
def fitted(videos, tmp_path_factory):
    """What `fit` says of the videos, and where its model is."""
    folder, rows = videos
    output = tmp_path_factory.mktemp("fitted")
    options = FitOptions((write_backbone(output),), task="localise")
    return run_fit(table(folder, rows), output / "out", options), output / "out"


def test_fit_finds_spans_and_predict_answers_with_the_same_smoothing(videos, fitted):
    folder, rows = videos
    report, output = fitted
    assert (report.metric, report.task) == ("f1@50", "localisation in time")
    assert report.score.value > 0.7 > report.majority.value
    by_name = {figure.metric: figure.score.value for figure in report.figures}
    assert by_name["time-right"] > 0.8 and by_name["edit"] > 0.6
    model = load_model(output / "model")
    assert model.head == "chained" and model.arrays["chain_2"][0] > 0  # it smooths
    timeline = run_predict(load(output / "model"), str(folder / "v0.mp4"))
    said = [
        (s.label, round(s.start_seconds / 4), round(s.end_seconds / 4)) for s in timeline.segments
    ]
    assert len(said) <= 8
    wanted = {(label, a // 4, b // 4) for path, label, a, b, _ in rows if path == "v0.mp4"}
    assert len(wanted & set(said)) >= len(wanted) - 1


def test_predict_answers_windows_as_the_head_did_when_it_was_fitted(videos, fitted):
    folder, _ = videos
    _, output = fitted
    predictor = load(output / "model")
    clips = [c for c in read_windows(folder / "spans.csv").clips if c.label is not None]
    task = task_named("localise")
    store = FeatureStore(output / "features")
    seen, _ = build_table(clips, predictor.backbones, store, Here(1), SILENT, task=task)
    (x_MD,), truth = seen.vectors.values(), seen.labels_M
    head, _ = ChainedProbe().fit(x_MD, truth, np.unique(seen.groups, return_inverse=True)[1])
    answers_MK = head.in_time(head.clues([x_MD]), *task.kind.order(truth))
    model = replace(predictor.model, temperature=1.0)
    timeline = run_predict(
        replace(predictor, head=head, model=model), str(folder / "v4.mp4"), workers=2
    )
    own = [i for i, clip in enumerate(seen.clips) if clip.path == str(folder / "v4.mp4")]
    assert len(own) == len(timeline.windows) > 12
    found_MK = [window.scores for window in timeline.windows]
    np.testing.assert_allclose(found_MK, np.exp(answers_MK[own]), atol=1e-4)


def test_fuse_averages_encoders_before_one_chain(videos, fitted, tmp_path):
    folder, rows = videos
    options = FuseOptions((write_backbone(tmp_path), "motion"), task="localise")
    found = run_fuse(table(folder, rows), tmp_path / "out", options)
    assert [one.name for one in found.options if len(one.members) > 1] == ["average-2"]
    timeline = run_predict(load(tmp_path / "out" / "model"), str(folder / "v0.mp4"))
    assert {segment.label for segment in timeline.segments} <= {"run", "sit", NOTHING}
    with pytest.raises(VidfitError, match="--method stack does not combine answers of the task"):
        run_fuse(folder / "spans.csv", tmp_path, replace(options, methods=("stack",)))


def test_a_model_that_smooths_takes_no_other_smoothing(fitted):
    with pytest.raises(VidfitError, match="smooths as was chosen when it was fitted"):
        load(fitted[1] / "model").smoothing(2)


def test_what_localise_cannot_do_is_refused(videos, tmp_path):
    folder, rows = videos
    with pytest.raises(VidfitError, match="--metric accuracy does not fit"):
        run_fit(table(folder, rows), tmp_path, FitOptions(task="localise", metric="accuracy"))


def test_windows_of_a_still_camera_are_no_copies_and_two_recordings_do(tmp_path):
    labels = [NOTHING, "run", NOTHING, "sit", NOTHING]
    rows = []
    for i in range(2):
        long_video(tmp_path / f"v{i}.mp4", labels, seed=0)  # the same to the look
        rows += [(f"v{i}.mp4", "run", 4, 8, f"r{i}"), (f"v{i}.mp4", "sit", 12, 16, f"r{i}")]
    long_video(tmp_path / "v1.mp4", labels, seed=1)
    report = run_fit(
        table(tmp_path, rows), tmp_path / "out",
        FitOptions((write_backbone(tmp_path),), task="localise"),
    )  # fmt: skip
    assert report.group_count == 2 and not report.near_duplicates
