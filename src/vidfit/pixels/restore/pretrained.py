"""Pretrained networks for super-resolution, beside those that learn from the clips.

They take pictures in colour; here they are given luma as a grey picture, and of what they make the
luma is taken, so that all ways are compared alike.

- `realesrgan`, `realesrgan-anime`: Real-ESRGAN (Wang, Xie, Dong and Shan 2021), weights of a
  package in the form of ncnn. They learned to look sharp: their PSNR lies below bicubic's.
- `hf:FOLDER`: Swin2SR (Conde, Choi, Burchi and Timofte 2022) of transformers.

Shape letters: B pictures, H rows, W columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pad, pixel_shuffle

from vidfit.backbones.package_weights import PACKAGE_WEIGHTS, package_weights
from vidfit.contracts import Floats
from vidfit.errors import BackboneError, not_known
from vidfit.files import sha256
from vidfit.pixels.restore.degrade import Luma
from vidfit.pixels.restore.tiles import in_tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

_HALF = 0x01306B47
"""The flag of ncnn before weights of 16 bits."""

_REACH_PIXELS = 24
"""Beyond a tile that is seen: the small Real-ESRGAN's 18; the others reach further, ever weaker."""

_CONVOLUTION, _SLOPES = "Convolution", "PReLU"
_LUMA = torch.tensor([65.481, 128.553, 24.966]).reshape(1, 3, 1, 1)


@dataclass(frozen=True)
class PretrainedRestorer:
    """A network of colour pictures as a way to make luma larger, each frame by itself.

    Parameters
    ----------
    sha256
        Of its weights.
    licence
        Of its weights; empty where it is not known.
    for_looks
        Whether it learned to look sharp, and not to be near the truth.
    """

    name: str
    scale: int
    network: Callable[[Tensor], Tensor]
    sha256: str = ""
    licence: str = ""
    for_looks: bool = False

    def restored(self, frame_HW: Luma) -> Floats:
        """Return the luma of a frame made larger, 0 to 255, not rounded."""
        frame = frame_HW.astype(np.float32)
        return in_tiles(self._forward, frame, self.scale, _REACH_PIXELS, repeats_edge=False)

    def _forward(self, luma_HW: Floats) -> Floats:
        grey = (torch.from_numpy(np.ascontiguousarray(luma_HW)) - 16.0) / 219.0
        with torch.inference_mode():
            made_B3HW = self.network(grey.expand(1, 3, *grey.shape).contiguous())
            made_HW = (made_B3HW * _LUMA).sum(1)[0] + 16.0
        return np.asarray(made_HW.clamp(0.0, 255.0).numpy(), np.float32)


def load_pretrained(name: str) -> PretrainedRestorer:
    """Open a network by its name; no code of it is run.

    Raises
    ------
    BackboneError
        If there is none of that name, or its weights are not on this machine or damaged.
    """
    if name.startswith("hf:"):
        return _swin2sr(name)
    if name not in _PACKED:
        raise BackboneError(not_known("restorer", name, (*_PACKED, "hf:FOLDER")))
    stem, network = _PACKED[name]
    files = package_weights(name)
    made = network()
    _fill(made, files[f"{stem}.param"].read_text(), files[f"{stem}.bin"].read_bytes(), name)
    digest, licence = sha256(files[f"{stem}.bin"]), PACKAGE_WEIGHTS[name].licence
    return PretrainedRestorer(name, 4, made.eval(), digest, licence, for_looks=True)


