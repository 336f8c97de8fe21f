"""Masks that annotations draw, as files: what a report or a fit names is a path."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.files import write_whole
from vidfit.manifest import Manifest
from vidfit.manifest.annotations.masks import is_mask_text, mask_of_text
from vidfit.progress import Progress

FOLDER = "masks"
"""In the folder of a job's output."""


def drawn_masks(manifest: Manifest, output: Path, progress: Progress) -> Manifest:
    """Return the pictures with masks in files; those that annotations drew are written.

    Raises
    ------
    StoreError
        If they cannot be written.
    """
    clips = manifest.clips
    if not any(is_mask_text(str(clip.label)) for clip in clips):
        return manifest
    progress.start("draw masks", len(clips))
    found = []
    for clip in clips:
        text = str(clip.label)
        drawn = replace(clip, label=_written(clip, text, output)) if is_mask_text(text) else clip
        found.append(drawn)
        progress.advance()
    return replace(manifest, clips=tuple(found))


def _written(clip: Clip, text: str, output: Path) -> str:
    """Write a mask, unless it lies there; its name is by what it is of, not by where."""
    from PIL import Image

    of = f"{Path(clip.path).name} {clip.start_seconds} {text}"
    digest = hashlib.sha256(of.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    file = (output / FOLDER / f"{Path(clip.path).stem}-{digest}.png").absolute()
    if not file.is_file():
        content = io.BytesIO()
        Image.fromarray(mask_of_text(text)).save(content, "PNG")
        write_whole(file, content.getvalue())
    return str(file)
