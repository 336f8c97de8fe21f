"""Boxes and masks as other tools write them, in and out.

Each format is a file: a parser of a text, and a writer of files. `read_annotations` tells the
format by its content.
"""

from vidfit.manifest.annotations.masks import VOID, MaskAnnotations, MaskedFrame, index_mask
from vidfit.manifest.annotations.media import Media, located
from vidfit.manifest.annotations.read import (
    parse_annotations,
    parse_masks,
    read_annotations,
    read_masks,
)
from vidfit.manifest.annotations.value import Annotations, class_counts, summary

__all__ = [
    "Annotations",
    "MaskedFrame",
    "MaskAnnotations",
    "Media",
    "VOID",
    "class_counts",
    "index_mask",
    "located",
    "parse_annotations",
    "parse_masks",
    "read_annotations",
    "read_masks",
    "summary",
]