class SmallRealEsrgan(nn.Module):
    """A row of convolutions, then pixels laid out, on the nearest pixels (SRVGGNetCompact)."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [3, *[64] * 17, 48]
        convolutions = [nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(sizes)]
        self.convolutions = nn.ModuleList(convolutions)
        self.slopes = nn.ModuleList(nn.PReLU(64) for _ in range(17))

    def forward(self, pictures_B3HW: Tensor) -> Tensor:
        """Return pictures 4 times larger, 0 to 1 and a little beyond."""
        seen = pictures_B3HW
        for convolution, slope in zip(self.convolutions, self.slopes, strict=False):
            seen = slope(convolution(seen))
        added: Tensor = pixel_shuffle(self.convolutions[-1](seen), 4)
        return added + interpolate(pictures_B3HW, scale_factor=4.0, mode="nearest")


class RealEsrgan(nn.Module):
    """Dense blocks in residual blocks (RRDBNet of ESRGAN, Wang et al. 2018), 23 of them."""

    def __init__(self, blocks: int = 23, width: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.blocks = blocks
        dense = [(width + growth * n, growth if n < 4 else width) for n in range(5)]
        sizes = [(3, width), *dense * (3 * blocks), *[(width, width)] * 4, (width, 3)]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in sizes)

    def forward(self, pictures_B3HW: Tensor) -> Tensor:
        """Return pictures 4 times larger, 0 to 1 and a little beyond."""
        layers = iter(self.convolutions)
        first = next(layers)(pictures_B3HW)
        seen = first
        for _ in range(self.blocks):
            inside = seen
            for _ in range(3):
                inside = _dense(inside, layers)
            seen = seen + 0.2 * inside
        seen = first + next(layers)(seen)
        for _ in range(2):
            larger = interpolate(seen, scale_factor=2.0, mode="nearest")
            seen = leaky_relu(next(layers)(larger), 0.2)
        last: Tensor = leaky_relu(next(layers)(seen), 0.2)
        return cast(Tensor, next(layers)(last))


def _dense(seen: Tensor, layers: Iterator[nn.Module]) -> Tensor:
    parts = [seen]
    for _ in range(4):
        parts.append(leaky_relu(next(layers)(torch.cat(parts, 1)), 0.2))
    return seen + 0.2 * cast(Tensor, next(layers)(torch.cat(parts, 1)))


_PACKED: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "realesrgan": ("realesrgan-x4plus", RealEsrgan),
    "realesrgan-anime": ("realesr-animevideov3-x4", SmallRealEsrgan),
}


def _fill(network: nn.Module, layers: str, weights: bytes, name: str) -> None:
    """Give a network the weights of ncnn's files, in the order of its layers.

    Raises
    ------
    BackboneError
        If the files do not fit the network.
    """
    kinds = [line.split()[0] for line in layers.splitlines()[2:] if line.strip()]
    wanted = [kind for kind in kinds if kind in (_CONVOLUTION, _SLOPES)]
    own: dict[str, list[nn.Module]] = {
        _CONVOLUTION: [m for m in network.modules() if isinstance(m, nn.Conv2d)],
        _SLOPES: [m for m in network.modules() if isinstance(m, nn.PReLU)],
    }
    if any(wanted.count(kind) != len(of) for kind, of in own.items()):
        raise BackboneError(f"the weights of {name} are of another network; fetch them again")
    at = 0
    for kind in wanted:
        module = own[kind].pop(0)
        for tensor in module.state_dict().values():
            at = _read(tensor, weights, at, packed=kind == _CONVOLUTION and tensor.ndim > 1)
    if at != len(weights):
        raise BackboneError(f"the weights of {name} are damaged; fetch them again")


def _read(tensor: Tensor, weights: bytes, at: int, *, packed: bool) -> int:
    """Fill a tensor, and return where the next one begins; ``packed`` has a flag before it."""
    kind = "<f4"
    if packed:
        kind = "<f2" if int.from_bytes(weights[at : at + 4], "little") == _HALF else kind
        at += 4
    size = tensor.numel() * int(kind[-1])
    values = np.frombuffer(weights[at : at + size], kind)
    if len(values) != tensor.numel():
        raise BackboneError("a file of weights is cut short; fetch it again")
    tensor.copy_(torch.from_numpy(values.astype(np.float32)).reshape(tensor.shape))
    return at + size + -size % 4


def _swin2sr(name: str) -> PretrainedRestorer:
    """Open a Swin2SR of a folder, in safetensors alone."""
    folder = Path(name.removeprefix("hf:"))
    if not (folder / "config.json").is_file():
        raise BackboneError(f"{folder} is no folder of a model: it has no config.json")
    try:
        from transformers import Swin2SRForImageSuperResolution
    except ImportError as error:
        raise BackboneError("hf: needs transformers; run `pip install 'vidfit[hf]'`") from error
    try:
        network = Swin2SRForImageSuperResolution.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True
        )
        network.requires_grad_(False)
    except (OSError, ValueError, RuntimeError) as error:
        raise BackboneError(f"{folder} is no Swin2SR that can be read: {error}") from error

    scale, window = int(network.config.upscale), int(network.config.window_size)

    def made(pictures_B3HW: Tensor) -> Tensor:
        height, width = pictures_B3HW.shape[2:]
        rest = (0, -width % window, 0, -height % window)  # it takes whole windows alone
        whole = pad(pictures_B3HW, rest, mode="replicate")
        found = cast(Tensor, network(pixel_values=whole).reconstruction)
        return found[:, :, : scale * height, : scale * width]

    parts = " ".join(map(sha256, [folder / "config.json", *sorted(folder.glob("*.safetensors"))]))
    digest = hashlib.sha256(parts.encode()).hexdigest()
    return PretrainedRestorer(name, scale, made, digest)
