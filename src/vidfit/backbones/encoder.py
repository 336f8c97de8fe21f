"""Torch networks as backbones: normalisation inside, numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.backbones import weights
from vidfit.contracts import BackboneSpec, Floats, Frames, Preprocessing, Sampling
from vidfit.errors import BackboneError


class FrameEncoder(nn.Module):
    """Applies an image network to each frame: uint8 [B, T, H, W, C] -> tokens [B, T, D].

    Parameters
    ----------
    trunk
        Maps normalised float32 images [B, C, H, W] to features [B, D], or to N tokens of each,
        [B, N, D], which gives [B, T * N, D].
    preprocessing
        Whose ``mean`` and ``std`` are applied, on the 0-255 scale.
    """

    scale_C11: Tensor
    shift_C11: Tensor

    def __init__(self, trunk: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.trunk = trunk
        std_C11 = torch.tensor(preprocessing.std).reshape(-1, 1, 1)
        mean_C11 = torch.tensor(preprocessing.mean).reshape(-1, 1, 1)
        # Not persistent: the normalisation belongs to the spec, not to the weights.
        self.register_buffer("scale_C11", 1 / std_C11, persistent=False)
        self.register_buffer("shift_C11", -mean_C11 / std_C11, persistent=False)

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return the tokens of all frames, in their order."""
        frame_count = frames_BTHWC.shape[1]
        images_NCHW = frames_BTHWC.flatten(0, 1).permute(0, 3, 1, 2).float()
        features_ND: Tensor = self.trunk(images_NCHW * self.scale_C11 + self.shift_C11)
        # [B * T, D], or [B * T, N, D]
        tokens_BND = features_ND.reshape(-1, frame_count, *features_ND.shape[1:])
        return tokens_BND.flatten(1, -2)


@dataclass(frozen=True)
class TorchEncoder:
    """A `TorchBackbone` made of a spec and a network.

    ``network`` maps uint8 [B, T, H, W, C] to float32 tokens [B, N, D]. ``taken`` is what it
    took of a checkpoint; ``None`` when it was restored or made in another way.
    """

    spec: BackboneSpec
    network: nn.Module
    taken: weights.Taken | None = None

    @property
    def configuration(self) -> str:
        """What the weights do not say of the network; a part of its revision."""
        return ""

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, N, D] of views [B, T, H, W, C]."""
        check_frames(frames_BTHWC, self.spec)
        # torch takes neither read-only nor negatively strided arrays.
        views_BTHWC = torch.from_numpy(np.require(frames_BTHWC, requirements=["C", "W"]))
        with torch.inference_mode():
            tokens_BND: Floats = self.network(views_BTHWC).float().numpy()
        return tokens_BND

    def save(self, directory: Path) -> None:
        """Write the weights into an existing directory."""
        weights.write(self.network.state_dict(), directory / weights.FILE_NAME)


@dataclass(frozen=True)
class FrameBackbone(TorchEncoder):
    """A `TorchEncoder` that sees each frame alone, and so takes views of any length."""

    def with_sampling(self, sampling: Sampling) -> FrameBackbone:
        """Return the same network under another sampling; the cost grows with the frames."""
        factor = sampling.clip_len / self.spec.sampling.clip_len
        gmacs = self.spec.gmacs_per_view * factor
        return replace(self, spec=replace(self.spec, sampling=sampling, gmacs_per_view=gmacs))


def from_state(  # noqa: PLR0913  (the facts of a spec that a file does not hold)
    make: Callable[[], nn.Module],
    state: weights.State,
    name: str,
    *,
    family: str,
    preprocessing: Preprocessing,
    dim: int,
    gmacs: float | None = None,
) -> FrameBackbone:
    """Return the encoder of an image network's weights, of which nothing else is known.

    Parameters
    ----------
    make
        Makes the empty network, which maps images to features; its classifier is ignored.
    name
        ``NAME:FILE``, or NAME alone.
    gmacs
        Of a view; counted if not given.

    Raises
    ------
    BackboneError
        When keys or shapes are of another network; the message names them.
    """
    trunk = _empty(make)
    taken = weights.take(trunk, state, name)
    network = freeze(FrameEncoder(trunk, preprocessing))
    spec = BackboneSpec(
        name=name,
        family=family,
        architecture="cnn2d",
        sampling=Sampling(clip_len=1, num_clips=8),
        preprocessing=preprocessing,
        dim=dim,
        parameters=count_parameters(network),
        gmacs_per_view=count_gmacs(network, preprocessing, 1) if gmacs is None else gmacs,
        # A file does not say what its weights were trained on, nor under which terms.
        licence="unknown",
        commercial_use=None,
        source=f"file:{name.partition(':')[2]}",
        revision=weights.digest(network.state_dict()),
    )
    return FrameBackbone(spec, network, taken)


def restore_frames(
    make: Callable[[], nn.Module], directory: Path, spec: BackboneSpec
) -> FrameBackbone:
    """Rebuild a saved encoder of frames from its weights and its spec."""
    trunk = _empty(make)
    state = weights.read(directory / weights.FILE_NAME)
    weights.fill(trunk, weights.without_prefix(state, "trunk."), str(directory))
    return FrameBackbone(spec, freeze(FrameEncoder(trunk, spec.preprocessing)))


def _empty(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make()


def check_frames(frames_BTHWC: Frames, spec: BackboneSpec) -> None:
    """Refuse views that are not uint8 [B, T, H, W, 3] of the spec's size.

    Raises
    ------
    BackboneError
        With the shape and type received and those expected.
    """
    if complaint := spec.complaint(frames_BTHWC):
        raise BackboneError(complaint)


def freeze(network: nn.Module) -> nn.Module:
    """Return the network in evaluation mode, without gradients."""
    return network.eval().requires_grad_(False)


def count_parameters(network: nn.Module) -> int:
    """Count trainable weights; running statistics are not parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_gmacs(network: nn.Module, preprocessing: Preprocessing, clip_len: int) -> float:
    """Count multiply-accumulates (10^9) of one view, in convolutions and matrix products."""
    size = (preprocessing.height_pixels, preprocessing.width_pixels)
    view_BTHWC = torch.zeros(1, clip_len, *size, 3, dtype=torch.uint8)
    tensors = dict(network.named_parameters()) | dict(network.named_buffers())
    try:
        # Tensors on the "meta" device have shapes only: nothing is computed.
        shapes = {name: tensor.to("meta") for name, tensor in tensors.items()}
        return _count(network, shapes, view_BTHWC.to("meta"))
    except (RuntimeError, NotImplementedError):
        # The network looks at values, so that its cost is known only by running it.
        return _count(network, tensors, view_BTHWC)


def _count(network: nn.Module, tensors: dict[str, Tensor], view_BTHWC: Tensor) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        torch.func.functional_call(network, tensors, (view_BTHWC,))
    return float(counter.get_total_flops()) / 2e9
