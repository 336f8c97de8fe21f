"""Spans that a model is least sure of: proposed, corrected, read back."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from tests.tasks.localise.test_reading import long_video, table, write_backbone

from vidfit.answers import Segment, Timeline
from vidfit.contracts import Clip
from vidfit.errors import ManifestError, NotEnoughDataError, VidfitError
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.label.options import LabelOptions
from vidfit.jobs.label.run import run_label
from vidfit.jobs.label.spans import propose_spans, unchanged, write_spans
from vidfit.manifest.lists import read_list
from vidfit.tasks.localise.moments import NOTHING
from vidfit.tasks.localise.reading import read_windows


def timeline(path, *segments):
    """Return answers of ``run`` against background, by start, end and probability of run."""
    parts = tuple(
        Segment(a, b, "run" if p > 0.5 else NOTHING, max(p, 1 - p), scores=(1 - p, p))
        for a, b, p in segments
    )
    return Timeline(path, parts[-1].end_seconds, (NOTHING, "run"), parts, parts, 1, 1, "")


TWO = (
    timeline("a.mp4", (0, 4, 0.1), (4, 6, 0.55), (6, 9, 0.4), (9, 12, 0.9)),
    timeline("b.mp4", (0, 5, 0.3), (5, 8, 0.8)),
)


def test_the_least_sure_come_first_in_turns_over_videos_and_known_ones_do_not():
    found = propose_spans(TWO, [], 3)
    assert [(p.clip.path, p.clip.start_seconds) for p in found] == [
        ("a.mp4", 4), ("b.mp4", 0), ("a.mp4", 6),
    ]  # fmt: skip
    assert (found[0].clip.label, found[0].why) == ("run", "run 55%, background 45%")
    known = [Clip("a.mp4", 5, 5.5, "run"), Clip("b.mp4", 0, None, "run")]
    assert [p.clip.start_seconds for p in propose_spans(TWO, known, 9)] == [6, 0, 9]
    assert propose_spans((timeline("a.mp4", (0, 4, 0.1)),), [], 0) == []


def test_the_rest_of_a_video_has_no_label(tmp_path):
    path = write_spans(propose_spans(TWO, [], 2), TWO, tmp_path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [(r["path"], r["label"], r["start_seconds"], r["end_seconds"])
                for r in csv.DictReader(file)]  # fmt: skip
    assert rows == [
        ("a.mp4", "run", "4.000", "6.000"), ("b.mp4", NOTHING, "0.000", "5.000"),
        ("a.mp4", "", "0.000", "4.000"), ("a.mp4", "", "6.000", "12.000"),
        ("b.mp4", "", "5.000", "8.000"),
    ]  # fmt: skip


def test_spans_that_nobody_corrected_are_counted(tmp_path):
    path = write_spans(propose_spans(TWO, [], 2), TWO, tmp_path)
    assert unchanged(read_list(path).clips, tmp_path) == 2
    text = path.read_text(encoding="utf-8-sig")
    text = text.replace("4.000,6.000", "4,6").replace("b.mp4,background", "b.mp4,run")
    path.write_text(text)
    assert unchanged(read_list(path).clips, tmp_path) == 1
    assert unchanged(read_list(path).clips, tmp_path / "elsewhere") == 0


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Six videos with spans, a model of them, and two videos without."""
    folder, rows = tmp_path_factory.mktemp("long"), []
    rng = np.random.default_rng(1)
    for i in range(8):
        labels = [NOTHING, *rng.permutation(["run", "sit", NOTHING, "run", "sit"])]
        long_video(folder / f"v{i}.mp4", labels, seconds=2, seed=i)
        if i < 6:
            rows += [
                (f"v{i}.mp4", label, 2 * at, 2 * at + 2, f"r{i % 3}")
                for at, label in enumerate(labels)
                if label != NOTHING
            ]
    options = FitOptions((write_backbone(folder),), task="localise")
    run_fit(table(folder, rows), folder / "out", options)
    return folder, [*rows, ("v6.mp4", "", "", "", "r6"), ("v7.mp4", "", "", "", "r7")]


def test_proposals_are_corrected_joined_and_fitted_on(long, tmp_path):
    folder, rows = long
    listed = table(folder, rows, "all.csv")
    options = LabelOptions(count=3, model=folder / "out" / "model", workers=1)
    first = run_label(listed, tmp_path, options)
    assert first.spans and len(first.proposed) == 3
    assert {one.clip.path[-6:] for one in first.proposed} == {"v6.mp4", "v7.mp4"}
    with pytest.raises(ManifestError, match="would be replaced, and may hold corrections"):
        run_label(listed, tmp_path, options)
    path = tmp_path / "to-label.csv"
    alone = read_windows(path)  # what is not proposed is not labelled, nor background
    assert {clip.label for clip in alone.clips} == {
        clip.label for clip in alone.clips if clip.label is not None
    }
    of_proposed = sum((c.clip.end_seconds or 0) - c.clip.start_seconds for c in first.proposed)
    covered = sum(float(c.end_seconds or 0) - c.start_seconds for c in alone.clips)
    assert covered == pytest.approx(of_proposed, abs=1.5)
    second = run_label(listed, tmp_path, replace(options, answers=path))
    assert second.unchanged == 3  # nobody has looked at them
    assert not {one.clip for one in first.proposed} & {one.clip for one in second.proposed}
    merged = read_windows(tmp_path / "clips.csv")
    known, before = len(merged.clips), len(read_windows(listed).clips)
    assert known > before


