"""Faces of a video, looked for in some of its frames and followed.

Shape letters: D numbers of a face.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from vidfit.backbones.faces.finding import FoundFace, find_faces
from vidfit.contracts import Floats, Frames, Indices, Seconds
from vidfit.jobs.predict.objects.followed import followed
from vidfit.jobs.predict.objects.looks import ObjectLook, sound_frames
from vidfit.jobs.predict.people.recogniser import Recogniser
from vidfit.progress import SILENT, Progress
from vidfit.threads import in_threads
from vidfit.tracking.cuts import Thumbnail, is_cut, thumbnail
from vidfit.tracking.filled import TrackedFrame
from vidfit.tracking.tracker import FoundBoxes, TrackerSettings
from vidfit.video import VideoReader

FACE = "face"

SETTINGS = TrackerSettings(new_seconds=0.5)
"""Faces are looked for less often than a track of one box may live otherwise."""

_LEAST_SURE = 0.4
"""A face weighs as much in its track as the finder is surer of it than that.

It is least sure of what is blurred, noisy or turned away; sharpness and size of a face, as weights,
named fewer people rightly (`benchmarks.faces`).
"""


@dataclass(slots=True)
class FaceTrack:
    """What is kept of one track: sums, and the surest face.

    ``sum_D`` adds up unit vectors by their weight.
    """

    first: int
    last: int
    sum_D: Floats
    weight: float = 0.0
    looks: int = 0
    best: FoundFace | None = None

    def add(self, face: FoundFace, vector_D: Floats) -> None:
        """Take a face that was found."""
        weight = face.score - _LEAST_SURE
        self.sum_D = self.sum_D + weight * vector_D
        self.weight += weight
        self.looks += 1
        if self.best is None or _rank(face) > _rank(self.best):
            self.best = face

    @property
    def vector_D(self) -> Floats:  # noqa: N802
        """The weighted mean: its product with another vector is the mean similarity."""
        return np.asarray(self.sum_D / max(self.weight, 1e-6), np.float32)


def _rank(face: FoundFace) -> tuple[float, float]:
    return face.score, face.side_pixels


@dataclass(slots=True)
class SeenFaces:
    """All that was seen of the faces of a video; ``looks`` let the boxes be followed again."""

    looks: list[ObjectLook] = field(default_factory=list)
    tracks: dict[int, FaceTrack] = field(default_factory=dict)


def see_faces(
    reader: VideoReader,
    recogniser: Recogniser,
    wanted: Indices,
    smallest_pixels: int,
    *,
    workers: int,
    progress: Progress = SILENT,
) -> SeenFaces:
    """Find and follow faces in frames; damaged frames are left out.

    What is kept grows with the boxes that are found, not with pictures.
    """
    seen, waiting = SeenFaces(), dict[int, dict[tuple[float, ...], tuple[FoundFace, Floats]]]()

    def one(frame: tuple[int, Frames]) -> tuple[int, Thumbnail, list[tuple[FoundFace, Floats]]]:
        index, picture = frame
        faces = find_faces(picture, smallest_pixels)
        return index, thumbnail(picture), list(zip(faces, recogniser.vectors(faces), strict=True))

    def looks() -> Iterator[ObjectLook]:
        before: Thumbnail | None = None
        pictures = ((f.index, f.rgb(None)) for f in sound_frames(reader, wanted))
        for index, small, faces in in_threads(one, pictures, workers):
            look = ObjectLook(index, before is not None and is_cut(before, small), _boxes(faces))
            edges = map(tuple, look.found.edges_M4.tolist())
            waiting[index] = dict(zip(edges, faces, strict=True))
            before = small
            seen.looks.append(look)
            progress.advance()
            yield look

    span = (int(wanted[0]), int(wanted[-1]))
    for frame in followed(looks(), reader.pts_seconds, (FACE,), span, SETTINGS):
        faces = waiting.pop(frame.index, {})
        for box in frame.boxes:
            track = seen.tracks.get(box.track or 0)
            if track is None:
                zeros = np.zeros_like(recogniser.gallery.people_KD[0])
                track = FaceTrack(frame.index, frame.index, zeros)
                seen.tracks[box.track or 0] = track
            track.last = frame.index
            if box.score is not None:
                track.add(*faces[box.edges])
    return seen


def tracked_again(
    seen: SeenFaces, pts_seconds_F: Seconds, span: tuple[int, int]
) -> Iterable[TrackedFrame]:
    """Yield the frames of a span with the boxes of the tracks."""
    return followed(iter(seen.looks), pts_seconds_F, (FACE,), span, SETTINGS)


def _boxes(faces: list[tuple[FoundFace, Floats]]) -> FoundBoxes:
    edges = [[face.left, face.top, face.right, face.bottom] for face, _ in faces]
    scores = np.array([face.score for face, _ in faces], np.float64)
    return FoundBoxes(
        np.array(edges, np.float64).reshape(-1, 4).round(2), scores, np.zeros(len(faces), np.int64)
    )
