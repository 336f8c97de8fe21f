"""A table of clips, and what was noticed while it was read."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from vidfit.contracts import Clip, Failure, clip_key
from vidfit.documents import to_json
from vidfit.errors import ManifestError
from vidfit.labels import ONE, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class Manifest:
    """Clips with their labels, recordings and splits.

    Parameters
    ----------
    clips
        The clips, in an order that does not depend on the file system.
    grouping
        One sentence on how the recordings (groups) were found.
    warnings
        What the user should know before trusting the table.
    rejected
        Rows and files that cannot be clips, with the reason.
    layout
        What the source was read as, such as ``CLASS/*.mp4``.
    missing
        Clips of a list whose file is not there, with the reason.
    kind
        What clips are labelled with: one class, several (``a|b``), or a number.
    unread
        Time of videos that rows tell of that cannot be used, or that nobody looked at, without a
        label; without an end it goes on to that of the video.
    """

    clips: tuple[Clip, ...]
    grouping: str = ""
    warnings: tuple[str, ...] = ()
    rejected: tuple[Failure, ...] = ()
    layout: str = ""
    missing: tuple[Failure, ...] = ()
    kind: Kind = ONE
    unread: tuple[Clip, ...] = ()

    def __len__(self) -> int:
        return len(self.clips)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The label of each clip; raises ManifestError when some have none."""
        labels = tuple(clip.label for clip in self.clips if clip.label is not None)
        if len(labels) < len(self.clips):
            raise ManifestError(
                f"{len(self.clips) - len(labels)} of {len(self.clips)} clips have no label. "
                "Put the clips of each class in a folder named after it, or pass a CSV with "
                "the columns path and label."
            )
        return labels

    def present(self, clips: Iterable[Clip]) -> list[Clip]:
        """Return those of the clips whose file is not known to be missing."""
        missing = {failure.name for failure in self.missing}
        return [clip for clip in clips if clip_key(clip) not in missing]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The distinct classes, sorted."""
        return self.kind.classes(self.clips)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The recording of each clip; a clip without one counts as its own."""
        return tuple(clip.path if clip.group is None else clip.group for clip in self.clips)

    @cached_property
    def group_count(self) -> int:
        """How many distinct recordings there are."""
        return len(set(self.groups))

    @cached_property
    def digest(self) -> str:
        """sha256 of the clips; the same wherever the whole folder is moved to."""
        folder = common_folder(clip.path for clip in self.clips)
        rows = (
            [
                relative_name(clip.path, folder),
                float(clip.start_seconds),
                clip.end_seconds if clip.end_seconds is None else float(clip.end_seconds),
                clip.label,
                None if clip.group is None else relative_name(clip.group, folder),
                clip.split,
                clip.text,
            ]
            for clip in self.clips
        )
        sha256 = hashlib.sha256(b"vidfit manifest 1\n")
        for row in rows:
            sha256.update(to_json(row).encode() + b"\n")
        return sha256.hexdigest()


@dataclass
class Listing:
    """Clips as a layout gave them, before their recordings are known."""

    root: Path
    layout: str
    clips: list[Clip] = field(default_factory=list)
    rejected: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    grouping: str = ""
    missing: list[Failure] = field(default_factory=list)
    kind: Kind | None = None
    unread: list[Clip] = field(default_factory=list)

    def reject(self, name: str | Path, reason: str) -> None:
        """Note a row or file that cannot be a clip."""
        self.rejected.append(Failure(str(name), reason))


def is_url(path: str) -> bool:
    """Return whether a path names something that is not on a local disk."""
    return "://" in path


def is_there(path: str | Path) -> bool:
    """Return whether a local path exists; a name that no file can have does not."""
    return os.path.exists(path)  # noqa: PTH110  (Path.exists raises for such names)


def absolute(path: str | Path) -> str:
    """Return the absolute form of a local path; links stay as they are named."""
    return os.path.abspath(path)  # noqa: PTH100


def common_folder(paths: Iterable[str]) -> str:
    """Return the deepest folder that holds all local paths, or ``""``."""
    folders = {os.path.dirname(path) for path in paths if os.path.isabs(path)}  # noqa: PTH117, PTH120
    return os.path.commonpath(folders) if folders else ""


def relative_name(path: str, folder: str) -> str:
    """Return a path below ``folder`` with forward slashes; others as they are."""
    above = folder.rstrip(os.sep) + os.sep
    if not folder or not path.startswith(above):
        return path
    rest = path[len(above) :]
    if os.sep * 2 in path or f"{os.sep}." in path or rest.startswith(".") or not rest:
        rest = os.path.relpath(path, folder)  # 50 times as slow, and there may be 100,000
    return rest.replace(os.sep, "/")
