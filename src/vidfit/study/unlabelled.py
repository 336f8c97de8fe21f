"""Clips without a label that are learned from beside those with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidfit.contracts import Clip, Failure
from vidfit.errors import ManifestError, NotEnoughDataError
from vidfit.manifest import Manifest, read_manifest
from vidfit.manifest.subtitles import with_words


@dataclass(frozen=True)
class Unlabelled:
    """Clips whose label is not known, or not looked at, and what is no clip."""

    clips: tuple[Clip, ...]
    rejected: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()


def unlabelled_clips(
    manifest: Manifest, more: str | Path, groups: Path | None = None
) -> Unlabelled:
    """Return the clips of a manifest without a label, and those of a folder or list.

    Clips that the manifest has with a label are left out, and so are those that the folder or list
    holds back to choose by or to test on.

    Parameters
    ----------
    manifest
        Clips with and without labels.
    more
        Folder or list, whose labels are not looked at; the manifest's own list does as well.
    groups
        File that maps clips to recordings, those of ``more`` too where it names them.

    Raises
    ------
    ManifestError
        If the folder or list cannot be understood.
    NotEnoughDataError
        If no such clip is left.
    """
    others, warnings = _read(more, groups)
    labelled = {_place(clip) for clip in manifest.clips if clip.label is not None}
    own = [clip for clip in manifest.clips if clip.label is None]
    found = {
        _place(clip): replace(clip, label=None, split=None)
        for clip in (*others.clips, *own)
        if clip.split in (None, "train") and _place(clip) not in labelled
    }
    if not found:
        raise NotEnoughDataError(
            f"{more} has no clip to learn from without a label: each is known with one, or held "
            "back to choose by or to test on; give others"
        )
    return Unlabelled(tuple(found.values()), others.rejected, warnings)


def _read(more: str | Path, groups: Path | None) -> tuple[Manifest, tuple[str, ...]]:
    """Read clips, with their words; by their own recordings where the file names none of them."""
    if groups is None:
        return with_words(read_manifest(more)), ()
    try:
        return with_words(read_manifest(more, groups=groups)), ()
    except ManifestError as error:
        warning = f"Recordings of clips without a label are not told by {groups}: {error}"
        return with_words(read_manifest(more)), (warning,)


def of_other_recordings(clips: Sequence[Clip], held: Sequence[Clip]) -> list[Clip]:
    """Return the clips that are neither of a recording nor of a file of held-out clips."""
    names = {name for clip in held for name in (clip.path, clip.recording)}
    return [clip for clip in clips if not {clip.path, clip.recording} & names]


def _place(clip: Clip) -> tuple[str, float, float | None]:
    return clip.path, clip.start_seconds, clip.end_seconds
