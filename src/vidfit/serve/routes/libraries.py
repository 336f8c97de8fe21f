"""Libraries, their clips by columns, and what a run found."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidfit.documents import read_json
from vidfit.serve.endpoint import Endpoint, Requested
from vidfit.serve.libraries import facts_of
from vidfit.serve.problems import missing
from vidfit.serve.values import ClipTable, LibraryFacts, LibraryList

if TYPE_CHECKING:
    from starlette.responses import Response

_LEFT_OUT = ("clips", "failures", "near_duplicates")
"""Of a report: what its table of clips says, too, by id."""


def all_libraries(asked: Requested) -> LibraryList:
    """List what is open."""
    libraries = asked.service.libraries
    found = tuple(facts_of(one, libraries.roots) for one in libraries.all())
    return LibraryList(found, asked.person, asked.service.options.read_only)


def one_library(asked: Requested) -> LibraryFacts:
    """Say what a library is."""
    libraries = asked.service.libraries
    return facts_of(libraries.get(asked.path["library"]), libraries.roots)


def clips(asked: Requested) -> Response:
    """Send the clips of a library by columns."""
    from starlette.responses import Response

    sent = asked.service.table(asked.service.libraries.get(asked.path["library"]))
    headers = {
        "etag": sent.tag, "cache-control": "private, no-cache", "vary": "Accept-Encoding, Cookie"
    }  # fmt: skip
    if sent.tag in asked.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = sent.zipped
    if "gzip" in asked.request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, headers=headers, media_type="application/json")


def document(asked: Requested) -> dict[str, Any]:
    """Send what a run found, without its clips."""
    library = asked.service.libraries.get(asked.path["library"])
    path = library.documents.get(asked.path["document"])
    if path is None:
        raise missing()
    try:
        return _document(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        raise missing() from None


@lru_cache(maxsize=64)
def _document(path: Path, _changed: int) -> dict[str, Any]:
    found = read_json(path, lambda one: None if "clip" in one and "predicted" in one else one)
    return {name: value for name, value in found.items() if name not in _LEFT_OUT}


ENDPOINTS = (
    Endpoint("GET", "/v1/libraries", "Libraries that are open", all_libraries, LibraryList),
    Endpoint("GET", "/v1/libraries/{library}", "A library", one_library, LibraryFacts),
    Endpoint("GET", "/v1/libraries/{library}/clips", "Clips by columns", clips, ClipTable),
    Endpoint(
        "GET", "/v1/libraries/{library}/documents/{document}", "What a run found", document, dict
    ),
)
