"""What a user may ask of `serve`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that only it can reach; allowed as ``Host`` unless others are bound."""

SHORTEST_TOKEN = 24


@dataclass(frozen=True)
class ServeOptions:
    """What a user may ask of `serve`.

    Parameters
    ----------
    state
        Folder of labels, jobs, uploads and previews: the one to back up.
    host, port
        Where to listen; port 0 takes a free one.
    allow_hosts
        Names that requests may give as ``Host``, beside those of this machine.
    token
        Secret of the address that opens the page; ``None`` makes a new one at each start.
    read_only
        Whether labels, jobs and uploads are refused, and jobs that wait do not begin.
    secure_cookies
        Whether the cookie is sent over HTTPS only: behind a reverse proxy that speaks it.
    jobs
        How many jobs run at a time; others wait.
    waiting_jobs
        How many jobs of one person may wait or run.
    most_upload_bytes
        Largest upload.
    most_stored_bytes
        Of uploads, and as much of what is made of videos; what goes beyond is refused.
    ahead
        Clips of each library whose posters are made before anybody looks at them.
    """

    state: Path
    host: str = "127.0.0.1"
    port: int = 8321
    allow_hosts: tuple[str, ...] = ()
    token: str | None = None
    read_only: bool = False
    secure_cookies: bool = False
    jobs: int = 1
    waiting_jobs: int = 20
    most_upload_bytes: int = 8 * 2**30
    most_stored_bytes: int = 64 * 2**30
    ahead: int = 1000

    def check(self) -> None:
        """Refuse what would not be safe, or has no meaning.

        Raises
        ------
        VidfitError
            If others could reach the server without a lasting token and a list of hosts.
        """
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise VidfitError(
                f"the token has {len(self.token)} letters; give at least {SHORTEST_TOKEN}, such as "
                "those of `openssl rand -hex 32`"
            )
        if self.host not in LOOPBACK and (self.token is None or not self.allow_hosts):
            lacks = [
                *(["--token-file FILE"] if self.token is None else []),
                *([] if self.allow_hosts else ["--allow-host NAME"]),
            ]
            raise VidfitError(
                f"--host {self.host} lets other machines in; that needs {' and '.join(lacks)} too. "
                "Valid without is 127.0.0.1, to which a reverse proxy or `ssh -L` leads"
            )
        for name, value in (("port", self.port), ("jobs", self.jobs)):
            if not (0 <= value <= 65535 if name == "port" else value >= 1):
                raise VidfitError(f"{name} is {value}; valid is {_VALID[name]}")

    @property
    def hosts(self) -> frozenset[str]:
        """Names that a request may give as its host, in lower case."""
        return frozenset(name.lower() for name in (*LOOPBACK, *self.allow_hosts))


_VALID = {"port": "0 to 65535", "jobs": "1 or more"}
