"""What a network learned from clips without labels, as a folder that training starts from.

::

    pretrained/
      weights.safetensors   trunk, and words where there was text
      pretrained.json       network, size, frames, words, which clips, what it took

Loading runs no code: safetensors and JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.documents import FieldRule, Rules, read_json, to_json, value_of, within
from vidfit.errors import ModelError, VidfitError
from vidfit.files import write_whole
from vidfit.networks import Shape
from vidfit.networks.vocabulary import FIRST_WORD, MOST_WORDS, Vocabulary
from vidfit.training.clipset import ClipSet

if TYPE_CHECKING:
    from torch import Tensor

NETWORK = "video-text"
"""The network that learns so."""

FORMAT = "vidfit.pretrained/1"
_FACTS, _WEIGHTS = "pretrained.json", "weights.safetensors"


@dataclass(frozen=True, slots=True)
class PretrainedFacts:
    """What is known of the weights.

    Parameters
    ----------
    width, layers, heads
        Of the network.
    side_pixels
        Of the square frames that it saw.
    words
        That it knows, in the order of their numbers.
    clips, recordings
        How many it saw.
    digests
        Of the clips' videos and spans (`vidfit.features.clip_digest`).
    learn_seconds, epochs
        What it took, in steps.
    first_loss, last_loss
        Mean loss of the first and the last epoch; where nothing is learned each thing that is
        asked costs about 1.
    """

    width: int
    layers: int
    heads: int
    side_pixels: int
    words: tuple[str, ...]
    clips: int
    recordings: int
    digests: tuple[str, ...]
    learn_seconds: float
    epochs: int
    first_loss: float
    last_loss: float
    format: str = FORMAT


_RULES: Rules = {
    (PretrainedFacts, "width"): within(1, 10**5),
    (PretrainedFacts, "layers"): within(1, 256),
    (PretrainedFacts, "heads"): within(1, 10**5),
    (PretrainedFacts, "side_pixels"): within(32, 512),
    (PretrainedFacts, "format"): FieldRule(lambda x: x == FORMAT, repr(FORMAT)),
    (PretrainedFacts, "words"): FieldRule(lambda x: len(x) <= MOST_WORDS, f"{MOST_WORDS} at most"),
}


@dataclass(frozen=True)
class Pretrained:
    """Weights that were learned without labels, and what is known of them."""

    facts: PretrainedFacts
    weights: Mapping[str, Tensor] = field(repr=False)

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that it reads."""
        return Vocabulary(self.facts.words)

    def shape_for(self, shape: Shape) -> Shape:
        """Return a shape for the same labels, of the size that was pretrained."""
        facts = self.facts
        return replace(
            shape, width=facts.width, layers=facts.layers, heads=facts.heads,
            vocabulary=self.vocabulary.size,
        )  # fmt: skip

    def with_words(self, clips: ClipSet, texts_M: Sequence[str | None]) -> ClipSet:
        """Return clips with their texts as numbers of the words that it knows."""
        if not self.vocabulary.size:
            return clips
        return replace(clips, arrays={**clips.arrays, "text": self.vocabulary.numbers(texts_M)})


def write_pretrained(found: Pretrained, folder: Path) -> None:
    """Write weights and facts, each whole or not at all.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    own = {name: tensor.contiguous().clone() for name, tensor in found.weights.items()}
    write_whole(folder / _WEIGHTS, save(own))
    text = to_json(asdict(found.facts), indent=1, ascii_only=False)
    write_whole(folder / _FACTS, text.encode())


def read_pretrained(folder: Path) -> Pretrained:
    """Read what `write_pretrained` wrote; it may be anybody's.

    Raises
    ------
    ModelError
        If files are missing or damaged, or the weights are not those of the network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from vidfit.backbones import weights

    try:
        facts = value_of(PretrainedFacts, read_json(folder / _FACTS), _RULES, "it")
        state = load_file(folder / _WEIGHTS)
        weights.check_finite(state, str(folder))
        found = Pretrained(facts, state)
        _check(found)
    except (OSError, ValueError, SafetensorError, VidfitError) as error:
        raise ModelError(
            f"{folder} holds no weights to start from ({error}); make them with `vidfit pretrain`"
        ) from error
    return found


def _check(found: Pretrained) -> None:
    """Hold the weights against the network that they are of, before any memory is taken."""
    import torch

    from vidfit.networks import build
    from vidfit.networks.masked import take_over

    size = found.facts
    vocabulary = FIRST_WORD + len(size.words) if size.words else 0
    shape = Shape(0, 1, 1, size.width, size.layers, size.heads, vocabulary=vocabulary)
    with torch.device("meta"):
        network = build(NETWORK, shape)
        take_over(network, {n: t.to("meta") for n, t in found.weights.items()})
