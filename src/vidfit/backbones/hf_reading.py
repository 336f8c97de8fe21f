"""What is read of a Hugging Face directory: named fields of its config, and bare tensors.

transformers is given values, never the directory: it would look there for adapters (which name
modules to import), code, kernels, quantisers and checkpoints of other kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from vidfit.backbones import weights
from vidfit.backbones.hf_families import FAMILIES, Family
from vidfit.documents import read_json, shown
from vidfit.errors import BackboneError

CONFIG = "config.json"
BIN = "pytorch_model.bin"
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"

MOST = 10**6
"""The largest whole number that a config may hold."""

MOST_LAYERS = 512
_LAYERS = ("layers", "depths", "stages")
"""How names of fields end that count layers."""

_SPARE_BYTES = 16 * 2**20


def read_config(directory: Path) -> tuple[Family, Any]:
    """Return the family of a directory, and the config of the model that is its encoder.

    Raises
    ------
    BackboneError
        If there is none, it cannot be understood, or is of an unknown kind.
    """
    import transformers

    path = directory / CONFIG
    if not path.is_file():
        raise BackboneError(
            f"{directory} has no {CONFIG}, so it is no Hugging Face model. Pass the directory "
            "that save_pretrained wrote, or a snapshot of the hub."
        )
    try:
        facts = read_json(path)
        kind = facts.get("model_type")
        if isinstance(kind, str) and kind in FAMILIES:
            config_class = transformers.CONFIG_MAPPING[kind]
            config = config_class(**_known(config_class, facts))
            return FAMILIES[kind], _of_model(config, FAMILIES[kind])
    except Exception as error:  # a config checks itself, each in its own way
        raise BackboneError(
            f"{path} cannot be understood ({type(error).__name__}: {error}). "
            "Download the model again."
        ) from error
    remote = " It wants to run code of its own, which is never done." * ("auto_map" in facts)
    raise BackboneError(
        f"{path} is of the kind {str(kind)[:60]!r}; known are {', '.join(FAMILIES)}.{remote} "
        "Choose a model of a known kind, or write a backbone: my_file.py:MyBackbone."
    )


def read_weights(directory: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a directory.

    Raises
    ------
    BackboneError
        If there are none, or files are damaged or hold more than tensors.
    """
    if (directory / _WEIGHTS).is_file():
        return weights.read(directory / _WEIGHTS)
    if (directory / _INDEX).is_file():
        state: dict[str, torch.Tensor] = {}
        for name in _shards(directory / _INDEX):
            state |= weights.read(directory / name)
        return state
    if (directory / BIN).is_file():
        return weights.read(directory / BIN)
    raise BackboneError(
        f"{directory} holds no weights that can be read. Valid are {_WEIGHTS}, shards with "
        f"{_INDEX}, or {BIN} with nothing but tensors: download the model again."
    )


def check_size(model_class: Any, config: Any, state: weights.State) -> None:  # noqa: ANN401
    """Refuse a config whose network is far larger than its weights, before it takes memory.

    Raises
    ------
    ValueError
        With both sizes.
    """
    with torch.device("meta"):
        network = model_class(config)
    wanted = sum(tensor.numel() for tensor in network.state_dict().values())
    found = sum(tensor.numel() for tensor in state.values())
    if wanted > 2 * found + _SPARE_BYTES // 4:
        raise ValueError(
            f"{CONFIG} makes a network of {wanted:,} numbers, the files hold {found:,}"
        )


def configuration(config: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what a config says of the network: its own fields, no names and versions."""
    own = _own_fields(type(config))
    return {key: value for key, value in config.to_dict().items() if key in own}


def _known(config_class: Any, facts: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """Return the fields that a kind of config declares itself, and those of its parts."""
    parts, own = config_class.sub_configs, _own_fields(config_class)
    known: dict[str, Any] = {}
    for key, value in facts.items():
        part = key.removesuffix("_dict")  # as older files of CLIP call them
        if part in parts and isinstance(value, Mapping):
            known[key] = _known(parts[part], value)
        elif key in own:
            _check(key, value)
            known[key] = value
    return known


def _own_fields(config_class: Any) -> set[str]:  # noqa: ANN401
    from transformers import PreTrainedConfig

    common = {field.name for field in fields(PreTrainedConfig)}
    return {field.name for field in fields(config_class)} - common | set(config_class.attribute_map)


def _check(key: str, value: object) -> None:
    for number in _numbers(value):
        most = MOST_LAYERS if key.endswith(_LAYERS) else MOST
        if not abs(number) <= most:
            raise ValueError(f"{key} is {shown(value)}; numbers up to {most:,} are taken")


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, list):
        if len(value) > MOST_LAYERS:
            raise ValueError(f"a list of {len(value):,}; up to {MOST_LAYERS} are taken")
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, int | float):
        yield value


def _of_model(config: Any, family: Family) -> Any:  # noqa: ANN401
    """Return the config that the family's model takes: of two towers, that of its tower."""
    import transformers

    wanted = getattr(transformers, family.model).config_class
    return config if isinstance(config, wanted) else getattr(config, wanted.base_config_key)


def _shards(index: Path) -> list[str]:
    """Return the files that an index names, all of them beside it."""
    try:
        names = set(read_json(index)["weight_map"].values())
        if all(Path(name).name == name and name.endswith(".safetensors") for name in names):
            return sorted(names)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackboneError(
            f"{index} cannot be understood ({error}). Download it again."
        ) from error
    raise BackboneError(f"{index} names files that are no shards beside it. Do not trust it.")
