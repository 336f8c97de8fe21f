"""Uploads, in one request or in parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vidfit.documents import FieldRule, Rules
from vidfit.serve.assets import Asset, AssetWish
from vidfit.serve.endpoint import Endpoint, Nothing, Requested
from vidfit.serve.problems import ProblemError
from vidfit.serve.service import Service
from vidfit.serve.wire import json_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_CHUNK_SECONDS = 60.0
"""How long a client may send nothing."""


@dataclass(frozen=True, slots=True)
class UploadQuery:
    """What a file is called, and its SHA-256 in hex, if it is known."""

    name: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class AssetList:
    """All uploads, the newest first."""

    assets: tuple[Asset, ...]


def _is_digest(text: str | None) -> bool:
    return text is None or (len(text) == 64 and all(c in "0123456789abcdefABCDEF" for c in text))


_DIGEST = FieldRule(_is_digest, "64 hexadecimal digits")
RULES: Rules = {(AssetWish, "sha256"): _DIGEST, (UploadQuery, "sha256"): _DIGEST}


def add(asked: Requested) -> Asset:
    """Make room for a file that comes in parts."""
    return asked.service.assets.add(asked.body, asked.person)


def listed(asked: Requested) -> AssetList:
    """List uploads."""
    return AssetList(tuple(_shown(asked.service, one) for one in asked.service.assets.all()))


def one(asked: Requested) -> Asset:
    """Say how much of an upload is there."""
    return _shown(asked.service, asked.service.assets.get(asked.path["asset"]))


async def upload(asked: Requested) -> Response:
    """Take a file in one request."""
    from anyio import to_thread

    size = asked.request.headers.get("content-length", "")
    if not size.isdecimal() or len(size) > 18:
        raise ProblemError(411, "say how long it is: Content-Length")
    wish = AssetWish(asked.query.name, int(size), asked.query.sha256)
    asset = await to_thread.run_sync(asked.service.assets.add, wish, asked.person)
    return await _received(asked, asset, None)


async def append(asked: Requested) -> Response:
    """Take a part of a file, or all of it."""
    from anyio import to_thread

    asset = await to_thread.run_sync(asked.service.assets.get, asked.path["asset"])
    return await _received(asked, asset, asked.request.headers.get("content-range"))


def remove(asked: Requested) -> Response:
    """Remove an upload."""
    from starlette.responses import Response

    asked.service.assets.remove(asked.path["asset"])
    asked.service.open_uploads()
    return Response(status_code=204)


async def _received(asked: Requested, asset: Asset, content_range: str | None) -> Response:
    from anyio import to_thread
    from starlette.responses import Response

    service = asked.service
    kept = await service.assets.receive(asset, content_range, _chunks(asked.request))
    if kept.state == "ready":
        await to_thread.run_sync(service.open_uploads)
    if kept.state == "refused":
        raise ProblemError(422, kept.why)
    status = 202 if kept.state == "partial" else 200
    shown = await to_thread.run_sync(_shown, service, kept)
    return Response(json_of(shown), status, media_type="application/json")


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield what comes in; end where the client is gone, or says nothing for long."""
    from anyio import fail_after
    from starlette.requests import ClientDisconnect

    chunks = aiter(request.stream())
    while True:
        try:
            with fail_after(_CHUNK_SECONDS):
                chunk = await anext(chunks)
        except (StopAsyncIteration, ClientDisconnect, TimeoutError):
            return
        yield chunk


def _shown(service: Service, asset: Asset) -> Asset:
    return replace(asset, clip=service.clip_of(asset))


_REFUSALS = (202, 409, 411, 413, 416, 507)
ENDPOINTS = (
    Endpoint(
        "POST", "/v1/assets", "Make room for a file", add, Asset, takes=AssetWish, status=201,
        refusals=(413, 507),
    ),
    Endpoint(
        "PUT", "/v1/assets", "Upload a file", upload, Asset, takes="application/octet-stream",
        query=UploadQuery, refusals=_REFUSALS,
    ),
    Endpoint("GET", "/v1/assets", "Uploads", listed, AssetList),
    Endpoint("GET", "/v1/assets/{asset}", "How much is there", one, Asset),
    Endpoint(
        "PUT", "/v1/assets/{asset}", "Upload a part", append, Asset,
        takes="application/octet-stream", headers=("Content-Range",), refusals=_REFUSALS,
    ),
    Endpoint("DELETE", "/v1/assets/{asset}", "Remove it", remove, Nothing, status=204),
)  # fmt: skip
