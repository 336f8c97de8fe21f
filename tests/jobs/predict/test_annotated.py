"""Where in the picture what is unusual is: of segments, and drawn over a video."""

from __future__ import annotations

import numpy as np
from tests.clips import FPS, write_clip

from vidfit.answers import Segment, Timeline, heat_of
from vidfit.contracts import Clip
from vidfit.jobs.predict.annotated import annotated_video
from vidfit.jobs.predict.predictor import Looked, load
from vidfit.jobs.predict.run import _segment
from vidfit.jobs.predict.windows import join
from vidfit.video import VideoReader

LONG = 20 / FPS


def test_a_segment_has_the_mean_heat_of_its_own_windows():
    one, two = (b"\1\2", b"\0\xff"), (b"\3\6", b"\0\xff")
    windows = [
        Segment(0, 1, "usual", 0.1),
        Segment(1, 2, "unusual", 0.9, heat=one),
        Segment(2, 3, "unusual", 0.9, heat=two),
    ]
    assert [segment.heat for segment in join(windows)] == [(), (b"\2\4", b"\0\xff")]


def test_a_window_has_whole_deviations_and_none_that_take_memory_of_their_own(fitted):
    predictor = load(fitted.model).declining("off")
    heat = heat_of(np.array([[0.4, 1.6], [300.0, 7.0]], np.float32))
    looked = Looked(np.zeros(8, np.float32), 1.0, heat=heat)
    assert _segment(Clip("v", 0, 1.0), looked, predictor, 2.0).heat == (b"\0\2", b"\xff\7")
    assert _segment(Clip("v", 0, 1.0), None, predictor, 2.0).heat == ()


def test_heat_is_drawn_where_it_is_and_nowhere_else(tmp_path):
    video = write_clip(tmp_path / "v.mp4")
    with VideoReader(str(video)) as reader:
        height, width = reader.info.height_pixels, reader.info.width_pixels
        before = [frame.rgb(None).astype(int) for frame in reader.sound_frames()]
    segments = (
        Segment(0, LONG / 2, "usual", 0.9),
        Segment(LONG / 2, LONG, "unusual", 0.9, heat=(b"\0\0", b"\0\x1e")),
    )
    timeline = Timeline(str(video), LONG, ("unusual",), segments, segments, 1, 1, "")
    annotated_video(timeline, tmp_path / "out.mp4")
    with VideoReader(str(tmp_path / "out.mp4")) as reader:
        after = [frame.rgb(None).astype(int)[:height, :width] for frame in reader.sound_frames()]
    redder = [(a - b)[..., 0] - (a - b)[..., 2] for a, b in zip(after, before, strict=True)]
    corner = np.s_[-height // 8 :, -width // 8 :]
    assert abs(redder[2].mean()) < 6  # what is usual stays as it is, but for the codec
    assert redder[-2][corner].mean() > 60 and abs(redder[-2][: height // 4].mean()) < 6
