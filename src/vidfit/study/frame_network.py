"""A trained network that sees frames itself, and may read words, as the one member of a model.

Its tokens are its logits, one a view; the head over them only takes the softmax.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.backbones import weights
from vidfit.backbones.encoder import (
    TorchEncoder,
    check_frames,
    count_gmacs,
    count_parameters,
    freeze,
)
from vidfit.backbones.notation import plain_name
from vidfit.backbones.saved import RESTORE
from vidfit.contracts import BackboneSpec, Floats, Frames
from vidfit.documents import read_json, to_json
from vidfit.errors import BackboneError
from vidfit.fusion.linear import Linear
from vidfit.networks import Shape
from vidfit.networks.clips import Clips
from vidfit.networks.rebuilt import read_shape, rebuild
from vidfit.networks.vocabulary import Vocabulary
from vidfit.study.subject import OWN_SIGHT

FAMILY = "network"
RESTORE[FAMILY] = f"{__name__}:restore"  # as an entry point of this package asks for
_SHAPE_FILE, _WORDS_FILE = "shape.json", "words.json"
_NONE = Shape(0, 0, 0)


class _Logits(nn.Module):
    """From uint8 views [B, T, H, W, C] to tokens [B, 1, K]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return logits as the one token of a view."""
        logits_BK: Tensor = self.network(Clips(frames_BVTHWC=frames_BTHWC[:, None]))
        return logits_BK[:, None]


@dataclass(frozen=True)
class FrameNetwork(TorchEncoder):
    """A `TorchEncoder` of a network of `vidfit.networks`; ``shape`` is what it was made for."""

    shape: Shape = _NONE

    @property
    def configuration(self) -> str:
        """The shape: heads, for one, leave no trace in the weights."""
        return to_json({"name": plain_name(self.spec.name), **asdict(self.shape)})

    def save(self, directory: Path) -> None:
        """Write the weights, and the shape to build the network for."""
        super().save(directory)
        text = to_json(asdict(self.shape), indent=1)
        (directory / _SHAPE_FILE).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class ReadingNetwork:
    """A `ReadingBackbone` of a network of `vidfit.networks`, and the words that it knows.

    Without ``network``, as engines and compression know it: these run networks of frames alone.
    """

    spec: BackboneSpec
    module: nn.Module
    shape: Shape
    vocabulary: Vocabulary

    @property
    def configuration(self) -> str:
        """The shape and the words, in the order of their numbers."""
        facts = {"name": plain_name(self.spec.name), **asdict(self.shape)}
        return to_json({**facts, "words": self.vocabulary.words})

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, 1, K] of views [B, T, H, W, C] of clips without words."""
        return self.forward_with(frames_BTHWC, "")

    def forward_with(self, frames_BTHWC: Frames, text: str) -> Floats:
        """Return tokens [B, 1, K] of views [B, T, H, W, C] of a clip in which a text is said."""
        check_frames(frames_BTHWC, self.spec)
        views_BTHWC = torch.from_numpy(np.require(frames_BTHWC, requirements=["C", "W"]))
        text_BL = torch.from_numpy(self.vocabulary.numbers([text] * len(views_BTHWC)))
        with torch.inference_mode():
            logits_BK = self.module(Clips(frames_BVTHWC=views_BTHWC[:, None], text_BL=text_BL))
        tokens_B1K: Floats = logits_BK.float().numpy()[:, None]
        return tokens_B1K

    def save(self, directory: Path) -> None:
        """Write weights, shape and words."""
        weights.write(self.module.state_dict(), directory / weights.FILE_NAME)
        for name, facts in (
            (_SHAPE_FILE, asdict(self.shape)),
            (_WORDS_FILE, self.vocabulary.words),
        ):
            text = to_json(facts, indent=1, ascii_only=False)
            (directory / name).write_text(text, encoding="utf-8")


