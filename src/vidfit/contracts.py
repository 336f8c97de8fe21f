"""Protocols and frozen values that rooms hand to each other.

Shape letters: B views, T frames, H height, W width, C channels, S samples of sound,
N tokens in time order, D feature dimensions, K classes, M clips.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vidfit.views import Preprocessing as Preprocessing
from vidfit.views import Sampling as Sampling
from vidfit.views import Sees as Sees

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
        File of pictures or of sound, folder of frames, or URL that fsspec can open; of a clip of
        words alone ``words:`` and its name (`is_words`).
    start_seconds, end_seconds
        The span, from the first frame's timestamp, or the first sample of what has no frames;
        ``None`` is the end.
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

    ``sees`` says what its views are. Of sound, ``sampling`` is `Sampling.of_sound`; of words it is
    `ONE_TEXT`; of both, ``preprocessing`` is `NO_PICTURE`. ``reads`` says of an encoder of frames
    that it is given the clip's words beside them (`ReadingBackbone`).
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
    sees: Sees = "frames"
    reads: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """All of it by name, as it is written; that it sees frames alone goes without saying."""
        facts = {
            **asdict(self),
            "sampling": self.sampling.facts,
            "preprocessing": self.preprocessing.facts,
        }
        if self.sees == "frames":
            del facts["sees"]
        if not self.reads:
            del facts["reads"]
        return facts

    @property
    def gmacs_per_clip(self) -> float:
        """Multiply-accumulates (10^9) of one clip: per view times the views."""
        return self.gmacs_per_view * self.sampling.num_clips

    def complaint(self, views: NDArray[Any]) -> str:
        """Say why views are none that this encoder takes, or nothing; see `Backbone`."""
        shape, size = views.shape, self.preprocessing
        if self.sees != "frames":
            return self._unheard(views)
        right = len(shape) == 5 and (shape[1], shape[4]) == (self.sampling.clip_len, 3)
        if views.dtype == np.uint8 and right and size.takes(*shape[2:4]):
            return ""
        expected = f"{self.sampling.clip_len}, {size.height_pixels}, {size.width_pixels}, 3"
        blocks = f", or other multiples of {size.block_pixels}" if size.block_pixels else ""
        return (
            f"{self.name} received {views.dtype} views of shape {shape}; it takes uint8 "
            f"[B, {expected}]{blocks}. "
            "Sample and scale the frames as spec.sampling and spec.preprocessing say."
        )

    def _unheard(self, views: NDArray[Any]) -> str:
        """Say why views are no sound, or no words, that this encoder takes, or nothing."""
        most, shape = self.sampling.clip_len, views.shape
        if self.sees == "words":
            right, what = views.dtype.kind == "U" and len(shape) == 1, "texts [B]"
        else:
            right = views.dtype == np.float32 and len(shape) == 2 and 0 < shape[1] <= most
            what = f"float32 [B, S], S from 1 to {most}, at {self.sampling.rate_hertz} hertz"
        got = f"{self.name} received {views.dtype} views of shape {shape}; it takes {what}."
        return "" if right else got


@runtime_checkable
class Backbone(Protocol):
    """A frozen encoder of frames, of sound or of words, as ``spec.sees`` says.

    ``forward`` takes views and returns float32 tokens [B, N, D] in time order. It may be called
    from several threads at once. Views are

    - of frames: uint8 RGB [B, T, H, W, C], sized as ``spec.preprocessing`` says, with
      ``T = spec.sampling.clip_len``;
    - of sound: mono float32 [B, S], -1 to 1, at ``spec.sampling.rate_hertz``, with S from 1 to
      ``spec.sampling.clip_len``, the same of all views of a call;
    - of words: texts [B], an array of ``str``, none of them empty.

    A clip without what an encoder sees (no sound, no words, no pictures that can be decoded) is
    not given to it: it has no tokens of that clip, and the reason stands in the note of its
    features.
    """

    @property
    def spec(self) -> BackboneSpec:
        """The facts of this encoder, as it is used here."""
        ...

    def forward(self, views: NDArray[Any], /) -> Floats:
        """Return tokens [B, N, D] of B views."""
        ...

    def save(self, directory: Path) -> None:
        """Write what ``restore`` needs into an existing directory: weights, never code."""
        ...


@runtime_checkable
class ReadingBackbone(Backbone, Protocol):
    """A backbone of frames that reads the words of a clip beside them, as ``spec.reads`` says.

    ``forward`` answers views without words, as of a clip that has none: that is no failure.
    """

    def forward_with(self, views: NDArray[Any], text: str, /) -> Floats:
        """Return tokens [B, N, D] of B views of a clip in which a text is said; it may be empty."""
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
class DeferredBackbone(Backbone, Protocol):
    """A saved backbone whose network is read only when it is needed.

    Where an engine has its export already, it never is: torch alone takes a second to import.
    """

    def loaded(self) -> TorchBackbone:
        """Return it with its network.

        Raises
        ------
        BackboneError
            When what was saved is missing, damaged or altered.
        """
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
    seen (of sound: the centres of equal parts of the clip); CPU seconds spent in ``forward``;
    ``note`` says what should be known of the frames. Without tokens, N = 0, the clip has nothing
    that the backbone sees, and the note says why.
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
    all views; ``parameters`` are the network's, in the room that they take: four of 8 bits are one.
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


WORDS = "words:"
"""What the path of a clip begins with that is words alone."""


def is_words(path: str) -> bool:
    """Return whether a clip has no file: all that there is of it is its text."""
    return path.startswith(WORDS)


def clip_key(clip: Clip) -> str:
    """Return the name of a clip in reports: its path, and its start when it has one."""
    return clip.path if not clip.start_seconds else f"{clip.path}#{clip.start_seconds:g}"
