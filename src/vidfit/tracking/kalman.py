"""A Kalman filter of boxes that move at constant velocity, for many boxes at once.

A box is its centre, its aspect ratio and its height, as in Wojke, Bewley and Paulus, "Simple
online and realtime tracking with a deep association metric" (2017), section 2.1, with the
uncertainties that they published, which ByteTrack keeps. None of the four numbers tells anything
of another, so that the filter of eight dimensions falls apart into four of two, a place and its
velocity, and needs no matrix.

Time is in seconds. The noise is that of a Wiener process (Bar-Shalom, Li and Kirubarajan 2001,
section 6.2.2): two steps of half the time are one step, so that what it means does not depend on
how often a video is looked at. A step of a tenth of a second has the uncertainties that were
published for the step from one frame to the next.

Shape letters: N boxes, 4 numbers of a box.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidfit.boxes import Edges

STEPS_A_SECOND = 10.0
"""Steps a second at which the noise is the published one: about the rate of `vidfit predict`."""

PLACE_SHARE, VELOCITY_SHARE = 1 / 20, 1 / 160
"""Standard deviations a step, in heights of the box (Wojke et al. 2017)."""

ASPECT_STEP, ASPECT_VELOCITY_STEP, ASPECT_SEEN = 1e-2, 1e-5, 1e-1
"""The same of the aspect ratio; the last is that of a box as it is found."""

_ASPECT = 2
_HEIGHT = 3


@dataclass(frozen=True, slots=True)
class BoxMotion:
    """Where boxes are and how fast they move, and how sure that is.

    Parameters
    ----------
    place_N4, velocity_N4
        Centre x, centre y, aspect ratio (width by height) and height in pixels, and their change
        a second.
    place_variance_N4, covariance_N4, velocity_variance_N4
        Variances of both, and their covariance.
    scale_N
        Height when the box was last found, in pixels: the unit of the noise.
    """

    place_N4: Edges
    velocity_N4: Edges
    place_variance_N4: Edges
    covariance_N4: Edges
    velocity_variance_N4: Edges
    scale_N: Edges

    @classmethod
    def none(cls) -> BoxMotion:
        """No boxes."""
        return begun(np.zeros((0, 4)))

    def chosen(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> BoxMotion:
        """Return some of the boxes."""
        return BoxMotion(*(getattr(self, name)[places] for name in self.__slots__))

    def joined(self, others: BoxMotion) -> BoxMotion:
        """Return these boxes, and then others."""
        pairs = ((getattr(self, name), getattr(others, name)) for name in self.__slots__)
        return BoxMotion(*(np.concatenate(pair) for pair in pairs))


def begun(edges_N4: Edges) -> BoxMotion:
    """Return boxes that were found once: they may move anywhere."""
    measured_N4 = _measured(edges_N4)
    scale_N = measured_N4[:, _HEIGHT]
    place_N4 = _deviation(scale_N, 2 * PLACE_SHARE, ASPECT_STEP)
    velocity_N4 = _deviation(scale_N, 10 * VELOCITY_SHARE, ASPECT_VELOCITY_STEP)
    return BoxMotion(
        measured_N4,
        np.zeros_like(measured_N4),
        place_N4**2,
        np.zeros_like(measured_N4),
        (velocity_N4 * STEPS_A_SECOND) ** 2,
        scale_N,
    )


def moved(motion: BoxMotion, seconds: float) -> BoxMotion:
    """Return where the boxes are some seconds later, 0 or more."""
    place_rate_N4 = STEPS_A_SECOND * _deviation(motion.scale_N, PLACE_SHARE, ASPECT_STEP) ** 2
    steps_N4 = _deviation(motion.scale_N, VELOCITY_SHARE, ASPECT_VELOCITY_STEP)
    velocity_rate_N4 = STEPS_A_SECOND * (STEPS_A_SECOND * steps_N4) ** 2
    pp, pv, vv = (
        motion.place_variance_N4,
        motion.covariance_N4,
        motion.velocity_variance_N4,
    )
    return replace(
        motion,
        place_N4=motion.place_N4 + seconds * motion.velocity_N4,
        place_variance_N4=(
            pp
            + 2 * seconds * pv
            + seconds**2 * vv
            + seconds * place_rate_N4
            + seconds**3 / 3 * velocity_rate_N4
        ),
        covariance_N4=pv + seconds * vv + seconds**2 / 2 * velocity_rate_N4,
        velocity_variance_N4=vv + seconds * velocity_rate_N4,
    )


def corrected(motion: BoxMotion, edges_N4: Edges) -> BoxMotion:
    """Return the boxes after each was found at ``edges_N4``."""
    measured_N4 = _measured(edges_N4)
    noise_N4 = _deviation(motion.place_N4[:, _HEIGHT], PLACE_SHARE, ASPECT_SEEN) ** 2
    pp, pv = motion.place_variance_N4, motion.covariance_N4
    surprise_N4 = measured_N4 - motion.place_N4
    place_gain_N4, velocity_gain_N4 = pp / (pp + noise_N4), pv / (pp + noise_N4)
    return BoxMotion(
        motion.place_N4 + place_gain_N4 * surprise_N4,
        motion.velocity_N4 + velocity_gain_N4 * surprise_N4,
        (1 - place_gain_N4) * pp,
        (1 - place_gain_N4) * pv,
        motion.velocity_variance_N4 - velocity_gain_N4 * pv,
        measured_N4[:, _HEIGHT],
    )


def at_height(motion: BoxMotion, is_lost_N: NDArray[np.bool_]) -> BoxMotion:
    """Return the boxes so that those that are out of sight keep their height (ByteTrack)."""
    velocity_N4 = motion.velocity_N4.copy()
    velocity_N4[is_lost_N, _HEIGHT] = 0
    return replace(motion, velocity_N4=velocity_N4)


def edges_of(motion: BoxMotion) -> Edges:
    """Return left, top, right and bottom of the boxes, [N, 4]."""
    centre_N2, height_N = motion.place_N4[:, :2], np.maximum(motion.place_N4[:, _HEIGHT], 0)
    half_N2 = np.stack([motion.place_N4[:, _ASPECT] * height_N, height_N], axis=1) / 2
    return np.concatenate([centre_N2 - half_N2, centre_N2 + half_N2], axis=1)


def _measured(edges_N4: Edges) -> Edges:
    """Return centre, aspect ratio and height of boxes that have an area."""
    size_N2 = edges_N4[:, 2:] - edges_N4[:, :2]
    centre_N2 = (edges_N4[:, :2] + edges_N4[:, 2:]) / 2
    return np.column_stack([centre_N2, size_N2[:, 0] / size_N2[:, 1], size_N2[:, 1]])


def _deviation(height_N: Edges, share: float, aspect: float) -> Edges:
    """Return deviations [N, 4]: those of lengths are shares of the height."""
    deviation_N4 = np.repeat(share * height_N[:, None], 4, axis=1)
    deviation_N4[:, _ASPECT] = aspect
    return deviation_N4
