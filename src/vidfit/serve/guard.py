"""What stands before every route: which host, who asks, and from which page.

Pure ASGI, around the router: a route that nobody thought of is guarded, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vidfit.serve.people import People
from vidfit.serve.problems import ProblemError, response_of

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
)
"""Of every answer."""

_LOGGED_OUT = (
    "<!doctype html><title>vidfit</title><h1>Not logged in</h1>"
    "<p>Open the address that <code>vidfit serve</code> printed when it started.\n"
)
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})


class Guard:
    """An application in front of another.

    Parameters
    ----------
    hosts
        Names that ``Host`` may be, in lower case.
    open_to_all
        Methods and paths for who has not logged in.
    written_always
        Those that a server that is ``read_only`` takes, too.
    cookie
        Name of the cookie of a session.
    """

    def __init__(  # noqa: PLR0913  (what it holds a request against)
        self,
        app: ASGIApp,
        people: People,
        hosts: frozenset[str],
        *,
        open_to_all: Iterable[tuple[str, str]],
        written_always: Iterable[tuple[str, str]],
        cookie: str,
        read_only: bool,
    ) -> None:
        self._app, self._people, self._hosts, self._cookie = app, people, hosts, cookie
        self._open, self._always = frozenset(open_to_all), frozenset(written_always)
        self._read_only = read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        sent = with_headers(send)
        try:
            scope["person"] = await _in_thread(lambda: self._admit(scope))
        except ProblemError as problem:
            response = _refusal(problem, _headers(scope))
            await response(scope, receive, sent)
            return
        await self._app(scope, receive, sent)

    def _admit(self, scope: Scope) -> str:
        """Return who asks, or raise ProblemError."""
        headers = _headers(scope)
        host = _one(headers, "host")
        if _name_of(host) not in self._hosts:
            raise ProblemError(421, "this server does not go by that name; see --allow-host")
        at = (scope["method"], scope["path"])
        person, by_cookie = self._who(headers)
        if person is None and at not in self._open:
            raise ProblemError(
                401, "log in: open the address that the server printed, or send a key as Bearer"
            )
        if scope["method"] not in _READS:
            if by_cookie or person is None:
                _check_page(headers, host)
            if self._read_only and at not in self._always:
                raise ProblemError(403, "this server was started with --read-only")
        return person or ""

    def _who(self, headers: dict[str, list[str]]) -> tuple[str | None, bool]:
        """Return who asks, and whether a cookie says so: only browsers send those by themselves."""
        scheme, _, key = _one(headers, "authorization").partition(" ")
        if scheme.lower() == "bearer":
            return self._people.of_key(key.strip()), False
        try:
            cookie = SimpleCookie("; ".join(headers.get("cookie", ()))).get(self._cookie)
        except CookieError:
            cookie = None
        return (self._people.of_session(cookie.value), True) if cookie else (None, False)


def _refusal(problem: ProblemError, headers: dict[str, list[str]]) -> Response:
    """Return a refusal, as a page for who opened one in a browser."""
    from starlette.responses import HTMLResponse

    response = response_of(problem)
    if problem.status == 401:
        if "text/html" in _one(headers, "accept"):
            response = HTMLResponse(_LOGGED_OUT, 401)
        response.headers["www-authenticate"] = 'Bearer realm="vidfit"'
    return response


def with_headers(send: Send) -> Send:
    """Return what sends an answer with `HEADERS`; what must not be stored says so."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", ())}
            usual = (*HEADERS, ("cache-control", "no-store"))
            added = [(n.encode(), v.encode()) for n, v in usual if n.encode() not in given]
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return sent


def _check_page(headers: dict[str, list[str]], host: str) -> None:
    """Refuse a write that a page of another site made a browser send.

    Browsers send ``Origin`` with writes, and ``Sec-Fetch-Site`` to hosts that they trust.
    """
    origin, site = _one(headers, "origin"), _one(headers, "sec-fetch-site")
    if not origin and not site:
        raise ProblemError(403, "a write needs Origin or Sec-Fetch-Site; programs use a Bearer key")
    if site and site not in _OWN_SITES:
        raise ProblemError(403, "this was sent by a page of another site")
    if origin and urlsplit(origin).netloc.lower() != host.lower():
        raise ProblemError(403, "this was sent by a page of another origin")


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _one(headers: dict[str, list[str]], name: str) -> str:
    values = headers.get(name, [])
    return values[0] if len(values) == 1 else ""


def _name_of(host: str) -> str:
    """Return a host without its port, and an address of IPv6 without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


async def _in_thread(work: Callable[[], str]) -> str:
    from anyio import to_thread

    return await to_thread.run_sync(work)
