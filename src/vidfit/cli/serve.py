"""``vidfit serve``: runs and videos in the browser, and as a REST service."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidfit.cli.quantities import memory_bytes
from vidfit.cli.say import say
from vidfit.errors import VidfitError
from vidfit.shown import counted

if TYPE_CHECKING:
    from vidfit.serve.service import Service


def serve(  # noqa: PLR0913  (the options of a command)
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FOLDER]...",
            help="Folders that fit, select and others wrote, and folders or lists of videos.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="DIRECTORY",
            help="Labels, jobs and uploads: back it up. [default: vidfit/serve below "
            "$XDG_STATE_HOME]",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where to listen; others than 127.0.0.1 need the next two.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Name that browsers may know the server by; may be repeated."
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Secret of the address that logs in. [default: a new one]"
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8321,
    https: Annotated[
        bool, typer.Option("--https", help="A reverse proxy in front of it speaks HTTPS.")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Refuse labels, jobs and uploads.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Jobs that run at a time.")] = 1,
    most_upload: Annotated[
        str, typer.Option(metavar="SIZE", help="Largest upload, such as 8GiB.")
    ] = "8GiB",
    most_stored: Annotated[
        str, typer.Option(metavar="SIZE", help="Disk for uploads, and for previews as much.")
    ] = "64GiB",
    ahead: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Clips of each folder whose posters are made ahead."),
    ] = 1000,
    new_key: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Print a key for a program of that name, and end."),
    ] = None,
    forget: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Log out a name, remove its keys, and end."),
    ] = None,
) -> None:
    """Show runs and videos in the browser, take labels, run jobs, answer programs (REST)."""
    absent = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if absent:
        raise VidfitError(f"serve needs {' and '.join(absent)}: pip install 'vidfit[serve]'")
    from vidfit.files import claimed, state_folder
    from vidfit.serve.options import ServeOptions
    from vidfit.serve.running import run
    from vidfit.serve.service import Service

    folder = state or state_folder("serve")
    if new_key is not None or forget is not None:
        _change_keys(folder, new_key, forget)
        return
    options = ServeOptions(
        folder,
        host,
        port,
        tuple(allow_host or ()),
        _token(token_file),
        read_only,
        https,
        jobs,
        most_upload_bytes=memory_bytes(most_upload) or 0,
        most_stored_bytes=memory_bytes(most_stored) or 0,
        ahead=ahead,
    )
    options.check()
    with claimed(folder):
        service = Service(sources or [], options)
        try:
            _say_libraries(service)
            run(service, _say_address)
        finally:
            service.close()


def _say_address(address: str) -> None:
    """Print the address with its token, which `say` would hide."""
    typer.echo(f"Open     {address}")


def _change_keys(folder: Path, new_key: str | None, forget: str | None) -> None:
    """Make or remove keys; a server that runs on the folder knows at once."""
    from vidfit.serve.people import make_key, remove_keys
    from vidfit.serve.service import opened_store

    store = opened_store(folder)
    try:
        if forget is not None:
            say(f"Removed  {counted(remove_keys(store, forget), 'key')} and sessions of {forget}")
        if new_key is not None:
            say(make_key(store, new_key))
    finally:
        store.close()


def _token(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise VidfitError(f"cannot read the token in {path}: {error}") from error


def _say_libraries(service: Service) -> None:
    """Print what is open, and what to add where videos cannot be reached."""
    from vidfit.manifest.value import common_folder
    from vidfit.serve.libraries import facts_of

    for library in service.libraries.all():
        facts = facts_of(library, service.libraries.roots)
        say(f"{facts.kind:<8} {library.name}: {counted(facts.clip_count, 'clip')}")
        if facts.unreachable_count:
            folder = common_folder(clip.path for clip in library.clips)
            say(
                f"         {facts.unreachable_count} of them lie in folders that were not named; "
                f"to see them, add {folder}"
            )
