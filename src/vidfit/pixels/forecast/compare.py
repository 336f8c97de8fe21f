"""Which forecaster, and whether any is better than none: by recordings that it has not seen.

Probabilities are calibrated, and the network is chosen, by the other recordings than those that are
measured: held-out recordings are dealt into folds, and each fold is answered by lines and a choice
that the others set.

Shape letters: M windows, A frames ahead, H and W pixels, N pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Estimate, Floats, Indices
from vidfit.metrics.noninferior import paired_loss
from vidfit.metrics.resampled import mean_interval, numbered, ratio_interval
from vidfit.pixels.forecast.calibrated import PixelReliability, Platt, fit_platt, pixel_reliability
from vidfit.pixels.forecast.measure import Figures, WindowScores, cross_entropy, entropy, measured

_FOLDS = 5


@dataclass(frozen=True)
class CandidateSaid:
    """What one candidate says of the frames ahead.

    Parameters
    ----------
    logits_MAHW
        Before calibration.
    network
        Whether it was trained, or is a baseline.
    window_seconds
        Of the processor, to answer a window.
    """

    name: str
    logits_MAHW: Floats
    network: bool
    window_seconds: float = 0.0


@dataclass(frozen=True)
class ForecastRow:
    """The figures of one candidate, with intervals over recordings.

    Parameters
    ----------
    mse, ssim, cross_entropy
        As `vidfit.pixels.forecast.measure` says.
    mse_A
        By frame ahead.
    behind
        Cross-entropy more than that of the best network; ``None`` of baselines.
    tied
        Whether the best network is not proven better.
    """

    name: str
    network: bool
    mse: Estimate
    ssim: Estimate
    cross_entropy: Estimate
    mse_A: tuple[float, ...]
    window_seconds: float
    behind: Estimate | None = None
    tied: bool = False


@dataclass(frozen=True)
class ForecastGain:
    """What a network has over a baseline; above zero is better.

    Parameters
    ----------
    over
        The baseline.
    mse, cross_entropy
        How much less they are, with intervals over recordings.
    share
        Of what could be won: of the baseline's cross-entropy above the entropy of the brightness,
        below which no forecast falls.
    """

    over: str
    mse: Estimate
    cross_entropy: Estimate
    share: Estimate


@dataclass(frozen=True)
class ForecastTable:
    """All candidates on the same windows, and what was chosen.

    Parameters
    ----------
    rows
        Baselines, then networks.
    chosen
        The cheapest network of those tied with the best.
    honest
        Figures where each fold's network is chosen by the others: what choosing gives.
    gains
        Of ``honest`` over each baseline.
    entropy
        Of the brightness that came, in nats a frame: the least that cross-entropy can be.
    before, reliability
        Of the chosen network, before calibration and after.
    platt
        The line of the chosen network, set by all held-out recordings.
    """

    rows: tuple[ForecastRow, ...]
    chosen: str
    honest: ForecastRow
    gains: tuple[ForecastGain, ...]
    entropy: float
    before: PixelReliability
    reliability: PixelReliability
    platt: Platt

    def row(self, name: str) -> ForecastRow:
        """Return the figures of a candidate."""
        return next(one for one in self.rows if one.name == name)

    @property
    def closest(self) -> ForecastGain:
        """The gain over the baseline that is hardest to beat, by cross-entropy."""
        return min(self.gains, key=lambda one: one.cross_entropy.value)

    @property
    def proven(self) -> bool:
        """Whether the network is proven better than every baseline, by cross-entropy."""
        return all(one.cross_entropy.low > 0 for one in self.gains)


def compared(
    said: Sequence[CandidateSaid], truth_MAHW: Floats, groups: Sequence[str]
) -> ForecastTable:
    """Calibrate, measure and choose; at least one of ``said`` is a network.

    Baselines stay as they are, and ``copy-last`` stands there a second time, calibrated.
    """
    folds = _folds(groups)
    raw = {one.name: measured(sigmoid(one.logits_MAHW), truth_MAHW) for one in said}
    seconds = {one.name: one.window_seconds for one in said}
    scores, picks = _out_of_fold(said, truth_MAHW, groups, folds)
    networks = [one.name for one in said if one.network]
    shown = {one.name: raw[one.name] for one in said if not one.network}
    shown |= {f"{n}, calibrated": s for n, s in scores.items() if n not in networks}
    own = {name: scores[name] for name in networks}
    best = min(own, key=lambda name: float(own[name].cross_entropy_M.mean()))
    rows = [row_of(name, one, groups) for name, one in shown.items()]
    rows += [_beside(name, own, best, groups, seconds[name]) for name in networks]
    chosen = _cheapest({r.name: r for r in rows if r.network})
    parts = {m: scores[picks[m]].of(np.array([m])) for m in range(len(groups))}
    honest = row_of("chosen", WindowScores.of_parts(parts), groups, seconds[chosen])
    of_chosen = next(one for one in said if one.name == chosen)
    calibrated = _calibrated(of_chosen, truth_MAHW, folds)
    entropy_M = entropy(truth_MAHW).sum(axis=(2, 3)).mean(axis=1)
    return ForecastTable(
        tuple(rows), chosen, honest,
        tuple(_gain(name, one, parts, entropy_M, groups) for name, one in shown.items()),
        float(entropy_M.mean()),
        pixel_reliability(list(sigmoid(of_chosen.logits_MAHW)), list(truth_MAHW), groups),
        pixel_reliability(list(sigmoid(calibrated)), list(truth_MAHW), groups),
        fit_platt(of_chosen.logits_MAHW, truth_MAHW),
    )  # fmt: skip


def sigmoid(logits: Floats) -> Floats:
    """Return the probabilities of logits."""
    said: Floats = np.reciprocal(1 + np.exp(-logits.clip(-30, 30)), dtype=np.float32)
    return said


def row_of(
    name: str, scores: WindowScores, groups: Sequence[str], window_seconds: float = 0.0
) -> ForecastRow:
    """Return the figures of a candidate with their intervals."""
    return ForecastRow(
        name, False,
        mean_interval(scores.mse_M, groups),
        mean_interval(scores.ssim_M, groups),
        mean_interval(scores.cross_entropy_M, groups),
        tuple(float(x) for x in scores.mse_MA.mean(axis=0)),
        window_seconds,
    )  # fmt: skip


def _folds(groups: Sequence[str]) -> list[Indices]:
    """Return the rows of each fold; a recording is in one of them."""
    group_M, count = numbered(groups)
    dealt = np.random.default_rng(0).permutation(count) % min(_FOLDS, count)
    return [np.flatnonzero(dealt[group_M] == fold) for fold in range(min(_FOLDS, count))]


def _out_of_fold(
    said: Sequence[CandidateSaid], truth: Floats, groups: Sequence[str], folds: Sequence[Indices]
) -> tuple[dict[str, WindowScores], list[str]]:
    """Return calibrated figures by candidate, and the network that the others choose, by window."""
    parts: dict[str, dict[int, WindowScores]] = {one.name: {} for one in said}
    picks = [""] * len(groups)
    for rows in folds:
        others = np.setdiff1d(np.arange(len(groups)), rows)
        nats: dict[str, Figures] = {}
        for one in said:
            line = fit_platt(one.logits_MAHW[others], truth[others])
            found = measured(sigmoid(line(one.logits_MAHW[rows])), truth[rows])
            parts[one.name] |= {int(m): found.of(np.array([i])) for i, m in enumerate(rows)}
            if one.network:
                said_others = sigmoid(line(one.logits_MAHW[others]))
                nats[one.name] = cross_entropy(said_others, truth[others]).mean((1, 2, 3))
        seconds = {one.name: one.window_seconds for one in said}
        pick = _pick(nats, [groups[m] for m in others], seconds)
        for m in rows:
            picks[m] = pick
    usual = ("copy-last",)
    kept = {n: WindowScores.of_parts(p) for n, p in parts.items()}
    networks = {one.name for one in said if one.network}
    return {n: s for n, s in kept.items() if n in networks or n in usual}, picks


def _pick(nats: Mapping[str, Figures], groups: Sequence[str], seconds: Mapping[str, float]) -> str:
    best = min(nats, key=lambda name: float(nats[name].mean()))
    behind = {n: paired_loss(of_M - nats[best], groups).interval() for n, of_M in nats.items()}
    tied = [name for name, estimate in behind.items() if _is_tied(estimate, name, best)]
    return min(tied, key=lambda name: seconds[name])


def _is_tied(behind: Estimate, name: str, best: str) -> bool:
    """Return whether a network is not proven behind; from one recording the best is taken."""
    return name == best or behind.low <= 0


def _beside(
    name: str, own: Mapping[str, WindowScores], best: str, groups: Sequence[str], seconds: float
) -> ForecastRow:
    more = own[name].cross_entropy_M - own[best].cross_entropy_M
    behind = paired_loss(more, groups).interval()
    row = row_of(name, own[name], groups, seconds)
    return replace(row, network=True, behind=behind, tied=_is_tied(behind, name, best))


def _cheapest(rows: Mapping[str, ForecastRow]) -> str:
    tied = [name for name, row in rows.items() if row.tied]
    return min(tied, key=lambda name: rows[name].window_seconds)


def _gain(
    name: str,
    scores: WindowScores,
    parts: Mapping[int, WindowScores],
    entropy_M: Figures,
    groups: Sequence[str],
) -> ForecastGain:
    ours = WindowScores.of_parts(dict(parts))
    less_M = scores.cross_entropy_M - ours.cross_entropy_M
    return ForecastGain(
        name,
        paired_loss(scores.mse_M - ours.mse_M, groups).interval(),
        paired_loss(less_M, groups).interval(),
        ratio_interval(less_M, scores.cross_entropy_M - entropy_M, groups),
    )


def _calibrated(one: CandidateSaid, truth: Floats, folds: Sequence[NDArray[np.int64]]) -> Floats:
    logits = np.empty_like(one.logits_MAHW)
    for rows in folds:
        others = np.setdiff1d(np.arange(len(logits)), rows)
        logits[rows] = fit_platt(one.logits_MAHW[others], truth[others])(one.logits_MAHW[rows])
    return logits
