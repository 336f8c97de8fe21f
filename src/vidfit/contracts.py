"""Protocols and frozen values that rooms hand to each other.

Shape letters: B views, T frames, H height, W width, C channels, N tokens in time order,
D feature dimensions, K classes, M clips.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch

Frames = NDArray[np.uint8]
Floats = NDArray[np.float32]
Seconds = NDArray[np.float64]
Indices = NDArray[np.int64]
Truth = NDArray[Any]
"""What is true of clips, by kind of label: class numbers [M], whether each class is there, [M, K],
or numbers [M]; see `vidfit.labels`."""


# ---------------------------------------------------------------- clips and frames


@dataclass(frozen=True, slots=True)
class Clip:
    """A span of a video; never pixels.

    Parameters
    ----------
    path
        File, folder of frames, or URL that fsspec can open.
    start_seconds, end_seconds
        The span, from the first frame's timestamp; ``None`` is the end of the video.
    label
        Class name, or ``None`` when not labelled.
    group
        The recording that the clip was cut from; splits never cut a group.
    split
        ``"train"``, ``"val"`` or ``"test"`` when the data set fixes it.
    text
        Transcript or caption.
    """

    path: str
    start_seconds: float = 0.0
    end_seconds: float | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None
    text: str | None = None

    @property
    def recording(self) -> str:
        """The recording that the clip was cut from; without a group its file is one."""
        return self.group or self.path


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Decoded frames: ``frames_THWC`` uint8 RGB, ``pts_seconds_T``, ``indices_T`` in the video."""

    frames_THWC: Frames
    pts_seconds_T: Seconds
    indices_T: Indices


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a clip are seen: ``clip_len x interval x num_clips``.

    Parameters
    ----------
    clip_len
        Frames in one view; 1 for image encoders.
    num_clips
        Views, at the centres of ``num_clips`` equal parts of the clip.
    interval_seconds
        Time between the frames of one view. ``None`` spreads the frames of a view evenly
        over its part of the clip. Seconds, not frames, so that recordings of differing
        frame rates are seen alike.
    """

    clip_len: int = 1
    num_clips: int = 8
    interval_seconds: float | None = None

    def __str__(self) -> str:
        interval = "even" if self.interval_seconds is None else f"{self.interval_seconds:.3g}s"
        return f"{self.clip_len}x{interval}x{self.num_clips}"


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a frame becomes a network's input.

    The frame is scaled with an antialiased bilinear filter to ``height_pixels`` x
    ``width_pixels``: the whole of it (``short_side_pixels=None``, aspect ratio not kept),
    or so that its shorter side has ``short_side_pixels`` and the centre is cut out. With
    ``block_pixels`` the whole frame keeps its shape as nearly as sides that are multiples of it
    can, with about as many pixels as ``height_pixels`` x ``width_pixels`` (`in_blocks`). The
    network sees ``(frame - mean) / std`` per RGB channel, on the 0-255 scale.
    """

    height_pixels: int
    width_pixels: int
    short_side_pixels: int | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    block_pixels: int | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """All of it by name, without what is not asked for."""
        facts = asdict(self)
        if self.block_pixels is None:
            del facts["block_pixels"]
        return facts

    def of(self, height_pixels: int, width_pixels: int) -> Preprocessing:
        """Return how frames of a size become inputs of one size: as it is, but for blocks."""
        if self.block_pixels is None:
            return self
        rows, columns = self.in_blocks(height_pixels, width_pixels)
        size = rows * self.block_pixels, columns * self.block_pixels
        return replace(self, height_pixels=size[0], width_pixels=size[1], block_pixels=None)

    def in_blocks(self, height_pixels: int, width_pixels: int) -> tuple[int, int]:
        """Return rows and columns of blocks of a frame: of those nearest in area and shape."""
        block = self.block_pixels or 1
        usual = self.height_pixels * self.width_pixels / block**2
        most = int(usual * _MOST_AREA)
        shape = math.log(max(width_pixels, 1) / max(height_pixels, 1))
        sizes = [
            (rows, columns)
            for rows in range(1, most + 1)
            for columns in {most // rows, round(usual / rows), round(rows * math.exp(shape))}
            if columns >= 1 and rows * columns <= most
        ]
        return min(
            sizes,
            key=lambda rc: (
                abs(math.log(rc[1] / rc[0]) - shape) + 0.5 * abs(math.log(rc[0] * rc[1] / usual)),
                rc,
            ),
        )

    def takes(self, height_pixels: int, width_pixels: int) -> bool:
        """Return whether a network that sees such frames takes an input of this size."""
        if self.block_pixels is None:
            return (height_pixels, width_pixels) == (self.height_pixels, self.width_pixels)
        block, area = self.block_pixels, height_pixels * width_pixels
        whole = height_pixels % block == 0 and width_pixels % block == 0
        return whole and 0 < area <= self.height_pixels * self.width_pixels * _MOST_AREA


_MOST_AREA = 1.1
"""Of a frame in blocks, relative to what is usual."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A clip or a candidate that could not be used, with the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """What should be known of a clip, or of a part of a video, that was used."""

    name: str
    text: str


# ---------------------------------------------------------------- backbones and features

Architecture = Literal["cnn2d", "cnn3d", "transformer", "algorithm"]


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """The facts of a pretrained encoder, as it is used here.

    ``gmacs_per_view`` are multiply-accumulates (10^9) of one forward of ``clip_len`` frames;
    the cost of a clip is that times ``sampling.num_clips``. ``revision`` is the sha256 of
    the weights, and of the configuration where they leave something open (or the version of a
    training-free algorithm). ``commercial_use`` is ``None`` when the licence leaves it open.
    """

    name: str
    family: str
    architecture: Architecture
    sampling: Sampling
    preprocessing: Preprocessing
    dim: int
    parameters: int
    gmacs_per_view: float
    licence: str
    commercial_use: bool | None
    source: str
    revision: str

    @property
    def facts(self) -> dict[str, Any]:
        """All of it by name, as it is written."""
        return {**asdict(self), "preprocessing": self.preprocessing.facts}

    @property
    def gmacs_per_clip(self) -> float:
        """Multiply-accumulates (10^9) of one clip: per view times the views."""
        return self.gmacs_per_view * self.sampling.num_clips

    def complaint(self, frames_BTHWC: Frames) -> str:
        """Say why views are none that this encoder takes, or nothing: uint8 [B, T, H, W, 3]."""
        shape, size = frames_BTHWC.shape, self.preprocessing
        right = len(shape) == 5 and (shape[1], shape[4]) == (self.sampling.clip_len, 3)
        if frames_BTHWC.dtype == np.uint8 and right and size.takes(*shape[2:4]):
            return ""
        expected = f"{self.sampling.clip_len}, {size.height_pixels}, {size.width_pixels}, 3"
        blocks = f", or other multiples of {size.block_pixels}" if size.block_pixels else ""
        return (
            f"{self.name} received {frames_BTHWC.dtype} views of shape {shape}; it takes uint8 "
            f"[B, {expected}]{blocks}. "
            "Sample and scale the frames as spec.sampling and spec.preprocessing say."
        )


@runtime_checkable
class Backbone(Protocol):
    """A frozen encoder of frames.

    ``forward`` takes uint8 RGB views [B, T, H, W, C], sized as ``spec.preprocessing`` says
    with ``T = spec.sampling.clip_len``, and returns float32 tokens [B, N, D] in time order.
    It may be called from several threads at once.
    """

    @property
    def spec(self) -> BackboneSpec:
        """The facts of this encoder, as it is used here."""
        ...

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, N, D] of views [B, T, H, W, C]."""
        ...

    def save(self, directory: Path) -> None:
        """Write what ``restore`` needs into an existing directory: weights, never code."""
        ...


@runtime_checkable
class PlaceBackbone(Backbone, Protocol):
    """A backbone whose D numbers are of D places of the picture, row by row."""

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of places."""
        ...


@runtime_checkable
class TorchBackbone(Backbone, Protocol):
    """A backbone with a torch module, which a runtime can compile.

    ``network`` maps a uint8 tensor [B, T, H, W, C] to float32 tokens [B, N, D]; the
    normalisation is inside.
    """

    @property
    def network(self) -> torch.nn.Module:
        """The torch module, in evaluation mode."""
        ...


@runtime_checkable
class GraphBackbone(Backbone, Protocol):
    """A backbone whose network is an ONNX file, such as a compressed one.

    The graph maps uint8 ``frames`` [B, T, H, W, C] to float32 ``tokens`` [B, N, D], any B.
    ``spec.family`` is the engine that it was made for and measured on, ``"onnx"`` or
    ``"openvino"``; ``spec.revision`` is the file's sha256.
    """

    @property
    def graph(self) -> Path:
        """The file."""
        ...


@runtime_checkable
class Detector(Backbone, Protocol):
    """A backbone whose tokens are boxes, the surest first: [B, N, 4 + C + E].

    Edges left, top, right and bottom in shares of the picture, C class scores 0 to 1, and E
    numbers of what the box looks like; of boxes that are not there all numbers are 0. ``forward``
    takes views of one frame.
    """

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C scores."""
        ...

    @property
    def candidates(self) -> Backbone:
        """The network, of whose many boxes the surest are kept: the part that engines run."""
        ...

    def over(self, candidates: Backbone) -> Detector:
        """Return the same with its network on another engine."""
        ...


@runtime_checkable
class Segmenter(Backbone, Protocol):
    """A backbone of places that knows classes: it answers without being fitted.

    The first C numbers of a fine cell (`vidfit.features.places`) are log-probabilities of C
    classes, at most 255. ``forward`` takes views of one frame.
    """

    @property
    def cell_classes(self) -> tuple[str, ...]:
        """Names of the C classes."""
        ...

    @property
    def taken_for(self) -> str:
        """Class of objects that other things are taken for, which a detector has to find first.

        Empty where there is none: then all that is answered counts.
        """
        ...


@dataclass(frozen=True, slots=True)
class ClipFeatures:
    """What one backbone saw in one clip.

    ``tokens_ND`` in time order; ``indices`` and ``pts_seconds`` of the distinct frames
    seen; CPU seconds spent in ``forward``; ``note`` says what should be known of the frames.
    """

    tokens_ND: Floats
    indices: Indices
    pts_seconds: Seconds
    forward_seconds: float
    note: str = ""


TIME_RATIO = 1.5
"""Measured seconds decide where they differ by more than this; load changes them by less."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a clip costs: measured seconds on one thread, and counts that no load disturbs.

    ``memory_bytes`` is what loading took; ``gmacs`` are multiply-accumulates (10^9) of a clip,
    all views; ``parameters`` are the network's.
    """

    decode_seconds: float
    forward_seconds: float
    memory_bytes: int = 0
    gmacs: float = 0.0
    parameters: int = 0

    @property
    def seconds(self) -> float:
        """Decode and forward."""
        return self.decode_seconds + self.forward_seconds


def seconds_a_clip(costs: Sequence[Cost]) -> float:
    """Return what one clip takes by several candidates: one decode, all forwards."""
    if not costs:
        return 0.0
    return max(c.decode_seconds for c in costs) + sum(c.forward_seconds for c in costs)


# ---------------------------------------------------------------- figures


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def proves_better(self, than: float, *, higher: bool = True) -> bool:
        """Return whether all of the interval is better than a value."""
        return self.low > than if higher else self.high < than


def clip_key(clip: Clip) -> str:
    """Return the name of a clip in reports: its path, and its start when it has one."""
    return clip.path if not clip.start_seconds else f"{clip.path}#{clip.start_seconds:g}"
