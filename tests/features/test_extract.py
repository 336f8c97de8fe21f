"""One decode feeds every encoder, nothing is computed twice, and no failure spreads."""

from __future__ import annotations

import importlib
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from tests.clips import Counting, write_clip
from tests.video.cases import CASES

from vidfit.contracts import Clip, Preprocessing, Sampling
from vidfit.errors import StoreError
from vidfit.features import FeatureStore, ToSee, clip_digest, stream, stream_each
from vidfit.features.extract import extract
from vidfit.launch import Here
from vidfit.video import VideoReader

extract_module = importlib.import_module("vidfit.features.extract")
outcome_module = importlib.import_module("vidfit.features.outcome")
senses_module = importlib.import_module("vidfit.features.senses")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve clips; never written to."""
    folder = tmp_path_factory.mktemp("clips")
    for i in range(12):
        write_clip(folder / f"{i:02d}.mp4", "left" if i % 2 else "right", seed=i)
    return folder


@pytest.fixture
def clips(folder):
    return [Clip(str(path)) for path in sorted(folder.iterdir())]


class Watched(VideoReader):
    """A reader that puts down how often one is opened, and which frames are asked for."""

    opened: ClassVar[list[str]]
    asked: ClassVar[list[tuple[str, int]]]

    def __init__(self, path):
        self.opened.append(path)
        super().__init__(path)

    def frames(self, indices):
        self.asked.extend((self.path, int(i)) for i in indices)
        return super().frames(indices)


@pytest.fixture
def watched(monkeypatch):
    Watched.opened, Watched.asked = [], []
    monkeypatch.setattr(senses_module, "VideoReader", Watched)
    return Watched


class Recorder:
    """A `vidfit.progress.Progress` that may raise."""

    def __init__(self, raise_at=None, error=KeyboardInterrupt):
        self.count, self.raise_at, self.error = 0, raise_at, error

    def start(self, stage, total):
        pass

    def note(self, text):
        pass

    def advance(self, count=1):
        self.count += count
        if self.count == self.raise_at:
            raise self.error


def vectors(store, backbone):
    return {digest: found.tokens_ND for digest, found in store.rows(backbone.spec)}


def test_features_are_those_of_the_frames_sampled(folder, clips, tmp_path):
    backbone = Counting()
    store = FeatureStore(tmp_path)
    done = extract(clips[:1], [backbone], store, Here(1))
    found = dict(store.rows(backbone.spec))[done.digests[clips[0]]]
    with VideoReader(clips[0].path) as reader:
        frames = [f.rgb(backbone.spec.preprocessing) for f in reader.frames(found.indices)]
        np.testing.assert_array_equal(found.pts_seconds, reader.pts_seconds[found.indices])
    np.testing.assert_allclose(found.tokens_ND, np.mean(frames, axis=(1, 2)), rtol=1e-6)
    np.testing.assert_array_equal(found.indices, [2, 7, 12, 17])  # centres of four parts of 20


def test_a_second_extraction_computes_nothing(clips, tmp_path, watched):
    backbone, store = Counting(), FeatureStore(tmp_path)
    first = extract(clips, [backbone], store, Here(2))
    calls, opened = backbone.calls, len(watched.opened)
    second = extract(clips, [backbone], store, Here(2))
    assert (calls, opened) == (len(clips), len(clips))
    assert (backbone.calls, len(watched.opened)) == (calls, opened)
    assert second.digests == first.digests
    assert (first.computed, second.computed) == (len(clips), 0)


def test_only_what_is_new_is_computed(clips, tmp_path):
    one, two, store = Counting("one"), Counting("two"), FeatureStore(tmp_path)
    extract(clips[:8], [one], store, Here(2))
    extract(clips, [one, two], store, Here(2))
    assert (one.calls, two.calls) == (12, 12)


def test_one_decode_feeds_all_backbones(clips, tmp_path, watched):
    backbones = [
        Counting("even", sampling=Sampling(1, 4)),
        Counting("large", preprocessing=Preprocessing(40, 40)),
        Counting("pairs", sampling=Sampling(2, 4, 0.08)),
    ]
    extract(clips, backbones, FeatureStore(tmp_path), Here(2))
    assert sorted(watched.opened) == [clip.path for clip in clips]
    assert len(watched.asked) == len(set(watched.asked))  # no frame is decoded twice
    union = {index for path, index in watched.asked if path == clips[0].path}
    assert 4 < len(union) <= 12


def test_spans_of_one_video_share_a_reader_and_a_digest(folder, tmp_path, watched, monkeypatch):
    hashed = []
    digest = outcome_module.file_digest
    monkeypatch.setattr(
        outcome_module, "file_digest", lambda path: hashed.append(path) or digest(path)
    )
    path = str(folder / "00.mp4")
    spans = [Clip(path, i * 0.04, (i + 1) * 0.04) for i in range(40)]
    done = extract(spans, [Counting()], FeatureStore(tmp_path), Here(1))
    assert len(set(done.digests.values())) == 40
    assert watched.opened == [path]
    assert hashed == [path]


def test_the_order_of_clips_and_the_workers_do_not_matter(clips, tmp_path):
    one, other = FeatureStore(tmp_path / "one"), FeatureStore(tmp_path / "other")
    extract(clips, [Counting()], one, Here(1))
    extract(clips[::-1], [Counting()], other, Here(3))
    first, second = vectors(one, Counting()), vectors(other, Counting())
    assert first.keys() == second.keys()
    for digest, tokens_ND in first.items():
        np.testing.assert_array_equal(second[digest], tokens_ND)


def test_two_clips_of_the_same_content(folder, tmp_path):
    original = folder / "00.mp4"
    copy = shutil.copy(original, tmp_path / "copy.mp4")
    clips = [Clip(str(original), label="a"), Clip(str(copy), label="b")]
    backbone, store = Counting(), FeatureStore(tmp_path / "store")
    done = extract(clips, [backbone], store, Here(2))
    assert done.digests[clips[0]] == done.digests[clips[1]]
    assert len(store.known(backbone.spec)) == 1


# ---------------------------------------------------------------- failures


def test_a_broken_clip_stops_nothing(clips, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    wanted = [clips[0], Clip(str(bad)), Clip(str(tmp_path / "gone.mp4")), *clips[1:4]]
    done = extract(wanted, [Counting()], FeatureStore(tmp_path / "store"), Here(2))
    assert list(done.digests) != [] and set(done.digests) == {*clips[:4]}
    assert set(done.failures) == {Clip(str(bad)), Clip(str(tmp_path / "gone.mp4"))}
    assert "is text, not a video" in done.failures[Clip(str(bad))]


def test_a_failing_backbone_stops_no_other(clips, tmp_path):
    good, bad, store = Counting("good"), Counting("bad", fail_from=5), FeatureStore(tmp_path)
    done = extract(clips, [bad, good], store, Here(2))
    assert len(store.known(good.spec)) == len(clips)
    assert len(store.known(bad.spec)) == 4  # what it could do is kept
    assert list(done.backbone_failures) == ["bad"]
    assert "ValueError: this encoder has had enough" in done.backbone_failures["bad"]
    assert ".mp4" in done.backbone_failures["bad"]  # at which clip


def test_features_that_are_not_finite_are_refused(clips, tmp_path):
    backbone, store = Counting(), FeatureStore(tmp_path)
    backbone.forward = lambda frames: np.full((len(frames), 1, 3), np.nan, np.float32)
    done = extract(clips[:2], [backbone], store, Here(1))
    assert "not finite" in done.backbone_failures["mean"]
    assert store.known(backbone.spec) == set()


@pytest.mark.parametrize("shape", [(4, 3), (4, 0, 3), (3, 1, 3), (4, 1, 2)])
def test_tokens_of_another_shape_are_refused(clips, tmp_path, shape):
    backbone = Counting()
    backbone.forward = lambda frames: np.ones(shape, np.float32)
    done = extract(clips[:1], [backbone], FeatureStore(tmp_path), Here(1))
    assert "expected [4, N, 3]" in done.backbone_failures["mean"]


def test_a_full_disk_ends_the_extraction_with_a_store_error(clips, tmp_path, monkeypatch):
    def fill(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fill)
    with pytest.raises(StoreError, match="No space left"):
        extract(clips, [Counting()], FeatureStore(tmp_path), Here(2))
    assert not [t for t in threading.enumerate() if t.name.startswith("vidfit")]


# ---------------------------------------------------------------- interrupts and memory


def test_an_interrupt_keeps_what_is_done(clips, tmp_path):
    backbone, store = Counting(), FeatureStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        extract(clips, [backbone], store, Here(2), progress=Recorder(raise_at=5))
    kept = store.known(backbone.spec)
    assert len(kept) == 5
    assert not [t for t in threading.enumerate() if t.name.startswith("vidfit")]
    before = backbone.calls
    extract(clips, [backbone], store, Here(2))
    assert backbone.calls == before + len(clips) - 5
    assert len(store.known(backbone.spec)) == len(clips)


def test_an_interrupt_while_waiting_keeps_what_runs(clips, tmp_path, monkeypatch):
    """Ctrl-C mostly arrives while the main thread waits for its workers."""
    wait, rounds = outcome_module.wait, []

    def interrupted(*args, **kwargs):
        rounds.append(1)
        if len(rounds) == 3:
            raise KeyboardInterrupt
        return wait(*args, **kwargs)

    monkeypatch.setattr(outcome_module, "wait", interrupted)
    backbone, store = Counting(), FeatureStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        extract(clips, [backbone], store, Here(2))
    assert len(store.known(backbone.spec)) == backbone.calls  # all that was computed
    assert 2 <= backbone.calls < len(clips)


def test_look_ahead_is_bounded(clips, monkeypatch):
    """What is finished waits for the one who asked: at most two jobs a worker run ahead."""
    submitted = []

    class Pool(ThreadPoolExecutor):
        def submit(self, *args, **kwargs):
            submitted.append(1)
            return super().submit(*args, **kwargs)

    monkeypatch.setattr(outcome_module, "ThreadPoolExecutor", Pool)
    taken = 0
    for outcome in stream(clips, [Counting()], workers=2):
        assert not outcome.failure
        taken += 1
        assert len(submitted) - taken <= 2 * 2
    assert taken == len(submitted) == len(clips)


def test_a_job_holds_few_clips_of_a_long_video(folder, monkeypatch):
    path = str(folder / "00.mp4")
    windows = [ToSee(Clip(path, i * 0.01, (i + 1) * 0.01), []) for i in range(100)]
    sizes = [len(job.asked) for job in outcome_module._jobs(windows, 2)]
    assert sum(sizes) == 100 and max(sizes) <= 16


def test_a_short_video_is_dealt_out_to_all_workers():
    windows = [ToSee(Clip("short.mp4", float(i), i + 1.0), []) for i in range(10)]
    jobs = list(outcome_module._jobs(windows, 2))
    assert [list(job.asked) for job in jobs] == [windows[:5], windows[5:]]
    assert jobs[0].video is jobs[1].video  # its digest is computed once


def test_digests_name_clips_by_content(clips, tmp_path):
    done = extract(clips[:2], [Counting()], FeatureStore(tmp_path), Here(1))
    assert done.digests == {clip: clip_digest(clip) for clip in clips[:2]}


def test_large_videos_are_taken_first(tmp_path, monkeypatch):
    """So that no worker is left with a long one at the end; what is gone comes last."""
    for name, size in {"small": 10, "large": 30, "middle": 20}.items():
        (tmp_path / f"{name}.mp4").write_bytes(bytes(size))
    names = ("small", "gone", "large", "middle")
    clips = [Clip(str(tmp_path / f"{name}.mp4"), start) for start in (0.0, 1.0) for name in names]
    taken = []

    def record(clips, *_, **__):
        taken.extend(clips)
        return iter(())

    monkeypatch.setattr(extract_module, "stream", record)
    extract(clips, [Counting()], FeatureStore(tmp_path), Here(1))
    assert [Path(clip.path).stem for clip in taken[::2]] == ["large", "middle", "small", "gone"]
    assert [clip.start_seconds for clip in taken] == [0.0, 1.0] * 4


def test_backbones_run_in_turn_where_they_are_wanted(clips, watched):
    """The second is asked about every third clip only, and its frames are not decoded before."""
    first, second = Counting("first"), Counting("second")

    def wanted(features):
        if not features:
            return ["first"]
        third = abs(float(features["first"].tokens_ND.sum())) % 3 < 1
        return ["second"] if third and "second" not in features else []

    outcomes = list(stream(clips, [first, second], workers=2, wanted=wanted))
    both = [outcome for outcome in outcomes if "second" in outcome.features]
    assert 0 < len(both) < len(clips)
    assert all("first" in outcome.features for outcome in outcomes)
    assert (first.calls, second.calls) == (len(clips), len(both))
    assert len(watched.opened) == len(clips)
    at_once = {o.clip: o for o in stream(clips, [first, second], workers=2)}
    for outcome in both:
        np.testing.assert_array_equal(
            outcome.features["second"].tokens_ND, at_once[outcome.clip].features["second"].tokens_ND
        )


def test_a_failure_in_the_first_stage_ends_it(clips):
    class Failing(Counting):
        def forward(self, frames_BTHWC):
            raise ZeroDivisionError("no")

    second = Counting("second")
    in_turn = stream(
        clips, [Failing("first"), second], workers=2, wanted=lambda f: ["second" if f else "first"]
    )
    for outcome in in_turn:
        assert "ZeroDivisionError" in outcome.backbone_failures["first"]
    assert second.calls == 0


# ---------------------------------------------------------------- alone, in company, by windows


@pytest.mark.parametrize(
    "name",
    [
        *("h264_444_old_x264", "h264_flv_restarted", "h264_gop12", "hevc_mp4_restarted"),
        *("mpeg4_packed_avi", "mpeg4_packed_mp4", "raw_palette_avi", "smc_mov"),
    ],
)
def test_a_clip_has_the_same_features_alone_in_company_and_after_other_windows(
    name, clips, tmp_path
):
    path = str(CASES[name](tmp_path))
    windows = [Clip(path, start, start + 0.24) for start in (0.0, 0.24, 0.48, 0.72)]
    asked = [*clips[:2], *windows, Clip(path), *reversed(windows), *clips[2:4]]
    together = list(stream(asked, [Counting()], workers=1))
    spread = list(stream(asked, [Counting()], workers=3))
    for clip in (*windows, Clip(path)):
        (alone,) = stream([clip], [Counting()], workers=1)
        assert alone.failure == ""
        for outcome in (*together, *spread):
            if outcome.clip == clip:
                np.testing.assert_array_equal(
                    outcome.features["mean"].tokens_ND, alone.features["mean"].tokens_ND
                )


def test_windows_of_several_lengths_are_read_in_one_pass(folder, watched):
    path, short, long = str(folder / "00.mp4"), Counting("short"), Counting("long")
    wide = [ToSee(Clip(path, i * 0.4, (i + 1) * 0.4), [long]) for i in range(2)]
    narrow = [ToSee(Clip(path, i * 0.1, (i + 1) * 0.1), [short]) for i in range(8)]
    asked = sorted([*wide, *narrow], key=lambda one: one.clip.start_seconds)
    found = {(o.clip, *o.features): o for o in stream_each(asked, workers=1)}
    assert len(watched.asked) == len(set(watched.asked))  # no frame is decoded twice
    for some, backbone in ((wide, long), (narrow, short)):
        for alone in stream([one.clip for one in some], [backbone], workers=1):
            name = backbone.spec.name
            np.testing.assert_array_equal(
                found[alone.clip, name].features[name].tokens_ND, alone.features[name].tokens_ND
            )


def test_windows_read_in_one_pass_fail_each_for_itself(tmp_path, folder):
    asked = [ToSee(Clip(str(folder / "00.mp4"), 0.0), [Counting()]),
             ToSee(Clip(str(folder / "00.mp4"), 90.0), [Counting()]),
             ToSee(Clip(str(tmp_path / "none.mp4")), [Counting()]),
             ToSee(Clip(str(tmp_path / "none.mp4"), 0.0, 1.0), [Counting()])]  # fmt: skip
    failed = {o.clip: bool(o.failure) for o in stream_each(asked, workers=1)}
    assert [failed[one.clip] for one in asked] == [False, True, True, True]


def test_a_view_that_is_as_the_one_before_is_computed_once(tmp_path):
    """A photo, or a clip of one keyframe, has the tokens of all views from one forward."""
    path = write_clip(tmp_path / "one.mp4", frames=1)
    seen: list[int] = []

    class Watching(Counting):
        def forward(self, frames_BTHWC):
            seen.append(len(frames_BTHWC))
            return super().forward(frames_BTHWC)

    backbone = Watching(sampling=Sampling(1, 4))
    (one,) = stream([Clip(str(path))], [backbone], workers=1)
    tokens_ND = one.features["mean"].tokens_ND
    assert seen == [1]
    assert len(tokens_ND) == 4 and (tokens_ND == tokens_ND[0]).all()
