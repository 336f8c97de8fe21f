"""The HTTP server: bound, told, and stopped."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from vidfit.errors import VidfitError
from vidfit.serve.app import build
from vidfit.serve.guard import Guard
from vidfit.serve.service import Service

if TYPE_CHECKING:
    import uvicorn
    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 15.0
"""How long a client may take to say what it wants, and may stay silent between two requests."""

_MOST_HEADER_BYTES = 16_384
_MOST_CONNECTIONS = 400
_STOP_SECONDS = 3


def run(service: Service, said: Callable[[str], None]) -> None:
    """Answer requests until an interrupt.

    Parameters
    ----------
    said
        Told the address that logs in, once requests are taken.

    Raises
    ------
    VidfitError
        If the address cannot be bound.
    """
    import uvicorn

    bound = _bound(service.options.host, service.options.port)
    port = bound.getsockname()[1]
    name = service.options.allow_hosts[0] if service.options.allow_hosts else "127.0.0.1"
    scheme = "https" if service.options.secure_cookies else "http"
    place = name if service.options.secure_cookies else f"{name}:{port}"
    logging.getLogger("vidfit.serve").setLevel(logging.WARNING)
    server = uvicorn.Server(config(build(service)))
    said(f"{scheme}://{place}/login?token={service.token}")
    try:
        server.run([bound])
    finally:
        bound.close()


def config(app: Guard) -> uvicorn.Config:
    """Return how the server runs: nothing of a request is logged, for addresses hold tokens."""
    import uvicorn

    return uvicorn.Config(
        cast("ASGI3Application", app),
        http=impatient_protocol(),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=round(HEADER_SECONDS),
        timeout_graceful_shutdown=_STOP_SECONDS,
        h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
    )


def impatient_protocol() -> type[H11Protocol]:
    """Return HTTP/1.1 that hangs up on who does not finish what it sends in time.

    That is the head of a request, or a body that nobody waits for: a refusal is sent before all of
    a body came in, and is lost where the socket is closed while the client still sends.
    """
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class ImpatientProtocol(H11Protocol):
        """Waits for `HEADER_SECONDS`."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (those of uvicorn)
            super().__init__(*args, **kwargs)
            self._clock: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Begin to wait."""
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            """Wait on while the head is not whole, or its body comes in behind the answer."""
            super().data_received(data)
            if not self._is_awaited():
                self._rest()
            elif self._clock is None:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no longer."""
            self._rest()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._clock = self.loop.call_later(HEADER_SECONDS, self._hang_up)

        def _rest(self) -> None:
            if self._clock is not None:
                self._clock.cancel()
                self._clock = None

        def _hang_up(self) -> None:
            self._clock = None
            if self._is_awaited() and not self.transport.is_closing():
                self.transport.close()

        def _is_awaited(self) -> bool:
            theirs, ours = self.conn.their_state, self.conn.our_state
            return theirs is h11.IDLE or (theirs is h11.SEND_BODY and ours is h11.DONE)

    return ImpatientProtocol


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "another program listens there" if taken else error.strerror or str(error)
        raise VidfitError(
            f"cannot listen at {host} port {port}: {why}; --port 0 takes a free one"
        ) from error
