"""The fitted model: what it says of itself, and the directory that it is written to."""

from vidfit.model.directory import (
    BESIDE,
    load_model,
    member_directory,
    replaced,
    save_model,
    stays_within,
)
from vidfit.model.document import DOCUMENT, FORMAT, Model, read_document
from vidfit.model.known import is_known, note_known

__all__ = [
    "BESIDE",
    "DOCUMENT",
    "FORMAT",
    "Model",
    "is_known",
    "load_model",
    "member_directory",
    "note_known",
    "read_document",
    "replaced",
    "save_model",
    "stays_within",
]
