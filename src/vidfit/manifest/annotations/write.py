"""Labelled frames as files of other tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vidfit.manifest.annotations.coco import coco_files
from vidfit.manifest.annotations.cvat import cvat_files
from vidfit.manifest.annotations.label_studio import label_studio_files
from vidfit.manifest.annotations.mot import mot_files
from vidfit.manifest.annotations.table import table_files
from vidfit.manifest.annotations.value import Annotations, Files
from vidfit.manifest.annotations.voc import voc_files
from vidfit.manifest.annotations.yolo import yolo_files

WRITERS: Mapping[str, Callable[[Annotations], Files]] = {
    "coco": coco_files,
    "yolo": yolo_files,
    "voc": voc_files,
    "cvat": cvat_files,
    "mot": mot_files,
    "label-studio": label_studio_files,
    "csv": table_files,
}
"""Name of a format -> what gives its files: names below a folder, and content."""
