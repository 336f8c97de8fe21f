"""Parts of the benchmark of forecasters: moving digits on a split of the digits, and real video."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import table
from vidfit.contracts import Estimate, Floats, Frames
from vidfit.jobs.forecast.options import ForecastOptions
from vidfit.jobs.forecast.run import run_forecast
from vidfit.jobs.forecast.terminal import estimate, shares
from vidfit.pixels.forecast.baselines import BLACK, COPY, MEAN, baseline, unit
from vidfit.pixels.forecast.calibrated import PixelReliability, Platt, fit_platt, pixel_reliability
from vidfit.pixels.forecast.compare import ForecastRow, row_of, sigmoid
from vidfit.pixels.forecast.digits import CHOOSE, LEARN, TEST, MovingDigits
from vidfit.pixels.forecast.fitting import ForecastRun, answered, fit_forecasters
from vidfit.pixels.forecast.grey import HeldOutWindows
from vidfit.pixels.forecast.measure import measured
from vidfit.pixels.forecast.strips import enlarged, grey_levels, png_of, strip_of

Figures = dict[str, Any]

SEEN, AHEAD = 10, 10
_SHOWN = 4


def digits_part(  # noqa: PLR0913  (what a part is of)
    side: int,
    count: int,
    networks: tuple[str, ...],
    cpu_seconds: float,
    sequences: int,
    official: Path | None = None,
    strips: Path | None = None,
) -> Figures:
    """Learn moving digits; networks are chosen and calibrated by digits that are not tested on."""
    learn, choose, test = (MovingDigits.of(part, side, count) for part in (LEARN, CHOOSE, TEST))
    frames = SEEN + AHEAD
    held = choose.draw(np.random.default_rng(1), sequences // 2, frames)
    names = tuple(f"sequence {n}" for n in range(len(held)))
    run = ForecastRun(
        lambda rng, batch: learn.draw(rng, batch, frames), HeldOutWindows(held, names, names),
        side, SEEN, AHEAD, cpu_seconds * len(networks), networks=networks,
    )  # fmt: skip
    fitted = fit_forecasters(run)
    if fitted is None:
        raise SystemExit("interrupted")
    tested = test.draw(np.random.default_rng(2), sequences, frames)
    print(
        f"\n{count} of the digits of 28 x 28 in frames of {side} x {side}, {SEEN} seen, {AHEAD} "
        f"ahead; {len(tested)} sequences of {len(test.digits_NHW)} other digits"
    )
    truth = unit(held[:, SEEN:])
    lines: dict[str, Platt] = {}
    for name, one in fitted.learned.items():
        lines[name] = fit_platt(answered(one.network, held[:, :SEEN], AHEAD), truth)
        print(
            f"{name}: {one.parameters:,} parameters, {len(one.losses):,} steps, "
            f"{one.cpu_seconds:.0f} s of the processor"
        )

    def said(windows: Frames) -> dict[str, Floats]:
        found = {
            name: baseline(name, windows, SEEN, fitted.mean_HW) for name in (BLACK, MEAN, COPY)
        }
        for name, one in fitted.learned.items():
            found[name] = sigmoid(lines[name](answered(one.network, windows[:, :SEEN], AHEAD)))
        return found

    answers = said(tested)
    rows = _rows(answers, tested)
    print(f"chosen by {len(held)} sequences of held-out digits: {fitted.table.chosen}")
    chosen = fitted.table.chosen
    reliability = pixel_reliability(
        list(answers[chosen]), list(unit(tested[:, SEEN:])), [str(m) for m in range(len(tested))]
    )
    _show_reliability(chosen, reliability)
    if strips:
        _write_strips(strips, tested, answers)
    figures: Figures = {
        "chosen": chosen,
        "rows": {name: _facts(row) for name, row in rows.items()},
        "learned": {
            name: [one.parameters, len(one.losses), one.cpu_seconds]
            for name, one in fitted.learned.items()
        },
        "reliability": [[b.said, b.lit.value, b.share] for b in reliability.bins],
        "unsure error": reliability.unsure_error,
    }
    if official:
        figures["official"] = _official(official, said)
    return figures


def real_part(cpu_seconds: float, source: Path = SURVEILLANCE) -> Figures:
    """Fit surveillance clips by recording, and say whether anything beats the last frame."""
    with tempfile.TemporaryDirectory() as folder:
        options = ForecastOptions(cpu_seconds=cpu_seconds)
        report = run_forecast(source, Path(folder), options)
    print(
        f"\n{source.name}: {report.clips} clips, learned from {report.recordings} recordings, "
        f"measured on {report.windows} windows of {report.held_out} others"
    )
    found = report.table
    rows = {row.name: row for row in (*found.rows, found.honest)}
    _print(rows)
    print(f"entropy of the brightness itself: {found.entropy:.1f}")
    for gain in found.gains:
        less = estimate(gain.cross_entropy, 2, signed=True)
        share = shares(gain.share)
        print(f"over {gain.over}: cross-entropy lower by {less}, {share} of what could be won")
    _show_reliability(found.chosen, found.reliability)
    print(f"before calibration: {found.before.unsure_error:.2%} off between 5 and 95 %")
    return {
        "chosen": found.chosen,
        "rows": {name: _facts(row) for name, row in rows.items()},
        "gains": {gain.over: _ends(gain.cross_entropy) for gain in found.gains},
        "shares": {gain.over: _ends(gain.share) for gain in found.gains},
        "entropy": found.entropy,
        "unsure error": found.reliability.unsure_error,
        "unsure error before": found.before.unsure_error,
    }


def _official(path: Path, said: Any) -> Figures:
    """Answer the official test sequences, which papers' figures are of."""
    windows = np.moveaxis(np.load(path, mmap_mode="r", allow_pickle=False)[:, :1000], 1, 0)
    print(f"\nthe first {len(windows)} sequences of {path.name}")
    rows = _rows(said(np.ascontiguousarray(windows)), windows)
    return {name: _facts(row) for name, row in rows.items()}


