"""A long video is covered exactly, and what can be read of a damaged one is answered."""

from __future__ import annotations

import json
import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from tests.clips import Counting, write_clip
from tests.video.cases import CASES, DAMAGED, Recipe, overwritten, write, x264
from tests.video.test_write import HIGH_HZ, RATE, heard, loudest_hz, with_tones

from vidfit.answers import Segment, Timeline
from vidfit.contracts import Clip, Failure
from vidfit.errors import ModelError, VideoError, VidfitError
from vidfit.jobs.predict.annotated import annotated_video
from vidfit.jobs.predict.many import predict_many, predict_together
from vidfit.jobs.predict.predictor import Looked, load
from vidfit.jobs.predict.run import run_predict, run_predict_all
from vidfit.jobs.predict.timeline import timeline_json
from vidfit.jobs.predict.windows import join, windows
from vidfit.launch import Here
from vidfit.model import load_model
from vidfit.video import VideoReader, probe


@pytest.fixture(scope="module")
def predictor(fitted):
    """A model that declines no answer."""
    found = load(fitted.model)
    eager = replace(found.model, unknown_probability=0.0, unknown_novelty=np.inf)
    return replace(found, model=eager)


# ---------------------------------------------------------------- windows and segments


@pytest.mark.parametrize("duration", [3.1, 4.0, 59.99, 3600.04])
@pytest.mark.parametrize("window", [0.5, 2.0])
def test_windows_cover_the_video_without_gap_or_overlap(duration, window):
    clips = list(windows("v.mp4", duration, window))
    assert clips[0].start_seconds == 0.0 and clips[-1].end_seconds is None
    starts = np.array([clip.start_seconds for clip in clips])
    ends = np.array([clip.end_seconds for clip in clips[:-1]])
    np.testing.assert_array_equal(starts[1:], ends)
    lengths = np.diff([*starts, duration])
    np.testing.assert_allclose(lengths, duration / len(clips))
    assert 0.75 * window <= lengths[0] <= 1.35 * window


@pytest.mark.parametrize("duration", [0.0, 0.04, 2.0, 2.9])
def test_a_video_of_about_one_window_has_one(duration):
    (clip,) = windows("v.mp4", duration, 2.0)
    assert (clip.start_seconds, clip.end_seconds) == (0.0, None)


def test_a_video_as_long_as_the_longest_training_clip_is_answered_whole(predictor, tmp_path):
    path = str(write_clip(tmp_path / "v.mp4", frames=80))
    assert len(run_predict(predictor, path).windows) == 4
    patient = replace(predictor, model=replace(predictor.model, longest_seconds=6.4))
    assert len(run_predict(patient, path).windows) == 1
    assert len(run_predict(patient, path, window_seconds=1.6).windows) == 4


def test_windows_of_one_label_become_one_segment():
    parts = [("a", 0.5), ("a", 0.7), ("b", 0.9), ("a", 1.0), (None, 0.2), (None, 0.4)]
    answers = [Segment(i, i + 1.0, label, p, label is None) for i, (label, p) in enumerate(parts)]
    assert list(join(answers)) == [
        Segment(0, 2.0, "a", pytest.approx(0.6)),
        Segment(2, 3.0, "b", 0.9),
        Segment(3, 4.0, "a", 1.0),
        Segment(4, 6.0, None, pytest.approx(0.3), declined=True),
    ]
    assert list(join([])) == []


def test_what_could_not_be_read_stays_apart_from_what_was_declined():
    answers = [Segment(i, i + 1.0, None, p, p > 0) for i, p in enumerate([0.4, 0.0, 0.0, 0.6])]
    assert [segment.probability for segment in join(answers)] == [0.4, 0.0, 0.6]


# ---------------------------------------------------------------- answers


def test_a_clip_is_answered_as_a_whole(fitted, predictor):
    timeline = run_predict(predictor, str(fitted.clips / "right" / "right3.mp4"))
    (segment,) = timeline.segments
    assert timeline.windows == timeline.segments
    assert (segment.label, segment.start_seconds) == ("right", 0.0)
    assert segment.end_seconds == timeline.duration_seconds == pytest.approx(1.6)
    assert 0.5 < segment.probability <= 1.0
    assert timeline.classes == ("left", "right")
    assert 0 < timeline.frames_seen <= timeline.frame_count == 20
    assert timeline.failures == ()


