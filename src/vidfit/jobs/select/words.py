"""What a ranking says in sentences: on the page, in a terminal, in the picture."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from vidfit.report import wording
from vidfit.report.leaderboard import nothing_proven

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vidfit.contracts import Estimate
    from vidfit.jobs.select.value import Baseline, Ranked, Ranking, Rung, Temporal
    from vidfit.plans import Regime
    from vidfit.report.wording import Metric

REGIMES: dict[Regime, str] = {
    "probe": "keep the encoder frozen, as fine-tuning would overfit",
    "lp-ft": "tuning the head first and then all weights may pay",
    "lora": "tuning the head first and then low-rank additions may pay",
    "full": "tuning all weights from the start may pay",
}
"""Of training, by the clips of the rarest class."""


_EXCESS = (
    " That is more because clips are decoded anew in each round, because one candidate runs on "
    "shuffled frames as well, and because times in several threads are longer than those measured "
    "in one."
)


def headline(ranking: Ranking) -> str:
    """Return the answer in a sentence, or in two where nothing is proven."""
    metric = wording.metric_of(ranking)
    expected = metric.said(metric.figure(ranking.score))
    if not ranking.beats_majority:
        nothing = nothing_proven(ranking)
        return (
            f"{nothing} Best by estimate: {ranking.recommended}, {expected} expected on new "
            "recordings."
        )
    return f"Use {ranking.recommended}: {expected} expected on new recordings."


def claim_sentence(ranking: Ranking) -> str:
    """Set the winner's own figure beside the one that is corrected for the choice."""
    metric = wording.metric_of(ranking)
    own = {c.name: c.score.value for c in ranking.candidates}.get(ranking.recommended)
    if own is None or not isfinite(ranking.naive.value) or not isfinite(own - ranking.score.value):
        return "What the winner's own figure overstates was not measured."
    claim = f"{ranking.best}'s own figure is {metric.figure(ranking.naive)}"
    if len(ranking.candidates) == 1:
        return f"{claim}. It was the only candidate, so that no choice flatters it."
    expected = f"{metric.value(ranking.score.value)} expected of {ranking.recommended}"
    optimism = metric.merit(own) - metric.merit(ranking.score.value)
    if optimism < 0.0005:
        return f"{claim}. No sign that the choice flatters: it takes nothing from the {expected}."
    return (
        f"{claim}, which is what selection usually reports. To be the best on the same "
        f"{ranking.row}s is in part luck, here worth {metric.gap(optimism)}: that is allowed for "
        f"in the {expected}."
    )


def standing(candidate: Ranked) -> str:
    """Say where a candidate stands."""
    if candidate.standing == "dropped":
        return f"dropped after {wording.counted(candidate.clips, 'clip')}"
    return candidate.standing


def behind(difference: Estimate, metric: Metric) -> str:
    """Return ``"2.1 points [-0.4, 4.6]"``: what the leader has more, or what was measured."""
    if difference.value == difference.low == difference.high == 0:
        return wording.DASH
    return metric.behind(difference)


def baseline_sentence(baseline: Baseline, ranking: Ranking) -> str:
    """Say what a choice without the user's clips would have lost, and what time."""
    return f"{_loss(baseline, ranking)}{_price(baseline, ranking)}"


def _loss(baseline: Baseline, ranking: Ranking) -> str:
    gap, metric = baseline.behind_best, wording.metric_of(ranking)
    if baseline.name == ranking.recommended:
        return "the same choice"
    if not isfinite(gap.value):
        return "its score here was not measured"
    if baseline.name == ranking.best:
        return "the best here"
    if wording.has_interval(gap) and gap.low > 0:
        return f"loses {behind(gap, metric)} to {ranking.best}{_where(baseline, ranking)}"
    where = _where(baseline, ranking)
    return f"not told apart from {ranking.best}{where}: {behind(gap, metric)} behind"


def _where(baseline: Baseline, ranking: Ranking) -> str:
    clips = {c.name: c.clips for c in ranking.candidates}.get(baseline.name, 0)
    if not clips or clips == max(c.clips for c in ranking.candidates):
        return ""
    return f" on the {wording.counted(clips, ranking.row)} that both saw"


