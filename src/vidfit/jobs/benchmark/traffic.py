"""Bytes that a network moves at least: what its convolutions and matrix products read and write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from vidfit.contracts import TorchBackbone

COUNTED = (
    "convolution",
    "mm",
    "addmm",
    "bmm",
    "baddbmm",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_attention_math",
    "_scaled_dot_product_fused_attention_overrideable",
)
"""Operations whose operands and results are counted. All else, such as normalisations and
activation functions, is taken to be computed where it stands, as engines do."""


def traffic_bytes(backbone: TorchBackbone, batches: Sequence[int]) -> dict[int, int]:
    """Return bytes by views in a batch, counted on shapes alone.

    A tensor that two operations read counts twice; caches may save some of that.

    Returns
    -------
    dict
        Empty where the network looks at values, so that it cannot run on shapes.
    """
    network, spec = backbone.network, backbone.spec
    size = (spec.preprocessing.height_pixels, spec.preprocessing.width_pixels)
    tensors = dict(network.named_parameters()) | dict(network.named_buffers())
    found = {}
    try:
        shapes = {name: tensor.to("meta") for name, tensor in tensors.items()}
        for views in batches:
            shape = (views, spec.sampling.clip_len, *size, 3)
            frames_BTHWC = torch.zeros(shape, dtype=torch.uint8, device="meta")
            # Models that make tensors on their way make them there, too.
            with torch.device("meta"), torch.no_grad(), _Count() as count:
                torch.func.functional_call(network, shapes, (frames_BTHWC,))
            found[views] = count.bytes
    except (RuntimeError, NotImplementedError):
        return {}
    return found


class _Count(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes of operands and results of `COUNTED`."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__ in COUNTED:
            parts = (*args, *(result if isinstance(result, tuple) else (result,)))
            self.bytes += sum(p.nbytes for p in parts if isinstance(p, torch.Tensor))
        return result
