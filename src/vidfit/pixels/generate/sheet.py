"""Contact sheets: clips side by side, a row of frames each.

Shape letters: N clips, T frames, S side.
"""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Frames

FRAMES = 4
"""Of a clip, evenly spread."""

_SCALE_TO, _GAP, _COLUMNS = 64, 6, 4
_GROUND = 235


def contact_sheet(frames_NTSSC: Frames, columns: int = _COLUMNS) -> bytes:
    """Return clips as a PNG: so many clips a line, four frames of each."""
    clips = [strip_of(clip) for clip in frames_NTSSC]
    clips += [np.full_like(clips[0], _GROUND)] * (-len(clips) % columns)
    gap = np.full((clips[0].shape[0], _GAP, 3), _GROUND, np.uint8)
    lines = []
    for start in range(0, len(clips), columns):
        pieces = [p for clip in clips[start : start + columns] for p in (clip, gap)][:-1]
        line = np.concatenate(pieces, axis=1)
        lines += [line, np.full((_GAP, line.shape[1], 3), _GROUND, np.uint8)]
    sheet = np.concatenate(lines[:-1], axis=0)
    return _png(sheet)


def strip_png(clip_TSSC: Frames) -> bytes:
    """Return four frames of a clip side by side, as a PNG."""
    return _png(strip_of(clip_TSSC))


def _png(picture: Frames) -> bytes:
    import cv2

    _, data = cv2.imencode(".png", picture[..., ::-1])
    return bytes(data.tobytes())


def strip_of(clip_TSSC: Frames) -> Frames:
    """Return four frames of a clip side by side, enlarged."""
    import cv2

    shown = np.linspace(0, len(clip_TSSC) - 1, min(FRAMES, len(clip_TSSC))).round().astype(int)
    row = np.concatenate(list(clip_TSSC[shown]), axis=1)
    times = max(1, round(_SCALE_TO / clip_TSSC.shape[1]))
    size = (row.shape[1] * times, row.shape[0] * times)
    return np.asarray(cv2.resize(row, size, interpolation=cv2.INTER_NEAREST), np.uint8)