def test_a_long_video_is_answered_window_by_window(tmp_path, predictor):
    path = str(write_clip(tmp_path / "long.mp4", "left", seed=3, frames=120))
    timeline = run_predict(predictor, path, workers=2)
    assert len(timeline.windows) == 6  # 9.6 s in windows of 1.6 s
    assert timeline.segments == tuple(join(timeline.windows))
    assert timeline.windows[-1].end_seconds == timeline.duration_seconds == pytest.approx(9.6)
    assert [s.label for s in timeline.segments] == ["left"]
    assert timeline == run_predict(predictor, path, workers=1)


def test_a_span_is_answered_alone_by_windows_that_cover_it(tmp_path, predictor):
    path = str(write_clip(tmp_path / "long.mp4", "left", seed=3, frames=120))
    short = run_predict(predictor, path, span=(1.0, 2.6))
    assert [(w.start_seconds, w.end_seconds) for w in short.windows] == [(1.0, 2.6)]
    long = run_predict(predictor, path, span=(3.2, None))
    assert long.windows[0].start_seconds == 3.2
    assert long.windows[-1].end_seconds == long.duration_seconds == pytest.approx(9.6)
    edges = [w.start_seconds for w in long.windows[1:]]
    assert edges == pytest.approx([w.end_seconds for w in long.windows[:-1]])
    past = run_predict(predictor, path, span=(8.0, 99.0))
    assert past.segments[-1].end_seconds == pytest.approx(9.6)


def test_a_span_after_the_end_is_refused(tmp_path, predictor):
    path = str(write_clip(tmp_path / "v.mp4", frames=20))
    with pytest.raises(VideoError, match=r"the span starts at 5 s, and the video ends at 1\.6 s"):
        run_predict(predictor, path, span=(5.0, 6.0))


@pytest.mark.parametrize("kind", [list, iter])
def test_rows_that_cannot_be_read_are_failures_in_their_place(tmp_path, predictor, kind):
    path = str(write_clip(tmp_path / "v.mp4", frames=20))
    asked = [Clip(path, 0.4, 1.2), Failure("row 2", "names no video"), path]
    first, bad, last = predict_many(predictor, kind(asked), Here(1))
    assert (first.windows[0].start_seconds, first.windows[0].end_seconds) == (0.4, 1.2)
    assert bad == Failure("row 2", "names no video")
    assert last == run_predict(predictor, path)
    assert list(predict_many(predictor, [bad], Here(1))) == [bad]


@pytest.mark.parametrize("kind", [list, iter])
def test_a_video_of_too_many_windows_stops_no_others(tmp_path, predictor, kind, monkeypatch):
    monkeypatch.setattr("vidfit.jobs.predict.windows.MOST_WINDOWS", 3)
    paths = [str(write_clip(tmp_path / f"{n}.mp4", frames=n)) for n in (40, 5)]
    long, short = predict_many(predictor, kind(paths), Here(1), window_seconds=0.4)
    assert isinstance(long, Failure) and long.name == paths[0]
    assert "are more than 3 answers; give longer windows" in long.reason
    assert isinstance(short, Timeline) and short.path == paths[1]


def test_windows_of_another_length(tmp_path, predictor):
    path = str(write_clip(tmp_path / "long.mp4", "left", frames=50))
    assert len(run_predict(predictor, path, window_seconds=0.5).windows) == 8
    with pytest.raises(VidfitError, match="a window of 0 s is none"):
        run_predict(predictor, path, window_seconds=0.0)


def test_a_clip_unlike_all_training_clips_is_declined(fitted, predictor):
    strict = replace(predictor, model=replace(predictor.model, unknown_novelty=1e-6))
    timeline = run_predict(strict, str(fitted.clips / "left" / "left0.mp4"))
    assert (timeline.segments[0].label, timeline.segments[0].declined) == (None, True)
    assert timeline.segments[0].probability > 0.5  # it says how near it was
    assert timeline.segments[0].why == "unlike anything seen"


# ---------------------------------------------------------------- declining


