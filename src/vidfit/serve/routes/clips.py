"""One clip: its facts, pictures, video, proxy and the times of its frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.contracts import Clip
from vidfit.documents import FieldRule, Rules
from vidfit.serve.endpoint import Endpoint, Requested
from vidfit.serve.library import Library
from vidfit.serve.media import OTHER_VIDEO, is_sendable, media_type, send_file
from vidfit.serve.previews import What, Wish
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.proxy import PROXY
from vidfit.serve.service import Service
from vidfit.serve.stills import FACTS, POSTER, STRIP, TIMES, VideoFacts
from vidfit.serve.values import ClipFacts, Preview
from vidfit.serve.wire import json_of

if TYPE_CHECKING:
    from starlette.responses import Response

_MOST_WISHES = 500
_SOON_SECONDS = 1


@dataclass(frozen=True, slots=True)
class PreviewWishes:
    """Clips that are looked at now: their stills are made first."""

    clips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreviewStates:
    """How far the stills of clips are, by id."""

    states: dict[str, Preview]


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """When each frame of the clip's video is shown, from its first; and how long it lasts."""

    pts_seconds: tuple[float, ...]
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class BeingMade:
    """What was asked for is not there yet."""

    state: str


RULES: Rules = {
    (PreviewWishes, "clips"): FieldRule(
        lambda ids: 0 < len(ids) <= _MOST_WISHES, f"1 to {_MOST_WISHES} ids"
    )
}


def facts(asked: Requested) -> ClipFacts:
    """Say what is known of a clip."""
    clip, library = _clip(asked)
    service = asked.service
    file = service.libraries.roots.file(clip.path)
    sendable = is_sendable(file)
    place = library.place_of[asked.path["clip"]]
    return ClipFacts(
        asked.path["clip"],
        library.names[place],
        library.id,
        clip.label,
        clip.recording,
        clip.start_seconds,
        clip.end_seconds,
        sendable,
        media_type(file) if sendable and file else OTHER_VIDEO,
        preview_of(service, clip),
    )


def poster(asked: Requested) -> Response:
    """Send a frame of the clip."""
    return _still(asked, POSTER)


def strip(asked: Requested) -> Response:
    """Send ten frames of the clip side by side."""
    return _still(asked, STRIP)


def video(asked: Requested) -> Response:
    """Send the video itself."""
    clip, _ = _clip(asked)
    file = asked.service.libraries.roots.file(clip.path)
    if file is None or not is_sendable(file):
        raise missing()
    return send_file(asked.request, file, media_type(file))


def proxy(asked: Requested) -> Response:
    """Send a copy of the video that every browser plays, or have it made."""
    clip, _ = _clip(asked)
    made = _made(asked, _wish(asked.service, clip, "proxy"), PROXY)
    return made if not isinstance(made, Path) else send_file(asked.request, made, "video/mp4")


def times(asked: Requested) -> Response:
    """Send the times of the frames of the clip's video."""
    clip, _ = _clip(asked)
    made = _made(asked, _wish(asked.service, clip, "times"), TIMES)
    if not isinstance(made, Path):
        return made
    return send_file(asked.request, made, "application/json")


def video_facts(asked: Requested) -> Response:
    """Send size, length, rate and codec of the clip's video."""
    return _still(asked, FACTS)


def look(asked: Requested) -> PreviewStates:
    """Have the stills of the clips that are looked at made first; say how far they are."""
    service = asked.service
    found = [(one, service.libraries.clip(one)[0]) for one in dict.fromkeys(asked.body.clips)]
    wishes = [service.wish(clip, "stills") for _, clip in found]
    service.previews.ask([wish for wish in wishes if wish])
    return PreviewStates({one: preview_of(service, clip) for one, clip in found})


def preview_of(service: Service, clip: Clip) -> Preview:
    """Return how far the stills and the proxy of a clip are."""
    stills, copy = service.wish(clip, "stills"), service.wish(clip, "proxy")
    if stills is None or copy is None:
        return Preview("failed", "failed", "the video is not there")
    (still, why), (of_copy, why_not) = map(service.previews.state, (stills, copy))
    return Preview(still, of_copy, why or why_not)


def _clip(asked: Requested) -> tuple[Clip, Library]:
    return asked.service.libraries.clip(asked.path["clip"])


def _wish(service: Service, clip: Clip, what: What) -> Wish:
    wish = service.wish(clip, what)
    if wish is None:
        raise missing()
    return wish


def _still(asked: Requested, name: str) -> Response:
    clip, _ = _clip(asked)
    kind = "application/json" if name == FACTS else "image/jpeg"
    return sent_when_made(asked, _wish(asked.service, clip, "stills"), name, kind)


def sent_when_made(asked: Requested, wish: Wish, name: str, kind: str) -> Response:
    """Send what is made of a video, or have it made and say so (202)."""
    made = _made(asked, wish, name)
    return send_file(asked.request, made, kind) if isinstance(made, Path) else made


def _made(asked: Requested, wish: Wish, name: str) -> Path | Response:
    """Return the file, or that it is being made (202); raise ProblemError where it failed."""
    from starlette.responses import Response

    previews = asked.service.previews
    if found := previews.find(wish, name):
        return found
    state, why = previews.state(wish)
    if state == "failed":
        raise ProblemError(404, why, kind="unplayable")
    previews.ask([wish])
    return Response(
        json_of(BeingMade("waiting")), 202, {"retry-after": str(_SOON_SECONDS)}, "application/json"
    )


_JPEG = ("image/jpeg",)
ENDPOINTS = (
    Endpoint("GET", "/v1/clips/{clip}", "A clip", facts, ClipFacts),
    Endpoint("GET", "/v1/clips/{clip}/poster", "A frame of it", poster, _JPEG, refusals=(202,)),
    Endpoint("GET", "/v1/clips/{clip}/strip", "Ten frames of it", strip, _JPEG, refusals=(202,)),
    Endpoint(
        "GET", "/v1/clips/{clip}/video", "Its video", video, ("video/*",), headers=("Range",),
        refusals=(206, 416),
    ),
    Endpoint(
        "GET", "/v1/clips/{clip}/proxy", "Its video, as every browser plays it", proxy,
        ("video/mp4",), headers=("Range",), refusals=(202, 206, 416),
    ),
    Endpoint(
        "GET", "/v1/clips/{clip}/times", "Times of its frames", times, FrameTimes, refusals=(202,)
    ),
    Endpoint(
        "GET", "/v1/clips/{clip}/facts", "Size, length, rate, codec", video_facts, VideoFacts,
        refusals=(202,),
    ),
    Endpoint(
        "POST", "/v1/previews", "Clips that are looked at", look, PreviewStates, takes=PreviewWishes
    ),
)  # fmt: skip
