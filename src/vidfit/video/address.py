"""Files at URLs: opened by fsspec in one place, where failures are told, and remembered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from vidfit.errors import VideoError
from vidfit.video.policy import redirect_refusal

REMEMBERED_SECONDS = 600.0
"""For so long a URL that failed is not asked for again: one run asks for each many times."""

_MOST_REMEMBERED = 10_000

_failed: dict[str, tuple[float, str]] = {}


def reach(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it.

    Raises
    ------
    VideoError
        If no such file system is known, or its package is missing.
    """
    import fsspec

    options = {s: {"get_client": _client} for s in ("http", "https") if f"{s}://" in url}
    with told(url):
        found: tuple[Any, str] = fsspec.core.url_to_fs(url, **options)
    return found


def open_url(url: str) -> Any:  # noqa: ANN401  (an open file of any kind)
    """Open a video at a URL for reading.

    Raises
    ------
    VideoError
        If it cannot be opened; a failure of the last minutes is told again without asking.
    """
    refuse_failed(url)
    system, path = reach(url)
    with told(url):
        opened = system.open(path, "rb")
    with suppress(AttributeError):  # a member of an archive is closed with its archive
        opened.vidfit_keeps = system
    return opened


def content_key(url: str) -> str:
    """Return what the file system of a URL knows of its content: ETag, size, time.

    That of fsspec for HTTP takes every file for one that never changes, so that the server's
    own words are asked for there.

    Raises
    ------
    VideoError
        If it cannot be reached.
    """
    refuse_failed(url)
    system, path = reach(url)
    with told(url):
        key = str(system.ukey(path))
        if not {"http", "https"}.isdisjoint(_protocols(system)):
            facts = system.info(path)
            key += "".join(f" {name} {facts[name]}" for name in _VALIDATORS if facts.get(name))
        return key


_VALIDATORS = ("ETag", "Last-Modified", "Content-MD5", "Digest", "size")


def _protocols(system: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Return the names of a file system."""
    named: str | tuple[str, ...] = system.protocol
    return (named,) if isinstance(named, str) else tuple(named)


def refuse_failed(url: str) -> None:
    """Tell a failure of the last minutes again.

    Raises
    ------
    VideoError
        If there was one.
    """
    failed_at, why = _failed.get(url, (0.0, ""))
    if why and time.monotonic() - failed_at < REMEMBERED_SECONDS:
        raise VideoError(f"{url}: {why}")


def remember(url: str, why: str) -> None:
    """Note that a URL cannot be read, and why."""
    if len(_failed) >= _MOST_REMEMBERED:
        _failed.clear()
    _failed[url] = (time.monotonic(), why)


@contextmanager
def told(url: str) -> Iterator[None]:
    """Say in one line what went wrong at a URL, and remember it."""
    try:
        yield
    except Exception as error:  # every fsspec backend has errors of its own
        why = f"cannot be opened: {reason_of(error, url)}"
        remember(url, why)
        raise VideoError(f"{url}: {why}") from error


def reason_of(error: BaseException, url: str = "") -> str:
    """Return in one line why a URL cannot be read: the status of a server, where there is one."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:
        causes.append(cause)
    for one in causes:
        status = getattr(one, "status", None)
        if isinstance(status, int):
            message = getattr(one, "message", "")
            return f"the server answers with HTTP status {status}{message and f' ({message})'}"
    if isinstance(error, ImportError):
        return f"a package is missing: {_line(error)}"
    if len(causes) == 1 and isinstance(error, FileNotFoundError):
        return "no such file"
    text = _line(causes[-1])
    if text.startswith("Protocol not known"):
        return f"there is no reader for {url.partition('://')[0]}://; copy the video here first"
    return text


def _line(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


async def _client(**kwargs: Any) -> Any:  # noqa: ANN401
    """Return an HTTP session that looks at where redirects lead before it follows them."""
    import aiohttp

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_on_redirect)
    return aiohttp.ClientSession(trace_configs=[trace], **kwargs)


async def _on_redirect(_session: Any, _context: Any, step: Any) -> None:  # noqa: ANN401
    import asyncio

    from yarl import URL

    target = step.response.headers.get("Location") or step.response.headers.get("URI") or ""
    url = str(step.url.join(URL(target)))
    if why := await asyncio.to_thread(redirect_refusal, step.url.host or "", url):
        raise PermissionError(why)
