"""Frames with boxes: listed, looked at, corrected, taken back and exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidfit.boxes import Box
from vidfit.contracts import Clip
from vidfit.documents import FieldRule, Rules, within
from vidfit.serve.boxes import rows
from vidfit.serve.boxes.book import BookFrame, file_id, is_video_frame
from vidfit.serve.boxes.rows import DrawnFrame, FramePlace, listed_boxes
from vidfit.serve.boxes.shelf import FramesOf
from vidfit.serve.boxes.told import FrameFacts, FrameTable, answered, table_of
from vidfit.serve.boxes.written import MEDIA, BoxForm, written_boxes
from vidfit.serve.endpoint import Endpoint, Requested
from vidfit.serve.library import Library
from vidfit.serve.previews import Wish
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.routes.clips import sent_when_made
from vidfit.serve.routes.labels import LONGEST_LABEL
from vidfit.serve.stills import FRAME
from vidfit.video.limits import FRAMES_MAX

if TYPE_CHECKING:
    from starlette.responses import Response

_MOST_BOXES = 1000
_EDGE_MAX = 100_000.0


@dataclass(frozen=True, slots=True)
class FramesQuery:
    """From which score on boxes of the model count."""

    least: float = 0.35


@dataclass(frozen=True, slots=True)
class FrameQuery:
    """In which library a frame is looked at: whose list and whose model's answers are meant."""

    library: str


@dataclass(frozen=True, slots=True)
class BoxWish:
    """A box as a person draws it: edges in pixels of the frame, the far ones outside of it."""

    label: str
    left: float
    top: float
    right: float
    bottom: float
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class BoxesWish:
    """Boxes to add to a frame, together; none says that the frame is right as it is."""

    library: str
    boxes: tuple[BoxWish, ...] = ()


@dataclass(frozen=True, slots=True)
class BoxChange:
    """What a box is to be."""

    library: str
    box: BoxWish


@dataclass(frozen=True, slots=True)
class BoxesQuery:
    """In which form."""

    form: BoxForm = "csv"


RULES: Rules = {
    (FramesQuery, "least"): within(0, 1),
    (BoxesWish, "boxes"): FieldRule(
        lambda boxes: len(boxes) <= _MOST_BOXES, f"at most {_MOST_BOXES}"
    ),
    (BoxWish, "label"): FieldRule(
        lambda text: 0 < len(text.strip()) == len(text) <= LONGEST_LABEL and text.isprintable(),
        f"1 to {LONGEST_LABEL} printable letters, no blank at either end",
    ),
    **{(BoxWish, side): within(0, _EDGE_MAX) for side in ("left", "top", "right", "bottom")},
}


def listed(asked: Requested) -> FrameTable:
    """List the frames of a library."""
    library = asked.service.libraries.get(asked.path["library"])
    frames = asked.service.shelf.of(library)
    return table_of(frames, _drawn(asked, frames), asked.query.least)


def look(asked: Requested) -> FrameFacts:
    """Say what is known of a frame."""
    return _facts(asked, asked.query.library)


def picture(asked: Requested) -> Response:
    """Send a frame as it is shown, in its own size."""
    place = _place(asked)
    file = asked.service.libraries.roots.file(place.clip.path)
    if file is None:
        raise missing()
    wish = Wish("frame", file, frame=place.frame)
    return sent_when_made(asked, wish, FRAME, "image/jpeg")


def lease(asked: Requested) -> FrameFacts:
    """Open a frame to change it: nobody else may while you are at it."""
    rows.lease_frame(asked.service.store, _place(asked), asked.person)
    return _facts(asked, asked.body.library)


def draw(asked: Requested) -> FrameFacts:
    """Add boxes, or confirm the frame; on disk when this answers."""
    acts: list[tuple[str, Box | None]] = [("", _box(wish)) for wish in asked.body.boxes]
    return _changed(asked, acts)


def alter(asked: Requested) -> FrameFacts:
    """Move a box, or give it another class."""
    return _changed(asked, [(asked.path["box"], _box(asked.body.box))])


def remove(asked: Requested) -> FrameFacts:
    """Remove a box."""
    return _changed(asked, [(asked.path["box"], None)])


def undo(asked: Requested) -> FrameFacts:
    """Take back your last change of a frame."""
    rows.take_back_boxes(asked.service.store, _place(asked), asked.person)
    return _facts(asked, asked.body.library)


