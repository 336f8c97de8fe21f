"""NanoDet with a head of one's own classes, over the frozen pyramid of the published network.

The head is that of the published one: per level a convolution of 3 x 3, and from there class scores
and a distribution over 11 distances for each edge. `vidfit.tasks.detect.trained` trains it.

Shape letters: B pictures, P cells, C channels, K classes, N cells of one level, X numbers of a
patch (9 C) or of all edges (4 Q), Q distances.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.backbones import nanodet, weights
from vidfit.backbones.detector import BoxBackbone
from vidfit.backbones.encoder import TorchEncoder, count_gmacs, count_parameters, freeze
from vidfit.backbones.nanodet import BINS, LOOKS, SIDE_PIXELS, STRIDES, NanoDet
from vidfit.contracts import BackboneSpec
from vidfit.documents import read_json, to_json
from vidfit.errors import BackboneError

FAMILY = "nanodet-trained"
CLASSES_FILE = "classes.json"
MOST_CLASSES, MOST_LETTERS = 10_000, 200

SIDES = tuple(SIDE_PIXELS // stride for stride in STRIDES)
CELLS = sum(side**2 for side in SIDES)
_FIRST = 4 + 80
"""Numbers of a published candidate before its looks."""

_UNLIKELY = -4.6  # a score of 0.01

_CONVOLUTIONS = (("28", "28", "29", "29"), ("30", "32", "31", "33"), ("32", "36", "33", "37"))
"""Of each level the numbers of convolution and bias, of both layers, in the published graph."""


class TrainedHead(nn.Module):
    """Scores and edges of all cells of a pyramid.

    Parameters
    ----------
    published
        The network that it begins as.
    classes
        How many there are.
    """

    def __init__(self, published: NanoDet, classes: int) -> None:
        super().__init__()
        self.classes = classes
        parts: dict[str, list[Tensor]] = {"patch": [], "bias": [], "edge": [], "edge_bias": []}
        for first, first_bias, second, second_bias in _CONVOLUTIONS:
            wide = _weight(published, f"convolution_{second}")[0, 0]
            parts["patch"].append(_weight(published, f"convolution_{first}").flatten(0, 2))
            parts["bias"].append(_weight(published, f"Add_{first_bias}"))
            parts["edge"].append(wide[:, -4 * BINS :])
            parts["edge_bias"].append(_weight(published, f"Add_{second_bias}")[-4 * BINS :])
        self.body = nn.ParameterDict(
            {f"{name}_{i}": nn.Parameter(x.clone()) for name, of in parts.items()
             for i, x in enumerate(of)}
        )  # fmt: skip
        layers = [nn.Linear(LOOKS, classes) for _ in SIDES]
        for layer in layers:
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, _UNLIKELY)
        self.probe = nn.ModuleList(layers)

    def of_patches(self, x_NX: Tensor, level: int) -> tuple[Tensor, Tensor]:
        """Return logits [N, K] and distances [N, 4 Q] of cells of a level, of their patches."""
        body = self.body
        seen_NC = x_NX @ body[f"patch_{level}"] + body[f"bias_{level}"]
        return self._ends(functional.leaky_relu(seen_NC, 0.1), level)

    def forward(self, pyramid_BPC: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [B, P, K] and distances [B, P, 4 Q] of all cells of pictures."""
        found, at = [], 0
        for level, side in enumerate(SIDES):
            x_BCP = pyramid_BPC[:, at : at + side**2].transpose(1, 2)
            x_BCHW = x_BCP.reshape(-1, LOOKS, side, side)
            at += side**2
            weight = self.body[f"patch_{level}"].reshape(3, 3, LOOKS, LOOKS).permute(3, 2, 0, 1)
            seen = functional.conv2d(x_BCHW, weight, self.body[f"bias_{level}"], padding=1)
            seen_BPC = functional.leaky_relu(seen, 0.1).flatten(2).transpose(1, 2)
            found.append(self._ends(seen_BPC, level))
        return torch.cat([one[0] for one in found], 1), torch.cat([one[1] for one in found], 1)

    def _ends(self, seen_NC: Tensor, level: int) -> tuple[Tensor, Tensor]:
        bins_NX = seen_NC @ self.body[f"edge_{level}"] + self.body[f"edge_bias_{level}"]
        logit_NK: Tensor = self.probe[level](seen_NC)
        return logit_NK, bins_NX


