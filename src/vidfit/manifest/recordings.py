"""Files that say from which recording each clip was cut."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from vidfit.documents import json_in
from vidfit.errors import ManifestError
from vidfit.manifest.lists import read_lines
from vidfit.manifest.value import is_url

if TYPE_CHECKING:
    from pathlib import Path

AUTOMATIC = ("groups.csv", "groups.json", "groups.txt", "recordings.txt", "videos.txt")
"""Names under which such a file is looked for in a folder of clips."""

CLIP_COLUMNS = ("path", "clip", "file", "filename", "video", "name")
GROUP_COLUMNS = ("group", "recording", "source")
NUMBERED = re.compile(r"(.*?)(\d{1,18})")
RANGE_LIMIT = 100_000

Pairs = list[tuple[str, str]]
"""Names of clips, each with its recording, in the order of the file."""


def read_recordings(path: Path) -> Pairs:
    """Read a mapping from clips to recordings.

    Understood are CSV with a clip and a group column, JSON ``{clip: group}``, and plain text
    in blocks: a line that names a recording (a URL, or a line without a colon), then a line
    ``clip: anything`` for each of its clips. ``clip010 - clip019: source`` gives a run of
    numbered clips to one source. A clip may be named more than once.

    Raises
    ------
    ManifestError
        If the file is none of these.
    """
    if not path.is_file():
        raise ManifestError(f"No file {path}; it should say from which recording a clip was cut.")
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _read_json(path)
    return _read_csv(path) if suffix in (".csv", ".tsv") else _read_blocks(path)


def _read_json(path: Path) -> Pairs:
    try:
        mapping = json_in(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ManifestError(f"{path} is not JSON ({error}).") from error
    if not isinstance(mapping, dict) or any(isinstance(v, list | dict) for v in mapping.values()):
        raise ManifestError(f"{path} must hold one object, {{clip: recording}}.")
    return [(clip, str(group)) for clip, group in mapping.items()]


def _read_csv(path: Path) -> Pairs:
    lines = read_lines(path)
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        raise ManifestError(f"{path} cannot be read as a table ({error}).") from error
    header = [cell.lower() for cell in rows[0]] if rows else []
    clip = next((header.index(name) for name in CLIP_COLUMNS if name in header), None)
    group = next((header.index(name) for name in GROUP_COLUMNS if name in header), None)
    if clip is None or group is None:
        raise ManifestError(
            f"{path} has the columns {', '.join(header) or '(none)'}; it needs one of "
            f"{', '.join(CLIP_COLUMNS)} and one of {', '.join(GROUP_COLUMNS)}."
        )
    width = max(clip, group)
    return [(row[clip], row[group]) for row in rows[1:] if len(row) > width and row[group]]


def _read_blocks(path: Path) -> Pairs:
    pairs: Pairs = []
    recording = None
    for line in read_lines(path):
        name, colon, rest = (part.strip() for part in line.partition(":"))
        if is_url(line.split()[0]) or not colon or not rest:
            recording = line.rstrip(": ")
        elif numbered := _numbered_run(name):
            pairs += [(clip, rest) for clip in numbered]
        elif recording is None:
            raise ManifestError(
                f"{path} has {line!r} before any recording. A block starts with a line that "
                "names the recording: a URL, or a name without a colon."
            )
        else:
            pairs.append((name, recording))
    return pairs


def _numbered_run(name: str) -> list[str]:
    """Return ``clip010, clip011, ...`` for ``clip010 - clip019``; nothing for another name."""
    first, dash, last = (part.strip() for part in name.partition(" - "))
    low, high = NUMBERED.fullmatch(first), NUMBERED.fullmatch(last)
    if not dash or not low or not high or low.group(1) != high.group(1):
        return []
    start, stop, digits = int(low.group(2)), int(high.group(2)), len(low.group(2))
    if not start <= stop < start + RANGE_LIMIT:
        return []
    return [f"{low.group(1)}{number:0{digits}d}" for number in range(start, stop + 1)]