def test_declined_windows_say_why_and_carry_the_scores_of_all_classes(tmp_path, predictor):
    path = str(write_clip(tmp_path / "long.mp4", "left", seed=3, frames=60))
    sure = run_predict(predictor, path)
    assert {(w.why, w.scores) for w in sure.windows} == {("", ())}
    timeline = run_predict(predictor, path, unknown=1.0)
    assert {(w.label, w.declined, w.why) for w in timeline.windows} == {
        (None, True, "low confidence")
    }
    for doubted, answered in zip(timeline.windows, sure.windows, strict=True):
        assert sum(doubted.scores) == pytest.approx(1.0, abs=1e-6)
        best = timeline.classes[int(np.argmax(doubted.scores))]
        assert (best, max(doubted.scores)) == (answered.label, answered.probability)
    (segment,) = timeline.segments
    mean = np.mean([w.scores for w in timeline.windows], axis=0)
    assert segment.scores == pytest.approx(mean)


def test_windows_declined_for_two_reasons_are_two_segments():
    answers = [
        Segment(0, 1, None, 0.4, True, "low confidence", (0.4, 0.6)),
        Segment(1, 2, None, 0.6, True, "low confidence", (0.6, 0.4)),
        Segment(2, 3, None, 0.9, True, "unlike anything seen", (0.9, 0.1)),
    ]
    first, second = join(answers)
    assert (first.end_seconds, first.scores) == (2, pytest.approx((0.5, 0.5)))
    assert (second.why, second.scores) == ("unlike anything seen", (0.9, 0.1))


def test_off_answers_always_and_a_number_is_the_least_probability(fitted):
    found = load(fitted.model)
    strange = replace(
        found, model=replace(found.model, unknown_probability=1.0, unknown_novelty=0.0)
    )
    clip = str(fitted.clips / "left" / "left0.mp4")
    assert run_predict(strange, clip).segments[0].why == "unlike anything seen"
    assert run_predict(strange, clip, unknown="off").segments[0].label == "left"
    doubting = replace(strange.model, unknown_novelty=np.inf, temperature=50.0)
    near = replace(strange, model=doubting)
    probability = run_predict(near, clip, unknown="off").segments[0].probability
    below, above = probability - 0.01, probability + 0.01
    assert run_predict(near, clip, unknown=below).segments[0].label == "left"
    assert run_predict(near, clip, unknown=str(above)).segments[0].why == "low confidence"


def test_strict_declines_all_that_the_usual_thresholds_decline(fitted):
    model = load(fitted.model).model
    strict = load(fitted.model).declining("strict").model
    assert strict.unknown_probability == model.strict_probability >= model.unknown_probability
    assert strict.unknown_novelty == model.strict_novelty <= model.unknown_novelty


def test_a_model_without_strict_thresholds_says_what_to_do(predictor):
    old = replace(predictor, model=replace(predictor.model, strict_probability=None))
    with pytest.raises(ModelError, match=r"give a least probability, such as 0\.7, or fit it"):
        old.declining("strict")
    assert old.declining(None) is old


@pytest.mark.parametrize("unknown", ["of", "", 0.0, -0.2, 1.2, np.nan])
def test_what_says_nothing_about_declining_is_refused(predictor, unknown):
    with pytest.raises(VidfitError, match="valid are 'off', 'strict', or a least probability"):
        predictor.declining(unknown)


@pytest.mark.parametrize("window", [None, 0.4])
@pytest.mark.parametrize("kind", ["h264_flv_restarted", "mpeg4_packed_avi", "raw_palette_avi"])
def test_a_video_has_the_same_answer_alone_and_in_company(
    kind, window, tmp_path, predictor, fitted
):
    path = str(CASES[kind](tmp_path))
    others = sorted(str(clip) for clip in fitted.clips.glob("*/*.mp4"))[:4]
    asked = [*others[:2], path, *others[2:]]
    alone = [
        answer
        for one in asked
        for answer in predict_many(predictor, [one], Here(1), window_seconds=window)
    ]
    assert alone == list(predict_many(predictor, asked, Here(2), window_seconds=window))
    assert alone[2] == run_predict(predictor, path, window_seconds=window, workers=3)
    assert len(alone[2].windows) >= (1 if window is None else 3)
    assert alone[2].failures == ()


# ---------------------------------------------------------------- damage


def test_a_video_damaged_in_the_middle_is_answered_around_the_damage(tmp_path, predictor):
    path = str(overwritten(tmp_path))
    timeline = run_predict(predictor, path, window_seconds=0.36)
    lost = [w for w in timeline.windows if w.probability == 0.0]
    assert len(timeline.windows) == 8
    assert 1 <= len(lost) == len(timeline.failures) <= 5
    assert {(w.label, w.declined) for w in lost} == {(None, False)}
    middle = timeline.duration_seconds / 2
    assert any(w.start_seconds < middle + 0.5 and w.end_seconds > middle - 0.5 for w in lost)
    assert timeline.windows[0].probability > 0 and timeline.windows[-1].probability > 0
    for failure, window in zip(timeline.failures, lost, strict=True):
        assert failure.name == f"{path}#{window.start_seconds:g}"
        assert "cannot be decoded" in failure.reason
    for note in timeline.notes:  # windows that are damaged in part
        assert re.fullmatch(r"\d of 9 frames are damaged; others were taken", note.text)


