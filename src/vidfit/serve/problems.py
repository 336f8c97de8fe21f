"""What is answered instead of what was asked for: problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from vidfit.documents import to_json

if TYPE_CHECKING:
    from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """A refusal as it is sent; ``type`` names its kind, ``detail`` says what to do."""

    type: str
    title: str
    status: int
    detail: str


class ProblemError(Exception):
    """Raised by what answers a request; becomes the answer.

    Parameters
    ----------
    status
        HTTP status, 400 and above.
    detail
        What was received, what is valid, what to do next. Names no path of the server.
    retry_seconds
        When to ask again.
    """

    def __init__(
        self, status: int, detail: str, *, retry_seconds: int | None = None, kind: str = ""
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry_seconds = status, detail, retry_seconds
        self.kind = kind or HTTPStatus(status).phrase.lower().replace(" ", "-")

    @property
    def details(self) -> ProblemDetails:
        """The refusal as it is sent."""
        title = HTTPStatus(self.status).phrase
        return ProblemDetails(f"urn:vidfit:{self.kind}", title, self.status, self.detail)

    @property
    def headers(self) -> Mapping[str, str]:
        """When to ask again, where that is known."""
        return {} if self.retry_seconds is None else {"Retry-After": str(self.retry_seconds)}


def missing() -> ProblemError:
    """Return the one answer to an id that is not there, whatever it was made of."""
    return ProblemError(404, "there is no such thing here; ids come from the lists of this server")


def response_of(problem: ProblemError) -> Response:
    """Return a refusal as a response."""
    from starlette.responses import Response

    details = problem.details
    body = {name: getattr(details, name) for name in ("type", "title", "status", "detail")}
    return Response(
        to_json(body), problem.status, headers=dict(problem.headers), media_type=MEDIA_TYPE
    )
