"""A web server on this machine that counts what it is asked for."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zlib import crc32

PAGE = b"\n <!DOCTYPE html><html><body>Sign in</body></html>"


@dataclass
class Site:
    """A running server: its address, and how often each path was asked for by GET."""

    port: int
    asked: Counter[str] = field(default_factory=Counter)

    def url(self, path: str, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}{path}"


@contextmanager
def serving(files: Mapping[str, bytes | int | str]) -> Iterator[Site]:
    """Serve bytes; a number is answered as a status, a text as a redirect to there."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            found = files.get(path, 404)
            if self.command == "GET":
                site.asked[path] += 1
            body = found if isinstance(found, bytes) else b""
            start, end = 0, len(body)
            if wanted := self.headers.get("Range"):
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                start, end = int(first), min(int(last) + 1 if last else end, end)
            status = 302 if isinstance(found, str) else found if isinstance(found, int) else 200
            self.send_response(206 if wanted and status == 200 else status)
            if isinstance(found, str):
                self.send_header("Location", found)
            if wanted and status == 200:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
            if isinstance(found, bytes):
                self.send_header("ETag", f'"{crc32(found):x}"')
            self.send_header("Content-Length", str(end - start))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[start:end])

        def log_message(self, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