def reading_network(
    name: str, shape: Shape, network: nn.Module, vocabulary: Vocabulary
) -> ReadingNetwork:
    """Return a trained network of frames and words as a backbone."""
    module = freeze(network)
    spec = replace(frame_network(name, shape, network).spec, reads=True)
    made = ReadingNetwork(spec, module, shape, vocabulary)
    revision = weights.revision(module.state_dict(), made.configuration)
    return replace(made, spec=replace(spec, revision=revision))


def frame_network(name: str, shape: Shape, network: nn.Module) -> FrameNetwork:
    """Return a trained network of ``vidfit.networks.NETWORKS`` as a backbone."""
    module = freeze(_Logits(network))
    spec = BackboneSpec(
        name=name,
        family=FAMILY,
        architecture="cnn3d",
        sampling=OWN_SIGHT.sampling,
        preprocessing=OWN_SIGHT.preprocessing,
        dim=shape.classes,
        parameters=count_parameters(module),
        gmacs_per_view=count_gmacs(module, OWN_SIGHT.preprocessing, OWN_SIGHT.sampling.clip_len),
        licence="trained here",
        commercial_use=None,
        source="vidfit train",
        revision="",
    )
    made = FrameNetwork(spec, module, shape=shape)
    revision = weights.revision(module.state_dict(), made.configuration)
    return replace(made, spec=replace(spec, revision=revision))


def restore(directory: Path, spec: BackboneSpec) -> FrameNetwork | ReadingNetwork:
    """Rebuild a saved network from its shape and weights, and its words where it reads.

    The revision of one that reads is that of what is found.

    Raises
    ------
    BackboneError
        If files are missing, or do not fit each other.
    """
    try:
        shape = read_shape(read_json(directory / _SHAPE_FILE))
        state = weights.read(directory / weights.FILE_NAME)
        if spec.reads:
            return _restored_reading(directory, spec, shape, state)
        network = rebuild(spec.name, shape, weights.without_prefix(state, "network."))
    except (OSError, ValueError) as error:
        raise BackboneError(
            f"{directory} holds no network {spec.name!r} that can be rebuilt ({error}); train or "
            "copy the model again"
        ) from error
    return FrameNetwork(spec, freeze(_Logits(network)), shape=shape)


def _restored_reading(
    directory: Path, spec: BackboneSpec, shape: Shape, state: weights.State
) -> ReadingNetwork:
    """Rebuild a network of frames and words.

    Raises
    ------
    OSError, ValueError
        If files are missing or damaged, or do not fit each other.
    """
    words = read_json(directory / _WORDS_FILE)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(f"{_WORDS_FILE} is no list of words")
    vocabulary = Vocabulary(tuple(words))
    if len(set(words)) != len(words) or not 0 < vocabulary.size == shape.vocabulary:
        raise ValueError(f"{len(words)} words do not fit a vocabulary of {shape.vocabulary}")
    weights.check_finite(state, str(directory))
    network = rebuild(plain_name(spec.name), shape, state)
    found = ReadingNetwork(spec, freeze(network), shape, vocabulary)
    revision = weights.revision(state, found.configuration)
    return replace(found, spec=replace(spec, revision=revision))


def softmax_head(logits_MK: Floats) -> Linear:
    """Return the head that leaves logits as they are; novelty is measured against these.

    Parameters
    ----------
    logits_MK
        Of the training clips.
    """
    classes = logits_MK.shape[1]
    mean_K = logits_MK.mean(axis=0)
    deviation_K = np.maximum(logits_MK.std(axis=0), 1e-6) * np.sqrt(classes)
    # The vector of a clip is mean, deviation and change of its tokens: the mean alone counts.
    rest = np.zeros(2 * classes, np.float32)
    weight_KD = np.zeros((classes, 3 * classes), np.float32)
    weight_KD[:, :classes] = np.diag(deviation_K)
    return Linear(
        np.concatenate([mean_K, rest]).astype(np.float32),
        np.concatenate([1 / deviation_K, rest]).astype(np.float32),
        weight_KD,
        mean_K.astype(np.float32),
    )
