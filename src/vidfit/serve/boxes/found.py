"""What `vidfit predict` found in videos: boxes of objects or of faces, frame by frame.

Names of people are told where the answers say what these people agreed to (``consent``), which
`vidfit predict` writes with them, and not otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from vidfit.boxes import Box
from vidfit.documents import read_json
from vidfit.errors import ManifestError
from vidfit.serve.answered import head_of

FoundParts = Literal["boxes", "faces"]

FORMATS: Mapping[str, FoundParts] = {"vidfit.objects/": "boxes", "vidfit.people/": "faces"}
"""What the format of answers begins with -> what is in them."""

FACE = "face"
"""What a face is called whose name is not told."""

_MOST_FILES = 10_000


@dataclass(frozen=True)
class FoundVideo:
    """The boxes of a video, with the numbers of their tracks.

    Parameters
    ----------
    classes
        That may be found; of faces the names of those that were.
    frames
        Number of a frame, when it is shown, and its boxes.
    consent
        To what the people agreed, of faces.
    """

    path: str
    size_pixels: tuple[int, int]
    classes: tuple[str, ...]
    frames: tuple[tuple[int, float, tuple[Box, ...]], ...]
    consent: str = ""


def answers_in(folder: Path) -> dict[Path, FoundParts]:
    """Return the files of a folder in which `vidfit predict` says where something is."""
    found: dict[Path, FoundParts] = {}
    with suppress(OSError):
        for path in islice(sorted(folder.glob("*.json")), _MOST_FILES):
            head = head_of(path)
            kinds = (kind for name, kind in FORMATS.items() if head.format.startswith(name))
            if head.video and (kind := next(kinds, None)):
                found[path] = kind
    return found


def found_video(path: Path) -> FoundVideo:
    """Read the answers to a video.

    Raises
    ------
    ManifestError
        If they are damaged.
    """
    try:
        document = read_json(path)
        is_of_faces = str(document["format"]).startswith("vidfit.people/")
        consent = " ".join(str(document.get("consent") or "").split())
        tracks = {int(one["track"]): one for one in document["tracks"]}
        labels = {number: _label(one, is_of_faces, consent) for number, one in tracks.items()}
        scores = {number: _score(one, is_of_faces) for number, one in tracks.items()}
        frames = tuple(_frames(document.get("frames", ()), labels, scores, not is_of_faces))
        size = int(document["width_pixels"]), int(document["height_pixels"])
        classes = dict.fromkeys(labels.values()) if is_of_faces else document["classes"]
        path_of_video = str(document["path"])
        return FoundVideo(path_of_video, size, tuple(map(str, classes)), frames, consent)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ManifestError(
            f"{path} holds no answers: {error}; run `vidfit predict` again"
        ) from error


def _label(track: Mapping[str, Any], is_of_faces: bool, consent: str) -> str:
    if not is_of_faces:
        return str(track["label"])
    return str(track["name"]) if consent else FACE


def _score(track: Mapping[str, Any], is_of_faces: bool) -> float:
    """Return the mean score of an object; of a face how alike it is to the most alike person."""
    return max(0.0, min(1.0, float(track["similarity" if is_of_faces else "score"])))


def _frames(
    rows: Iterable[Mapping[str, Any]],
    labels: Mapping[int, str],
    scores: Mapping[int, float],
    has_own: bool,
) -> Iterator[tuple[int, float, tuple[Box, ...]]]:
    """Yield frames; a box that was filled in, or has no score of its own, has that of its track."""
    for row in rows:
        boxes = []
        for number, *edges, score in row["boxes"]:
            left, top, right, bottom = map(float, edges)
            sure = float(score) if has_own and score is not None else scores[number]
            boxes.append(Box(labels[number], left, top, right, bottom, sure, number))
        yield int(row["frame"]), float(row["seconds"]), tuple(boxes)
