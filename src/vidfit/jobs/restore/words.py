"""Sentences on a restorer, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidfit.contracts import Estimate
from vidfit.jobs.restore.value import RestoreReport
from vidfit.pixels.restore.pretrained import PretrainedRestorer
from vidfit.report.wording import has_interval

FIGURE_NAMES = {
    "psnr_luma": "PSNR of luma, dB",
    "ssim_luma": "SSIM of luma",
    "psnr_rgb": "PSNR of RGB, dB",
    "ssim_rgb": "SSIM of RGB",
    "warping_levels": "warping error, levels (less is steadier)",
    "shimmer_levels": "shimmer of the error, levels (less is better)",
}
"""What figures are called over columns."""


def decibels(estimate: Estimate, *, signed: bool = False) -> str:
    """Return ``"+1.42 dB [0.97, 1.88]"``, or what of it was measured."""
    sign = "+" if signed else ""
    text = f"{estimate.value:{sign}.2f} dB"
    if not has_interval(estimate):
        return f"{text} (interval not measured)"
    return f"{text} [{estimate.low:.2f}, {estimate.high:.2f}]"


def plain(estimate: Estimate, digits: int) -> str:
    """Return a figure with its interval, if there is one."""
    text = f"{estimate.value:.{digits}f}"
    if not has_interval(estimate):
        return text
    return f"{text} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def why_chosen(by: str, over: Estimate, steadier: Estimate) -> str:
    """Return why a way is chosen.

    Parameters
    ----------
    by
        The better filter.
    over
        Luma PSNR of the network's way less that of the filter.
    steadier
        By how many levels it flickers less than bicubic.
    """
    if not has_interval(over):
        return (
            "There is one recording: the figures are of later frames of it, and nothing is known "
            "of other recordings."
        )
    if not over.low > 0:
        return (
            f"No gain over {by}, the better filter, is proven ({decibels(over, signed=True)}): "
            f"{by} is kept."
        )
    beaten = f"It beats {by}, the better filter, by {decibels(over)}"
    if steadier.value >= 0:
        return f"{beaten}, and is the nearest to the truth of what flickers no more than bicubic."
    if steadier.value < 0:
        return f"{beaten}. All ways flicker more than bicubic, and this one least."
    return f"{beaten}. Nothing moves that could be followed, so that flicker says nothing."


def pretrained_note(one: PretrainedRestorer, frame_seconds: Sequence[float]) -> str:
    """Return what a pretrained network is, costs and may be used for."""
    licence = one.licence or "see its folder"
    looks = (
        " It is for looks: it draws detail that looks sharp and was not there, so that its PSNR "
        "falls."
    )
    return (
        f"{one.name} is pretrained and learned nothing here; licence: {licence}; "
        f"{np.mean(frame_seconds):.2g} s of the processor for a frame.{looks * one.for_looks}"
    )


def verdict(report: RestoreReport) -> str:
    """Return the answer in a sentence."""
    if report.keeps_filter:
        return "no gain by what was learned"
    gain = decibels(report.gain, signed=True)
    if report.one_recording:
        return f"{gain} of luma PSNR over bicubic, on later frames of the one recording"
    return f"{gain} of luma PSNR over bicubic, on recordings it has not seen"


def steadiness(report: RestoreReport) -> str:
    """Return how steady restored frames are beside those of bicubic."""
    gain = report.warping_gain
    if gain.value != gain.value:
        return "Flicker: nothing moved that could be followed."
    whose = "of the network, which is not kept, " if report.keeps_filter else ""
    how = "steadier than" if gain.value > 0 else "less steady than"
    known = "" if gain.low > 0 or gain.high < 0 else ", not proven"
    return (
        f"Along the motion, neighbouring frames {whose}differ by {abs(gain.value):.2f} levels "
        f"{'less' if gain.value > 0 else 'more'}: {how} bicubic{known}. True frames differ by "
        f"{report.true_warping.value:.2f}."
    )
