"""Pictures of people who are to be known: ``people/NAME/*.jpg``, one face each."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidfit.backbones.faces.finding import (
    SMALLEST_PIXELS,
    FoundFace,
    check_finder,
    find_faces,
)
from vidfit.contracts import Clip, Failure, Frames
from vidfit.errors import ManifestError, VideoError
from vidfit.features import FeatureStore
from vidfit.features.digests import clip_digest
from vidfit.files import write_whole
from vidfit.labels import Kind
from vidfit.manifest import Manifest, read_manifest
from vidfit.manifest.names import is_image
from vidfit.manifest.photos import bursts
from vidfit.manifest.recordings import read_recordings
from vidfit.progress import Progress
from vidfit.tasks.faces.gallery import LEAST_PEOPLE, USUAL_THRESHOLD
from vidfit.tasks.faces.kind import IDENTITY, UNKNOWN
from vidfit.video import VideoReader
from vidfit.video.names import natural_key

ALIGNED = "faces"
"""Folder of aligned faces in the output of a job."""

_ONE_FACE = 0.5
"""Another face counts where its side is at least that share of the largest's."""

_LAYOUT = "NAME/*.jpg"


def read_people(source: str | Path, groups: Path | None, kind: Kind | None) -> Manifest:
    """Read a folder with a folder of pictures for each person, or a table of path and label.

    A picture is a recording of its own, unless it was taken within a minute of others or ``groups``
    names the session.

    Raises
    ------
    ManifestError
        If there is no picture of a person, or somebody is called unknown.
    """
    folder = Path(source)
    if not folder.is_dir():
        return read_manifest(source, groups=groups, labels=IDENTITY)
    named = dict(read_recordings(groups)) if groups else {}
    clips, rejected = [], []
    for person in sorted((p for p in folder.iterdir() if p.is_dir()), key=_by_name):
        if person.name.startswith("."):
            rejected.append(Failure(str(person), "folders that begin with a dot are passed over"))
            continue
        if person.name.strip().casefold() == UNKNOWN:
            raise ManifestError(f"{person}: {UNKNOWN!r} is what strangers are called; name it else")
        files = sorted((p for p in person.rglob("*") if p.is_file()), key=_by_name)
        pictures = [file for file in files if is_image(file.name)]
        if not pictures:
            rejected.append(Failure(str(person), "it holds no picture"))
        rejected += [
            Failure(str(file), "it is no picture")
            for file in files
            if file not in pictures and not file.name.startswith(".")
        ]
        sessions = bursts(pictures)
        for picture, session in zip(pictures, sessions, strict=True):
            told = named.get(picture.name) or named.get(picture.stem)
            group = told or (f"{person}/{session}" if session else str(picture))
            clips.append(Clip(str(picture), label=person.name, group=group))
    if not clips:
        raise ManifestError(
            f"{source} holds no picture of a person; valid is a folder of pictures for each: "
            f"{_LAYOUT}"
        )
    grouping = "each picture, those of one minute, or as the file of groups says"
    return Manifest(tuple(clips), grouping, (), tuple(rejected), _LAYOUT, (), IDENTITY)