def export(asked: Requested) -> Response:
    """Send boxes as a file."""
    from starlette.responses import Response

    library = asked.service.libraries.get(asked.path["library"])
    frames = asked.service.shelf.of(library)
    content = written_boxes(frames, _drawn(asked, frames), asked.query.form)
    ending, kind = MEDIA[asked.query.form]
    name = f"{library.id}-boxes.{ending}"
    return Response(
        content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


# ---------------------------------------------------------------- of a request


def _changed(asked: Requested, acts: list[tuple[str, Box | None]]) -> FrameFacts:
    library_id = asked.query.library if asked.body is None else asked.body.library
    place, frame = _place(asked), _book_frame(asked, library_id)
    library = asked.service.libraries.get(library_id)
    if frame.mask is not None or library.frames == "faces":
        what = "masks" if frame.mask is not None else "faces"
        raise ProblemError(422, f"{what} are shown here, and not changed")
    rows.change(asked.service.store, place, frame.objects, acts, asked.person)
    return _facts(asked, library_id)


def _facts(asked: Requested, library_id: str) -> FrameFacts:
    place, frame = _place(asked), _book_frame(asked, library_id)
    drawn = rows.drawn_frames(asked.service.store, [place.file]).get((place.file, place.frame))
    of = drawn or DrawnFrame(listed_boxes(place, frame.objects), "")
    holder = rows.holder_of(asked.service.store, place)
    return FrameFacts(
        asked.path["clip"],
        place.frame,
        not is_video_frame(place.clip.path),
        of.boxes,
        answered(frame.found),
        frame.mask,
        of.person,
        place.lease,
        "" if holder == asked.person else holder,
    )


def _place(asked: Requested) -> FramePlace:
    clip, _ = asked.service.libraries.clip(asked.path["clip"])
    text = asked.path["frame"]
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(FRAMES_MAX))):
        raise missing()
    return FramePlace(file_id(clip.path), Clip(clip.path), int(text))


def _book_frame(asked: Requested, library_id: str) -> BookFrame:
    place, library = _place(asked), asked.service.libraries.get(library_id)
    _check_holds(library, asked.path["clip"])
    return asked.service.shelf.of(library).book.frame(place.clip.path, place.frame)


def _check_holds(library: Library, clip: str) -> None:
    if clip not in library.place_of:
        raise missing()


def _drawn(asked: Requested, frames: FramesOf) -> dict[tuple[str, int], DrawnFrame]:
    return rows.drawn_frames(asked.service.store, frames.files)


def _box(wish: BoxWish) -> Box:
    """Return the box of a wish.

    Raises
    ------
    ProblemError
        422 where it has no area.
    """
    if wish.right <= wish.left or wish.bottom <= wish.top:
        raise ProblemError(422, "the box has no area: right lies beyond left, bottom below top")
    left, top, right, bottom = (
        round(edge, 2) for edge in (wish.left, wish.top, wish.right, wish.bottom)
    )
    return Box(wish.label, left, top, right, bottom, ignored=wish.ignored)


_FRAME = "/v1/clips/{clip}/frames/{frame}"
ENDPOINTS = (
    Endpoint(
        "GET", "/v1/libraries/{library}/frames", "Frames with boxes or masks", listed, FrameTable,
        query=FramesQuery,
    ),
    Endpoint(
        "GET", "/v1/libraries/{library}/boxes", "Boxes as a file", export,
        ("text/csv", "application/json", "application/zip"), query=BoxesQuery,
    ),
    Endpoint("GET", _FRAME, "A frame, its boxes and its mask", look, FrameFacts, query=FrameQuery),
    Endpoint(
        "GET", f"{_FRAME}/picture", "A frame as a picture", picture, ("image/jpeg",),
        refusals=(202,),
    ),
    Endpoint("POST", f"{_FRAME}/lease", "Open a frame", lease, FrameFacts, takes=FrameQuery),
    Endpoint(
        "POST", f"{_FRAME}/boxes", "Draw boxes, or confirm those there", draw, FrameFacts,
        takes=BoxesWish, status=201, refusals=(409,),
    ),
    Endpoint(
        "PUT", f"{_FRAME}/boxes/{{box}}", "Alter a box", alter, FrameFacts, takes=BoxChange,
        refusals=(409,),
    ),
    Endpoint(
        "DELETE", f"{_FRAME}/boxes/{{box}}", "Remove a box", remove, FrameFacts, query=FrameQuery,
        refusals=(409,),
    ),
    Endpoint(
        "POST", f"{_FRAME}/undo", "Take back your last change", undo, FrameFacts, takes=FrameQuery,
        refusals=(409,),
    ),
)  # fmt: skip
