"""What is read of a Hugging Face directory: named fields of its config, and bare tensors.

Of its image or video processor only the facts are read: our reader scales (always antialiased
bilinear, where many processors ask for bicubic), and the network normalises.

transformers is given values, never the directory: it would look there for adapters (which name
modules to import), code, kernels, quantisers and checkpoints of other kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from vidfit.backbones import weights
from vidfit.backbones.hub.families import KINDS, Family
from vidfit.contracts import Preprocessing, Sees
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
        if isinstance(kind, str) and kind in KINDS:
            config_class = transformers.CONFIG_MAPPING[kind]
            config = config_class(**known_fields(config_class, facts))
            return KINDS[kind], _of_model(config, KINDS[kind])
    except Exception as error:  # a config checks itself, each in its own way
        raise BackboneError(
            f"{path} cannot be understood ({type(error).__name__}: {error}). "
            "Download the model again."
        ) from error
    remote = " It wants to run code of its own, which is never done." * ("auto_map" in facts)
    raise BackboneError(
        f"{path} is of the kind {str(kind)[:60]!r}; known are {', '.join(KINDS)}.{remote} "
        "Choose a model of a known kind, or write a backbone: my_file.py:MyBackbone."
    )


def sees(directory: Path) -> Sees:
    """Return what the encoder of a directory sees; frames where its kind is not known."""
    kind = model_type(directory)
    return KINDS[kind].sees if kind in KINDS else "frames"


def model_type(directory: Path) -> str:
    """Return what kind of model a directory says that it is; empty where it says nothing."""
    try:
        facts = read_json(directory / CONFIG)
    except (OSError, ValueError):  # said by whoever reads it
        return ""
    found = facts.get("model_type") if isinstance(facts, dict) else None
    return found if isinstance(found, str) else ""


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


def of_values(
    model_class: Any,  # noqa: ANN401
    config: Any,  # noqa: ANN401
    state: weights.State,
    more: Sequence[tuple[str, Any]] = (),
) -> tuple[Any, dict[str, Any]]:
    """Return a network of values, and what transformers reports of them.

    It is handed no directory, from which it could run code. Tensors of other shapes are listed in
    the report; networks raise what they like.

    Parameters
    ----------
    more
        Arguments of this class alone.
    """
    check_size(model_class, config, state)
    network, report = model_class.from_pretrained(
        None,
        config=config,
        state_dict=state,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
        trust_remote_code=False,
        local_files_only=True,
        dtype=torch.float32,
        **dict(more),
    )
    return network, report


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


def known_fields(config_class: Any, facts: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """Return the fields that a kind of config declares itself, and those of its parts."""
    parts, own = config_class.sub_configs, _own_fields(config_class)
    known: dict[str, Any] = {}
    for key, value in facts.items():
        part = key.removesuffix("_dict")  # as older files of CLIP call them
        if part in parts and isinstance(value, Mapping):
            known[key] = known_fields(parts[part], value)
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


FILES = ("preprocessor_config.json", "video_preprocessor_config.json")

_PLAIN_RESCALE = 1 / 255
# ConvNextImageProcessor scales to size / crop_pct and crops, up to this size.
_CROPS_BELOW_PIXELS = 384
_DEFAULT_CROP_SHARE = 224 / 256


def read_processor(directory: Path) -> dict[str, Any]:
    """Read the processor's settings.

    Raises
    ------
    BackboneError
        When the directory has none, or the file is damaged.
    """
    for name in FILES:
        path = directory / name
        if path.is_file():
            try:
                settings: dict[str, Any] = read_json(path)
            except (OSError, ValueError) as error:
                raise BackboneError(
                    f"{path} is no JSON ({error}). Download the model again."
                ) from error
            if isinstance(settings, dict):
                return settings
            raise BackboneError(f"{path} holds no settings. Download the model again.")
    raise BackboneError(
        f"{directory} has no {FILES[0]}, so it is unknown how its network wants its pictures. "
        "Copy that file from the model's page beside config.json."
    )


def preprocessing_of(settings: dict[str, Any]) -> Preprocessing:
    """Translate a processor's settings.

    Raises
    ------
    BackboneError
        When they give no size, or one of an unknown form.
    """
    try:
        mean, std = _normalisation(settings)
        height, width, short_side = _geometry(settings)
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise BackboneError(
            f"The processor's settings cannot be understood ({error}). Correct them in its file, "
            "or download the model again."
        ) from error
    return Preprocessing(height, width, short_side, mean, std)


def _normalisation(
    settings: dict[str, Any],
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Fold rescaling, offset and normalisation into one mean and std on the 0-255 scale."""
    factor = settings.get("rescale_factor", _PLAIN_RESCALE)
    factor = factor if settings.get("do_rescale", True) else 1.0
    # ViViT brings pixels to [-1, 1] before it normalises.
    offset = 1.0 if settings.get("offset", False) else 0.0
    normalises = settings.get("do_normalize", True)
    mean = settings.get("image_mean") if normalises else None
    std = settings.get("image_std") if normalises else None
    red, green, blue = ((value + offset) / factor for value in mean or (0.0, 0.0, 0.0))
    red_std, green_std, blue_std = (value / factor for value in std or (1.0, 1.0, 1.0))
    return (red, green, blue), (red_std, green_std, blue_std)


def _geometry(settings: dict[str, Any]) -> tuple[int, int, int | None]:
    size, crop = settings.get("size"), settings.get("crop_size")
    crops = settings.get("do_center_crop", False) and crop is not None
    if "max_num_patches" in settings and size is None:
        side = int(settings["max_num_patches"] ** 0.5) * int(settings.get("patch_size", 16))
        return side, side, None
    if "crop_pct" in settings:
        return _convnext(_short_side(size), settings["crop_pct"] or _DEFAULT_CROP_SHARE)
    if crops:
        return *_height_width(crop), _short_side(size)
    if isinstance(size, dict) and "shortest_edge" in size:
        short = _short_side(size)
        return short, short, short
    return *_height_width(size), None


def _convnext(size: int, crop_share: float) -> tuple[int, int, int | None]:
    crops = size < _CROPS_BELOW_PIXELS
    return size, size, int(size / crop_share) if crops else None


def _short_side(size: object) -> int:
    if isinstance(size, dict) and "shortest_edge" in size:
        return int(size["shortest_edge"])
    return min(_height_width(size))


def _height_width(size: object) -> tuple[int, int]:
    if isinstance(size, int):
        return size, size
    if isinstance(size, dict) and {"height", "width"} <= size.keys():
        return int(size["height"]), int(size["width"])
    raise BackboneError(
        f"The processor's size {size!r} is of an unknown form; known are a number, "
        "height and width, and shortest_edge. Correct it in the processor's file."
    )
