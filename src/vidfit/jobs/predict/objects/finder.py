"""What finds objects in one frame: a detector as it was published, or a model of one's own.

Shape letters: N tokens, M boxes that are there, C classes, D numbers of a token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit import backbones as zoo
from vidfit.boxes import Edges
from vidfit.contracts import ClipFeatures, Detector, Frames, Preprocessing, Segmenter
from vidfit.errors import ModelError
from vidfit.jobs.predict.predictor import Predictor, load
from vidfit.model import DOCUMENT
from vidfit.runtime import accelerate
from vidfit.tasks.detect.kind import KIND, boxes_of
from vidfit.tracking.tracker import FoundBoxes

_LEAST_SCORE = 1e-3


@dataclass(frozen=True)
class ObjectFinder:
    """Finds objects in frames; it may be called from several threads at once.

    Parameters
    ----------
    name
        As it is told in answers.
    revision
        What changes whenever its answers may: the digest of its weights.
    classes
        What it finds.
    preprocessings
        Sizes in which it wants a frame.
    shares
        From a frame in these sizes to its boxes, in shares of the picture.
    """

    name: str
    revision: str
    classes: tuple[str, ...]
    preprocessings: tuple[Preprocessing, ...]
    shares: Callable[[Sequence[Frames]], FoundBoxes]

    def find(self, pictures: Sequence[Frames], width_pixels: int, height_pixels: int) -> FoundBoxes:
        """Return all boxes of a frame, each of one class, cut off at the edges of the picture.

        Parameters
        ----------
        pictures
            The frame [H, W, 3] in each of the sizes of ``preprocessings``.
        width_pixels, height_pixels
            Size of the frame as it is shown, in whose pixels the boxes are.
        """
        found = self.shares(pictures)
        size = np.array([width_pixels, height_pixels] * 2)
        return replace(found, edges_M4=np.clip(found.edges_M4, 0.0, 1.0) * size)


def open_finder(model: str, own: Sequence[str] = ()) -> ObjectFinder:
    """Open a detector by name, or a model directory that answers with boxes.

    Raises
    ------
    BackboneError
        If there is none of that name, or it cannot run here.
    ModelError
        If it finds no boxes, or is damaged.
    """
    if (Path(model) / DOCUMENT).is_file():
        return _of_model(load(Path(model), own, "detect"))
    for name in own:
        zoo.load(name)
    detector = zoo.load(model)
    if not isinstance(detector, Detector):
        masks = "; for its masks add --task segment" if isinstance(detector, Segmenter) else ""
        raise ModelError(
            f"{model} is an encoder that finds no boxes{masks}; give a model directory that fit "
            "wrote, or the name of a detector, such as nanodet"
        )
    fast, spec, classes = accelerate(detector), detector.spec, len(detector.classes)

    def shares(pictures: Sequence[Frames]) -> FoundBoxes:
        tokens_ND = fast.forward(pictures[0][None, None])[0]
        return boxes_in(tokens_ND.astype(np.float64), classes)

    return ObjectFinder(spec.name, spec.revision, detector.classes, (spec.preprocessing,), shares)


def boxes_in(tokens_ND: Edges, classes: int) -> FoundBoxes:
    """Return the boxes in the tokens of a detector, each of its most probable class."""
    scores_NC = tokens_ND[:, 4 : 4 + classes]
    scores_N = scores_NC.max(axis=1)
    there = np.flatnonzero(scores_N >= _LEAST_SCORE)
    return FoundBoxes(tokens_ND[there, :4], scores_N[there], scores_NC[there].argmax(axis=1))


def _of_model(predictor: Predictor) -> ObjectFinder:
    """Return what a model answers, whose members are detectors."""
    specs, model = [member.spec for member in predictor.backbones], predictor.model
    number = {name: place for place, name in enumerate(model.classes)}
    at = np.zeros(1, np.int64), np.zeros(1)

    def shares(pictures: Sequence[Frames]) -> FoundBoxes:
        pairs = zip(predictor.backbones, pictures, strict=True)
        seen = {
            member.spec.name: ClipFeatures(member.forward(picture[None, None])[0], *at, 0.0)
            for member, picture in pairs
        }
        stated_1K = KIND.stated(predictor.look(seen).given_K[None], model.temperature)
        boxes = boxes_of(stated_1K[0], model.classes, _LEAST_SCORE)
        return FoundBoxes(
            np.array([box.edges for box in boxes], np.float64).reshape(-1, 4),
            np.array([box.score for box in boxes], np.float64),
            np.array([number[box.label] for box in boxes], np.int64),
        )

    sizes = tuple(spec.preprocessing for spec in specs)
    name = ", ".join(spec.name for spec in specs)
    return ObjectFinder(name, predictor.sha256, model.classes, sizes, shares)
