"""Lists of a label a frame."""

from __future__ import annotations

import numpy as np
from tests.manifest.spans.examples import (
    said,
    unread,
    why,
)

from vidfit.manifest.spans import (
    parse_frames,
)


def test_runs_of_frames_are_spans_by_the_times_of_the_video():
    times = np.arange(10) / 5
    rows = parse_frames("walk\n" * 4 + "background\n" * 6, "a.txt", "a.mp4", times)
    assert said(rows) == [("a.mp4", "walk", 0.0, 0.8), ("a.mp4", "background", 0.8, 2.0)]


def test_lists_of_another_frame_rate_or_with_empty_lines_are_rejected():
    times = np.arange(100) / 5
    rows = parse_frames("walk\n" * 50, "a.txt", "a.mp4", times)
    assert not rows.clips and "were the labels made at another frame rate" in str(why(rows))
    rows = parse_frames("walk\n" * 90 + "\n" * 5 + "sit\n" * 7, "a.txt", "a.mp4", times)
    assert why(rows) == {"a.txt, line 91": "it has no label"}
    assert unread(rows) == [("a.mp4", 18.0, 19.0)]
    rows = parse_frames("walk\n" * 60 + "sit\n" * 37, "a.txt", "a.mp4", times)
    assert not rows.rejected and unread(rows) == [("a.mp4", times[97], None)]
    rows = parse_frames("walk\n" * 100 + "sit\n" * 2, "a.txt", "a.mp4", times)
    assert "beyond the last of 100 frames" in why(rows)["a.txt, line 101"]
