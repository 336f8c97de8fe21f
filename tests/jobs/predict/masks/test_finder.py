"""What answers with masks: a segmenter by name; what finds boxes is refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from tests.backbones.hub.test_segmenters import NAMES, write

from vidfit.backbones.package_weights import is_fetched
from vidfit.errors import ModelError
from vidfit.jobs.predict.by_task import way_of
from vidfit.jobs.predict.masks import finder
from vidfit.jobs.predict.masks.finder import ObjectGate, open_masks
from vidfit.jobs.predict.objects.finder import ObjectFinder, open_finder
from vidfit.tracking.tracker import FoundBoxes


@dataclass
class Still:
    """A frame of one grey."""

    height: int = 60
    width: int = 80

    def rgb(self, preprocessing):
        size = preprocessing or self
        height = getattr(size, "height_pixels", self.height)
        width = getattr(size, "width_pixels", self.width)
        return np.full((height, width, 3), 90, np.uint8)


def test_a_segmenter_answers_with_its_own_classes(tmp_path, monkeypatch):
    monkeypatch.setattr(finder, "accelerate", lambda backbone: backbone)  # an export takes seconds
    name = f"hf:{write('segformer', tmp_path)}"
    assert way_of(name, "segment").target == "masks.run:run_masks"
    found = open_masks(name)
    assert found.classes == tuple(NAMES.values()) and found.gate is None and not found.note
    labels = found.labels(Still(), Still().rgb(None))
    assert labels.shape == (60, 80) and labels.max() < 3
    with pytest.raises(ModelError, match="add --task segment"):
        open_finder(name)


def test_an_encoder_that_knows_no_classes_is_refused():
    with pytest.raises(ModelError, match="answers with no masks"):
        open_masks("motion")


@pytest.mark.skipif(not is_fetched("nanodet"), reason="needs `vidfit models --fetch nanodet`")
def test_a_detector_is_refused():
    with pytest.raises(ModelError, match=r"finds boxes \(leave --task away\) and answers with no"):
        open_masks("nanodet")


def test_what_lies_in_no_box_of_a_person_is_none():
    edges = np.array([[0.25, 0.25, 0.5, 0.75], [0.7, 0.0, 1.0, 1.0], [0.0, 0.0, 0.1, 0.1]])
    boxes = FoundBoxes(edges, np.array([0.9, 0.9, 0.2]), np.array([1, 0, 1]))
    detector = ObjectFinder("", "", ("cat", "person"), (), lambda _: boxes)
    gate = ObjectGate(detector, "person", 1)
    labels = gate.kept(np.ones((60, 80), np.uint8), Still())
    # A tenth of the sides of the one sure box of a person is added on each: 18 to 42, 12 to 48.
    expected = np.zeros((60, 80), np.uint8)
    expected[12:48, 18:42] = 1
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.skipif(not is_fetched("selfie"), reason="needs `vidfit models --fetch selfie`")
def test_without_a_detector_it_is_said_that_a_cat_may_be_a_person(monkeypatch):
    monkeypatch.setattr(finder, "accelerate", lambda backbone: backbone)
    monkeypatch.setattr(finder, "is_fetched", lambda name: False)
    found = open_masks("selfie")
    assert found.classes == ("background", "person") and found.gate is None
    assert "vidfit models --fetch nanodet" in found.note