def spans_of(path):
    return {
        (clip.path, clip.start_seconds, clip.end_seconds): clip.label
        for clip in read_list(path).clips
    }


def labelled_of(path):
    return {key: label for key, label in spans_of(path).items() if label is not None}


def test_answers_of_all_rounds_are_kept(long, tmp_path):
    folder, rows = long
    lost = ("v1.mp4", "run", "soon", 1, "r1")
    listed = table(folder, [*rows, lost], "rounds.csv")
    options = LabelOptions(count=2, model=folder / "out" / "model", workers=1)
    given, found = labelled_of(listed), run_label(listed, tmp_path, options)
    path = tmp_path / "to-label.csv"
    for _ in range(2):
        given |= labelled_of(path)
        found = run_label(listed, tmp_path, replace(options, answers=path))
        assert labelled_of(tmp_path / "clips.csv") == given
        assert found.clip_count == sum(found.labels.values()) == len(given)
    path.unlink()  # as if it were moved away: what was answered is not proposed again
    again = run_label(listed, tmp_path, options)
    assert again.proposed == found.proposed and again.clip_count == len(given)
    rows_of_a_time = [(c.path, c.start_seconds, c.end_seconds, c.label)
                      for c in read_list(tmp_path / "clips.csv").clips]  # fmt: skip
    assert len({*rows_of_a_time}) == len(rows_of_a_time)


def test_a_label_is_not_lost_to_a_later_row_without_one(long, tmp_path):
    folder, rows = long
    listed = table(folder, rows, "later.csv")
    options = LabelOptions(model=folder / "out" / "model", workers=1)
    for answers in ("v6.mp4,sit,1,2", "v6.mp4,,1,2\nv6.mp4,run,3,4\nv6.mp4,,5,6"):
        answered = folder / "answers.csv"
        answered.write_text(f"path,label,start_seconds,end_seconds\n{answers}\n")
        run_label(listed, tmp_path, replace(options, answers=answered))
        (tmp_path / "to-label.csv").unlink()
    of = {key[1:]: v for key, v in spans_of(tmp_path / "clips.csv").items() if "v6.mp4" in key[0]}
    assert of == {(1, 2): "sit", (3, 4): "run", (5, 6): None}


def test_videos_that_answers_label_as_a_whole_are_not_answered_again(long, tmp_path):
    folder, rows = long
    listed = table(folder, rows, "whole.csv")
    options = LabelOptions(model=folder / "out" / "model", workers=1)
    answered = folder / "answers.csv"
    answered.write_text("path,label,start_seconds,end_seconds\nv6.mp4,sit,1,2\n")
    found = run_label(listed, tmp_path, replace(options, answers=answered))
    assert {one.clip.path[-6:] for one in found.proposed} == {"v7.mp4"}


def test_answers_to_spans_that_contradict_the_list_are_refused(long, tmp_path):
    folder, rows = long
    listed = table(folder, rows, "own.csv")
    path, label, start, end, _ = map(str, rows[0])
    answered = folder / "answers.csv"
    other = "sit" if label == "run" else "run"
    answered.write_text(f"path,label,start,end\n{path},{other},{start},{end}\n")
    options = LabelOptions(model=folder / "out" / "model", workers=1, answers=answered)
    with pytest.raises(ManifestError, match=f"{other!r} by answers, and {label!r} by your list"):
        run_label(listed, tmp_path, options)
    assert not (tmp_path / "clips.csv").exists()


@pytest.mark.parametrize("name", ["clips.csv", "to-label.csv"])
def test_the_users_own_list_of_spans_is_never_written_to(long, name):
    folder, rows = long
    listed = table(folder, rows, name)
    before = listed.read_bytes()
    options = LabelOptions(model=folder / "out" / "model", answers=listed)
    with pytest.raises(ManifestError, match="would be both the list of clips and"):
        run_label(listed, folder, options)
    assert listed.read_bytes() == before
    listed.unlink()


def test_what_is_not_known_of_the_list_stays_unknown_in_the_joined_one(long, tmp_path):
    folder, rows = long
    lost = [("v0.mp4", "run", 7, "", "r0"), ("v1.mp4", "run", "soon", 1, "r1")]
    listed = table(folder, [*rows, *lost], "lost.csv")
    options = LabelOptions(count=2, model=folder / "out" / "model", workers=1)
    run_label(listed, tmp_path, options)
    path = tmp_path / "to-label.csv"
    run_label(listed, tmp_path, replace(options, answers=path))
    before, after = read_windows(listed).clips, read_windows(tmp_path / "clips.csv").clips
    for name, least in (("v0.mp4", 7), ("v1.mp4", 0)):
        for clips in (before, after):
            of = [c for c in clips if c.path.endswith(name)]
            assert of and not [c for c in of if c.label == NOTHING and c.end_seconds > least]
    text = path.read_text(encoding="utf-8-sig").replace("4.000", "four", 1)
    path.write_text(text.replace(",0.000,", ",zero,", 1))
    with pytest.raises(ManifestError, match="cannot be read to the end"):
        run_label(listed, tmp_path, replace(options, answers=path))


def test_a_model_of_clips_or_none_proposes_no_spans(fitted, long, tmp_path):
    folder, _ = long
    with pytest.raises(NotEnoughDataError, match="every video has a label"):
        run_label(folder / "spans.csv", tmp_path, LabelOptions(model=folder / "out" / "model"))
    with pytest.raises(VidfitError, match="--model takes a model of --task localise"):
        run_label(folder / "spans.csv", tmp_path, LabelOptions(model=fitted.model))
