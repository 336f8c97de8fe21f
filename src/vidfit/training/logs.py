"""What each epoch did, in files: lines of JSON, and event files for TensorBoard.

Both are for `vidfit.training.state.Run.look`, of the first process alone. A run that goes on
after a kill may tell of an epoch once more; each epoch is kept once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError, VidfitError
from vidfit.files import write_whole
from vidfit.training.epoch import Epoch

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

Look = Callable[[Epoch], None]

_TAGS = {
    "loss": "loss/train",
    "log_loss": "loss/validation",
    "accuracy": "accuracy/validation",
    "learning_rate": "step/learning_rate",
    "batch_clips": "step/batch_clips",
    "seconds": "epoch/seconds",
    "taught": "unlabelled/taught",
}


def lines_of_json(path: Path) -> Look:
    """Return what writes a line for each epoch: the fields of `Epoch`, ``null`` where unknown.

    Raises
    ------
    StoreError
        When it is called and the file is damaged or cannot be written.
    """

    def look(epoch: Epoch) -> None:
        try:
            # All lines anew: a kill leaves no half of one.
            lines = [*_before(path, epoch.number), to_json(_known(epoch))]
            write_whole(path, "".join(f"{line}\n" for line in lines).encode())
        except (StoreError, OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"cannot add epoch {epoch.number} to {path}: {error}; free space, or move the "
                "file away if it is none of vidfit's"
            ) from error

    return look


def event_files(folder: Path) -> Look:
    """Return what writes TensorBoard event files; show them with ``tensorboard --logdir``.

    Raises
    ------
    VidfitError
        If TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise VidfitError(
            "event files need the package tensorboard, which is not installed; get it with "
            "`pip install 'vidfit[log]'`, or train without them: metrics.jsonl is always written"
        ) from error
    writers: list[SummaryWriter] = []

    def look(epoch: Epoch) -> None:
        if not writers:
            # What an earlier process told of this epoch and later ones no longer counts.
            writers.append(SummaryWriter(folder, purge_step=epoch.number))
        for name, value in _known(epoch).items():
            if name in _TAGS and value is not None:
                writers[0].add_scalar(_TAGS[name], value, epoch.number)
        writers[0].flush()

    return look


def _known(epoch: Epoch) -> dict[str, float | None]:
    """Return the fields; ``None`` for what is no number, as JSON knows none such."""
    return {name: v if math.isfinite(v) else None for name, v in asdict(epoch).items()}


def _before(path: Path, number: int) -> list[str]:
    """Return the lines of the epochs before one."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if json_in(line)["number"] < number]
