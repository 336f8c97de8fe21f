"""Files of annotations that are altered at random: read, or refused in words; never a traceback."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from benchmarks import _mutations as mutations
from tests.manifest.annotations.examples import FOUND, PHOTOS, VIDEO, annotated
from tests.manifest.annotations.test_coco_masks import DOCUMENT

from vidfit.errors import ManifestError
from vidfit.manifest.annotations import index_mask, parse_annotations, parse_masks
from vidfit.manifest.annotations.coco_masks import coco_mask_files
from vidfit.manifest.annotations.write import WRITERS

COUNT = 60
"""Alterations of each file; 3,000 of each were tried once."""


def honest(form: str, frames, suffix: str) -> bytes:
    return next(c for n, c in WRITERS[form](annotated(frames)) if n.endswith(suffix))


STRANGE = tuple(
    replace(frame, group="film", boxes=tuple(replace(box, score=0.5) for box in frame.boxes))
    for frame in PHOTOS
)
"""With all that a frame may say."""

FILES = {
    "coco": honest("coco", VIDEO + STRANGE, ".json"),
    "label studio, photos": honest("label-studio", STRANGE, ".json"),
    "label studio, video": honest("label-studio", FOUND, ".json"),
    "cvat": honest("cvat", VIDEO, ".xml"),
    "voc": honest("voc", PHOTOS[1:], ".xml"),
    "mot": honest("mot", VIDEO, "gt.txt"),
    "csv": honest("csv", VIDEO + STRANGE, ".csv"),
    "masks": json.dumps(DOCUMENT).encode(),
}


def read_and_write(path, name: str) -> None:
    """Read a file, and what it gives written in each format."""
    if name == "masks":
        masks = parse_masks(path)
        [index_mask(frame, masks.classes) for frame in masks.frames]
        list(coco_mask_files(masks))
        return
    found = parse_annotations(path)
    for writer in WRITERS.values():
        try:
            list(writer(found))
        except ManifestError:
            continue  # photos are no sequence, and sizes may be unknown


@pytest.mark.parametrize("name", FILES)
def test_an_altered_file_is_read_or_refused(tmp_path, name):
    alter = mutations.in_json if FILES[name][:1] in b"{[" else mutations.in_bytes
    path, read = tmp_path / "x", 0
    for seed in range(COUNT):
        path.write_bytes(FILES[name])
        alter(path, random.Random(seed))
        try:
            read_and_write(path, name)
            read += 1
        except ManifestError as error:
            assert str(error)
    assert 0 < read < COUNT
