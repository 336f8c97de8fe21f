"""A model of pixels as it is kept.

::

    model/
      pixels.json           its task, its sizes, its figures, the sha256 of the other files
      weights.safetensors   of its networks

Nothing in it is code, and loading runs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidfit.documents import read_json, to_json, value_of
from vidfit.errors import ModelError
from vidfit.model.directory import check_files, digests, replaced

if TYPE_CHECKING:
    from torch import Tensor

PIXELS, WEIGHTS = "pixels.json", "weights.safetensors"
_FORMAT = 1


@dataclass(frozen=True)
class PixelDocument:
    """``pixels.json``.

    Parameters
    ----------
    task
        ``restore``, ``forecast`` or ``generate``.
    sizes
        What the networks are built from; each task checks its own.
    card
        Figures, and what a reader should know; plain values.
    """

    format: int
    task: str
    sizes: dict[str, Any]
    card: dict[str, Any]
    files: dict[str, str]


@dataclass(frozen=True)
class PixelModel:
    """A model of pixels: what its networks are built from, their weights, and its card."""

    task: str
    sizes: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    card: Mapping[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the weights under a prefix, without it."""
        head = f"{prefix}/"
        return {n.removeprefix(head): t for n, t in self.weights.items() if n.startswith(head)}


def save_pixels(model: PixelModel, directory: Path) -> None:
    """Write a model; whoever reads it sees the old one or the whole new one.

    Raises
    ------
    ModelError
        If the disk is full or the directory cannot be written.
    """
    from safetensors.torch import save_file

    with replaced(directory, PIXELS, "model") as new:
        own = {n: t.detach().cpu().contiguous().clone() for n, t in model.weights.items()}
        save_file(own, new / WEIGHTS)
        document = PixelDocument(
            _FORMAT, model.task, dict(model.sizes), dict(model.card), digests(new)
        )
        text = to_json(asdict(document), indent=1, ascii_only=False)
        (new / PIXELS).write_text(text, encoding="utf-8")


def read_pixel_document(directory: Path) -> PixelDocument:
    """Read what a model is, without its weights.

    Raises
    ------
    ModelError
        If it is no such model, of a newer format, or damaged.
    """
    path = directory / PIXELS
    if not path.is_file():
        raise ModelError(f"{directory} is no model of pixels: it has no {PIXELS}")
    try:
        found = read_json(path)
        if isinstance(found, dict) and found.get("format") != _FORMAT:
            raise ModelError(f"{path} has a format that this vidfit does not read; update vidfit")
        return value_of(PixelDocument, found, {})
    except (OSError, ValueError) as error:
        raise ModelError(f"{directory} is damaged ({error}); fit or copy it again") from error


def load_pixels(directory: Path, task: str) -> PixelModel:
    """Read a model of a task and check every file against its digest.

    Raises
    ------
    ModelError
        If it is no model of that task, of a newer format, incomplete or altered.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    document = read_pixel_document(directory)
    if document.task != task:
        raise ModelError(f"{directory} is a model of {document.task}, not of {task}")
    try:
        check_files(directory, document.files, PIXELS)
        weights = load_file(directory / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(f"{directory} is damaged ({error}); fit or copy it again") from error
    return PixelModel(task, document.sizes, weights, document.card)