def aligned_faces(manifest: Manifest, output: Path, progress: Progress) -> Manifest:
    """Find the one face of each picture and write it upright below ``output``.

    Pictures with no face, or several, and those that stand under two names, are refused with their
    reason.

    Raises
    ------
    BackboneError
        When faces cannot be found here.
    ManifestError
        When no picture is left.
    """
    check_finder()
    twice = _under_two_names(manifest)
    kept, refused = [], []
    progress.start("find faces", len(manifest.clips))
    for clip in manifest.clips:
        try:
            if clip.path in twice:
                raise VideoError(f"the same picture stands under {twice[clip.path]}")
            face = only_face(picture_of(clip.path))
        except VideoError as error:
            refused.append(Failure(clip.path, str(error).removeprefix(f"{clip.path}: ")))
        else:
            kept.append(replace(clip, path=_written(face, clip, output)))
        progress.advance()
    if not kept:
        raise ManifestError("no face can be learned", [(one.name, one.reason) for one in refused])
    _forget_others(output, {clip.path for clip in kept})
    lost = {clip.label for clip in manifest.clips} - {clip.label for clip in kept}
    warnings = [f"Nobody called {name!r} is known: none of the pictures can be used." for name in
                sorted(map(str, lost))]  # fmt: skip
    known = {clip.label for clip in kept}
    if len(known) < LEAST_PEOPLE:
        warnings.append(
            f"{len(known)} people say too little of strangers to set a threshold by: it is at "
            f"least the usual one of dlib-face, {USUAL_THRESHOLD}, which was not measured on your "
            f"pictures. From {LEAST_PEOPLE} people on it is; an encoder of your own needs as many."
        )
    return replace(
        manifest,
        clips=tuple(kept),
        rejected=(*manifest.rejected, *refused),
        warnings=(*manifest.warnings, *warnings),
    )


def only_face(frame_HWC: Frames) -> FoundFace:
    """Return the one face of a picture.

    Raises
    ------
    VideoError
        If there is none, or another of at least half its size.
    """
    smallest = max(SMALLEST_PIXELS, max(frame_HWC.shape[:2]) / 20)
    faces = find_faces(frame_HWC, smallest)
    if not faces:
        raise VideoError("no face is found that looks at the camera; give another picture")
    others = [f for f in faces[1:] if f.side_pixels >= _ONE_FACE * faces[0].side_pixels]
    if others:
        raise VideoError(f"{len(others) + 1} faces are found; cut the picture to the one it is of")
    return faces[0]


def picture_of(path: str) -> Frames:
    """Return a picture as it is shown, uint8 RGB [H, W, 3].

    Raises
    ------
    VideoError
        If it cannot be read.
    """
    with VideoReader(path) as reader:
        return next(iter(reader.frames(np.zeros(1, np.int64)))).rgb(None)


def folder_of(name: str) -> str:
    """Return the folder of a person's aligned faces: of any name, on any system."""
    plain = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name)[:60]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return plain if plain and plain == name else f"{plain}-{digest}"


def _written(face: FoundFace, clip: Clip, output: Path) -> str:
    import cv2

    content = cv2.imencode(".png", face.aligned_HWC[..., ::-1])[1].tobytes()
    digest = hashlib.sha256(content).hexdigest()[:8]
    file = output / ALIGNED / folder_of(str(clip.label)) / f"{Path(clip.path).stem}-{digest}.png"
    return str(write_whole(file.absolute(), content))


def keep_features(output: Path) -> int:
    """Remove the features of all but the aligned faces that are there; return how many went."""
    left = {clip_digest(Clip(str(file))) for file in (output / ALIGNED).rglob("*.png")}
    return FeatureStore(output / "features").keep(left)


def _forget_others(output: Path, kept: set[str]) -> None:
    """Remove faces that an earlier run wrote, and what was seen of them."""
    others = [f for f in (output / ALIGNED).absolute().rglob("*.png") if str(f) not in kept]
    for file in others:
        file.unlink()
        with suppress(OSError):  # others are in the folder
            file.parent.rmdir()
    if others:
        keep_features(output)


def _under_two_names(manifest: Manifest) -> dict[str, str]:
    """Return by path the names of pictures that are the same to the byte."""
    of: dict[str, list[Clip]] = defaultdict(list)
    for clip in manifest.clips:
        if Path(clip.path).is_file():
            of[hashlib.sha256(Path(clip.path).read_bytes()).hexdigest()].append(clip)
    found: dict[str, str] = {}
    for same in of.values():
        names = sorted({str(clip.label) for clip in same})
        if len(names) > 1:
            found |= {clip.path: " and ".join(map(repr, names)) for clip in same}
    return found


def _by_name(path: Path) -> tuple[list[str | int], str]:
    return natural_key(path.name)