def _rows(answers: Mapping[str, Floats], windows: Frames) -> dict[str, ForecastRow]:
    truth = unit(windows[:, SEEN:])
    groups = [str(m) for m in range(len(windows))]
    rows = {name: row_of(name, measured(said, truth), groups) for name, said in answers.items()}
    _print(rows)
    return rows


def _print(rows: Mapping[str, ForecastRow]) -> None:
    table(
        ("", "MSE", "SSIM", "cross-entropy"),
        [
            (name, estimate(row.mse), estimate(row.ssim, 3), estimate(row.cross_entropy))
            for name, row in rows.items()
        ],
    )


def _show_reliability(name: str, found: PixelReliability) -> None:
    print(
        f"{name}, {found.unsure_share:.1%} of pixels between 5 and 95 %: "
        f"{found.unsure_error:.2%} off"
    )
    table(
        ("said", "came", "of all pixels"),
        [(f"{b.said:.3f}", f"{b.lit.value:.3f}", f"{b.share:.2%}") for b in found.bins],
    )


def _write_strips(folder: Path, windows: Frames, answers: Mapping[str, Floats]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for m in range(_SHOWN):
        rows = [windows[m, :SEEN], windows[m, SEEN:]]
        rows += [grey_levels(said[m]) for said in answers.values()]
        picture = strip_of([enlarged(np.asarray(row)) for row in rows])
        (folder / f"{m}.png").write_bytes(png_of(picture))
    print(f"strips of seen, true, {', '.join(answers)}: {folder}")


def _facts(row: ForecastRow) -> dict[str, Any]:
    return {
        "mse": _ends(row.mse),
        "ssim": _ends(row.ssim),
        "cross-entropy": _ends(row.cross_entropy),
        "mse by frame": list(row.mse_A),
    }


def _ends(found: Estimate) -> list[float]:
    return [found.value, found.low, found.high]
