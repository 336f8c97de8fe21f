"""Weights on disk: read without running code, written as safetensors, named by a digest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from vidfit.backbones.weights_file import WEIGHTS_FILE
from vidfit.errors import BackboneError
from vidfit.shown import counted

FILE_NAME = WEIGHTS_FILE

NAMED = 6
"""Tensors that a message names."""

State = Mapping[str, torch.Tensor]

# Under which training frameworks put the state dict in a checkpoint
_WRAPPERS = ("state_dict", "model_state_dict", "model", "module")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a network took of a checkpoint.

    Parameters
    ----------
    count
        Tensors that were taken.
    ignored
        Names, as in the checkpoint, of what the network has no use for: heads, text towers.
    missing
        Names of the network's tensors that the checkpoint lacks.
    misshapen
        ``name (got) instead of (wanted)``.
    """

    count: int
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    misshapen: tuple[str, ...] = ()

    def __str__(self) -> str:
        ignored = f"; ignored {some(self.ignored)}" if self.ignored else ""
        return f"took {counted(self.count, 'tensor')}{ignored}"

    def check(self, origin: str, network: str, unexpected: tuple[str, ...] = ()) -> None:
        """Refuse a network of which a part would be random.

        Raises
        ------
        BackboneError
            Names the missing, unexpected and misshapen tensors.
        """
        complaints = {
            "missing": self.missing,
            "unexpected": unexpected,
            "of another shape": self.misshapen,
        }
        parts = [f"{what}: {some(names)}" for what, names in complaints.items() if names]
        if parts:
            raise BackboneError(
                f"The weights of {origin} do not fit {network} ({'; '.join(parts)}). What is "
                "missing would be random. Pass complete weights of this very architecture."
            )


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


def revision(state: State, configuration: str = "") -> str:
    """Return the sha256 that names a network: of its weights, and of what they do not say of it.

    Parameters
    ----------
    configuration
        Of the network beside its weights, such as activations and heads; empty where the
        weights' names and shapes leave nothing open.
    """
    plain = digest(state)
    if not configuration:
        return plain
    return hashlib.sha256(f"{plain}|{configuration}".encode()).hexdigest()


def check_finite(state: State, origin: str) -> None:
    """Refuse weights that are no numbers.

    Raises
    ------
    BackboneError
        Names a tensor.
    """
    for name, tensor in state.items():
        if tensor.is_floating_point() and tensor.numel():
            # Of a NaN both are NaN; no copy is made, and weights may be large.
            least, most = torch.aminmax(tensor.detach())
            if not (torch.isfinite(least) and torch.isfinite(most)):
                raise BackboneError(
                    f"The weights of {origin} are no numbers: {name} holds NaN or infinity. Train "
                    "or download them again."
                )


def read(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict from ``.safetensors``, ``.pth``, ``.pt`` or ``.bin``; runs no code.

    In a checkpoint of a training framework it may stand under ``state_dict`` or ``model``.

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
            "Valid are .safetensors files and .pth/.pt files that hold only tensors and numbers; "
            "from another checkpoint, save `module.state_dict()`."
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
    taken = _compare(wanted, state)
    taken.check(origin, type(module).__name__, unexpected=taken.ignored)
    # Checkpoints in half precision are widened: networks here compute in float32.
    fitting = {name: tensor.to(wanted[name].dtype) for name, tensor in state.items()}
    # `assign` so that modules built on the "meta" device, without memory, can be filled.
    module.load_state_dict(fitting, assign=True)


def take(module: torch.nn.Module, state: State, origin: str) -> Taken:
    """Put the part of a checkpoint that is this network into it; leave out heads.

    What stands before all names (``module.``, ``backbone.``) is found from the names
    themselves. Tensors that belong to none of the module's own children are ignored.

    Returns
    -------
    Taken
        How many tensors were taken, and the names of the ignored ones.

    Raises
    ------
    BackboneError
        When a part of the network is missing or misshapen, or the checkpoint holds the
        network twice, or more layers of it than there are here.
    """
    wanted = module.state_dict()
    prefix = _prefix(wanted, state, origin)
    children = {name.partition(".")[0] for name in wanted}
    names = {
        name: name.removeprefix(prefix)
        for name in state
        if name.startswith(prefix) and name.removeprefix(prefix).partition(".")[0] in children
    }
    fill(module, _counters(wanted) | {short: state[name] for name, short in names.items()}, origin)
    return Taken(len(names), ignored=tuple(sorted(state.keys() - names.keys())))


def without_prefix(state: State, prefix: str) -> State:
    """Return the tensors below a prefix, under shorter names; others keep theirs."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items()}


def some(names: Collection[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(list(names)[:NAMED]) + more


def _compare(wanted: State, state: State) -> Taken:
    common = sorted(wanted.keys() & state.keys())
    misshapen = tuple(
        f"{name} {tuple(state[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in common
        if state[name].shape != wanted[name].shape
    )
    return Taken(
        count=len(common) - len(misshapen),
        ignored=tuple(sorted(state.keys() - wanted.keys())),
        missing=tuple(sorted(wanted.keys() - state.keys())),
        misshapen=misshapen,
    )


def _prefix(wanted: State, state: State, origin: str) -> str:
    """Return what stands before the network's own names in a checkpoint, mostly nothing."""
    found = Counter(
        key.removesuffix(name) for name in wanted for key in state if f".{key}".endswith(f".{name}")
    )
    most = max(found.values(), default=0)
    prefixes = sorted(prefix for prefix, count in found.items() if count == most)
    # Of a wholly different network a few short names occur anywhere: they decide nothing.
    if 2 * most <= len(wanted):
        return ""
    if len(prefixes) > 1:
        raise BackboneError(
            f"{origin} holds the network {len(prefixes)} times, under "
            f"{', '.join(map(repr, prefixes))}. Save the state dict of the one to use."
        )
    return prefixes[0]


def _counters(wanted: State) -> dict[str, torch.Tensor]:
    """Return zeros for batch normalisation's counters: old files lack them, nothing reads them."""
    return {
        name: torch.zeros(tensor.shape, dtype=tensor.dtype)
        for name, tensor in wanted.items()
        if name.endswith("num_batches_tracked")
    }


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def _read_pickle(path: Path) -> dict[str, torch.Tensor]:
    """Read tensors, and take them out of what a training framework wrapped them in."""
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    for wrapper in _WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            return cast(dict[str, torch.Tensor], content[wrapper])
    return content
