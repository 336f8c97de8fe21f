"""Where a model can be copied to and from: fsspec's file systems, and the Hugging Face hub."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vidfit.documents import to_json
from vidfit.errors import ModelError
from vidfit.model import DOCUMENT

HUB = "hf:"

UNFINISHED = {"format": 1, "unfinished": "a `vidfit push` to it was not finished; push again"}
"""Stands for ``model.json`` while files are written; no reader takes it for a model."""

_PIECE_BYTES = 1 << 20

_ABSENT = {"EntryNotFoundError", "FileNotFoundError", "RemoteEntryNotFoundError"}
"""Errors that mean a missing file; the hub's ``LocalEntryNotFoundError`` means no network."""

_OF_EVERY_REPOSITORY = {".gitattributes", "README.md", "LICENSE"}
"""What the hub puts into a new repository."""


def place(address: str) -> Repository:
    """Return the place of an address: ``hf:org/name``, a URL, or a folder.

    Raises
    ------
    ModelError
        If there is no such kind of place, or a package is missing.
    """
    if address.startswith(HUB) and "://" not in address:
        return _Hub(address.removeprefix(HUB))
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise ModelError(
            f"{address} cannot be opened ({error}). Valid are a folder, {HUB}org/name, and URLs "
            "that fsspec knows; s3:// wants the package s3fs, gs:// gcsfs."
        ) from error
    return _Files(address, system, path.rstrip("/"))


@dataclass(frozen=True)
class _Files:
    """A folder of a file system that fsspec opens."""

    address: str
    system: Any
    path: str

    def names(self) -> set[str]:
        with _reached(self.address):
            try:
                found = self.system.ls(self.path, detail=False)
            except FileNotFoundError:
                return set()
            return {str(name).rstrip("/").rpartition("/")[2] for name in found}

    def read(self, name: str) -> Iterator[bytes]:
        with _reached(self.address, name), self.system.open(f"{self.path}/{name}", "rb") as source:
            yield from _pieces(source)

    def write(self, files: Mapping[str, Path], step: Callable[[], None]) -> None:
        with _reached(self.address):
            self.system.makedirs(self.path, exist_ok=True)
            # An earlier model.json must not stand over files of this one.
            self._put(DOCUMENT, to_json(UNFINISHED).encode())
            for name, file in sorted(files.items(), key=lambda item: item[0] == DOCUMENT):
                parent = f"{self.path}/{name}".rpartition("/")[0]
                self.system.makedirs(parent, exist_ok=True)
                with file.open("rb") as source, self.system.open(f"{self.path}/{name}", "wb") as to:
                    shutil.copyfileobj(source, to)
                step()

    def _put(self, name: str, content: bytes) -> None:
        with self.system.open(f"{self.path}/{name}", "wb") as to:
            to.write(content)


@dataclass(frozen=True)
class _Hub:
    """A repository of the Hugging Face hub; the token is that of its own login."""

    repository: str

    @property
    def _address(self) -> str:
        return HUB + self.repository

    @cached_property
    def _api(self) -> Any:  # noqa: ANN401
        try:
            import huggingface_hub
        except ModuleNotFoundError as error:
            raise ModelError(
                f"{self._address} needs the package huggingface_hub; install it with "
                "`pip install 'vidfit[hf]'`"
            ) from error
        return huggingface_hub.HfApi()

    @cached_property
    def _revision(self) -> str:
        """The commit that all files are read from, so that they are of one model."""
        return str(self._api.model_info(self.repository).sha)

    def names(self) -> set[str]:
        api = self._api
        from huggingface_hub.errors import RepositoryNotFoundError

        with _reached(self._address):
            try:
                found = api.list_repo_files(self.repository)
            except RepositoryNotFoundError:
                return set()
        return set(found) - _OF_EVERY_REPOSITORY

    def read(self, name: str) -> Iterator[bytes]:
        api = self._api
        with _reached(self._address, name):
            file = Path(api.hf_hub_download(self.repository, name, revision=self._revision))
            with file.open("rb") as source:
                yield from _pieces(source)

    def write(self, files: Mapping[str, Path], step: Callable[[], None]) -> None:
        api = self._api
        from huggingface_hub import CommitOperationAdd

        with _reached(self._address):
            adds = [CommitOperationAdd(name, str(file)) for name, file in files.items()]
            api.create_repo(self.repository, private=True, exist_ok=True)
            # One commit: readers see all of it or nothing.
            api.create_commit(self.repository, adds, commit_message="Push a model by vidfit")
        for _ in files:
            step()


Repository = _Files | _Hub
"""A place that holds one model, or nothing yet: ``names`` lie there at the top, files are read
piece by piece, and written with ``model.json`` last, ``step`` being called after each."""


def _pieces(source: Any) -> Iterator[bytes]:  # noqa: ANN401  (an open file of any kind)
    while piece := source.read(_PIECE_BYTES):
        yield piece


@contextmanager
def _reached(address: str, name: str = "") -> Iterator[None]:
    """Say what went wrong at a place; every file system has errors of its own."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        if name and type(error).__name__ in _ABSENT:
            raise ModelError(
                f"{address} has no {name}; give a place that `vidfit push` wrote to, or push again"
            ) from error
        lines = str(error).strip().splitlines() or [""]
        raise ModelError(
            f"{address} cannot be reached ({type(error).__name__}: {lines[0][:200].rstrip('. ')}); "
            "check the address, the network, and that you may read or write there"
        ) from error
