"""Which file a row names: by its path, or by an id as Kinetics does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from vidfit.manifest.columns import Cells, parse_seconds, text_of
from vidfit.manifest.roots import SAMPLE, Root, find_root

_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi")
_FOLDERS = ("", "{label}/", "{label_}/", "{split}/{label}/", "{split}/{label_}/", "{split}/")
_NAMES = ("{id}_{start:06d}_{end:06d}", "{id}")
_SAMPLE_OF_IDS = 8


@dataclass(frozen=True)
class Place:
    """How a row gives the path of its file; ``template`` is used where it gives an id only."""

    root: Root
    template: str = ""

    @property
    def trimmed(self) -> bool:
        """Whether the files are cut out already: the times of a row are part of their names."""
        return "{start" in self.template

    def path(self, cells: Cells) -> str | None:
        """Return the absolute path; ``None`` where the row names no video."""
        written = _filled(self.template, cells) if self.template else text_of(cells.get("path"))
        return None if written is None else self.root.path(written)


def find_place(rows: Sequence[Cells], folder: Path, roles: dict[str, str]) -> Place:
    """Return where the files of a sample of rows are."""
    if "id" not in roles:
        paths = [path for cells in rows if (path := text_of(cells.get("path")))]
        return Place(find_root(paths, folder))
    some = rows[:: max(1, len(rows) // _SAMPLE_OF_IDS)][:SAMPLE]
    best = Place(Root(folder, -1), _NAMES[0] + _SUFFIXES[0])
    for name, where, suffix in product(_NAMES, _FOLDERS, _SUFFIXES):
        template = where + name + suffix
        written = [path for cells in some if (path := _filled(template, cells))]
        place = Place(find_root(written, folder), template)
        if written and place.root.found > best.root.found:
            best = place
        if written and best.root.found == len(written):
            break
    return best


def _filled(template: str, cells: Cells) -> str | None:
    """Return the path that a template gives for a row; ``None`` where the row lacks something."""
    words = {role: text_of(value) for role, value in cells.items()}
    label = words.get("label")
    try:
        times = {
            role: int(seconds)
            for role in ("start", "end")
            if (seconds := parse_seconds(cells.get(role))) is not None
        }
        known = {name: word for name, word in words.items() if word is not None}
        if label:
            known["label_"] = label.replace(" ", "_")
        return template.format(**{**known, **times})
    except (KeyError, ValueError):
        return None
