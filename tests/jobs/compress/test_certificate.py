from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta
from tests.clips import FPS, write_clip

from vidfit.contracts import Clip
from vidfit.features.fingerprint import to_tokens
from vidfit.jobs.compress.certificate import certificate, of_other_recordings, unlabelled_windows
from vidfit.manifest import Manifest
from vidfit.metrics.noninferior import LEVEL
from vidfit.study.table import Table

RECORDINGS, WINDOWS = 30, 10
GROUPS = [f"r{i // WINDOWS}" for i in range(RECORDINGS * WINDOWS)]
NO_HASH = np.zeros((8, 5), np.float32)
"""Frames without contrast: copies of nothing."""


def two_classes(logits_M):
    return np.stack([expit(-logits_M), expit(logits_M)], axis=1)


def logits(rng, alike, strength):
    """Return logits of an original, and of one that moves by whole recordings."""

    def draw(share):
        shared_M = np.repeat(rng.normal(size=RECORDINGS), WINDOWS)
        return np.sqrt(share) * shared_M + np.sqrt(1 - share) * rng.normal(size=len(GROUPS))

    original_M = 4 * draw(0.3)
    return original_M, original_M + strength * draw(alike)


def test_what_changes_is_counted_and_bounded_by_independent_windows():
    original_M, other_M = logits(np.random.default_rng(0), 0.3, 0.5)
    found = certificate(two_classes(other_M), two_classes(original_M), GROUPS)
    assert (found.windows, found.recordings) == (300, 30)
    assert found.changed == ((original_M > 0) != (other_M > 0)).mean() > 0
    assert RECORDINGS <= found.independent <= 300
    assert found.changed < found.most_changed < 0.2


@pytest.mark.parametrize("alike", [0.1, 0.5, 0.9])
def test_the_bound_is_seldom_exceeded_however_alike_recordings_are(alike):
    rng = np.random.default_rng(1)
    runs = [logits(rng, alike, 0.5) for _ in range(400)]
    truth = np.mean([((a > 0) != (b > 0)).mean() for a, b in runs])
    bounds = [
        certificate(two_classes(b), two_classes(a), GROUPS).most_changed for a, b in runs[:200]
    ]
    assert np.mean(np.array(bounds) < truth) <= LEVEL + 0.02
    assert np.median(bounds) < 4 * truth


def test_windows_that_move_by_whole_recordings_are_bounded_as_recordings():
    original_M = np.repeat(np.random.default_rng(4).normal(size=RECORDINGS), WINDOWS)
    other_M = np.where(np.abs(original_M) < 0.1, -original_M, original_M)
    found = certificate(two_classes(other_M), two_classes(original_M), GROUPS)
    assert found.independent == pytest.approx(RECORDINGS, rel=0.05)
    changed = found.changed * found.independent
    expected = beta.ppf(1 - LEVEL, changed + 1, found.independent - changed)
    assert found.most_changed == pytest.approx(expected)


def test_the_same_answers_to_one_recording_certify_nothing():
    original_M, _ = logits(np.random.default_rng(2), 0.3, 0.5)
    assert certificate(two_classes(original_M), two_classes(original_M), ["r"] * 300) is None
    same = certificate(two_classes(original_M), two_classes(original_M), GROUPS)
    assert (same.changed, same.independent) == (0.0, RECORDINGS)


def table(clips, hashes):
    labels_M = np.zeros(len(clips), np.int64)
    return Table(tuple(clips), ("a", "b"), labels_M, {}, tuple(hashes), np.ones(len(clips)))


def test_recordings_that_taught_or_hold_copies_of_what_taught_are_left_out():
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 2**64, (2, 8, 1), np.uint64)
    seen = [to_tokens(codes_NV, np.full(8, 50, np.float32)) for codes_NV in codes]
    clips = [
        Clip("a.mp4", label="a", group="taught"),
        Clip("b.mp4", group="taught"),
        Clip("copy.mp4", group="other"),
        Clip("new.mp4", group="new"),
        Clip("copy of new.mp4", group="new again"),
    ]
    kept = of_other_recordings(table(clips, [seen[0], NO_HASH, seen[0], seen[1], seen[1]]))
    assert [clip.path for clip in kept.clips] == ["new.mp4", "copy of new.mp4"]
    assert set(kept.groups) == {"new"}


def test_long_videos_are_cut_and_labels_of_further_clips_are_not_looked_at(tmp_path):
    (tmp_path / "more" / "x").mkdir(parents=True)
    write_clip(tmp_path / "more" / "x" / "long.mp4")
    whole, _ = unlabelled_windows(Manifest(()), tmp_path / "more", 1e6)
    assert [(clip.start_seconds, clip.end_seconds) for clip in whole] == [(0.0, None)]
    own = Manifest((Clip("a.mp4", label="a"), Clip("b.mp4", 1.0, 2.0, group="r")))
    found, refused = unlabelled_windows(own, tmp_path / "more", 4 / FPS)
    assert refused == ()
    assert found[0] == Clip("b.mp4", 1.0, 2.0, group="r")
    assert len(found) > 2
    assert all(clip.label is None and clip.group for clip in found)
    starts = [clip.start_seconds for clip in found[1:]]
    assert starts == sorted(starts) and len({clip.group for clip in found[1:]}) == 1


def test_a_video_that_cannot_be_opened_stays_for_the_decoder_to_tell():
    found, _ = unlabelled_windows(Manifest((Clip("absent.mp4"),)), None, 1.0)
    assert found == [Clip("absent.mp4", group="absent.mp4")]
