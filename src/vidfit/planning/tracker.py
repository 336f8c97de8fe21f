"""Counts the memory of tensors while they live, whether they hold numbers or only shapes.

A tensor's storage is counted from the operation that makes it until nothing refers to it any
more. What a kernel takes and frees within one operation is not seen.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class PeakTracker(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Knows how many bytes of storage live now, and the most that lived at once.

    Parameters
    ----------
    there
        Tensors that exist before it is entered, such as a network's weights.
    """

    def __init__(self, there: Iterable[Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live_bytes = 0
        self.peak_bytes = 0
        self._storages: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        for tensor in there:
            self._see(tensor)

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        """Run an operation and count what it returns."""
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self._see(leaf)
        return out

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = id(storage), storage.nbytes()
        if key in self._storages:  # a view, or an operation in place
            return

        def gone(_: object) -> None:
            self.live_bytes -= size
            del self._storages[key]

        # torch keeps one Python object for a storage as long as anything, autograd included,
        # refers to it: its end is the end of the memory.
        self._storages[key] = weakref.ref(storage, gone)
        self.live_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)


def without_numbers(network: nn.Module, mode: FakeTensorMode) -> nn.Module:
    """Replace a network's parameters and buffers by their shapes, which take no memory.

    It is made with numbers first: constructors that look at values would else fail.
    """
    known: dict[int, Tensor] = {}
    # Replaced tensors are kept until the end, so that no id is given twice.
    real: list[Tensor] = []
    for module in network.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in list(tensors.items()):
                if tensor is None:
                    continue
                if id(tensor) not in known:
                    real.append(tensor)
                    known[id(tensor)] = _shape_of(tensor, mode)
                tensors[name] = known[id(tensor)]  # type: ignore[assignment]
        if isinstance(module, nn.RNNBase):
            module._init_flat_weights()  # it keeps a list of its own
    return network


def _shape_of(tensor: Tensor, mode: FakeTensorMode) -> Tensor:
    fake: Tensor = mode.from_tensor(tensor.detach())
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(fake, requires_grad=tensor.requires_grad)
    return fake


def held(network: nn.Module) -> list[Tensor]:
    """Return a network's parameters and buffers."""
    return [*network.parameters(), *network.buffers()]