def test_a_clip_damaged_in_the_middle_is_answered_by_its_sound_frames(tmp_path, predictor):
    path = str(overwritten(tmp_path))
    timeline = run_predict(predictor, path, window_seconds=100.0)
    assert timeline.failures == ()
    (note,) = timeline.notes
    assert note.name == path
    assert re.fullmatch(r"\d+ of 72 frames are damaged; others were taken", note.text)
    assert json.loads(timeline_json(timeline))["notes"] == [{"name": path, "text": note.text}]
    annotated_video(timeline, tmp_path / "copy.mp4")
    assert probe(str(tmp_path / "copy.mp4")).frame_count == 72


def test_an_annotated_copy_keeps_the_span_and_its_audio(tmp_path, predictor):
    source = with_tones(tmp_path / "source.mp4")  # 10 frames a second, a high tone from 1.5 s on
    timeline = run_predict(predictor, str(source), span=(1.8, 2.8))
    annotated_video(timeline, tmp_path / "copy.mp4")
    assert probe(str(tmp_path / "copy.mp4")).frame_count == 10
    sound_S = heard(tmp_path / "copy.mp4")
    assert len(sound_S) / RATE == pytest.approx(1.0, abs=0.15)
    assert loudest_hz(sound_S[2000:-2000]) == pytest.approx(HIGH_HZ, abs=10)


def test_what_is_noted_of_many_windows_is_said_once(tmp_path, predictor):
    recipe = Recipe("slow.mp4", options=x264(12), frames=8, ticks=lambda i: 12800 * i)
    timeline = run_predict(predictor, str(write(tmp_path, recipe)), window_seconds=2.0)
    (note,) = timeline.notes
    assert note.name.endswith(f"slow.mp4 and {len(timeline.windows) - 1} more")
    assert "the video has one every 1 s" in note.text


def test_a_video_without_a_readable_window_is_refused(tmp_path, predictor):
    path = str(DAMAGED["noise_inside"][0](tmp_path))
    with pytest.raises(VideoError, match="damaged"):
        run_predict(predictor, path, window_seconds=100.0)


@pytest.mark.parametrize("kind", ["empty", "text", "audio_only", "missing"])
def test_a_bad_file_is_refused_with_its_reason(tmp_path, predictor, kind):
    make, message = DAMAGED[kind]
    with pytest.raises(VideoError, match=message):
        run_predict(predictor, str(make(tmp_path)))


def test_a_network_that_fails_on_one_window_does_not_spoil_the_others(tmp_path, predictor):
    class Moody(Counting):
        def forward(self, frames_BTHWC):
            if self.calls == 2:
                self.calls += 1
                raise ValueError("this encoder has had enough")
            return super().forward(frames_BTHWC)

    class Head:
        def log_probabilities(self, blocks):
            return np.log(np.array([[0.9, 0.1]], np.float32))

        def novelty(self, blocks):
            return np.zeros(1)

    path = str(write_clip(tmp_path / "long.mp4", frames=60))
    moody = replace(predictor, backbones=(Moody(),), head=Head())
    timeline = run_predict(moody, path, window_seconds=1.0, workers=1)
    assert [w.label for w in timeline.windows] == ["left", "left", None, "left", "left"]
    assert "ValueError: this encoder has had enough" in timeline.failures[0].reason


# ---------------------------------------------------------------- opening a model


def test_a_head_that_this_version_does_not_know_is_refused(fitted, tmp_path, monkeypatch):
    model = load_model(fitted.model)
    monkeypatch.setattr(
        "vidfit.study.opened_model.load_model", lambda directory: replace(model, head="forest")
    )
    with pytest.raises(ModelError, match=r"'forest'.*linear, "):
        load(fitted.model)


