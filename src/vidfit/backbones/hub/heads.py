"""Models of Hugging Face that answer with classes of their own: detectors and segmenters.

Of their config only known fields are read, and the names of classes; no network is fetched by the
name of its backbone, and no package is imported for one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from vidfit.backbones import weights
from vidfit.backbones.encoder import TorchEncoder, count_parameters
from vidfit.backbones.hub import models
from vidfit.backbones.hub.reading import (
    CONFIG,
    FILES,
    configuration,
    known_fields,
    of_values,
    read_weights,
)
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling
from vidfit.documents import read_json
from vidfit.errors import BackboneError

MOST_CLASSES, MOST_LETTERS = 10_000, 200

_PICTURES = "backbone_config"
_STAGES = ("out_features", "out_indices")
_NEVER = ("backbone", "use_timm_backbone", "use_pretrained_backbone", "backbone_kwargs")
"""Fields that name networks to be fetched, or packages to be imported."""


class PictureModel(nn.Module):
    """A model of pictures, and how uint8 [B, T, H, W, C] becomes what it is given."""

    scale_C11: Tensor
    shift_C11: Tensor

    def __init__(self, model: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.model: Any = model
        self.preprocessing = preprocessing
        std_C11 = torch.tensor(preprocessing.std).reshape(-1, 1, 1)
        mean_C11 = torch.tensor(preprocessing.mean).reshape(-1, 1, 1)
        # Not persistent: the normalisation belongs to the spec, not to the weights.
        self.register_buffer("scale_C11", 1 / std_C11, persistent=False)
        self.register_buffer("shift_C11", -mean_C11 / std_C11, persistent=False)

    def pixels(self, frames_BTHWC: Tensor) -> Tensor:
        """Return what the model is given, [B, C, H, W]."""
        images_BCHW = frames_BTHWC.flatten(0, 1).permute(0, 3, 1, 2).float()
        return images_BCHW * self.scale_C11 + self.shift_C11


@dataclass(frozen=True)
class HeadBackbone(TorchEncoder):
    """A `PictureModel`; ``processor`` are the settings of its image processor, as JSON."""

    processor: str = "{}"

    @property
    def configuration(self) -> str:
        """The config, with the names of classes, as JSON."""
        return head_configuration(cast(PictureModel, self.network).model)

    def save(self, directory: Path) -> None:
        """Write config, weights and processor into an existing directory."""
        model = cast(PictureModel, self.network).model
        with models.quiet():
            model.save_pretrained(directory)
        (directory / FILES[0]).write_text(self.processor + "\n", encoding="utf-8")


def head_configuration(model: nn.Module) -> str:
    """Return what a config says of the network, and the names of its classes, as JSON."""
    config: Any = model.config
    facts = {**configuration(config), "classes": list(config.id2label.values())}
    return json.dumps(facts, sort_keys=True, default=str)


def spec_of_head(source: str, directory: Path, network: PictureModel, family: str) -> BackboneSpec:
    """Return the facts of a model of one picture; a forward of an empty one tells its tokens.

    Such models look at values, without which their operations cannot be counted.
    """
    from torch.utils.flop_counter import FlopCounterMode

    size = network.preprocessing.height_pixels, network.preprocessing.width_pixels
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        tokens_BND = network(torch.zeros(1, 1, *size, 3, dtype=torch.uint8))
    licence = models.licence_of(directory)
    return BackboneSpec(
        name=f"hf:{source}",
        family=family,
        architecture="transformer",
        sampling=Sampling(clip_len=1, num_clips=1),
        preprocessing=network.preprocessing,
        dim=int(tokens_BND.shape[2]),
        parameters=count_parameters(network),
        gmacs_per_view=counter.get_total_flops() / 2e9,
        licence=licence,
        commercial_use=models.commercial_use(licence),
        source=source,
        revision=weights.revision(network.state_dict(), head_configuration(network.model)),
    )


def read_head(directory: Path, name: str) -> Any:  # noqa: ANN401
    """Return the model of a class of transformers that lies in a directory.

    Raises
    ------
    BackboneError
        When its files are damaged, incomplete, or name no classes.
    """
    import transformers

    facts = read_json(directory / CONFIG)
    state = read_weights(directory)
    model_class = getattr(transformers, name)
    try:
        config = _config(transformers, facts)
        with models.quiet():
            model, report = of_values(model_class, config, state)
    except Exception as error:  # networks check their configs, each in its own way
        raise BackboneError(
            f"The weights in {directory} cannot be read as a {name} ({type(error).__name__}: "
            f"{error}). Valid are safetensors files that belong to {CONFIG}: download it again."
        ) from error
    taken = weights.Taken(
        count=len(model.state_dict()),
        ignored=tuple(sorted(report["unexpected_keys"])),
        missing=tuple(sorted(report["missing_keys"])),
        misshapen=tuple(str(one[0]) for one in sorted(report["mismatched_keys"])),
    )
    taken.check(str(directory), name)
    return model


def class_names(model: nn.Module) -> tuple[str, ...]:
    """Return the names of a model's classes, in the order of its scores."""
    config: Any = model.config
    return tuple(config.id2label[k] for k in range(len(config.id2label)))


def _config(transformers: Any, facts: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return the config of known fields; no network is fetched by its name."""
    config_class = transformers.CONFIG_MAPPING[facts["model_type"]]
    rest = {key: value for key, value in facts.items() if key not in (_PICTURES, *_NEVER)}
    arguments = known_fields(config_class, rest)
    names = _names(facts.get("id2label"))
    pictures = facts.get(_PICTURES)
    if isinstance(pictures, dict):
        of = transformers.CONFIG_MAPPING[pictures["model_type"]]
        stages = {key: pictures[key] for key in _STAGES if pictures.get(key)}
        arguments[_PICTURES] = of(**known_fields(of, pictures), **stages)
        if facts["model_type"] == "detr":
            arguments |= {"use_timm_backbone": False, "use_pretrained_backbone": False}
            arguments["backbone"] = None
    elif _PICTURES in {field.name for field in fields(config_class)}:
        raise BackboneError(f"{CONFIG} names no {_PICTURES}; networks of timm are not loaded")
    return config_class(**arguments, id2label=names, label2id={n: k for k, n in names.items()})


def _names(found: object) -> dict[int, str]:
    """Return the names of classes by their numbers."""
    if not isinstance(found, dict) or not 0 < len(found) <= MOST_CLASSES:
        raise BackboneError(f"{CONFIG} names no classes (id2label)")
    names = {int(key): str(name)[:MOST_LETTERS] for key, name in found.items()}
    if sorted(names) != list(range(len(names))):
        raise BackboneError(f"{CONFIG} numbers its classes with gaps")
    return dict(sorted(names.items()))
