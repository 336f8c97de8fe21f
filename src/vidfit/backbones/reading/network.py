"""Readers: Hugging Face's ``ForQuestionAnswering``, from a folder, the hub or a package.

As for encoders (`backbones.hub.models`) transformers is given values, never a directory, and no
code of a model is run. The tokenizer is ``tokenizer.json``, which ``tokenizers`` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidfit.documents import read_json
from vidfit.errors import BackboneError, not_known

if TYPE_CHECKING:
    import torch
    from torch import nn

_MOST_TOKENIZER_BYTES = 64 * 2**20


@dataclass(frozen=True)
class ReaderFamily:
    """A kind of network that marks spans.

    Parameters
    ----------
    model
        Its class in transformers.
    head
        How the names of the tensors begin that mark spans: random where a model only encodes.
    takes_types
        Whether it is told which tokens are of the question.
    """

    model: str
    head: str = "qa_outputs."
    takes_types: bool = True


READERS = {
    "bert": ReaderFamily("BertForQuestionAnswering"),
    "big_bird": ReaderFamily("BigBirdForQuestionAnswering", "qa_classifier."),
    "funnel": ReaderFamily("FunnelForQuestionAnswering"),
    "modernbert": ReaderFamily("ModernBertForQuestionAnswering", takes_types=False),
}
"""By ``model_type`` of config.json."""


@dataclass(frozen=True)
class SpanNetwork:
    """A network and its tokenizer.

    Parameters
    ----------
    network
        Of transformers: token numbers to logits of starts and ends.
    tokenizer
        Of the ``tokenizers`` package.
    kind
        Key of `READERS`.
    knows_spans
        Whether its weights have learned to mark spans, or only to encode.
    """

    network: nn.Module
    tokenizer: Any
    kind: str
    knows_spans: bool

    @property
    def most_tokens(self) -> int:
        """The longest window that it reads, in tokens."""
        config: Any = self.network.config
        return int(getattr(config, "max_position_embeddings", None) or 512)

    @property
    def padding(self) -> int:
        """The number of the token that fills up windows."""
        config: Any = self.network.config
        return int(getattr(config, "pad_token_id", None) or 0)

    def save(self, directory: Path) -> None:
        """Write config, weights and tokenizer into an existing directory."""
        from vidfit.backbones.hub.models import TOKENIZER, quiet

        model: Any = self.network
        with quiet():
            model.save_pretrained(directory)
        self.tokenizer.save(str(directory / TOKENIZER))


def load_reader(source: str, *, download: bool = False, seed: int = 0) -> SpanNetwork:
    """Load a reader, or an encoder of text that is given a random head that marks spans.

    Parameters
    ----------
    source
        ``minilm``, whose weights `vidfit models --fetch minilm` brings, or ``hf:FOLDER`` or
        ``hf:NAME`` of the hub, of a kind in `READERS`.
    download
        Whether weights may be fetched from the hub.
    seed
        Of the random head.

    Raises
    ------
    BackboneError
        If there is none, it is of another kind, or what it holds is damaged.
    """
    try:
        import tokenizers  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise BackboneError(
            f"Reading needs the extra 'hf', and {error.name} is not installed: "
            "pip install 'vidfit[hf]'"
        ) from error
    return read_reader(_folder_of(source, download), seed=seed)


def _folder_of(source: str, download: bool) -> Path:
    from vidfit.backbones.hub.models import from_hub
    from vidfit.backbones.hub.text import MINILM
    from vidfit.backbones.package_weights import package_weights

    if source == MINILM:
        return next(iter(package_weights(MINILM).values())).parent
    if not source.startswith("hf:"):
        raise BackboneError(not_known("reader", source, (MINILM, "hf:FOLDER", "hf:NAME")))
    name = source.removeprefix("hf:")
    folder = Path(name).expanduser()
    return folder if folder.is_dir() else from_hub(name, download=download)


def read_reader(folder: Path, *, seed: int = 0) -> SpanNetwork:
    """Read a reader from a folder with config, weights and tokenizer; see `load_reader`."""
    import torch

    from vidfit.backbones.hub.reading import read_weights

    kind, config = _config(folder)
    state = _named(read_weights(folder), READERS[kind], config)
    torch.manual_seed(seed)
    network, missing = _network(folder, kind, config, state)
    return SpanNetwork(network, _tokenizer(folder), kind, knows_spans=not missing)


def _config(folder: Path) -> tuple[str, Any]:
    import transformers

    from vidfit.backbones.hub.models import TOKENIZER
    from vidfit.backbones.hub.reading import CONFIG, known_fields

    path = folder / CONFIG
    try:
        facts = read_json(path)
        kind = facts.get("model_type")
        if kind in READERS:
            config_class = transformers.CONFIG_MAPPING[kind]
            return kind, config_class(**known_fields(config_class, facts))
    except Exception as error:  # a config checks itself, each in its own way
        raise BackboneError(
            f"{path} cannot be understood ({type(error).__name__}: {error}). Valid is a folder "
            f"with {CONFIG}, safetensors and {TOKENIZER}: download the model again"
        ) from error
    raise BackboneError(
        f"{path} is of the kind {str(kind)[:60]!r}; readers are {', '.join(READERS)}. Choose a "
        "model of these kinds"
    )


def _named(
    state: Mapping[str, torch.Tensor],
    family: ReaderFamily,
    config: Any,  # noqa: ANN401
) -> dict[str, torch.Tensor]:
    """Return tensors under the names of the whole network: encoders are stored without prefix."""
    import transformers

    prefix = f"{getattr(transformers, family.model).base_model_prefix}."
    if any(name.startswith(prefix) for name in state):
        return dict(state)
    return {
        name if name.startswith(family.head) else f"{prefix}{name}": tensor
        for name, tensor in state.items()
    }


def _network(
    folder: Path,
    kind: str,
    config: Any,  # noqa: ANN401
    state: dict[str, torch.Tensor],
) -> tuple[nn.Module, list[str]]:
    """Return the network, and the names of its tensors that are random: those of the head."""
    import transformers

    from vidfit.backbones import weights
    from vidfit.backbones.hub.models import quiet
    from vidfit.backbones.hub.reading import of_values

    family = READERS[kind]
    model_class = getattr(transformers, family.model)
    try:
        with quiet():
            network, report = of_values(model_class, config, state)
    except Exception as error:  # networks check their configs, each in its own way
        raise BackboneError(
            f"The weights in {folder} cannot be read as a {family.model} "
            f"({type(error).__name__}: {error}): download the model again"
        ) from error
    missing = sorted(report["missing_keys"])
    lacks = [name for name in missing if not name.startswith(family.head)]
    odd = sorted(str(key[0]) for key in report["mismatched_keys"])
    if lacks or odd:
        raise BackboneError(
            f"The weights in {folder} are not those of a {family.model}: "
            f"{weights.some(lacks or odd)} {'are missing' if lacks else 'have other shapes'}"
        )
    return network, missing


def _tokenizer(folder: Path) -> Any:  # noqa: ANN401
    from tokenizers import Tokenizer

    from vidfit.backbones.hub.models import TOKENIZER

    path = folder / TOKENIZER
    try:
        if path.stat().st_size > _MOST_TOKENIZER_BYTES:
            raise ValueError(f"it is larger than {_MOST_TOKENIZER_BYTES:,} bytes")
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the package raises bare exceptions
        raise BackboneError(
            f"{path} cannot be read as a tokenizer ({error}). Valid is the {TOKENIZER} of a model; "
            "transformers writes one by AutoTokenizer.from_pretrained(…).save_pretrained(…)"
        ) from error
    tokenizer.no_padding()
    return tokenizer
