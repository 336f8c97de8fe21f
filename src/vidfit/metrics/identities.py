"""What answers say of who is in a picture, when some people must remain unknown.

The truth is the number of the person of each picture [M]. An answer [M, K] is how alike a picture
is to each known person, less the threshold: the person of the highest is named where it is 0 or
more, else the picture is of nobody who is known. `NOT_KNOWN` marks a person of whom a fit had no
picture. A picture is a stranger's to all people but its own: what it answers there says how often
strangers are named, with its own person left out.

Figures as in Grother and Ngan, "Face Recognition Vendor Test" (NIST IR 8009, 2014).

Shape letters: M pictures, K people, R draws of recordings, N rows, G recordings, P pairs.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.metrics.measures import AnyMeasure, Doubles, Range, RankedScores, ratio

NOT_KNOWN = -4.0
"""Answer about a person of whom a fit had no picture; any other is above."""


@dataclass(frozen=True)
class TrueAccepts:
    """The share of pictures accepted as their person where a share of others are, too: TAR at FAR.

    All pairs of a picture and a person are sorted together.
    """

    name: str
    false_share: float
    kind: Range = "bounded"
    higher_is_better: bool = True

    def rows(self, truth: Any, answers: Any) -> tuple[Doubles, NDArray[np.bool_]]:  # noqa: ANN401
        """Return a row for each picture and person."""
        own_MK = truth[:, None] == np.arange(answers.shape[1])
        known_MK = answers > NOT_KNOWN
        return np.asarray(answers[known_MK], np.float64)[:, None], own_MK[known_MK][:, None]

    def figure(self, rows: RankedScores, weight_RG: Doubles) -> Doubles:
        """Return the share [R]; a threshold that others reach as well accepts them."""
        order_N = np.argsort(-rows.score_NK[:, 0], kind="stable")
        score_N, hit_N = rows.score_NK[order_N, 0], rows.hit_NK[order_N, 0]
        last_N = np.append(score_N[1:] != score_N[:-1], True)
        of_N = rows.recording_N[order_N]
        found = np.full(len(weight_RG), np.nan)
        for r, weight_G in enumerate(weight_RG):
            weight_N = weight_G[of_N]
            right_T = np.cumsum(weight_N * hit_N)[last_N]
            wrong_T = np.cumsum(weight_N * ~hit_N)[last_N]
            if right_T[-1] > 0 and wrong_T[-1] > 0:
                allowed_T = wrong_T <= self.false_share * wrong_T[-1] + 1e-9
                found[r] = right_T[allowed_T].max(initial=0.0) / right_T[-1]
        return found


@dataclass(frozen=True)
class NamedRightly:
    """The share of pictures of known people that are named, and rightly: 1 less FNIR."""

    name: str = "named-rightly"
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return pictures named rightly, and pictures of people whom the fit knows."""
        own_M = answers[np.arange(len(truth)), truth]
        known_M = own_M > NOT_KNOWN
        right_M = (own_M >= 0) & (own_M >= answers.max(axis=1))
        return np.array([float((right_M & known_M).sum()), float(known_M.sum())])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the share."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


@dataclass(frozen=True)
class StrangersNamed:
    """The share of pictures that are named where their person is left out: FPIR."""

    name: str = "strangers-named"
    kind: Range = "bounded"
    higher_is_better: bool = False

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return pictures that another person is named for, and pictures."""
        own_MK = truth[:, None] == np.arange(answers.shape[1])
        named_M = (np.where(own_MK, NOT_KNOWN, answers) >= 0).any(axis=1)
        return np.array([float(named_M.sum()), float(len(truth))])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the share."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


def b_cubed(found: Sequence[Hashable], true: Sequence[Hashable]) -> tuple[float, float, float]:
    """Return precision, recall and F of clusters (Bagga and Baldwin 1998).

    Of each item: which share of its cluster is of its person, and which share of its person is in
    its cluster; the means, and their harmonic mean.

    Raises
    ------
    ValueError
        If there is nothing, or not one cluster an item.
    """
    if not len(true) or len(found) != len(true):
        raise ValueError(f"{len(found)} clusters of {len(true)} items; give one for each of some")
    clusters = np.unique(np.array([hash(one) for one in found]), return_inverse=True)[1]
    people = np.unique(np.array([hash(one) for one in true]), return_inverse=True)[1]
    counts = np.zeros((clusters.max() + 1, people.max() + 1))
    np.add.at(counts, (clusters, people), 1)
    both = counts[clusters, people]
    precision = float((both / counts.sum(axis=1)[clusters]).mean())
    recall = float((both / counts.sum(axis=0)[people]).mean())
    return precision, recall, 2 * precision * recall / (precision + recall)


def ten_fold_accuracy(
    scores_P: Doubles, same_P: NDArray[np.bool_], fold_P: NDArray[np.int64]
) -> tuple[float, float]:
    """Return the accuracy of pairs by the protocol of LFW, and its standard error.

    The threshold of each fold is that of the highest accuracy on the others (Huang et al. 2007,
    "Labeled Faces in the Wild", image-restricted).

    Raises
    ------
    ValueError
        If there are fewer than two folds.
    """
    folds = np.unique(fold_P)
    if len(folds) < 2:
        raise ValueError("pairs are of one fold; two or more are needed, ten as a rule")
    found = []
    for fold in folds:
        out_P = fold_P == fold
        known, truth = scores_P[~out_P], same_P[~out_P]
        order = np.argsort(-known, kind="stable")
        right = np.append(0, np.cumsum(np.where(truth[order], 1, -1)))
        cut = np.concatenate([[np.inf], known[order]])[int(right.argmax())]
        found.append(((scores_P[out_P] >= cut) == same_P[out_P]).mean())
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(len(found)))


IDENTITY_MEASURES: dict[str, AnyMeasure] = {
    measure.name: measure
    for measure in (
        TrueAccepts("accepted@1", 0.01),
        TrueAccepts("accepted@0.1", 0.001),
        NamedRightly(),
        StrangersNamed(),
    )
}
"""By name, what may decide where people are to be named."""
