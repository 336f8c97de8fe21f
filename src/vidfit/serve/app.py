"""The application: a router made of the tables of endpoints, behind the guard."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from vidfit.documents import Rules
from vidfit.errors import VidfitError
from vidfit.serve.endpoint import Endpoint, Requested
from vidfit.serve.guard import Guard
from vidfit.serve.openapi import described
from vidfit.serve.problems import ProblemError, missing, response_of
from vidfit.serve.routes import (
    assets,
    boxes,
    clips,
    compare,
    jobs,
    labels,
    libraries,
    models,
    session,
    shots,
    spans,
)
from vidfit.serve.service import Service
from vidfit.serve.wire import MOST_BODY_BYTES, body_of, json_of, query_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_SUBJECTS = (session, libraries, clips, labels, spans, boxes, jobs, assets, compare, shots, models)

ENDPOINTS: tuple[Endpoint, ...] = tuple(one for part in _SUBJECTS for one in part.ENDPOINTS)

RULES: Rules = {key: rule for part in _SUBJECTS for key, rule in getattr(part, "RULES", {}).items()}

_HTML = "text/html; charset=utf-8"
PAGES: Mapping[str, tuple[str, str]] = {
    "/": ("index.html", _HTML),
    "/wall": ("wall.html", _HTML),
    "/label": ("label.html", _HTML),
    "/timeline": ("timeline.html", _HTML),
    "/boxes": ("boxes.html", _HTML),
    "/report": ("report.html", _HTML),
    "/compare": ("compare.html", _HTML),
    "/search": ("search.html", _HTML),
    "/models": ("models.html", _HTML),
}
"""Path of a page -> its file in ``static/`` and its media type."""

STATIC_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
"""Ending of a file in ``static/`` -> its media type; others are not sent."""

_BODY_SECONDS = 30.0
"""How long the body of a request may take, which is at most 1 MiB."""

_LOG = logging.getLogger(__name__)


def build(service: Service) -> Guard:
    """Return the application (ASGI) of a service."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    routes = [Route(one.path, _handler(one, service), methods=[one.method]) for one in ENDPOINTS]
    routes += [Route(path, _page(*page), methods=["GET"]) for path, page in PAGES.items()]
    routes += [
        Route("/static/{name:path}", _static, methods=["GET"]),
        Route("/openapi.json", _fixed(described(ENDPOINTS)), methods=["GET"]),
    ]
    inner = Starlette(
        routes=_merged(routes),
        exception_handlers={HTTPException: _not_there, Exception: _broken},
    )
    return Guard(
        inner,
        service.people,
        service.options.hosts,
        open_to_all=[(one.method, one.path) for one in ENDPOINTS if one.is_open],
        written_always=[("POST", "/v1/session"), ("DELETE", "/v1/session")],
        cookie=service.cookie,
        read_only=service.options.read_only,
    )


def _merged(routes: list[Any]) -> list[Any]:
    """Return routes of which each path has one, so that another method is 405 and not 404."""
    from starlette.routing import Route

    by_path: dict[str, dict[str, Any]] = {}
    for route in routes:
        for method in route.methods - {"HEAD"}:
            by_path.setdefault(route.path, {})[method] = route.endpoint

    def of(path: str, methods: dict[str, Any]) -> Route:
        async def answer(request: Request) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            response: Response = await methods[method](request)
            return response

        return Route(path, answer, methods=[*methods])

    return [of(path, methods) for path, methods in by_path.items()]


def _handler(endpoint: Endpoint, service: Service) -> Callable[[Request], Awaitable[Response]]:
    """Return what reads a request, lets an endpoint answer, and writes that."""
    from anyio import to_thread
    from starlette.responses import Response

    async def handle(request: Request) -> Response:
        try:
            query: object = query_of(endpoint.query, request.query_params.multi_items(), RULES)
            body = await _body(endpoint, request)
            person = request.scope["person"]
            asked = Requested(service, request.path_params, query, body, person, request)
            if inspect.iscoroutinefunction(endpoint.answer):
                found = await endpoint.answer(asked)
            else:
                found = await to_thread.run_sync(endpoint.answer, asked)
            if isinstance(found, Response):
                return found
            content = await to_thread.run_sync(json_of, found)
            return Response(content, endpoint.status, media_type="application/json")
        except ProblemError as problem:
            return response_of(problem)
        except VidfitError as error:
            return response_of(ProblemError(422, str(error)))

    return handle


async def _body(endpoint: Endpoint, request: Request) -> object:
    """Return the body of a request, as far as the endpoint takes one."""
    from anyio import fail_after

    if not isinstance(endpoint.takes, type):
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError(415, f"the body is {kind or 'of no type'}; send application/json")
    content = b""
    try:
        with fail_after(_BODY_SECONDS):
            async for chunk in request.stream():
                content += chunk
                if len(content) > MOST_BODY_BYTES:
                    raise ProblemError(413, f"the body has more than {MOST_BODY_BYTES:,} bytes")
    except TimeoutError:
        raise ProblemError(408, f"the body took more than {_BODY_SECONDS:g} s") from None
    return body_of(endpoint.takes, content, RULES)


def _page(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def send(request: Request) -> Response:
        return _file(name, kind)

    return send


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    ending = name[name.rfind(".") :]
    if ending not in STATIC_TYPES or not all(_is_plain(part) for part in name.split("/")):
        return response_of(missing())
    return _file(name, STATIC_TYPES[ending])


def _is_plain(part: str) -> bool:
    return (
        part.isascii()
        and part.replace("-", "").replace("_", "").replace(".", "").isalnum()
        and (not part.startswith("."))
    )


def _file(name: str, kind: str) -> Response:
    from starlette.responses import Response

    try:
        content = files("vidfit.serve").joinpath("static", *name.split("/")).read_bytes()
    except (OSError, ValueError):
        return response_of(missing())
    return Response(content, media_type=kind, headers={"cache-control": "private, no-cache"})


def _fixed(content: bytes) -> Callable[[Request], Awaitable[Response]]:
    from starlette.responses import Response

    async def send(request: Request) -> Response:
        return Response(content, media_type="application/json")

    return send


async def _not_there(request: Request, error: Exception) -> Response:
    """Answer what the router refuses: no such path (404), or no such method of it (405)."""
    status = getattr(error, "status_code", 404)
    problem = missing() if status == 404 else ProblemError(status, "see /openapi.json")
    response = response_of(problem)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


async def _broken(request: Request, error: Exception) -> Response:
    """Answer what went wrong in the server itself; what, is in its log only."""
    _LOG.error("%s %s", request.method, request.url.path, exc_info=error)
    return response_of(ProblemError(500, "this is a fault of the server; its log says more"))
