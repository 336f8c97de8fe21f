"""Planes made smaller and larger by fixed filters: what pairs are made with, and the baselines.

Bicubic is that of Keys (1981) with a = -0.5, its kernel widened when a picture is made smaller
(antialiased), as MATLAB's ``imresize`` and Pillow's ``resize`` have it; they differ from each
other in the outermost pixels alone. OpenCV's has a = -0.75 and no antialiasing: another filter.

Shape letters: N pictures, H rows, W columns.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vidfit.contracts import Floats

FILTERS = ("bicubic", "lanczos")


def bicubic(planes_N1HW: Tensor, height: int, width: int) -> Tensor:
    """Return planes of another size, [N, 1, height, width], not clipped."""
    return interpolate(planes_N1HW, (height, width), mode="bicubic", antialias=True)


def smaller(planes_NHW: Floats, scale: int) -> Floats:
    """Return planes ``scale`` times smaller each way, by antialiased bicubic, not clipped."""
    height, width = planes_NHW.shape[1:]
    return _as_planes(planes_NHW, height // scale, width // scale)


def larger(planes_NHW: Floats, scale: int, by: str = "bicubic") -> Floats:
    """Return planes ``scale`` times larger each way, clipped to 0 to 255.

    Parameters
    ----------
    by
        ``bicubic``, or ``lanczos`` of three lobes.
    """
    height, width = planes_NHW.shape[1] * scale, planes_NHW.shape[2] * scale
    if by == "lanczos":
        made = np.stack([_lanczos(one, height, width) for one in planes_NHW])
    else:
        made = _as_planes(planes_NHW, height, width)
    return np.clip(made, 0.0, 255.0)


def _as_planes(planes_NHW: Floats, height: int, width: int) -> Floats:
    planes = torch.from_numpy(np.ascontiguousarray(planes_NHW, np.float32))[:, None]
    return np.asarray(bicubic(planes, height, width)[:, 0].numpy(), np.float32)


def _lanczos(plane_HW: Floats, height: int, width: int) -> Floats:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(plane_HW, np.float32), mode="F")
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS), np.float32)