class TrainedNanoDet(nn.Module):
    """Pictures uint8 [B, 1, H, W, 3] to candidates [B, P, 4 + K + 128], one a cell."""

    def __init__(self, published: NanoDet, head: TrainedHead) -> None:
        super().__init__()
        self.published, self.head = published, head

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return candidates."""
        return self.of_pyramid(self.published(frames_BTHWC)[:, :, _FIRST:])

    def of_pyramid(self, looks_BPE: Tensor) -> Tensor:
        """Return candidates of what the frozen part saw."""
        logit_BPK, bins_BPX = self.head(looks_BPE)
        edges_BP4 = self.published.edges(bins_BPX) / SIDE_PIXELS
        return torch.cat([edges_BP4.clamp(0.0, 1.0), logit_BPK.sigmoid(), looks_BPE], dim=2)


@dataclass(frozen=True)
class _Candidates(TorchEncoder):
    """The network; ``folder`` is where the published files lie."""

    folder: Path = Path()
    classes: tuple[str, ...] = ()

    def save(self, directory: Path) -> None:
        """Write the published files, the weights of the head, and its classes."""
        nanodet.copy_files(self.folder, directory)
        head = cast(TrainedNanoDet, self.network).head
        weights.write(head.state_dict(), directory / weights.FILE_NAME)
        (directory / CLASSES_FILE).write_text(to_json(self.classes) + "\n", encoding="utf-8")


def with_head(base: BoxBackbone, head: TrainedHead, classes: tuple[str, ...]) -> BoxBackbone:
    """Return NanoDet with a trained head of these classes, under a name of its own.

    Parameters
    ----------
    base
        NanoDet as it was published.
    """
    candidates = cast(nanodet.PackagedNanoDet, base.candidates)
    network = freeze(TrainedNanoDet(cast(NanoDet, candidates.network), head))
    state = weights.digest(head.state_dict())
    told = to_json([base.spec.revision, state, list(classes)])
    spec = replace(
        base.spec,
        name=f"{base.spec.name}, head trained",
        family=FAMILY,
        dim=4 + len(classes) + LOOKS,
        parameters=count_parameters(network),
        gmacs_per_view=count_gmacs(network, base.spec.preprocessing, 1),
        revision=hashlib.sha256(told.encode()).hexdigest(),
    )
    made = _Candidates(spec, network, folder=candidates.folder, classes=classes)
    return BoxBackbone(spec, made, classes, base.overlap)


def restore(directory: Path, spec: BackboneSpec) -> BoxBackbone:
    """Rebuild a saved NanoDet with a trained head.

    Raises
    ------
    BackboneError
        When its files are not those that were written.
    """
    base = nanodet.published(directory)
    names = read_json(directory / CLASSES_FILE)
    sound = isinstance(names, list) and 0 < len(names) <= MOST_CLASSES
    if not sound or not all(isinstance(n, str) and 0 < len(n) <= MOST_LETTERS for n in names):
        raise BackboneError(f"{directory / CLASSES_FILE} names no classes: copy the model again")
    head = TrainedHead(
        cast(NanoDet, cast(nanodet.PackagedNanoDet, base.candidates).network), len(names)
    )
    state = weights.read(directory / weights.FILE_NAME)
    weights.fill(head, state, str(directory))
    made = with_head(base, head, tuple(names))
    return replace(made, spec=replace(spec, revision=made.spec.revision))


def _weight(published: NanoDet, name: str) -> Tensor:
    """Return the weights of a step of the graph."""
    (step,) = (s for s in published.layers.steps if s.name == f"PartitionedCall/{name}")
    found = [published.layers.place[one] for one in step.takes if one in published.layers.place]
    weight: Tensor = getattr(published.layers, found[0])
    return weight.detach()
