"""Checkpoints: where a run goes on, to the bit, on as many processes as one likes.

::

    checkpoint-00000042/        after step 42; the newest whole one counts
      state.safetensors         weights, optimizer state, average, best weights
      state.json                counters, history, what the tensors are

Tensors are whole, not shards: a run on four processes goes on on one. They are written by the
first process, under a temporary name that is then changed; a kill leaves the checkpoint before.
Safetensors and JSON hold no code.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError

_PREFIX = "checkpoint-"
_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


@dataclass(frozen=True)
class Saved:
    """A checkpoint in memory: whole tensors by name, and what is no tensor."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors under a prefix, without it."""
        head = f"{prefix}/"
        return {n.removeprefix(head): t for n, t in self.tensors.items() if n.startswith(head)}


def whole_weights(module: nn.Module) -> dict[str, Tensor]:
    """Return the module's weights, gathered from all processes; empty but on the first."""
    return cast(dict[str, Tensor], get_model_state_dict(module, options=_WHOLE))


def gathered(
    module: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[dict[str, Tensor], list[Any]]:
    """Return weights and optimizer state as whole tensors, and the optimizer's groups.

    All processes must call it; only the first gets something.
    """
    found: dict[str, Any] = get_optimizer_state_dict(module, optimizer, options=_WHOLE)
    tensors = {f"model/{n}": t for n, t in whole_weights(module).items()}
    for name, of_parameter in found.get("state", {}).items():
        tensors |= {f"optimizer/{name}/{field}": t for field, t in of_parameter.items()}
    return tensors, found.get("param_groups", [])


def scatter(
    saved: Saved, module: nn.Module, optimizer: torch.optim.Optimizer, groups: list[Any]
) -> None:
    """Give weights and optimizer state back, to each process its share."""
    weights: dict[str, Any] = dict(saved.part("model"))
    set_model_state_dict(module, weights, options=_WHOLE)
    state: dict[str, dict[str, Tensor]] = {}
    for place, tensor in saved.part("optimizer").items():
        name, _, field = place.rpartition("/")
        state.setdefault(name, {})[field] = tensor
    # JSON keeps tuples, such as betas, as lists.
    plain = [
        {k: tuple(v) if isinstance(v, list) and k != "params" else v for k, v in group.items()}
        for group in groups
    ]
    document: dict[str, Any] = {"state": state, "param_groups": plain}
    set_optimizer_state_dict(module, optimizer, document, options=_WHOLE)


def write_checkpoint(folder: Path, step: int, saved: Saved) -> None:
    """Write a checkpoint, then remove those before it.

    Raises
    ------
    StoreError
        If the disk is full or the folder cannot be written; the last checkpoint stays.
    """
    scratch = folder / f".{_PREFIX}{uuid.uuid4().hex}"
    try:
        scratch.mkdir(parents=True)
        own = {n: t.detach().cpu().contiguous().clone() for n, t in saved.tensors.items()}
        save_file(own, scratch / "state.safetensors")
        text = to_json({**saved.facts, "step": step}, indent=1)
        (scratch / "state.json").write_text(text, encoding="utf-8")
        for path in scratch.iterdir():
            _flush(path)
        target = folder / f"{_PREFIX}{step:08d}"
        if not target.exists():
            scratch.replace(target)
        for old in _checkpoints(folder)[:-1]:
            shutil.rmtree(old)
    except (OSError, SafetensorError) as error:
        raise StoreError(
            f"cannot write a checkpoint to {folder}: {error}; free space or choose another "
            "folder: the checkpoint before is kept"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read_checkpoint(folder: Path) -> Saved | None:
    """Return the newest checkpoint, or ``None`` when there is none.

    Raises
    ------
    StoreError
        If it is damaged.
    """
    for left in folder.glob(f".{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    found = _checkpoints(folder)
    if not found:
        return None
    try:
        facts = json_in((found[-1] / "state.json").read_text(encoding="utf-8"))
        return Saved(load_file(found[-1] / "state.safetensors"), facts)
    except (OSError, ValueError, SafetensorError) as error:
        raise StoreError(
            f"{found[-1]} is damaged ({error}); remove it to train from the start"
        ) from error


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_PREFIX}*"))


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
