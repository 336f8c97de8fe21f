"""Labelled frames as files of other tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from vidfit.boxes import LabelledFrame
from vidfit.manifest.annotations.coco import coco_files
from vidfit.manifest.annotations.cvat import cvat_files
from vidfit.manifest.annotations.label_studio import label_studio_files
from vidfit.manifest.annotations.mot import mot_files
from vidfit.manifest.annotations.table import table_files
from vidfit.manifest.annotations.value import Annotations, Files, without_ignored
from vidfit.manifest.annotations.voc import voc_files
from vidfit.manifest.annotations.yolo import yolo_files
from vidfit.manifest.told import counted

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

_ALL = frozenset({"tracks", "scores", "groups", "splits", "boxes to ignore", "videos", "gaps"})
_HOLD: Mapping[str, frozenset[str]] = {
    "coco": _ALL,
    "csv": _ALL,
    "yolo": frozenset({"scores", "splits"}),
    "voc": frozenset({"splits", "boxes to ignore"}),
    "cvat": frozenset({"tracks", "scores", "boxes to ignore", "videos"}),
    "mot": frozenset({"tracks", "scores", "boxes to ignore", "videos"}),
    "label-studio": _ALL - {"gaps"},
}
"""What each format has a place for."""


def lost_in(annotations: Annotations, form: str) -> Iterator[str]:
    """Yield a sentence for each thing that frames have and a format has no place for."""
    frames = annotations.frames
    boxes = [box for frame in frames for box in frame.boxes]
    seen = {
        "tracks": (sum(box.track is not None for box in boxes), "box", "tracks of {} are lost"),
        "scores": (sum(box.score is not None for box in boxes), "box", "scores of {} are lost"),
        "groups": (sum(f.group is not None for f in frames), "frame", "recordings of {} are lost"),
        "splits": (sum(f.split is not None for f in frames), "frame", "splits of {} are lost"),
        "boxes to ignore": (
            len(frames) - len(without_ignored(frames)),
            "frame",
            "{} left out, for boxes of it are to be ignored",
        ),
        "videos": (
            sum(frame.index is not None for frame in frames),
            "frame",
            "{} of videos become pictures, NAME_000012.jpg",
        ),
        "gaps": (
            _unseen(frames),
            "frame",
            "{} between others not looked at, which will be read as holding nothing",
        ),
    }
    held = _HOLD[form] if "videos" in _HOLD[form] else _HOLD[form] | {"gaps"}
    for thing, (count, noun, sentence) in seen.items():
        if count and thing not in held:
            yield sentence.format(counted(count, noun, "boxes" if noun == "box" else None))


def _unseen(frames: Sequence[LabelledFrame]) -> int:
    """Return how many frames between the first and the last of a video are not among them."""
    spans: dict[str, tuple[int, int, int]] = {}
    for frame in frames:
        if frame.index is not None:
            first, last, count = spans.get(frame.path, (frame.index, frame.index, 0))
            spans[frame.path] = min(first, frame.index), max(last, frame.index), count + 1
    return sum(last + 1 - first - count for first, last, count in spans.values())
