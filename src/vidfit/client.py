"""A client of `vidfit serve`, of the standard library alone."""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from vidfit.documents import from_json, to_json
from vidfit.errors import VidfitError

_PART_BYTES = 8 * 2**20
_OVER = frozenset({"done", "failed", "stopped"})


class Client:
    """Asks a server by a key that ``vidfit serve --new-key NAME`` printed.

    Parameters
    ----------
    address
        Such as ``"http://127.0.0.1:8321"``.
    timeout_seconds
        How long a silent server is waited for.

    Raises
    ------
    VidfitError
        By all methods, where the server refuses or cannot be reached: says what it says.
    """

    def __init__(self, address: str, key: str, timeout_seconds: float = 60.0) -> None:
        split = urlsplit(address)
        if split.scheme not in ("http", "https") or not split.hostname:
            raise VidfitError(f"{address!r} is no address; give one such as http://127.0.0.1:8321")
        self._secure, self._host, self._port = split.scheme == "https", split.hostname, split.port
        self._key, self._timeout_seconds = key, timeout_seconds

    def libraries(self) -> list[dict[str, Any]]:
        """Return the libraries that are open."""
        return list(self.get("/v1/libraries")["libraries"])

    def clips(self, library: str) -> dict[str, Any]:
        """Return the clips of a library by columns."""
        return dict(self.get(f"/v1/libraries/{library}/clips"))

    def label(self, library: str, clips: Sequence[str], label: str) -> dict[str, Any]:
        """Give clips a label; it is on the server's disk when this returns."""
        body = {"library": library, "clips": [*clips], "label": label}
        return dict(self.post("/v1/labels", body))

    def upload(self, path: Path) -> dict[str, Any]:
        """Send a video in parts, going on where a part broke off; return the asset."""
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
            wish = {"name": path.name, "size_bytes": size, "sha256": digest}
            asset = dict(self.post("/v1/assets", wish))
            while asset["state"] == "partial":
                first = asset["received_bytes"]
                stream.seek(first)
                part = stream.read(_PART_BYTES)
                headers = {
                    "Content-Type": "application/octet-stream",
                    "Content-Range": f"bytes {first}-{first + len(part) - 1}/{size}",
                }
                sent = self._asked("PUT", f"/v1/assets/{asset['id']}", part, headers)
                asset = from_json(sent)
        return asset

    def begin(self, command: str, library: str, **asked: Any) -> dict[str, Any]:  # noqa: ANN401
        """Begin a job, such as ``begin("fit", library, options={"minutes": 5})``; return it."""
        return dict(self.post("/v1/jobs", {"command": command, "library": library, **asked}))

    def wait(self, job: str, timeout_seconds: float = 86_400.0) -> dict[str, Any]:
        """Return a job once it is over."""
        until = time.monotonic() + timeout_seconds
        while (found := dict(self.get(f"/v1/jobs/{job}")))["state"] not in _OVER:
            if time.monotonic() > until:
                raise VidfitError(
                    f"the job {job} is still {found['state']}; wait longer, or stop it"
                )
            time.sleep(0.5)
        return found

    def events(self, job: str, last_event_id: int = 0) -> Iterator[dict[str, Any]]:
        """Yield what a job tells until it is over."""
        headers = {"Last-Event-ID": str(last_event_id)}
        with self._answer("GET", f"/v1/jobs/{job}/events", None, headers) as response:
            for line in response:
                if line.startswith(b"data: "):
                    yield from_json(line[6:])

    def results(self, job: str) -> dict[str, bytes]:
        """Return the files that a job wrote, by name."""
        names = [one["name"] for one in self.get(f"/v1/jobs/{job}/results")["results"]]
        path = f"/v1/jobs/{job}/results"
        return {name: self._asked("GET", f"{path}/{quote(name, safe='')}") for name in names}

    def get(self, path: str, **query: Any) -> Any:  # noqa: ANN401
        """Return what is at a path."""
        return from_json(self._asked("GET", f"{path}?{urlencode(query)}" if query else path))

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401
        """Return what is answered to a value."""
        content, headers = to_json(body).encode(), {"Content-Type": "application/json"}
        return from_json(self._asked("POST", path, content, headers) or b"null")

    def delete(self, path: str) -> None:
        """Remove, or stop, what is at a path."""
        self._asked("DELETE", path)

    def _asked(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        with self._answer(method, path, body, headers or {}) as response:
            return response.read()

    def _answer(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout_seconds)
        known = {"Authorization": f"Bearer {self._key}", "Connection": "close", **headers}
        try:
            connection.request(method, path, body, known)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise VidfitError(f"{self._host}: no answer ({error}); does the server run?") from error
        if response.status >= 400:
            try:
                said = from_json(response.read())["detail"]
            except (ValueError, KeyError, TypeError):
                said = response.reason
            raise VidfitError(f"{method} {path.partition('?')[0]}: {response.status}: {said}")
        return response
