"""Networks that vidfit trains itself, and the step that trains them.

A network is a ``torch.nn.Module`` made for a `Shape`; ``forward`` takes `Clips` and returns
logits [B, K]. ``NETWORKS`` is where they are found.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from vidfit.errors import BackboneError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network is made for.

    Parameters
    ----------
    dim
        Features of a token that it is given; of a network that sees frames, unused.
    tokens
        Most tokens (or frames) of a clip.
    classes
        How many logits it gives.
    width, layers, heads
        Hidden width, depth, attention heads.
    dropout, drop_path
        Shares left out in training: of units, and of residual branches.
    vocabulary
        Text tokens it knows, padding included; 0 when it reads no text.
    """

    dim: int
    tokens: int
    classes: int
    width: int = 256
    layers: int = 1
    heads: int = 4
    dropout: float = 0.1
    drop_path: float = 0.0
    vocabulary: int = 0


@dataclass(frozen=True, slots=True)
class Network:
    """Where a network is, and what it looks at: a backbone's tokens, or frames.

    ``reads`` says whether one that sees frames is given the clips' words beside them.
    """

    target: str
    sees: Literal["tokens", "frames"] = "tokens"
    reads: bool = False


NETWORKS: dict[str, Network] = {
    "mean": Network("over_tokens:Mean"),
    "attention": Network("over_tokens:AttentivePooling"),
    "lstm": Network("recurrent:Lstm"),
    "bilstm-attention": Network("recurrent:BiLstmAttention"),
    "transformer": Network("over_tokens:Transformer"),
    "gpt": Network("gpt:Gpt"),
    "shift": Network("shift:Shift"),
    "encoder-decoder": Network("encoder_decoder:EncoderDecoder"),
    "cnn": Network("cnn:Cnn", "frames"),
    "cnn-lstm": Network("recurrent:CnnLstm", "frames"),
    "video-text": Network("video_text:VideoText", "frames", reads=True),
}
"""Name -> ``module:class`` of this package, called with a `Shape`."""


def network_of(name: str) -> Network:
    """Return where a network is.

    Raises
    ------
    BackboneError
        If there is none of that name.
    """
    if name not in NETWORKS:
        close = difflib.get_close_matches(name, NETWORKS, 1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise BackboneError(f"There is no network {name!r}{hint} Valid are {', '.join(NETWORKS)}.")
    return NETWORKS[name]


def build(name: str, shape: Shape) -> nn.Module:
    """Make a network with fresh weights.

    Raises
    ------
    BackboneError
        If there is none of that name.
    """
    module, _, attribute = network_of(name).target.partition(":")
    make: Any = getattr(import_module(f"vidfit.networks.{module}"), attribute)
    network: nn.Module = make(shape)
    return network
