"""Who looks at the shots of an index, and the note of it that lies in the index."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vidfit.backbones import load
from vidfit.contracts import Backbone
from vidfit.documents import read_json, to_json
from vidfit.features.digests import spec_key
from vidfit.files import write_whole
from vidfit.jobs.search.options import SearchOptions
from vidfit.runtime import accelerate
from vidfit.study.consent import check_encoders

NOTE = "encoders.json"
"""File of an index that says who looks, so that it can be asked by what it has not seen."""


@dataclass(frozen=True)
class NotedEncoders:
    """What an index was made with: who looks, and the most seconds of a shot."""

    backbone: str
    shot_seconds: float


def load_encoders(options: SearchOptions) -> dict[str, Backbone]:
    """Return who looks, by way.

    Raises
    ------
    BackboneError
        If one cannot be loaded.
    """
    names = {"look": options.backbone, "motion": "motion"}
    check_encoders(tuple(names.values()), None)
    return {way: accelerate(load(n, download=options.download)) for way, n in names.items()}


def key_of(encoders: Mapping[str, Backbone], options: SearchOptions) -> str:
    """Return the name of the folder in which shots by these encoders lie."""
    facts = [*(spec_key(one.spec) for one in encoders.values()), repr(options.shot_seconds)]
    return hashlib.sha256(":".join(facts).encode()).hexdigest()[:16]


def note_encoders(folder: Path, options: SearchOptions) -> None:
    """Write down who looks, unless it is written; a folder of a model by its full path."""
    family, _, source = options.backbone.partition(":")
    local = Path(source.partition("@")[0]).expanduser()
    name = f"{family}:{local.absolute()}" if source and local.is_dir() else options.backbone
    facts = {"backbone": name, "shot_seconds": options.shot_seconds}
    content = to_json(facts).encode()
    path = folder / NOTE
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)


def noted_encoders(folder: Path) -> NotedEncoders | None:
    """Return what an index was made with; ``None`` where it does not say, or is damaged."""
    try:
        found = read_json(folder / NOTE)
        return NotedEncoders(str(found["backbone"]), float(found["shot_seconds"]))
    except (OSError, ValueError, TypeError, LookupError):
        return None
