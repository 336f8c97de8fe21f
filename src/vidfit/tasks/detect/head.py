"""A detector as it is, or its boxes scored again by what they look like.

Shape letters: S members, M frames, N boxes of a frame, B boxes, X numbers of a box, C classes of
the detector, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Floats
from vidfit.errors import ModelError
from vidfit.fitted import FittedFusion
from vidfit.metrics.boxes import ANSWERS
from vidfit.tasks.detect.picked import picked
from vidfit.tasks.detect.seen import EDGES, SeenBoxes
from vidfit.tasks.detect.weighted import weighted_boxes

ABSENT = -1.0
"""In place of a class of the detector, where none has the name of a class."""

_ARRAYS = ("again_1", "bias_K", "classes_1", "from_K", "mean_X", "scale_X", "weight_KX")
_MOST_CLASSES = 100_000


@dataclass(frozen=True)
class BoxScorer:
    """What one detector's boxes are worth.

    Parameters
    ----------
    classes_1
        Number of the detector's classes.
    from_K
        Which of them has the name of a class; `ABSENT` where none has.
    again_1
        1 where boxes are scored again, 0 where the detector's own scores hold.
    mean_X, scale_X, weight_KX, bias_K
        Of the logistic regression of each class against all else.
    """

    classes_1: Floats
    from_K: Floats
    again_1: Floats
    mean_X: Floats
    scale_X: Floats
    weight_KX: Floats
    bias_K: Floats

    def answers(self, vectors_MD: Floats) -> Floats:
        """Return answers [M, 600]."""
        seen = SeenBoxes.of(vectors_MD, int(self.classes_1[0]))
        return picked(seen.edges_MN4, self.scores(seen))

    def scores(self, seen: SeenBoxes) -> Floats:
        """Return how sure it is that boxes are of each class, [M, N, K]; 0 of none."""
        if not self.again_1[0]:
            return own_scores(seen, self.from_K)
        scores_MNK = np.zeros((*seen.own_MN.shape, len(self.bias_K)), np.float32)
        frame_B, box_B = np.nonzero(seen.own_MN > 0)
        at = frame_B.astype(np.int64), box_B.astype(np.int64)
        x_BX = (seen.numbers(at) - self.mean_X) * self.scale_X
        scores_MNK[at] = 1.0 / (
            1.0 + np.exp(-np.clip(x_BX @ self.weight_KX.T + self.bias_K, -30, 30))
        )
        return scores_MNK

    def novelty(self, vectors_MD: Floats) -> Floats:
        """Return the mean squared standard score of what the surest boxes look like, [M]."""
        seen = SeenBoxes.of(vectors_MD, int(self.classes_1[0]))
        first = np.arange(len(vectors_MD)), np.zeros(len(vectors_MD), np.int64)
        # Each part was divided by the root of its width, so that no part drowns another.
        wide_X = np.repeat(np.sqrt(seen.blocks), seen.blocks)
        z_MX = (seen.numbers(first) - self.mean_X) * self.scale_X * wide_X
        far_M: Floats = (z_MX**2).mean(axis=1).astype(np.float32)
        return far_M


def own_scores(seen: SeenBoxes, from_K: Floats) -> Floats:
    """Return the detector's own scores of classes that it knows by name, [M, N, K]."""
    scores_MNK = np.zeros((*seen.own_MN.shape, len(from_K)), np.float32)
    for k, number in enumerate(from_K):
        if number != ABSENT:
            scores_MNK[:, :, k] = seen.scores_MNC[:, :, int(number)]
    return scores_MNK


@dataclass(frozen=True)
class Boxes:
    """Boxes of one detector, or of several whose boxes are weighed together."""

    members: tuple[BoxScorer, ...]

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return answers [M, 600]: boxes with score and class."""
        answers = [one.answers(x_MD) for one, x_MD in zip(self.members, blocks, strict=True)]
        return answers[0] if len(answers) == 1 else weighted_boxes(answers)

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return how unlike those that were learned from the surest boxes are, [M]."""
        far = [one.novelty(x_MD) for one, x_MD in zip(self.members, blocks, strict=True)]
        mean_M: Floats = np.mean(far, axis=0).astype(np.float32)
        return mean_M

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore` needs."""
        return {
            f"member{i}.{name}": np.asarray(array, np.float32)
            for i, one in enumerate(self.members)
            for name, array in vars(one).items()
        }


def took(fitted: FittedFusion) -> str:
    """Say whether boxes are scored as their detector does, or again."""
    if not isinstance(fitted, Boxes):
        return ""
    again = [bool(one.again_1[0]) for one in fitted.members]
    if not any(again):
        return "Taken as it is: boxes keep the scores of the detector, which were no worse."
    some = "" if all(again) else f", of {sum(again)} of {len(again)} detectors"
    return f"Scored again{some}: boxes have scores that the labelled frames taught."


def restore(state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Boxes:
    """Rebuild a head from arrays that may be anybody's.

    Raises
    ------
    ModelError
        If they are not what a head of these widths and classes has.
    """
    wanted = {f"member{i}.{name}" for i in range(len(widths)) for name in _ARRAYS}
    if strange := sorted(wanted ^ state.keys()):
        what = "missing" if strange[0] in wanted else "none of its own"
        raise ModelError(f"the head's array {strange[0]!r} is {what}")
    return Boxes(tuple(_member(state, i, width, classes) for i, width in enumerate(widths)))


def _member(state: Mapping[str, Floats], place: int, width: int, classes: int) -> BoxScorer:
    arrays = {name: state[f"member{place}.{name}"] for name in _ARRAYS}
    numbers = width // (1 + ANSWERS) - EDGES + 5  # of a box: scores, looks, size and place
    shapes = {
        "again_1": (1,),
        "bias_K": (classes,),
        "classes_1": (1,),
        "from_K": (classes,),
        "mean_X": (numbers,),
        "scale_X": (numbers,),
        "weight_KX": (classes, numbers),
    }
    for name, array in arrays.items():
        if array.shape != shapes[name] or array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ModelError(
                f"the head's array {name!r} is {array.dtype} {array.shape}; it must hold finite "
                f"numbers of the shape {shapes[name]}"
            )
    count = float(arrays["classes_1"][0])
    from_K = arrays["from_K"]
    known = np.isin(from_K, np.arange(ABSENT, min(max(count, 0.0), _MOST_CLASSES)))
    if not (count.is_integer() and 1 <= count <= numbers - 5) or not known.all():
        raise ModelError(f"the head names classes of a detector that has {count:g}")
    return BoxScorer(**arrays)
