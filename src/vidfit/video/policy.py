"""What a list of clips may name, and where a server may send a reader: the one place for it.

What a user types is followed. What a list names comes from whoever wrote the list: files of
this machine, below some folders only where that is asked; addresses only below those allowed.
A redirect never leads a reader from one host to a private address of another.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from vidfit.errors import VidfitError
from vidfit.video.member import split_member

_CACHES = frozenset({"blockcache", "cached", "filecache", "simplecache"})
"""Parts of a chain of fsspec that name no place."""

_IN_ARCHIVES = frozenset({"libarchive", "tar", "zip"})
"""Schemes of what lies inside the next part of a chain."""

_LOCAL = frozenset({"file", "local"})
_WEB = frozenset({"http", "https"})


@dataclass(frozen=True)
class Policy:
    """What lists may name.

    Parameters
    ----------
    urls
        Beginnings of addresses: ``https://host/folder/``, ``s3://bucket/``; or ``https://`` for
        all public hosts. None are followed by default.
    below
        Folders that local files must lie in, links followed; none means anywhere.

    Raises
    ------
    VidfitError
        If a beginning has no scheme, or no host where it needs one.
    """

    urls: tuple[str, ...] = ()
    below: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        for url in self.urls:
            scheme, is_address, place = url.partition("://")
            if not (is_address and scheme and (place.strip("/") or scheme in _WEB)):
                raise VidfitError(
                    f"{url!r} is no beginning of addresses; give one such as https://host/folder/, "
                    "s3://bucket/, or https:// for all public hosts"
                )

    @cached_property
    def _real(self) -> tuple[str, ...]:
        """The folders without links, with a separator: a list may name 100,000 files."""
        return tuple(f"{os.path.realpath(folder).rstrip(os.sep)}{os.sep}" for folder in self.below)

    def refusal(self, path: str) -> str | None:
        """Return why a path that a list names is not followed; ``None`` where it is."""
        member = split_member(path)
        archive = member[0] if member else path
        if "://" not in archive:
            return self._refused_file(archive)
        parts = [part for part in archive.split("::") if _is_place(part)]  # as fsspec does
        return next((why for part in parts if (why := self._refused_part(part))), None)

    def _refused_part(self, part: str) -> str | None:
        scheme, is_address, path = part.partition("://")
        if not is_address:
            return self._refused_file(part)
        found = self._refused_url(part)
        return found or (self._refused_file(path) if scheme in _LOCAL else None)

    def _refused_file(self, path: str) -> str | None:
        if not self.below:
            return None
        real = os.path.realpath(path)
        if any(f"{real}{os.sep}".startswith(folder) for folder in self._real):
            return None
        return f"lies outside {', '.join(map(str, self.below))}, where files of lists may lie"

    def _refused_url(self, url: str) -> str | None:
        if re.search(r"[\s\\\x00-\x1f\x7f]", url):
            return "is no address: it holds spaces, backslashes or control characters"
        try:
            wanted = urlsplit(url)
        except ValueError as error:
            return f"is no address: {error}"
        allowed = next((a for a in map(urlsplit, self.urls) if _begins(wanted, a)), None)
        if allowed is None:
            return (
                "is an address in a list, which is not followed unless its beginning is allowed, "
                f"as by --allow-url {wanted.scheme}://{_host(wanted)}/"
            )
        if not allowed.netloc and wanted.scheme in _WEB and is_private(wanted.hostname or ""):
            return (
                f"its host {wanted.hostname} is on a private network or this machine; allow it by "
                "name if you trust the list"
            )
        return None


def _is_place(part: str) -> bool:
    return part not in _CACHES and part.partition("://")[0] not in _IN_ARCHIVES | _CACHES


def _begins(url: SplitResult, with_: SplitResult) -> bool:
    """Return whether an address lies at or below another, which may leave out the host."""
    if url.scheme != with_.scheme:
        return False
    if not with_.netloc and with_.path in ("", "/"):
        return url.scheme in _WEB
    folder = with_.path.rstrip("/")
    inside = url.path == folder or url.path.startswith(f"{folder}/")
    return _host(url) == _host(with_) and inside and ".." not in unquote(url.path).split("/")


def _host(url: SplitResult) -> str:
    return url.netloc.rpartition("@")[2].lower()


# ---------------------------------------------------------------- hosts


@lru_cache(maxsize=4096)
def is_private(host: str) -> bool:
    """Return whether a host has an address that is not of the public Internet."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False  # nothing will be read from it
    addresses = (ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found)
    return any(not (getattr(a, "ipv4_mapped", None) or a).is_global for a in addresses)


def redirect_refusal(source_host: str, url: str) -> str | None:
    """Return why a redirect from a host to a URL is not followed; ``None`` where it is."""
    target = urlsplit(url)
    if target.scheme not in _WEB:
        return f"redirects to {target.scheme}://, which is not followed"
    host = target.hostname or ""
    if host != source_host and is_private(host):
        return f"redirects to {host}, on a private network or this machine, which is not followed"
    return None


# ---------------------------------------------------------------- the policy in force

_USUAL = Policy()
_IN_FORCE: ContextVar[Policy] = ContextVar("policy", default=_USUAL)


def in_force() -> Policy:
    """Return the policy that lists are read under."""
    return _IN_FORCE.get()


@contextmanager
def enforced(policy: Policy) -> Iterator[None]:
    """Read lists under a policy for a while."""
    token = _IN_FORCE.set(policy)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)
