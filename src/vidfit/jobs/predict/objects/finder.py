"""What finds objects in one frame: a detector as it was published, or a model of one's own.

Shape letters: N tokens, M boxes that are there, C classes, D numbers of a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidfit import backbones as zoo
from vidfit.boxes import Edges
from vidfit.contracts import Detector, Frames, Preprocessing
from vidfit.errors import ModelError
from vidfit.runtime import accelerate
from vidfit.tracking.tracker import FoundBoxes


@dataclass(frozen=True)
class ObjectFinder:
    """A detector on an engine; it may be called from several threads at once.

    Parameters
    ----------
    name
        As it is told in answers.
    revision
        What changes whenever its answers may: the digest of its weights.
    detector
        Finds boxes.
    """

    name: str
    revision: str
    detector: Detector

    @property
    def classes(self) -> tuple[str, ...]:
        """What is found, in the order of the scores."""
        return self.detector.classes

    @property
    def preprocessing(self) -> Preprocessing:
        """How large frames are wanted."""
        return self.detector.spec.preprocessing

    def find(self, frame_HWC: Frames, width_pixels: int, height_pixels: int) -> FoundBoxes:
        """Return all boxes of a frame, each with its most probable class.

        Parameters
        ----------
        frame_HWC
            Scaled as ``preprocessing`` says.
        width_pixels, height_pixels
            Size of the frame as it is shown, in whose pixels the boxes are.
        """
        tokens_ND = self.detector.forward(frame_HWC[None, None])[0].astype(np.float64)
        return boxes_of(tokens_ND, len(self.classes), width_pixels, height_pixels)


def boxes_of(tokens_ND: Edges, classes: int, width_pixels: int, height_pixels: int) -> FoundBoxes:
    """Return the boxes in the tokens of a detector, cut off at the edges of the picture."""
    scores_NC = tokens_ND[:, 4 : 4 + classes]
    scores_N = scores_NC.max(axis=1)
    there = np.flatnonzero(scores_N > 0)
    size = np.array([width_pixels, height_pixels] * 2)
    edges_M4 = np.clip(tokens_ND[there, :4], 0.0, 1.0) * size
    return FoundBoxes(edges_M4, scores_N[there], scores_NC[there].argmax(axis=1))


def open_finder(model: str, own: Sequence[str] = ()) -> ObjectFinder:
    """Open a detector by name, or a model directory that answers with boxes.

    Raises
    ------
    BackboneError
        If there is none of that name, or it cannot run here.
    ModelError
        If it finds no boxes.
    """
    for name in own:
        zoo.load(name)
    backbone = zoo.load(model)
    if not isinstance(backbone, Detector):
        raise ModelError(
            f"{model} is an encoder that finds no boxes; give a model directory that fit wrote, "
            "or the name of a detector, such as nanodet"
        )
    return ObjectFinder(backbone.spec.name, backbone.spec.revision, _engined(backbone))


def _engined(detector: Detector) -> Detector:
    """Return a detector on the engine that runs it fastest here."""
    fast = accelerate(detector)
    assert isinstance(fast, Detector)  # noqa: S101  (a detector stays one)
    return fast
