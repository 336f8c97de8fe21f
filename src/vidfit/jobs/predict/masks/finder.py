"""What says of which class each pixel of a frame is: a model of one's own, or a segmenter by name.

Shape letters: Y, X cells or pixels of a frame, C classes, M boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from vidfit import backbones as zoo
from vidfit.backbones.package_weights import is_fetched
from vidfit.contracts import Backbone, Detector, Floats, Frames, Segmenter
from vidfit.errors import ModelError
from vidfit.features.places import Places
from vidfit.jobs.predict.objects.finder import ObjectFinder, open_finder
from vidfit.metrics.areas import Labels, pixels_of
from vidfit.model import DOCUMENT
from vidfit.runtime import accelerate
from vidfit.study.opened_model import open_model
from vidfit.tasks.segment.head import PlaceHead
from vidfit.video.frame import DecodedFrame

DETECTOR = "nanodet"
"""That finds the objects for which a segmenter takes other things."""

LEAST_SCORE, MARGIN = 0.3, 0.1
"""Of a box that counts; by which share of its sides it is made larger on each."""


class PlacesHead(Protocol):
    """From what encoders saw at places to log-probabilities of cells."""

    def of_places(self, seen: Sequence[Places]) -> Floats:
        """Return them, [Y, X, C]."""
        ...


@dataclass(frozen=True)
class OwnClasses:
    """The classes that a segmenter knows, as it says them."""

    classes: int

    def of_places(self, seen: Sequence[Places]) -> Floats:
        """Return log-probabilities of cells [Y, X, C]."""
        return seen[0].fine_YXF[..., : self.classes]


@dataclass(frozen=True)
class ObjectGate:
    """Pixels of one class count only in and near boxes of it.

    Parameters
    ----------
    detector
        That finds the boxes.
    label, number
        The class, and its number in masks; other pixels become of class 0.
    """

    detector: ObjectFinder
    label: str
    number: int

    def kept(self, labels_YX: Labels, frame: DecodedFrame) -> Labels:
        """Return the classes of a frame's pixels without those that lie in no box."""
        height, width = labels_YX.shape
        pictures = [frame.rgb(size) for size in self.detector.preprocessings]
        found = self.detector.find(pictures, width, height)
        own = self.detector.classes.index(self.label)
        boxes_M4 = found.edges_M4[(found.classes_M == own) & (found.scores_M >= LEAST_SCORE)]
        inside_YX = np.zeros((height, width), np.bool_)
        for left, top, right, bottom in boxes_M4:
            across, down = MARGIN * (right - left), MARGIN * (bottom - top)
            rows = slice(max(int(top - down), 0), int(np.ceil(bottom + down)))
            inside_YX[rows, max(int(left - across), 0) : int(np.ceil(right + across))] = True
        kept_YX: Labels = np.where(inside_YX | (labels_YX != self.number), labels_YX, 0)
        return kept_YX.astype(np.uint8)


@dataclass(frozen=True)
class MaskFinder:
    """Encoders that are open, and what makes classes of what they see."""

    classes: tuple[str, ...]
    members: tuple[Backbone, ...]
    head: PlacesHead
    gate: ObjectGate | None = None
    note: str = ""

    def labels(self, frame: DecodedFrame, picture_YX3: Frames) -> Labels:
        """Return the class of each pixel of a frame."""
        labels_YX = pixels_of(self.log_probabilities(frame, picture_YX3), picture_YX3.shape[:2])
        return self.gate.kept(labels_YX, frame) if self.gate else labels_YX

    def log_probabilities(self, frame: DecodedFrame, picture_YX3: Frames) -> Floats:
        """Return those of the cells of a frame, [rows, columns, C]."""
        seen = []
        for member in self.members:
            sized = member.spec.preprocessing.of(*picture_YX3.shape[:2])
            tokens_BND = member.forward(frame.rgb(sized)[None, None])
            seen.append(Places.of(tokens_BND[0]))
        return self.head.of_places(seen)


def open_masks(model: str, own: Sequence[str] = ()) -> MaskFinder:
    """Open a model directory that answers with masks, or a segmenter by name.

    Raises
    ------
    BackboneError
        If there is none of that name, or it cannot run here.
    ModelError
        If it is damaged, or answers with something else than masks.
    """
    if (Path(model) / DOCUMENT).is_file():
        opened = open_model(Path(model), own)
        if not isinstance(opened.head, PlaceHead):
            raise ModelError(f"{model} does not answer with masks; fit one with --task segment")
        return MaskFinder(opened.model.classes, tuple(map(accelerate, opened.members)), opened.head)
    for name in own:
        zoo.load(name)
    found = zoo.load(model)
    if not isinstance(found, Segmenter):
        finds = "finds boxes (leave --task away)" if isinstance(found, Detector) else "sees only"
        raise ModelError(
            f"{model} {finds} and answers with no masks; give a model directory that fit wrote "
            "with --task segment, or a segmenter, such as selfie or hf:FOLDER"
        )
    classes, (gate, note) = found.cell_classes, _gate(found)
    return MaskFinder(classes, (accelerate(found),), OwnClasses(len(classes)), gate, note)


def _gate(segmenter: Segmenter) -> tuple[ObjectGate | None, str]:
    """Return what keeps a segmenter from taking other things for a class, or a warning."""
    label = segmenter.taken_for
    if not label:
        return None, ""
    if not is_fetched(DETECTOR):
        return None, (
            f"{segmenter.spec.name} takes animals and things for a {label} where there is none; "
            f"after `vidfit models --fetch {DETECTOR}` only what is found to be one counts"
        )
    return ObjectGate(open_finder(DETECTOR), label, segmenter.cell_classes.index(label)), ""
