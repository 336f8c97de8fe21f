"""What finds objects in one frame: a detector as it was published, or a model of one's own.

Shape letters: N boxes of a token matrix, M boxes that are there, C classes, D numbers of a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import Backbone, Frames, Preprocessing
from vidfit.errors import ModelError
from vidfit.runtime import accelerate
from vidfit.tracking.tracker import FoundBoxes


@dataclass(frozen=True)
class Detector:
    """A detector on an engine; it may be called from several threads at once.

    Parameters
    ----------
    name
        As it is told in answers.
    revision
        What changes whenever its answers may: the digest of its weights.
    classes
        What it finds, in the order of its scores.
    backbone
        Its tokens are boxes: edges as shares of the picture, then a score of each class.
    """

    name: str
    revision: str
    classes: tuple[str, ...]
    backbone: Backbone

    @property
    def preprocessing(self) -> Preprocessing:
        """How large it wants frames."""
        return self.backbone.spec.preprocessing

    def find(self, frame_HWC: Frames, width_pixels: int, height_pixels: int) -> FoundBoxes:
        """Return all boxes of a frame, each with its most probable class.

        Parameters
        ----------
        frame_HWC
            Scaled as ``preprocessing`` says.
        width_pixels, height_pixels
            Size of the frame as it is shown, in whose pixels the boxes are.
        """
        tokens_ND = self.backbone.forward(frame_HWC[None, None])[0].astype(np.float64)
        return boxes_of(tokens_ND, len(self.classes), width_pixels, height_pixels)


def boxes_of(
    tokens_ND: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    classes: int,
    width_pixels: int,
    height_pixels: int,
) -> FoundBoxes:
    """Return the boxes that stand in the tokens of a detector, cut at the edges of the picture."""
    scores_NC = tokens_ND[:, 4 : 4 + classes]
    scores_N = scores_NC.max(axis=1)
    there = np.flatnonzero(scores_N > 0)
    size = np.array([width_pixels, height_pixels] * 2)
    edges_M4 = np.clip(tokens_ND[there, :4], 0.0, 1.0) * size
    return FoundBoxes(edges_M4, scores_N[there], scores_NC[there].argmax(axis=1))


def open_detector(model: str, own: Sequence[str] = ()) -> Detector:
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
    classes = getattr(backbone, "classes", None)
    if not isinstance(classes, tuple) or not classes:
        raise ModelError(
            f"{model} is an encoder that finds no boxes; give a model directory that fit wrote, "
            "or the name of a detector"
        )
    return Detector(backbone.spec.name, backbone.spec.revision, classes, accelerate(backbone))
