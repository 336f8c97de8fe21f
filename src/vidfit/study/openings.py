"""How often a hold-out was opened: what follows from one look at it makes the next score too high.

Openings are kept beside the output, and in the user's folder of state, which a new output does
not reset; the data is often read-only, and caches are cleared. A hold-out is known by what its
clips hold, not by their names.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError, VideoError
from vidfit.features.digests import clip_digest, file_digest
from vidfit.files import state_folder, write_whole

FOLDER = "holdouts"

Openings = dict[str, str]
"""When the hold-out was opened (ISO 8601, UTC), by a name of the opening."""


def open_holdout(clips: Sequence[Clip], output: Path, notes: list[str]) -> int:
    """Count one more opening of a hold-out; return how many there were, this one included.

    Parameters
    ----------
    clips
        The clips that are scored.
    output
        Where the run writes to.
    notes
        Is told of earlier openings, and where they cannot be kept.

    Raises
    ------
    StoreError
        If the output cannot be written.
    """
    name = f"{_digest(clips)}.json"
    here, everywhere = output / FOLDER / name, state_folder(FOLDER) / name
    earlier = _read(everywhere) | _read(here)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    openings = earlier | {uuid.uuid4().hex: now}
    content = to_json({"clips": len(clips), "openings": openings}, indent=1).encode()
    write_whole(here, content)
    try:
        write_whole(everywhere, content)
    except StoreError:
        notes.append(
            f"{everywhere.parent} cannot be written: how often the test clips were scored is "
            "counted in this output folder alone."
        )
    if earlier:
        notes.append(
            f"These {len(clips)} test clips were opened {len(openings)} times, first on "
            f"{min(openings.values())[:10]}. If anything was changed after an earlier score, this "
            "one is too high: keep other recordings for the last one."
        )
    return len(openings)


def times(count: int) -> str:
    """Return a count of openings in words: ``once``, ``3 times``."""
    return "once" if count == 1 else f"{count} times"


def _digest(clips: Sequence[Clip]) -> str:
    """Return what identifies a hold-out, whatever its order, names and labels."""
    of_path = {path: _content(path) for path in {clip.path for clip in clips}}
    contents = [clip_digest(clip, of_path[clip.path]) for clip in clips]
    return hashlib.sha256("\n".join(sorted(contents)).encode()).hexdigest()


def _content(path: str) -> str:
    try:
        return file_digest(path)
    except VideoError:  # gone since it was looked at; its name has to do
        return path


def _read(path: Path) -> Openings:
    """Return the openings of a file; none where it is missing or damaged."""
    with suppress(OSError, ValueError, AttributeError):
        found = json_in(path.read_text()).get("openings")
        if isinstance(found, dict):
            return {str(name): str(moment) for name, moment in found.items()}
    return {}
