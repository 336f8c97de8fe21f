"""Weights on disk: read without running code, written as safetensors, named by a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch

from vidfit.errors import BackboneError

FILE_NAME = "weights.safetensors"

State = Mapping[str, torch.Tensor]


def digest(state: State) -> str:
    """Return the sha256 of tensors: names, types, shapes and bytes, in the order of names.

    The digest does not depend on the file format, so that weights keep their name when they
    are written again as safetensors.
    """
    sha = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        sha.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}\n".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()


def read(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict from ``.safetensors``, ``.pth``, ``.pt`` or ``.bin``; runs no code.

    Raises
    ------
    BackboneError
        When the file is missing, damaged, or holds anything but named tensors.
    """
    if not path.is_file():
        raise BackboneError(f"There is no weights file {path}. Check the path.")
    try:
        state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    except Exception as error:
        raise BackboneError(
            f"{path} cannot be read as weights ({type(error).__name__}: {error}). "
            "Valid are .safetensors files and .pth/.pt files that hold only tensors."
        ) from error
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise BackboneError(
            f"{path} does not hold a plain state dict (names to tensors). "
            "Save `module.state_dict()` and pass that file."
        )
    # Some published tensors lie channels last; one layout makes results repeat to the bit.
    return {name: tensor.contiguous() for name, tensor in state.items()}


def write(state: State, path: Path) -> None:
    """Write a state dict as safetensors."""
    from safetensors.torch import save_file

    # Tensors may share memory (tied weights), which safetensors refuses: write copies.
    copies = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in state.items()
    }
    save_file(copies, path)


def fill(module: torch.nn.Module, state: State, origin: str) -> None:
    """Put a state dict into a module whose keys and shapes it must match exactly.

    Raises
    ------
    BackboneError
        Names the missing, unexpected and misshapen tensors.
    """
    wanted = module.state_dict()
    complaints = {
        "missing": sorted(wanted.keys() - state.keys()),
        "unexpected": sorted(state.keys() - wanted.keys()),
        "of another shape": [
            f"{name} {tuple(state[name].shape)} instead of {tuple(wanted[name].shape)}"
            for name in sorted(wanted.keys() & state.keys())
            if state[name].shape != wanted[name].shape
        ],
    }
    parts = [f"{what}: {_some(names)}" for what, names in complaints.items() if names]
    if parts:
        raise BackboneError(
            f"The weights of {origin} do not fit {type(module).__name__} ({'; '.join(parts)}). "
            "Pass weights of this very architecture."
        )
    # `assign` so that modules built on the "meta" device, without memory, can be filled.
    module.load_state_dict(dict(state), assign=True)


def without_prefix(state: State, prefix: str) -> State:
    """Return the tensors below a prefix, under shorter names; others keep theirs."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items()}


def _some(names: list[str], limit: int = 6) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def _read_pickle(path: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
