"""Finished rows on disk: a comparison that was interrupted goes on behind the last of them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Floats
from vidfit.documents import json_in, to_json
from vidfit.files import write_whole
from vidfit.jobs.compare.architectures import RowPlan


@dataclass(frozen=True)
class FinishedRow:
    """What a row came to.

    Parameters
    ----------
    answers_MK
        Log-probabilities of each clip, by a fit without its fold.
    learn_seconds, pretrain_seconds
        Processor time, all folds together.
    epochs
        With labels, by fold.
    memory_bytes
        By how much memory rose at most.
    """

    answers_MK: Floats
    learn_seconds: float
    pretrain_seconds: float
    epochs: tuple[int, ...]
    memory_bytes: int
    parameters: int


def key_of(row: RowPlan, facts: Mapping[str, object]) -> str:
    """Return what names a row's answers: what it is, and all that they follow from."""
    learns = {name: value for name, value in asdict(row).items() if name != "name"}
    text = to_json({"row": learns, **facts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def write_row(found: FinishedRow, path: Path) -> None:
    """Write a row whole.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    facts = {name: value for name, value in vars(found).items() if name != "answers_MK"}
    stream = io.BytesIO()
    text = np.frombuffer(to_json(facts).encode(), np.uint8)
    np.savez(stream, answers_MK=found.answers_MK, facts=text)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, stream.getvalue())


def read_row(path: Path, shape: tuple[int, int]) -> FinishedRow | None:
    """Return a row of answers of a shape; ``None`` where there is none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            answers_MK = arrays["answers_MK"]
            facts = json_in(arrays["facts"].tobytes())
        found = FinishedRow(answers_MK, **{**facts, "epochs": tuple(facts["epochs"])})
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    return found if answers_MK.shape == shape else None