def test_a_member_that_is_not_known_here_is_refused(fitted, tmp_path):
    import hashlib
    import shutil

    directory = shutil.copytree(fitted.model, tmp_path / "model")
    spec = directory / "backbones" / "0" / "spec.json"
    spec.write_text(spec.read_text().replace('"family": "motion"', '"family": "mine"'))
    document = json.loads((directory / "model.json").read_text())
    document["files"]["backbones/0/spec.json"] = hashlib.sha256(spec.read_bytes()).hexdigest()
    (directory / "model.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="family 'mine'"):
        load(directory)


def test_frames_seen_are_counted_once_a_window(tmp_path, predictor):
    path = str(write_clip(tmp_path / "v.mp4", frames=20))
    with VideoReader(path) as reader:
        assert run_predict(predictor, path).frames_seen <= len(reader.pts_seconds)


# ---------------------------------------------------------------- smoothing


def looked_at(predictor, right_M):
    """Return what a head gives to windows of a second, by how probable ``right`` is."""
    heat = predictor.model.temperature
    return {
        Clip("v.mp4", float(m), m + 1.0): Looked(heat * np.log(np.array([1 - p, p])), 1.0)
        for m, p in enumerate(right_M)
    }


def said(predictor, looked):
    return [predictor.say(one).label for one in predictor.in_time(looked).values()]


def test_a_lone_window_gives_way_where_classes_last(predictor):
    looked = looked_at(predictor, [0.9, 0.8, 0.9, 0.3, 0.9, 0.8])
    assert said(predictor, looked) == ["right"] * 3 + ["left"] + ["right"] * 2
    assert said(predictor.smoothing(0), looked) == said(predictor, looked)
    smooth = predictor.smoothing(5)
    assert said(smooth, looked) == ["right"] * 6
    answer = smooth.say(next(iter(smooth.in_time(looked).values())))
    assert answer.scores[1] == answer.probability and sum(answer.scores) == pytest.approx(1)
    alone = looked_at(predictor, [0.3])
    assert smooth.in_time(alone) == alone


def test_windows_of_a_smoothed_timeline_have_the_scores_of_all_classes(tmp_path, predictor):
    path = str(write_clip(tmp_path / "long.mp4", "left", seed=3, frames=120))
    timeline = run_predict(predictor.smoothing(10), path)
    assert all(len(window.scores) == 2 for window in timeline.windows)
    assert len(timeline.segments[0].scores) == 2
    assert not any(window.scores for window in run_predict(predictor, path).windows)


def test_a_window_keeps_about_a_kilobyte():
    count, classes = 2000, 8
    tracemalloc.start()
    looked = {
        Clip("v.mp4", m / 2, (m + 1) / 2): Looked(
            np.zeros(classes, np.float32), m / 7, np.zeros(3 * classes, np.float32)
        )
        for m in range(count)
    }
    scores = [tuple((np.arange(classes) + m / 7).tolist()) for m in range(count)]
    said = [Segment(m / 2, m / 3, "a", m / 7, scores=scores[m]) for m in range(count)]
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(looked) == len(said) == count
    assert kept_bytes / count < 1200  # of three hours in half seconds, 25 MB


@pytest.mark.parametrize("seconds", [-1, np.nan, np.inf])
def test_what_is_no_length_of_a_class_is_refused(predictor, seconds):
    with pytest.raises(VidfitError, match="give 0 or more"):
        predictor.smoothing(seconds)


def test_several_models_answer_from_one_decode_as_each_alone(tmp_path, predictor, monkeypatch):
    path = str(write_clip(tmp_path / "long.mp4", "left", seed=3, frames=120))
    other = replace(predictor, model=replace(predictor.model, window_seconds=0.8))
    asked: list[int] = []
    frames = VideoReader.frames

    def watched(reader, indices):
        asked.extend(map(int, indices))
        return frames(reader, indices)

    monkeypatch.setattr(VideoReader, "frames", watched)
    together = run_predict_all((predictor, other), path, workers=1)
    once = len(asked)
    alone = tuple(run_predict(one, path, workers=1) for one in (predictor, other))
    assert together == alone
    assert [len(timeline.windows) for timeline in together] == [6, 12]
    assert once < len(asked) - once


def test_a_model_that_can_answer_nothing_is_named_for_all(tmp_path, predictor):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (found,) = predict_together((predictor,) * 2, [str(tmp_path / "broken.mp4")], Here(1))
    assert isinstance(found, Failure)
    with pytest.raises(VideoError):
        run_predict_all((predictor, predictor), str(tmp_path / "broken.mp4"))
