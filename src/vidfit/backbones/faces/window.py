"""What an encoder sees of an aligned face."""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Backbone, Frames
from vidfit.video.frame import sized


def seen_by(encoder: Backbone, aligned_HWC: Frames) -> Frames:
    """Return an aligned face as a view of an encoder, [T, H, W, 3], as it sees a file of it.

    It is scaled and cut as a photo is. One that looks at several frames sees it in each of them.
    """
    spec = encoder.spec
    face_HWC = sized(aligned_HWC, spec.preprocessing)
    return np.repeat(face_HWC[None], spec.sampling.clip_len, axis=0)
