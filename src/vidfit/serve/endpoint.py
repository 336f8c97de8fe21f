"""What an endpoint is: a path, a function, and the types of what goes in and comes out.

The router and ``/openapi.json`` are made of the same table, so that one cannot differ from the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.requests import Request

    from vidfit.serve.service import Service


EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Nothing:
    """No fields."""


@dataclass(frozen=True)
class Requested:
    """A request, checked.

    Parameters
    ----------
    service
        What answers.
    path
        Ids in the path, as they came: nothing is known of them.
    query, body
        Values of the types that the endpoint names.
    person
        Who asks.
    request
        The request itself, for what is not JSON.
    """

    service: Service
    path: Mapping[str, str]
    query: Any
    body: Any
    person: str
    request: Request


@dataclass(frozen=True)
class Endpoint:
    """One method of one path.

    Parameters
    ----------
    answer
        Takes a `Requested`, returns a value of ``answers``, or a response. Run in a thread, unless
        it is a coroutine function.
    answers
        Type of the JSON that is sent, or the media types of what else is.
    tells
        Type of the JSON in each event, where what is sent is a stream of events.
    takes, query
        Types of the body in JSON, and of the parameters; a text: the body is raw, of that type.
    headers
        Names of headers that it reads, all of which may be left away.
    status
        Where all is well.
    is_open
        Whether it answers who has not logged in.
    refusals
        Statuses that it may answer beside those that all have.
    """

    method: str
    path: str
    summary: str
    answer: Callable[[Requested], Any]
    answers: type | tuple[str, ...]
    tells: type | None = None
    takes: type | str | None = None
    query: type = Nothing
    headers: tuple[str, ...] = ()
    status: int = 200
    is_open: bool = False
    refusals: tuple[int, ...] = field(default=())
