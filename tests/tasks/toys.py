"""Two tasks without classes, to hold the contract of a task against: one of each kind of fit.

Where a square is (a box, trained by gradient steps), and what is unlike the usual (a Gaussian of
usual clips, in closed form, judged by an area that has no sums). They are small forms of detection
and of anomaly detection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices
from vidfit.errors import ModelError
from vidfit.features import Pooling
from vidfit.fitted import FittedFusion
from vidfit.labels import Kind, Said, mean_loss
from vidfit.labels.number import Number
from vidfit.metrics import CLASS_MEASURES, ClipMean
from vidfit.tasks import Task

SIDES = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class Box(Number):
    """A box a clip: the truth is [M, 4], edges as shares of the picture."""

    name: str = "box"
    what: str = "a box"
    needs: str = "Boxes that differ are needed"

    def classes(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        return SIDES

    def checked(self, label: str) -> str:
        edges = [float(part) for part in label.split()]
        if len(edges) != 4 or not (edges[0] < edges[2] and edges[1] < edges[3]):
            raise ValueError("is no box; valid are left, top, right and bottom, in that order")
        return " ".join(f"{edge:.4f}" for edge in edges)

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> NDArray[np.float64]:
        return np.array([[float(x) for x in str(c.label).split()] for c in clips], np.float64)

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        if len({clip.label for clip in clips}) > 1:
            return {}
        return dict.fromkeys(SIDES, "all clips have the same box")

    def columns(self, truth: Any) -> int:
        return 4

    def stratum(self, truth: Any) -> Indices:
        return super().stratum(truth[:, 0])

    def constant(self, known: Any, columns: int, clips: int, measure: str) -> Floats:
        return np.tile(np.median(known, axis=0), (clips, 1)).astype(np.float32)

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        return self.text(constant_MK[0], classes)

    def losses(self, answers_MK: NDArray[np.floating], truth: Any) -> Floats:
        lost_M: Floats = np.abs(answers_MK - truth).mean(axis=1)
        return lost_M

    def text(self, truth: Any, classes: Sequence[str]) -> str:
        return " ".join(f"{float(edge):.4f}" for edge in truth)

    def said(
        self, stated_K: Floats, classes: Sequence[str], thresholds: Sequence[float] = ()
    ) -> Said:
        return Said(self.text(stated_K, classes), float("nan"))


@dataclass(frozen=True)
class Overlap(ClipMean):
    """The mean intersection over union."""

    name: str = "iou"
    kind: Any = "bounded"

    def sums(self, truth: Any, answers: Any) -> NDArray[np.float64]:
        low, high = np.maximum(truth, answers)[:, :2], np.minimum(truth, answers)[:, 2:]
        both_M = np.clip(high - low, 0, None).prod(axis=1)
        areas = [np.clip(box[:, 2:] - box[:, :2], 0, None).prod(axis=1) for box in (truth, answers)]
        return super().sums(truth, both_M / np.maximum(areas[0] + areas[1] - both_M, 1e-9))


@dataclass(frozen=True)
class Head:
    """Standardised vectors times weights, plus a bias."""

    mean_D: Floats
    scale_D: Floats
    weight_KD: Floats
    bias_K: Floats

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        answers_MK: Floats = self._standard(blocks) @ self.weight_KD.T + self.bias_K
        return answers_MK

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        result: Floats = (self._standard(blocks) ** 2).mean(axis=1)
        return result

    def state(self) -> dict[str, Floats]:
        return {name: np.asarray(value, np.float32) for name, value in vars(self).items()}

    def _standard(self, blocks: Sequence[Floats]) -> Floats:
        (x_MD,) = blocks
        standard_MD: Floats = ((x_MD - self.mean_D) * self.scale_D).astype(np.float32)
        return standard_MD


class Folded:
    """A learner that fits once for each fold and setting; ``one`` fits on some clips."""

    settings: Sequence[float]
    kind: Kind

    def one(self, x_MD: Floats, truth: Any, setting: float) -> FittedFusion:
        raise NotImplementedError

    def tried(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> list[Floats]:
        columns = self.kind.columns(truth)
        found = []
        for setting in self.settings:
            out_MK = np.zeros((len(truth), columns), np.float32)
            for fold in np.unique(folds_M):
                learn = folds_M != fold
                head = self.one(vectors_MD[learn], truth[learn], setting)
                out_MK[~learn] = head.log_probabilities([vectors_MD[~learn]])
            found.append(out_MK)
        return found

    def fit(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> tuple[FittedFusion, Floats]:
        tried = self.tried(vectors_MD, truth, folds_M)
        best = int(np.argmin([mean_loss(out_MK, truth, self.kind) for out_MK in tried]))
        return self.one(vectors_MD, truth, self.settings[best]), tried[best]


class Descent(Folded):
    """Trained: gradient steps on the absolute error; the number of steps is the setting."""

    head, kind, settings = "box", Box(), (30, 300)

    def one(self, x_MD: Floats, truth: Any, setting: float) -> Head:
        mean_D, scale_D = x_MD.mean(axis=0), 1 / np.maximum(x_MD.std(axis=0), 1e-6)
        standard_MD = (x_MD - mean_D) * scale_D
        bias_K, weight_KD = truth.mean(axis=0), np.zeros((truth.shape[1], x_MD.shape[1]))
        for step in range(int(setting)):
            sign_MK = np.sign(standard_MD @ weight_KD.T + bias_K - truth)
            rate = 0.05 / (1 + step / 20)
            weight_KD -= rate * sign_MK.T @ standard_MD / len(truth)
            bias_K = bias_K - rate * sign_MK.mean(axis=0)
        parts = mean_D, scale_D, weight_KD, bias_K
        return Head(*(np.asarray(part, np.float32) for part in parts))

    def restore(self, state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Head:
        if set(state) != set(Head.__dataclass_fields__):
            raise ModelError(f"a head of boxes has other arrays than {', '.join(sorted(state))}")
        if state["weight_KD"].shape != (classes, *widths):
            raise ModelError("the weights of a head of boxes are of another shape")
        return Head(**state)


@dataclass(frozen=True)
class Unusual(Number):
    """Whether a clip is unusual: the truth is [M, 1], an answer is the logarithm of its odds."""

    name: str = "unusual"
    what: str = "0 or 1 (unusual)"
    needs: str = "Usual and unusual clips are needed"

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> NDArray[np.bool_]:
        return np.array([[clip.label == "1"] for clip in clips], np.bool_)

    def checked(self, label: str) -> str:
        if label not in ("0", "1"):
            raise ValueError("is neither 0 nor 1")
        return label

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        return {} if len({clip.label for clip in clips}) > 1 else {"number": "all are alike"}

    def stratum(self, truth: Any) -> Indices:
        return np.asarray(truth[:, 0], np.int64)

    def constant(self, known: Any, columns: int, clips: int, measure: str) -> Floats:
        return np.full((clips, 1), np.log(known.mean() / (1 - known.mean())), np.float32)

    def losses(self, answers_MK: NDArray[np.floating], truth: Any) -> Floats:
        lost_M: Floats = np.logaddexp(0, np.where(truth, -answers_MK, answers_MK))[:, 0]
        return lost_M

    def text(self, truth: Any, classes: Sequence[str]) -> str:
        return str(int(np.asarray(truth).item() > 0))


@dataclass(frozen=True)
class Distance:
    """How far a clip lies from usual ones, less what is usual."""

    mean_D: Floats
    scale_D: Floats
    usual_1: Floats

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        answers_M1: Floats = (self.novelty(blocks) - self.usual_1)[:, None].astype(np.float32)
        return answers_M1

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        (x_MD,) = blocks
        result: Floats = (((x_MD - self.mean_D) * self.scale_D) ** 2).mean(axis=1)
        return result

    def state(self) -> dict[str, Floats]:
        return {name: np.asarray(value, np.float32) for name, value in vars(self).items()}


class Gaussian(Folded):
    """In closed form: mean and spread of the usual clips; the floor of the spread is the setting.

    Unusual clips are not learned from.
    """

    head, kind, settings = "distance", Unusual(), (0.01, 0.3)

    def one(self, x_MD: Floats, truth: Any, setting: float) -> Distance:
        usual_MD = x_MD[~truth[:, 0]].astype(np.float64)
        scale_D = 1 / (usual_MD.std(axis=0) + setting)
        far_M = (((usual_MD - usual_MD.mean(axis=0)) * scale_D) ** 2).mean(axis=1)
        parts = usual_MD.mean(axis=0), scale_D, np.array([np.quantile(far_M, 0.95)])
        return Distance(*(part.astype(np.float32) for part in parts))

    def restore(self, state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Distance:
        if set(state) != set(Distance.__dataclass_fields__) or classes != 1:
            raise ModelError(f"a distance has other arrays than {', '.join(sorted(state))}")
        if state["mean_D"].shape != tuple(widths):
            raise ModelError("the mean of a distance is of another shape")
        return Distance(**state)


MEAN = Pooling(lambda tokens_ND: np.asarray(tokens_ND, np.float32).mean(axis=0), 1)

BOX = Task("box", Box(), {"iou": Overlap()}, "where a square is", "the median box", Descent())

UNUSUAL = Task(
    "unusual", Unusual(), {"auroc": CLASS_MEASURES["auroc"]}, "what is unusual", "the same odds",
    Gaussian(), pooling=MEAN,
)  # fmt: skip
