"""Sentences on a restorer, for the terminal and the page."""

from __future__ import annotations

from vidfit.contracts import Estimate
from vidfit.jobs.restore.value import ALIGNED, BICUBIC, RestoreReport
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


def why_chosen(way: str, gain: Estimate, steadier: Estimate, neighbours: Estimate) -> str:
    """Return why a way is chosen.

    Parameters
    ----------
    gain
        Of luma PSNR over bicubic.
    steadier
        By how many levels it flickers less than bicubic.
    neighbours
        What neighbours add to what is chosen, or to one frame where they are chosen.
    """
    if not has_interval(gain):
        return (
            "There is one recording: the figures are of later frames of it, and nothing is known "
            "of other recordings."
        )
    if not gain.low > 0:
        return f"No gain over bicubic is proven ({decibels(gain, signed=True)}): bicubic is kept."
    added = f"Neighbours add {decibels(neighbours, signed=True)}"
    if way == ALIGNED:
        return f"{added} to one frame, and flicker no more than bicubic."
    if steadier.value >= 0:
        why = "It is the nearest to the truth of the ways that flicker no more than bicubic."
    elif steadier.value < 0:
        why = "All ways flicker more than bicubic, and this one least."
    else:
        why = "Nothing moves that could be followed, so that flicker says nothing."
    proven = "" if neighbours.low > 0 else ", which is not proven"
    return f"{why} {added}{proven}."


def verdict(report: RestoreReport) -> str:
    """Return the answer in a sentence."""
    if report.chosen == BICUBIC:
        return "no gain over bicubic"
    gain = decibels(report.gain, signed=True)
    if report.one_recording:
        return f"{gain} of luma PSNR over bicubic, on later frames of the one recording"
    return f"{gain} of luma PSNR over bicubic, on recordings it has not seen"


def steadiness(report: RestoreReport) -> str:
    """Return how steady restored frames are beside those of bicubic."""
    gain = report.warping_gain
    if gain.value != gain.value:
        return "Flicker: nothing moved that could be followed."
    how = "steadier than" if gain.value > 0 else "less steady than"
    known = "" if gain.low > 0 or gain.high < 0 else ", not proven"
    return (
        f"Along the motion, neighbouring frames differ by {abs(gain.value):.2f} levels "
        f"{'less' if gain.value > 0 else 'more'}: {how} bicubic{known}. True frames differ by "
        f"{report.true_warping.value:.2f}."
    )
