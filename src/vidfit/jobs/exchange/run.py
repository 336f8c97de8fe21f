"""Models to and from other places: folders, what fsspec can open, the Hugging Face hub."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from vidfit.documents import LARGEST_BYTES, from_json
from vidfit.errors import ModelError
from vidfit.jobs.exchange.places import Repository, place
from vidfit.model import DOCUMENT, load_model, replaced, stays_within
from vidfit.progress import SILENT, Progress
from vidfit.study.model_card import model_card_markdown
from vidfit.study.opened_model import check_answers_one, load_tried

README = "README.md"

KINDS = (".json", ".safetensors", ".onnx", ".md")
"""What a model's files may be: none of them is run when it is read."""


def run_push(directory: Path, destination: str, progress: Progress | None = None) -> None:
    """Copy a model, with its card as ``README.md``, to where others can pull it from.

    ``model.json`` comes last: whoever reads while this runs, or after it was killed, never takes
    half a model for a whole one. The same call again goes on.

    Parameters
    ----------
    directory
        A model that `fit`, `fuse`, `train` or `compress` wrote.
    destination
        A folder, a URL that fsspec can write to, or ``hf:org/name``, which is made private if it
        does not exist. What holds other things than a model is left alone.

    Raises
    ------
    ModelError
        If the model is damaged, the place cannot be reached, or holds something else.
    """
    progress = progress or SILENT
    model = load_model(directory)
    check_answers_one(model, "push")
    card = model_card_markdown(model)
    names = _names((directory / DOCUMENT).read_bytes(), str(directory))
    target = place(destination)
    _check_target(target, destination)
    with tempfile.TemporaryDirectory() as scratch:
        readme = Path(scratch) / README
        readme.write_text(card, encoding="utf-8")
        files = {name: directory / name for name in names} | {README: readme}
        progress.start("push", len(files) + 1)
        files[DOCUMENT] = directory / DOCUMENT
        target.write(files, progress.advance)


def run_pull(
    source: str, directory: Path, progress: Progress | None = None, own: Sequence[str] = ()
) -> None:
    """Copy a model from another place, check and try it, and only then let it appear.

    Only the files that ``model.json`` names are copied, only JSON, safetensors, ONNX and
    Markdown, and none of them is run. All is checked that `predict` checks.

    Parameters
    ----------
    source
        A folder, a URL that fsspec can read, or ``hf:org/name``.
    directory
        Where the model will be; an earlier model there is replaced.
    own
        ``FILE.py:NAME`` of encoders of one's own that the model holds.

    Raises
    ------
    ModelError
        If the source cannot be reached, is no model, names files elsewhere or of other kinds,
        is incomplete or altered, or does not answer as a model does; if something else stands
        at ``directory``, or the disk is full.
    """
    progress = progress or SILENT
    origin = place(source)
    with replaced(directory, DOCUMENT, "model") as new, _said_of(source, new):
        _copy(origin, DOCUMENT, new)
        names = _names((new / DOCUMENT).read_bytes(), source)
        progress.start("pull", len(names))
        for name in names:
            _copy(origin, name, new)
            progress.advance()
        load_tried(new, own)


def _copy(origin: Repository, name: str, folder: Path) -> None:
    target, copied = folder / name, 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for piece in origin.read(name):
            copied += file.write(piece)
            if name == DOCUMENT and copied > LARGEST_BYTES:
                raise ModelError(f"its {DOCUMENT} has no end; give what `vidfit push` wrote")


def _names(document: bytes, origin: str) -> list[str]:
    """Return the files that ``model.json`` names, none of which can do harm.

    Raises
    ------
    ModelError
        If it cannot be understood, or a name leads elsewhere or is of another kind.
    """
    try:
        facts: Mapping[str, Any] = from_json(document)
        if "unfinished" in facts:
            raise ModelError(f"{origin} is half a model: {facts['unfinished']}")
        names = list(facts["files"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{origin} has a {DOCUMENT} that names no files ({type(error).__name__}: {error}); "
            "give what `vidfit push` wrote"
        ) from error
    for name in names:
        if not stays_within(name) or name == DOCUMENT or not name.isprintable():
            raise ModelError(f"{origin} names a file elsewhere, {name!r}; do not trust it")
        if PurePosixPath(name).suffix not in KINDS:
            raise ModelError(
                f"{origin} has a file {name!r}; a model that is handed on consists of "
                f"{', '.join(KINDS)} files"
            )
    return names


def _check_target(target: Repository, destination: str) -> None:
    """Refuse to write among files that are no model."""
    found = target.names()
    if found and DOCUMENT not in found:
        some = ", ".join(sorted(found)[:3])
        raise ModelError(
            f"{destination} exists and is no model: it holds {some}; choose another place"
        )


@contextmanager
def _said_of(source: str, copy: Path) -> Iterator[None]:
    """Say of the source what is found wrong with the copy of it."""
    try:
        yield
    except ModelError as error:
        raise ModelError(str(error).replace(str(copy), source)) from error
