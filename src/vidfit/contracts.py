"""Protocols and frozen values that rooms hand to each other.

Shape letters: B views, T frames, H height, W width, C channels, N tokens in time order,
D feature dimensions, K classes, M clips.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
    or so that its shorter side has ``short_side_pixels`` and the centre is cut out. The
    network sees ``(frame - mean) / std`` per RGB channel, on the 0-255 scale.
    """

    height_pixels: int
    width_pixels: int
    short_side_pixels: int | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


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
    def gmacs_per_clip(self) -> float:
        """Multiply-accumulates (10^9) of one clip: per view times the views."""
        return self.gmacs_per_view * self.sampling.num_clips


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


@runtime_checkable
class FittedFusion(Protocol):
    """A fitted head over the vectors of one or more members.

    ``blocks`` holds one matrix [M, D_i] for each member, in the order of fitting.
    """

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return log-probabilities [M, K]."""
        ...

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return how far each clip lies from the training clips, [M], 1 on their average."""
        ...

    def state(self) -> dict[str, Floats]:
        """Return the arrays that ``restore`` needs."""
        ...


@runtime_checkable
class StagedFusion(FittedFusion, Protocol):
    """A fusion that asks some members only when the others are not sure.

    Its ``novelty`` is that of the members of the first stage, which every clip is shown to.
    """

    @property
    def stages(self) -> tuple[tuple[int, ...], ...]:
        """Members by stage, in the order in which they are asked."""
        ...

    def wanted(self, blocks: Sequence[Floats | None]) -> tuple[int, ...]:
        """Return which members to ask next for one clip; none when it can be answered.

        ``blocks`` holds [1, D_i] of the members that were asked, ``None`` of the others; once
        nothing is wanted, ``log_probabilities`` takes them as they are.
        """
        ...

    def depth(self, blocks: Sequence[Floats]) -> Indices:
        """Return how many stages each clip goes through, [M], from 1."""
        ...


@runtime_checkable
class InTime(FittedFusion, Protocol):
    """A head whose answers to windows of a video are better in the light of one another.

    Of a window that was read a few numbers are kept, its clues, in place of its vectors: so a
    video of any length is answered in little memory.
    """

    def clues(self, blocks: Sequence[Floats]) -> Floats:
        """Return what each window says of itself and of its neighbours, [M, E]."""
        ...

    def in_time(self, clues_ME: Floats, video_M: Indices, start_M: NDArray[np.floating]) -> Floats:
        """Return the answers [M, K] by the clues of windows before and after, videos apart."""
        ...


@runtime_checkable
class SaysWhere(FittedFusion, Protocol):
    """A head that says of which places of the picture its answer is."""

    def heat(self, blocks: Sequence[Floats]) -> Floats | None:
        """Return how much each feature of a token tells of one clip, [D]; ``None`` where none does.

        ``blocks`` holds [1, D_i] of each member.
        """
        ...


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


# ---------------------------------------------------------------- answers over time


Why = Literal["", "low confidence", "unlike anything seen"]
"""Why a model declined; empty where it did not. The second goes before the first."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a video with one answer; probability is the mean over its windows.

    ``label`` is the class that was answered. It is ``None`` where the model ``declined``:
    probability is then that of the class that was the most probable, ``why`` says why, and
    ``scores`` are the probabilities of all classes, in their order; and where the stretch could
    not be read: probability is then 0. Stretches that were answered with one class carry
    ``scores`` only where windows were answered in the light of one another.

    Of several classes ``label`` names those that were said, as in ``car|sign``, and is empty where
    none was; ``probability`` is that of the least sure of them, or that none is there, and all
    have ``scores``. Of a number ``value`` is the number, ``label`` its text, and there is no
    probability (NaN). Of what may be unusual ``value`` is minus the decimal logarithm of the
    p-value, and ``probability`` one less the p-value; of what is unusual ``heat`` is how far each
    place of the picture lies from what is usual there, row by row, in deviations up to 255, where
    the model sees places.
    """

    start_seconds: float
    end_seconds: float
    label: str | None
    probability: float
    declined: bool = False
    why: Why = ""
    scores: tuple[float, ...] = ()
    value: float | None = None
    heat: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The answers to one video: windows as they were asked, segments as they were joined.

    ``frames_seen`` counts distinct frames that reached a network, of ``frame_count``;
    ``asked`` counts by member the windows that it was shown: a cascade shows some to a few only.
    ``failures`` names the windows that could not be read: they have no label, with
    probability 0, and were not declined. ``notes`` says what should be known of those that were
    read. ``labels`` says what is answered (`vidfit.labels`).
    """

    path: str
    duration_seconds: float
    classes: tuple[str, ...]
    windows: tuple[Segment, ...]
    segments: tuple[Segment, ...]
    frames_seen: int
    frame_count: int
    sampling: str
    asked: dict[str, int] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    notes: tuple[Note, ...] = ()
    labels: str = "one"


class Progress(Protocol):
    """Told about work done, so that a person can be shown it."""

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of ``total`` items."""
        ...

    def advance(self, count: int = 1) -> None:
        """Count finished items of the stage."""
        ...

    def note(self, text: str) -> None:
        """Say one line."""
        ...


class Silent:
    """A `Progress` that shows nothing."""

    def start(self, stage: str, total: int) -> None:
        """Do nothing."""

    def advance(self, count: int = 1) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


SILENT = Silent()


def clip_key(clip: Clip) -> str:
    """Return the name of a clip in reports: its path, and its start when it has one."""
    return clip.path if not clip.start_seconds else f"{clip.path}#{clip.start_seconds:g}"
