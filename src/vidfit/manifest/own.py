"""Folders that vidfit wrote itself: they lie among clips when its output does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIGNS = frozenset(
    {
        *("report.json", "ranking.json", "fusion.json", "training.json", "compression.json"),
        *(
            "benchmark.json",
            "model.json",
            "export.json",
            "shards.json",
            "plan.json",
            "history.json",
        ),
        *("to-label.csv", "answers.parquet"),
    }
)
"""Files that vidfit writes at the top of an output folder, or of a folder in it."""

FEATURES = "features"


def is_own(folder: Path) -> bool:
    """Return whether a folder was written by vidfit: an output, a model, features, shards."""
    names = {entry.name for entry in folder.iterdir()}
    return not SIGNS.isdisjoint(names) or (folder.name == FEATURES and _are_features(folder))


def _are_features(folder: Path) -> bool:
    """Return whether it is a feature store: folders of a ``spec.json`` and parts."""
    return next(folder.glob("*/spec.json"), None) is not None
