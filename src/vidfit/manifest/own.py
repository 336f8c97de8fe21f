"""Folders that vidfit wrote itself: they lie among clips when its output does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIGNS = frozenset(
    {
        *("report.json", "ranking.json", "fusion.json", "training.json", "compression.json"),
        *("benchmark.json", "model.json", "export.json", "shards.json"),
        *("to-label.csv", "answers.parquet"),
    }
)
"""Files that vidfit writes at the top of an output folder, or of a folder in it."""

FEATURES = "features"
_TIMELINE = b"vidfit.timeline"
_HEAD_BYTES = 200


def is_own(folder: Path) -> bool:
    """Return whether a folder was written by vidfit: an output, a model, features, shards."""
    names = {entry.name for entry in folder.iterdir()}
    if not SIGNS.isdisjoint(names):
        return True
    return (folder.name == FEATURES and _are_features(folder)) or _are_answers(folder, names)


def _are_answers(folder: Path, names: set[str]) -> bool:
    """Return whether it holds answers of `predict`: a video with a timeline of its name."""
    stems = (name.removesuffix(".mp4") for name in sorted(names) if name.endswith(".mp4"))
    timeline = next((folder / f"{stem}.json" for stem in stems if f"{stem}.json" in names), None)
    if timeline is None:
        return False
    with timeline.open("rb") as file:
        return _TIMELINE in file.read(_HEAD_BYTES)


def _are_features(folder: Path) -> bool:
    """Return whether it is a feature store: folders of a ``spec.json`` and parts."""
    return next(folder.glob("*/spec.json"), None) is not None
