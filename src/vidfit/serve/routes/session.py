"""Who is there: health, the address that logs in, sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidfit.serve.endpoint import Endpoint, Nothing, Requested
from vidfit.serve.people import SESSION_SECONDS, Entered
from vidfit.serve.wire import json_of

if TYPE_CHECKING:
    from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Health:
    """That the server answers, or that it is ready to."""

    status: str


@dataclass(frozen=True, slots=True)
class LogIn:
    """What the address that the server printed says: its token, and who you are."""

    token: str
    person: str = "me"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in, and whether anything can be changed."""

    person: str
    read_only: bool


_ON = '<!doctype html><meta http-equiv="refresh" content="0;url=/"><a href="/">vidfit</a>\n'


def health(asked: Requested) -> Health:
    """Say that the process answers."""
    return Health("ok")


def ready(asked: Requested) -> Health:
    """Say that the database answers, too."""
    asked.service.store.rows("SELECT 1")
    return Health("ready")


def enter_by_address(asked: Requested) -> Response:
    """Log in by the printed address, and lead to the page without its token.

    By a page, not a redirect: where the address was clicked on another site, a browser keeps a
    strict cookie from what it is redirected to.
    """
    from starlette.responses import HTMLResponse

    entered = _entered(asked, asked.query)
    response = HTMLResponse(_ON)
    _keep(asked, response, entered)
    return response


def enter(asked: Requested) -> Response:
    """Log in by a request."""
    from starlette.responses import Response

    entered = _entered(asked, asked.body)
    session = Session(entered.person, asked.service.options.read_only)
    response = Response(json_of(session), 201, media_type="application/json")
    _keep(asked, response, entered)
    return response


def who(asked: Requested) -> Session:
    """Say who is logged in."""
    return Session(asked.person, asked.service.options.read_only)


def leave(asked: Requested) -> Response:
    """Log out."""
    from starlette.responses import Response

    cookie = asked.service.cookie
    asked.service.people.leave(asked.request.cookies.get(cookie, ""))
    response = Response(status_code=204)
    response.delete_cookie(cookie, path="/", httponly=True, samesite="strict")
    return response


def _entered(asked: Requested, found: LogIn) -> Entered:
    address = asked.request.client.host if asked.request.client else ""
    return asked.service.people.enter(found.token, found.person, address)


def _keep(asked: Requested, response: Response, entered: Entered) -> None:
    response.set_cookie(
        asked.service.cookie,
        entered.secret,
        max_age=round(SESSION_SECONDS),
        path="/",
        secure=asked.service.options.secure_cookies,
        httponly=True,
        samesite="strict",
    )


ENDPOINTS = (
    Endpoint("GET", "/healthz", "The process answers", health, Health, is_open=True),
    Endpoint("GET", "/readyz", "The database answers", ready, Health, is_open=True),
    Endpoint(
        "GET", "/login", "Log in by the printed address", enter_by_address, ("text/html",),
        query=LogIn, is_open=True, refusals=(429,),
    ),
    Endpoint(
        "POST", "/v1/session", "Log in", enter, Session, takes=LogIn, status=201, is_open=True,
        refusals=(429,),
    ),
    Endpoint("GET", "/v1/session", "Who is logged in", who, Session),
    Endpoint("DELETE", "/v1/session", "Log out", leave, Nothing, status=204),
)  # fmt: skip
