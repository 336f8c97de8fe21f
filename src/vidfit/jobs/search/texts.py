"""Words as a vector beside those of pictures, by models that were trained on both.

SigLIP and SigLIP 2 put words and pictures into one space as they are (Zhai et al. 2023, Tschannen
et al. 2025). CLIP does so behind projections that vidfit's encoder of pictures does not have.

As in training, words are in lower case and padded to a fixed length that is seen as it is, without
a mask. Of a folder the values are read, and nothing is run: ``tokenizer.json`` needs no class.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidfit.contracts import Floats
from vidfit.documents import json_in
from vidfit.errors import BackboneError
from vidfit.jobs.search.shots import unit
from vidfit.shown import counted

KINDS = {"siglip": "SiglipTextModel", "siglip2": "Siglip2TextModel"}
"""``model_type`` of config.json, and the class of its network of words."""

_LENGTH = 64
_BARE = "SiglipTokenizer"
"""The kind of tokenizer that takes punctuation away."""


def text_vector(backbone: str, words: str) -> Floats | None:
    """Return words as a unit vector [D]; ``None`` where the encoder does not know any.

    Raises
    ------
    BackboneError
        If its folder has no tokenizer, or its text tower cannot be read.
    """
    if not knows_words(backbone):
        return None
    folder = _folder(backbone)
    facts = json_in((folder / "config.json").read_bytes())
    import torch

    try:
        model = _text_model(folder, facts)
        length = min(_LENGTH, model.config.max_position_embeddings)
        ids = torch.tensor([_tokens(folder, words, length)])
        with torch.inference_mode():
            vector_D: Floats = model(input_ids=ids).pooler_output[0].float().numpy()
    except Exception as error:  # tokenizers and networks fail each in its own way
        raise BackboneError(
            f"{backbone} cannot read words ({type(error).__name__}: {error}). Valid is a folder "
            "with config.json, safetensors and tokenizer.json: download the whole model again"
        ) from error
    return unit(vector_D)


def knows_words(backbone: str) -> bool:
    """Return whether an encoder puts words beside its pictures."""
    path = _folder(backbone) / "config.json"
    if not backbone.startswith("hf:") or not path.is_file():
        return False
    facts = json_in(path.read_bytes())
    return isinstance(facts, dict) and facts.get("model_type") in KINDS


def _folder(backbone: str) -> Path:
    return Path(backbone.removeprefix("hf:").partition("@")[0]).expanduser()


def _text_model(folder: Path, facts: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return the network of words; a ValueError says that weights of it are missing or odd."""
    import transformers

    from vidfit.backbones.hub.models import quiet
    from vidfit.backbones.hub.reading import known_fields, of_values, read_weights

    kind = facts["model_type"]
    config_class: Any = transformers.CONFIG_MAPPING[kind]
    config = config_class(**known_fields(config_class, facts)).text_config
    with quiet():  # of the tower of pictures, which is not looked at here
        model, report = of_values(getattr(transformers, KINDS[kind]), config, read_weights(folder))
    odd = sorted(report["missing_keys"]), sorted(str(one[0]) for one in report["mismatched_keys"])
    for keys, what in zip(odd, ("missing", "of another shape than config.json says"), strict=True):
        if keys:
            raise ValueError(f"{counted(len(keys), 'tensor')} {what}, such as {keys[0]}")
    return model.eval()


def _tokens(folder: Path, words: str, length: int) -> list[int]:
    """Return words as so many numbers; a ValueError says that nothing pads them."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    path = folder / "tokenizer_config.json"
    settings = json_in(path.read_bytes()) if path.is_file() else {}
    padding = settings.get("pad_token") or "<pad>"
    padding = str(padding["content"] if isinstance(padding, dict) else padding)
    number = made.token_to_id(padding)
    if number is None:
        raise ValueError(f"tokenizer.json does not know {padding!r}, which pads words")
    side = str(settings.get("padding_side", "right"))
    made.enable_truncation(length)
    made.enable_padding(direction=side, pad_id=number, pad_token=padding, length=length)
    return list(made.encode(written(words, str(settings.get("tokenizer_class")))).ids)


def written(words: str, tokenizer: str) -> str:
    """Return words as they were in training: in lower case, of SigLIP without punctuation."""
    words = words.lower()
    if not tokenizer.startswith(_BARE):
        return words
    bare = words.translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\s+", " ", bare).strip()
