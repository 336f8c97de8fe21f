"""A folder or list of videos, or a run over them, as the page shows it: clips with ids.

The id of a clip is made of where it lies and of its span, so that it is the same in a run and in
the folder that the run was over: a label that is given in one stands in the other.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from vidfit.contracts import Clip, clip_key
from vidfit.label_kinds import Labels
from vidfit.manifest.value import common_folder, relative_name
from vidfit.serve.roots import canonical

LibraryKind = Literal["run", "videos"]
FrameParts = Literal["", "boxes", "masks", "faces"]


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What the model of a run says of a clip whose recording it has not seen.

    ``probability`` is that of the class that it ``predicted``, ``of_label`` that of the label;
    ``None`` where there is none, as of numbers.
    """

    predicted: str
    probability: float | None
    of_label: float | None
    declined: bool


@dataclass(frozen=True)
class Library:
    """Clips that are shown together.

    Parameters
    ----------
    kind
        ``"videos"``: a folder or list of them; ``"run"``: a folder that a command wrote.
    source
        That folder or list.
    clips, ids
        The clips, and the id of each, in the same order.
    labels
        Kind of their labels: ``"one"``, ``"several"`` or ``"number"``.
    classes
        That a clip may be labelled with, those of the source first.
    answers
        Of the run's model, by id.
    failed
        Why a clip could not be read, by id.
    duplicates
        Number of the set of clips that look the same, by id.
    documents
        What the run found, by name (``"report"``), as paths of JSON.
    warnings
        What was noticed when it was opened.
    given_names
        What clips are called, where it is not by their paths.
    frames
        What is in its frames: ``"boxes"``, ``"masks"``, ``"faces"``, or nothing that is known.
    index
        Folder of the segments of its index of shots, if it has one.
    """

    id: str
    name: str
    kind: LibraryKind
    source: Path
    clips: tuple[Clip, ...]
    ids: tuple[str, ...]
    labels: Labels = "one"
    classes: tuple[str, ...] = ()
    answers: Mapping[str, ModelAnswer] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    duplicates: Mapping[str, int] = field(default_factory=dict)
    documents: Mapping[str, Path] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    given_names: tuple[str, ...] = ()
    frames: FrameParts = ""
    index: Path | None = None

    @cached_property
    def place_of(self) -> Mapping[str, int]:
        """Number of a clip by its id."""
        return {one: place for place, one in enumerate(self.ids)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What clips are called: their paths below the folder that holds all, and their start."""
        if self.given_names:
            return self.given_names
        folder = common_folder(clip.path for clip in self.clips)
        starts = (f" {c.start_seconds:g} s" if c.start_seconds else "" for c in self.clips)
        return tuple(
            relative_name(clip.path, folder).encode("utf-8", "replace").decode() + start
            for clip, start in zip(self.clips, starts, strict=True)
        )

    @cached_property
    def folders(self) -> frozenset[str]:
        """Folders that its clips lie in."""
        return frozenset(os.path.dirname(clip.path) for clip in self.clips)  # noqa: PTH120

    @cached_property
    def version(self) -> str:
        """What changes when anything that is sent of its clips does, but labels given here."""
        digest = hashlib.sha256(repr((self.id, self.given_names)).encode())
        for clip, one in zip(self.clips, self.ids, strict=True):
            facts = (one, clip.label, clip.group, clip.split, self.answers.get(one))
            digest.update(repr((*facts, self.failed.get(one), self.duplicates.get(one))).encode())
        return digest.hexdigest()[:16]


def library_id(source: Path, kind: LibraryKind) -> str:
    """Return the id of what was opened from a place."""
    return _digest(f"{kind}\0{source.resolve()}")[:12]


def clip_ids(clips: Iterable[Clip]) -> tuple[str, ...]:
    """Return ids of clips, made of their real folders, names and spans in microseconds."""
    seen: dict[str, str] = {}
    return tuple(
        _digest(
            f"{canonical(clip.path, seen)}\0{clip.start_seconds:.6f}\0"
            f"{'' if clip.end_seconds is None else format(clip.end_seconds, '.6f')}"
        )[:16]
        for clip in clips
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def duplicate_sets(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return the number of the set that each name is in, where pairs belong together."""
    head: dict[str, str] = {}

    def first(name: str) -> str:
        while head.setdefault(name, name) != name:
            head[name] = head[head[name]]
            name = head[name]
        return name

    for one, other in pairs:
        head[first(other)] = first(one)
    numbers: dict[str, int] = {}
    return {name: numbers.setdefault(first(name), len(numbers)) for name in head}


def by_key(clips: Sequence[Clip], ids: Sequence[str]) -> dict[str, str]:
    """Return the ids of clips by the names that reports have for them."""
    return {clip_key(clip): one for clip, one in zip(clips, ids, strict=True)}
