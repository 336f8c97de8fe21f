"""People as directions: the mean of the vectors of their pictures; and how alike is alike enough.

The threshold is set so that one in a hundred strangers is named. What strangers would score is
told by the people of the gallery, each held against all others. It is a figure of few people, so
that its upper bound is taken: of how it would come out with other people of that kind.

Shape letters: M pictures, K people, D numbers of a vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.errors import ModelError
from vidfit.metrics.identities import NOT_KNOWN
from vidfit.tasks.faces.kind import IDENTITY, Identity

STRANGERS = 0.01
"""Share of strangers that the threshold is set for."""

LEAST_PEOPLE = 10
"""Fewer people say too little of strangers: no threshold of their own may be below the usual."""

USUAL_THRESHOLD = 0.938
"""Similarity that is asked for where there are fewer people, for vectors of ``dlib-face`` only.

It is a distance of 0.5 between vectors as dlib gives them, whose length is 1.42. Its author states
0.6, at which 99.38 % of the pairs of LFW are right; a gallery asks of many pairs at once.
"""

_SURE, _DRAWS = 0.9, 200
_LEAST_SPREAD = 0.02
_LEAST_LENGTH = 1e-9

Doubles = NDArray[np.float64]


def mean_direction(tokens_ND: Floats) -> Floats:
    """Return the mean direction [D] of tokens; its product with another is a mean similarity.

    Not every encoder gives vectors of length 1, as those of faces do.
    """
    tokens_ND = np.asarray(tokens_ND, np.float32)
    length_N1 = np.linalg.norm(tokens_ND, axis=1, keepdims=True)
    unit_ND = tokens_ND / np.maximum(length_N1, _LEAST_LENGTH)
    return np.asarray(unit_ND.mean(axis=0), np.float32)


@dataclass(frozen=True)
class Gallery:
    """Known people as unit vectors, zeros where none is known; and the threshold."""

    people_KD: Floats
    threshold_1: Floats

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return how alike each picture is to each person, less the threshold, [M, K]."""
        alike_MK = _at_most_unit(blocks[0]) @ self.people_KD.T - self.threshold_1
        known_K = self.people_KD.any(axis=1)
        return np.where(known_K, alike_MK, NOT_KNOWN).astype(np.float32)

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared distance [M] from the middle of the people, in deviations."""
        known_KD = self.people_KD[self.people_KD.any(axis=1)]
        spread_D = np.maximum(known_KD.std(axis=0), _LEAST_SPREAD)
        z_MD = (blocks[0] - known_KD.mean(axis=0)) / spread_D
        return np.asarray((z_MD**2).mean(axis=1), np.float32)

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `LearnGallery.restore` needs."""
        return {"people_KD": self.people_KD, "threshold_1": self.threshold_1}