def _price(baseline: Baseline, ranking: Ranking) -> str:
    seconds = {c.name: c.seconds_per_clip for c in ranking.candidates}
    own, least = seconds.get(baseline.name), seconds.get(ranking.recommended)
    if baseline.name == ranking.recommended or not own or not least:
        return ""
    if not isfinite(own / least):
        return ""
    return f"; {own / least:.3g} times the time per {ranking.row} of {ranking.recommended}"


def temporal_sentence(temporal: Temporal | None, metric: Metric) -> str:
    """Say whether the order of frames matters, with the figures."""
    if temporal is None:
        return "Whether the order of frames matters was not measured."
    return (
        f"{temporal.verdict.rstrip('.')}. {temporal.name} on "
        f"{wording.counted(temporal.clips, 'clip')}: {metric.figure(temporal.ordered)} with "
        f"frames in order, {metric.figure(temporal.shuffled)} with the same frames shuffled; "
        f"order brings {behind(temporal.gain, metric)}."
    )


def regime_sentence(ranking: Ranking) -> str:
    """Say how to train with this number of labels."""
    clips = wording.counted(ranking.labels_per_class, ranking.row)
    said = REGIMES[ranking.regime]
    return f"The rarest class has {clips}: {said} (regime {ranking.regime} of vidfit train)."


def quality_sentence(ranking: Ranking) -> str:
    """Say how finely these clips can judge."""
    recordings = wording.counted(ranking.group_count, "recording")
    tied = sum(c.standing in ("recommended", "tied") for c in ranking.candidates)
    count = len(ranking.candidates)
    text = f"No other is tied with {ranking.recommended}." if count > 1 else "One candidate ran."
    if tied > 1:
        text = f"{tied} of {count} candidates cannot be told apart."
    if not wording.has_interval(ranking.score):
        return f"{text} From {recordings} no interval can be claimed."
    metric = wording.metric_of(ranking)
    half = metric.gap((ranking.score.high - ranking.score.low) / 2)
    return f"{text} {recordings} tell the {metric.name} to within about {half} either way."


def ended_sentence(ranking: Ranking) -> str:
    """Say why the race ended."""
    return f"The race ended: {ranking.ended.rstrip('.')}."


def spent_sentence(ranking: Ranking) -> str:
    """Set what the race took beside what all candidates on all clips would take."""
    spent, whole = ranking.spent_seconds, ranking.exhaustive_seconds
    if not isfinite(spent) or not isfinite(whole) or whole <= 0:
        return f"The race took {core_time(spent)} of decoding and inference."
    share = wording.percent(spent / whole, 0)
    return (
        f"The race took {core_time(spent)} of decoding and inference, added over threads; all "
        f"candidates on all {ranking.row}s would take {core_time(whole)}: it took {share} of that."
        f"{_EXCESS if spent > whole else ''}"
    )


def core_time(seconds: float) -> str:
    """Return seconds of one thread as ``"3.1 core-minutes"``."""
    if not isfinite(seconds):
        return wording.NOT_MEASURED
    if seconds < 60:
        return f"{seconds:.3g} core-seconds"
    return f"{seconds / 60:.1f} core-minutes"


def round_sentence(place: int, rung: Rung) -> str:
    """Say how much a round saw, how many ran in it and how many went on."""
    left = ran(rung) - len(rung.dropped)
    return (
        f"Round {place}: {wording.counted(rung.clips, 'clip')} of "
        f"{wording.counted(rung.recordings, 'recording')}, {ran(rung)} ran, "
        f"{left} {'is' if left == 1 else 'are'} left."
    )


def ran(rung: Rung) -> int:
    """Return how many ran in a round, with those that failed in it."""
    return len({*rung.scores, *(failure.name for failure in rung.dropped)})


def names(candidates: Iterable[Ranked]) -> str:
    """Return names in a row."""
    return ", ".join(candidate.name for candidate in candidates)
