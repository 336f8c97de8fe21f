"""Where one shot ends and the next begins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from vidfit.contracts import Preprocessing
from vidfit.errors import VideoError
from vidfit.video.reader import VideoReader

# Hard cuts show as well at this size as at full size, at a fraction of the cost.
_LOOK = Preprocessing(height_pixels=144, width_pixels=256)


def shot_boundaries(path: str, *, min_shot_seconds: float = 0.5) -> list[tuple[float, float]]:
    """Split a video at its cuts; every frame is decoded, at small size.

    Damaged frames are passed over.

    A cut is where the colours of a frame differ from the one before, and do so much more
    than those of the frames around it, so that fast movement is not taken for one
    (PySceneDetect's adaptive detector).

    Parameters
    ----------
    path
        File, GIF, folder of frames or URL.
    min_shot_seconds
        Cuts that would leave a shorter shot are passed over.

    Returns
    -------
    list of (start_seconds, end_seconds)
        Shots that follow each other without a gap, from 0 to the end of the video.

    Raises
    ------
    VideoError
        The video cannot be read, or PySceneDetect is not installed.
    """
    try:
        from scenedetect.common import FrameTimecode
        from scenedetect.detectors import AdaptiveDetector
    except ImportError as error:
        raise VideoError("shots need PySceneDetect; pip install 'vidfit[shots]'") from error
    cuts: list[float] = []
    with VideoReader(path) as reader:
        pts_seconds = reader.pts_seconds
        fps = min(len(pts_seconds) / reader.duration_seconds, 1000.0)
        detector = AdaptiveDetector(min_scene_len=max(1, round(min_shot_seconds * fps)))
        for frame in reader.sound_frames():
            picture_bgr = np.ascontiguousarray(frame.rgb(_LOOK)[..., ::-1])
            found = detector.process_frame(FrameTimecode(frame.index, fps), picture_bgr)
            cuts.extend(float(pts_seconds[cut.frame_num]) for cut in found)
        edges = [0.0, *cuts, reader.duration_seconds]
    return list(pairwise(edges))
