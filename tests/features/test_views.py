"""In place of a damaged frame the nearest sound one is taken, and that is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from tests.video.cases import Recipe, overwritten, truncated, write, x264

from vidfit.contracts import Clip, Preprocessing, Sampling
from vidfit.errors import VideoError
from vidfit.features.views import gather_together, gather_views, views_bytes
from vidfit.video import VideoReader, decode


@dataclass(frozen=True)
class Look:
    sampling: Sampling
    preprocessing: Preprocessing = Preprocessing(64, 96)


EVENLY = Look(Sampling(1, 24))


def gathered(clip: Clip, look: Look = EVENLY):
    notes: list[str] = []
    with VideoReader(clip.path) as reader:
        ((indices_VT, frames_VTHWC),) = gather_views(reader, clip, [look], notes)
        sound_F = reader.sound(0, len(reader.pts_seconds) - 1)
    return indices_VT, frames_VTHWC, notes, sound_F


def test_the_nearest_sound_frame_stands_in(tmp_path):
    path = str(overwritten(tmp_path))
    indices_VT, frames_VTHWC, notes, sound_F = gathered(Clip(path))
    lost = int((~sound_F).sum())
    assert notes == [f"{lost} of 72 frames are damaged; others were taken"]
    usable, wanted = np.flatnonzero(sound_F), 1 + 3 * np.arange(24)
    assert sound_F[indices_VT].all()
    distance = np.abs(usable[None] - wanted[:, None]).min(1)
    np.testing.assert_array_equal(np.abs(indices_VT.ravel() - wanted), distance)
    distinct, places = np.unique(indices_VT, return_inverse=True)
    there = decode(path, indices=distinct, preprocessing=EVENLY.preprocessing).frames_THWC
    np.testing.assert_array_equal(frames_VTHWC[:, 0], there[places.ravel()])


def test_only_frames_of_the_clip_stand_in(tmp_path):
    path = str(overwritten(tmp_path))
    with VideoReader(path) as reader:
        first = int(np.flatnonzero(~reader.sound(0, 71))[0])
    indices_VT, _, notes, _ = gathered(Clip(path, (first - 2) * 0.04, (first + 2) * 0.04))
    assert set(indices_VT.ravel()) == {first - 2, first - 1}
    assert notes == ["2 of 4 frames are damaged; others were taken"]


def test_a_clip_without_a_sound_frame_is_refused(tmp_path):
    path = str(overwritten(tmp_path))
    with VideoReader(path) as reader:
        first = int(np.flatnonzero(~reader.sound(0, 71))[0])
    with pytest.raises(VideoError, match="cannot be decoded"):
        gathered(Clip(path, first * 0.04, (first + 2) * 0.04))


def test_a_file_cut_short_is_noted(tmp_path):
    _, _, notes, sound_F = gathered(Clip(str(truncated(tmp_path))))
    assert notes == [f"the file is cut short: {len(sound_F)} of 72 frames are there"]


def test_a_whole_clip_has_no_note(tmp_path):
    path = write(tmp_path, Recipe("v.mp4", options=x264(12)))
    assert gathered(Clip(str(path)))[2] == []


def test_a_video_slower_than_the_interval_of_a_view_is_noted(tmp_path):
    recipe = Recipe("slow.mp4", options=x264(12), frames=8, ticks=lambda i: 12800 * i)
    path = str(write(tmp_path, recipe))
    indices_VT, _, notes, _ = gathered(Clip(path), Look(Sampling(8, 2, 0.08)))
    distinct = min(len(set(row)) for row in indices_VT.tolist())
    assert notes == [
        f"views of 8 frames, 0.08 s apart, repeat {distinct} of them: the video has one every 1 s"
    ]
    assert gathered(Clip(path))[2] == []  # single frames repeat nothing


def test_clips_that_overlap_are_given_the_same_frames_in_one_pass(tmp_path):
    path = str(write(tmp_path, Recipe("v.mp4", options=x264(12), frames=72)))
    small = Look(Sampling(2, 3, 0.08), Preprocessing(32, 48))
    asked = [
        (Clip(path), [EVENLY, small]),
        (Clip(path, 0.5, 1.5), [small]),
        (Clip(path, 1.0), [EVENLY]),
    ]
    with VideoReader(path) as reader:
        found = gather_together(reader, asked)
        decoded = reader._source.decoded_packets
    assert decoded <= 72 + 1  # and what empties the codec
    for (clip, looks), (views, notes) in zip(asked, found, strict=True):
        with VideoReader(path) as reader:
            alone_notes: list[str] = []
            alone = gather_views(reader, clip, looks, alone_notes)
        assert notes == alone_notes
        for (index_VT, frames_VTHWC), (alone_VT, alone_VTHWC) in zip(views, alone, strict=True):
            np.testing.assert_array_equal(index_VT, alone_VT)
            np.testing.assert_array_equal(frames_VTHWC, alone_VTHWC)
    assert views_bytes([EVENLY, small]) == sum(view.nbytes for _, view in found[0][0])


def test_damage_and_clips_beyond_the_end_are_left_to_the_reading_of_each(tmp_path):
    path = str(overwritten(tmp_path))
    with VideoReader(path) as reader:
        assert gather_together(reader, [(Clip(path), [EVENLY]), (Clip(path, 1.0), [EVENLY])]) == []
        assert gather_together(reader, [(Clip(path, 90.0), [EVENLY])] * 2) == []


KEYFRAMES = Look(Sampling(1, 4, keyframes=True))


def test_keyframes_of_the_clip_answer_moments_and_are_all_that_is_decoded(tmp_path):
    path = str(write(tmp_path, Recipe("v.mp4", options=x264(12))))
    with VideoReader(path) as reader:
        ((indices_VT, frames_VTHWC),) = gather_views(reader, Clip(path), [KEYFRAMES])
        assert reader.keyframes.tolist() == [0, 12, 24, 36, 48, 60]
        # the centres of four quarters of 72 frames are 9, 27, 45 and 63
        assert indices_VT.ravel().tolist() == [12, 24, 48, 60]
        decoded = reader._source.decoded_packets
    there = decode(path, indices=indices_VT.ravel(), preprocessing=KEYFRAMES.preprocessing)
    np.testing.assert_array_equal(frames_VTHWC[:, 0], there.frames_THWC)
    assert decoded < 4 + 12  # of the last group more, until the codec gives its keyframe


def test_a_keyframe_outside_of_the_clip_is_never_taken(tmp_path):
    path = str(write(tmp_path, Recipe("v.mp4", options=x264(24))))
    usual = Look(Sampling(1, 4))
    with VideoReader(path) as reader:
        for clip in (Clip(path, 20 * 0.04, 30 * 0.04), Clip(path, 24 * 0.04, 30 * 0.04)):
            ((one, _),) = gather_views(reader, clip, [KEYFRAMES])
            assert set(one.ravel()) == {24}
        between = Clip(path, 26 * 0.04, 40 * 0.04)
        ((one, _), (other, _)) = gather_views(reader, between, [KEYFRAMES, usual])
        np.testing.assert_array_equal(one, other)


def test_a_stream_that_is_read_from_its_beginning_is_seen_as_usual(tmp_path):
    path = str(write(tmp_path, Recipe("v.gif", codec="gif", pixel_format="rgb8", frames=20)))
    with VideoReader(path) as reader:
        assert reader.keyframes.size <= 1