@dataclass(frozen=True)
class LearnGallery:
    """There is one setting: nothing is chosen but the threshold, by `threshold_of`."""

    kind: Identity = IDENTITY
    head: str = "gallery"

    def tried(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> list[Floats]:  # noqa: ANN401
        """Return answers by galleries without a picture's fold."""
        count = self.kind.columns(truth)
        found_MK = np.full((len(truth), count), NOT_KNOWN, np.float32)
        for fold in np.unique(folds_M):
            out_M = folds_M == fold
            gallery = gallery_of(vectors_MD[~out_M], truth[~out_M], count)
            found_MK[out_M] = gallery.log_probabilities([vectors_MD[out_M]])
        return [found_MK]

    def fit(
        self,
        vectors_MD: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[Gallery, Floats]:
        """Enrol all pictures."""
        gallery = gallery_of(vectors_MD, truth, self.kind.columns(truth))
        return gallery, self.tried(vectors_MD, truth, folds_M)[0]

    def restore(self, state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Gallery:
        """Check the arrays and rebuild the gallery."""
        if state.keys() != {"people_KD", "threshold_1"} or len(widths) != 1:
            raise ModelError(
                f"a gallery has the arrays people_KD and threshold_1 and one member, not "
                f"{', '.join(sorted(state))[:200]} and {len(widths)} members"
            )
        people_KD, threshold_1 = state["people_KD"], state["threshold_1"]
        if people_KD.shape != (classes, widths[0]) or threshold_1.shape != (1,):
            raise ModelError(f"the gallery is {people_KD.shape}; {classes} people are named")
        length_K = np.linalg.norm(people_KD, axis=1)
        known_K = length_K > 0
        if not np.isfinite(length_K).all() or not -1 <= float(threshold_1[0]) <= 2:
            raise ModelError("the gallery holds NaN, infinity or a threshold that is none")
        if not known_K.any() or np.abs(length_K[known_K] - 1).max() > 1e-3:
            raise ModelError("the gallery holds people who are no unit vectors, or nobody")
        return Gallery(people_KD, threshold_1)


def gallery_of(x_MD: Floats, person_M: Indices, people: int) -> Gallery:
    """Enrol people by their pictures; one without a picture stays out."""
    unit_MD = _at_most_unit(x_MD)
    people_KD = np.zeros((people, x_MD.shape[1]), np.float32)
    np.add.at(people_KD, person_M, unit_MD)
    length_K1 = np.linalg.norm(people_KD, axis=1, keepdims=True)
    people_KD = np.divide(people_KD, length_K1, out=people_KD, where=length_K1 > 0)
    threshold = threshold_of(unit_MD @ people_KD.T, person_M)
    return Gallery(people_KD, np.array([threshold], np.float32))


def threshold_of(alike_MK: Floats, person_M: Indices) -> float:
    """Return the similarity that `STRANGERS` of the strangers reach, its upper bound.

    Distances between a picture and other people are taken as normal, with one mean and deviation;
    the nearest of K people is below a distance as rarely as wanted where one of them is so more
    rarely. People, not pictures, are drawn again for the bound (90 % one-sided).

    Parameters
    ----------
    alike_MK
        How alike pictures are to all people.
    person_M
        Whose picture it is.

    Returns
    -------
    float
        Of fewer people than `LEAST_PEOPLE`, the figure without its bound, and `USUAL_THRESHOLD` at
        least.
    """
    known = np.unique(person_M)
    count = len(known)
    if count < 2:
        return USUAL_THRESHOLD
    far_MK = np.sqrt(np.maximum(2.0 - 2.0 * alike_MK[:, known].astype(np.float64), 0.0))
    of_KM = known[:, None] == person_M
    sums = np.stack([of_KM @ far_MK**power for power in (0, 1, 2)]) * (1.0 - np.eye(count))
    if count < LEAST_PEOPLE:
        return max(USUAL_THRESHOLD, _alike(float(_near(np.ones((1, count)), sums)[0])))
    rng = np.random.default_rng(0)
    drawn_RK = rng.multinomial(count, np.full(count, 1 / count), size=_DRAWS).astype(np.float64)
    return _alike(float(np.quantile(_near(drawn_RK, sums), 1 - _SURE)))


def _near(drawn_RK: Doubles, sums: Doubles) -> Doubles:
    """Return the distance [R] that `STRANGERS` of the strangers are nearer than to anybody.

    Parameters
    ----------
    drawn_RK
        How often each person counts.
    sums
        Of distances to the power 0, 1 and 2, of pictures of one person to another, [3, K, K].
    """
    from scipy.special import ndtri

    pairs, first, second = np.einsum("rk,pkl,rl->pr", drawn_RK, sums, drawn_RK)
    mean_R = first / np.maximum(pairs, 1.0)
    spread_R = np.sqrt(np.maximum(second / np.maximum(pairs, 1.0) - mean_R**2, 0.0))
    near_R: Doubles = mean_R + ndtri(1 - (1 - STRANGERS) ** (1 / sums.shape[1])) * spread_R
    return np.maximum(near_R, 0.0)


def _alike(far: float) -> float:
    """Return the similarity of unit vectors at a distance."""
    return 1.0 - far**2 / 2


def _at_most_unit(x_MD: Floats) -> Floats:
    """Return vectors of length 1 at most: means of several unit vectors stay as they are."""
    length_M1 = np.linalg.norm(x_MD, axis=1, keepdims=True)
    return np.asarray(x_MD / np.maximum(length_M1, 1.0), np.float32)
