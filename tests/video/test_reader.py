"""Every frame of every kind of video equals what plain PyAV decodes from start to end."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from tests.video.cases import CASES

from vidfit.contracts import Preprocessing
from vidfit.errors import VideoError
from vidfit.video import VideoReader, probe


def sequential(path: Path) -> tuple[np.ndarray, list[np.ndarray]]:
    """Decode all frames with plain PyAV: timestamps in seconds and upright RGB pixels."""
    ticks, frames = [], []
    for file in sorted(path.iterdir(), key=lambda f: (len(f.name), f.name)) if path.is_dir() else [path]:
        with av.open(str(file)) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            for frame in container.decode(stream):
                ticks.append(frame.pts)
                rgb = frame.reformat(format="gbrp", dst_color_range="JPEG", interpolation="BILINEAR")
                frames.append(np.rot90(rgb.to_ndarray(), round(frame.rotation / 90)))
            tick, rate = float(stream.time_base), float(stream.average_rate or 25)
    if path.is_dir() or None in ticks or len(set(ticks)) < len(ticks):
        return np.arange(len(frames)) / rate, frames
    return (np.sort(ticks) - min(ticks)) * tick, frames


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    path = CASES[request.param](tmp_path_factory.mktemp(request.param))
    return request.param, path, *sequential(path)


def test_frames_and_times_equal_a_sequential_decode(case):
    name, path, seconds, frames = case
    count = len(frames)
    rng = np.random.default_rng(1)
    middle = count // 2
    choices = [
        np.arange(count),
        np.arange(0, count, 9),
        np.arange(middle, min(middle + 5, count)),
        np.array([count - 1]),
        np.array([0]),
        *(np.sort(rng.choice(count, max(1, count // part), replace=False)) for part in (2, 5, 12)),
    ]
    with VideoReader(str(path)) as reader:
        assert len(reader.pts_seconds) == count
        np.testing.assert_allclose(reader.pts_seconds, seconds, atol=1e-9)
        for indices in choices:
            seen = list(reader.frames(indices))
            assert [frame.index for frame in seen] == indices.tolist()
            for frame in seen:
                assert frame.pts_seconds == reader.pts_seconds[frame.index]
                np.testing.assert_array_equal(frame.rgb(), frames[frame.index], err_msg=name)


