"""Words as a vector beside those of pictures, by models that were trained on both.

SigLIP and SigLIP 2 put words and pictures into one space as they are (Zhai et al. 2023, Tschannen
et al. 2025). CLIP does so behind projections that vidfit's encoder of pictures does not have.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidfit.contracts import Floats
from vidfit.documents import json_in
from vidfit.errors import BackboneError
from vidfit.jobs.search.shots import unit

KINDS = ("siglip", "siglip2")
_LENGTH = 64


def text_vector(backbone: str, words: str) -> Floats | None:
    """Return words as a unit vector [D]; ``None`` where the encoder does not know any.

    Raises
    ------
    BackboneError
        If its folder has no tokenizer, or its text tower cannot be read.
    """
    folder = Path(backbone.removeprefix("hf:").partition("@")[0]).expanduser()
    if not backbone.startswith("hf:") or not (folder / "config.json").is_file():
        return None
    if json_in((folder / "config.json").read_bytes()).get("model_type") not in KINDS:
        return None
    import torch
    import transformers

    hub: Any = transformers
    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = hub.AutoTokenizer.from_pretrained(folder, **local)
        model = hub.AutoModel.from_pretrained(folder, use_safetensors=True, **local).eval()
        length = model.config.text_config.max_position_embeddings
        tokens = tokenizer(
            [words.lower()],
            padding="max_length",
            truncation=True,
            max_length=min(_LENGTH, length),
            return_tensors="pt",
        )
        with torch.inference_mode():
            output = model.text_model(input_ids=tokens["input_ids"])
        vector_D: Floats = output.pooler_output[0].float().numpy()
    except Exception as error:  # tokenizers and networks fail each in its own way
        raise BackboneError(
            f"{backbone} cannot read words ({type(error).__name__}: {error}). Valid is a folder "
            "with config.json, safetensors and tokenizer.json: download the whole model again"
        ) from error
    return unit(vector_D)
