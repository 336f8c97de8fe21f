"""Detectors of Hugging Face: a network of queries, each of which gives one box.

Carion et al., "End-to-end object detection with transformers" (ECCV 2020), and what followed: a
query has learned to give a box that no other gives, so that none need be left out. What a box looks
like is the query's state after the last layer.

Pictures are scaled whole to the size of the processor, or to a square of its shorter side: a
detector that was trained on pictures of their own shape sees them squeezed.

Shape letters: B pictures, T frames (1), C channels, N queries, E numbers of a query.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from vidfit.backbones import hf, weights
from vidfit.backbones.detector import BoxBackbone
from vidfit.backbones.encoder import TorchEncoder, count_parameters, freeze
from vidfit.backbones.hf_families import DETECTORS
from vidfit.backbones.hf_reading import (
    CONFIG,
    FILES,
    check_size,
    configuration,
    known_fields,
    preprocessing_of,
    read_processor,
    read_weights,
)
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling
from vidfit.documents import read_json, to_json
from vidfit.errors import BackboneError

FAMILY = "hf-detector"
MOST_CLASSES, MOST_LETTERS = 10_000, 200

_PICTURES = "backbone_config"
_STAGES = ("out_features", "out_indices")
_NEVER = ("backbone", "use_timm_backbone", "use_pretrained_backbone", "backbone_kwargs")
"""Fields that name networks to be fetched, or packages to be imported."""


class BoxNetwork(nn.Module):
    """A detector as uint8 [B, 1, H, W, C] -> boxes [B, N, 4 + classes + E], one a query."""

    scale_C11: Tensor
    shift_C11: Tensor

    def __init__(self, model: nn.Module, preprocessing: Preprocessing, softmax: bool) -> None:
        super().__init__()
        self.model, self.softmax = model, softmax
        std_C11 = torch.tensor(preprocessing.std).reshape(-1, 1, 1)
        mean_C11 = torch.tensor(preprocessing.mean).reshape(-1, 1, 1)
        # Not persistent: the normalisation belongs to the spec, not to the weights.
        self.register_buffer("scale_C11", 1 / std_C11, persistent=False)
        self.register_buffer("shift_C11", -mean_C11 / std_C11, persistent=False)

    def pixels(self, frames_BTHWC: Tensor) -> Tensor:
        """Return what the model is given, [B, C, H, W]."""
        images_BCHW = frames_BTHWC.flatten(0, 1).permute(0, 3, 1, 2).float()
        return images_BCHW * self.scale_C11 + self.shift_C11

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return boxes."""
        output = self.model(pixel_values=self.pixels(frames_BTHWC))
        logits, places = output.logits, output.pred_boxes
        scores = logits.softmax(dim=2)[:, :, :-1] if self.softmax else logits.sigmoid()
        middle, half = places[:, :, :2], places[:, :, 2:] / 2
        edges = torch.cat([middle - half, middle + half], dim=2).clamp(0.0, 1.0)
        # YOLOS has the states of patches before those of its queries.
        states = output.last_hidden_state[:, -logits.shape[1] :]
        return torch.cat([edges, scores, states], dim=2)


@dataclass(frozen=True)
class _Queries(TorchEncoder):
    """The network; ``processor`` are the settings of its image processor, as JSON."""

    processor: str = "{}"

    @property
    def configuration(self) -> str:
        """The config, with the names of classes, as JSON."""
        return _configuration(cast(BoxNetwork, self.network).model)

    def save(self, directory: Path) -> None:
        """Write config, weights and processor into an existing directory."""
        model: Any = cast(BoxNetwork, self.network).model
        with hf.quiet():
            model.save_pretrained(directory)
        (directory / FILES[0]).write_text(self.processor + "\n", encoding="utf-8")


def load(source: str, directory: Path, settings: dict[str, Any]) -> BoxBackbone:
    """Load a detector of a directory; see `vidfit.backbones.hf.load`.

    Raises
    ------
    BackboneError
        When its files are damaged, incomplete, or name no classes.
    """
    found = preprocessing_of(settings)
    # A part that is cut out would lose what lies outside of it.
    preprocessing = replace(found, short_side_pixels=None)
    model, softmax = _read_model(directory)
    network = freeze(BoxNetwork(model, preprocessing, softmax))
    config: Any = model.config
    classes = tuple(config.id2label[k] for k in range(len(config.id2label)))
    licence = hf.licence_of(directory)
    dim, gmacs = _trial(network, preprocessing)
    spec = BackboneSpec(
        name=f"hf:{source}",
        family=FAMILY,
        architecture="transformer",
        sampling=Sampling(clip_len=1, num_clips=1),
        preprocessing=preprocessing,
        dim=dim,
        parameters=count_parameters(network),
        gmacs_per_view=gmacs,
        licence=licence,
        commercial_use=hf.commercial_use(licence),
        source=source,
        revision=weights.revision(network.state_dict(), _configuration(model)),
    )
    queries = _Queries(spec, network, processor=to_json(settings))
    return BoxBackbone(spec, queries, classes, overlap=None)


def restore(directory: Path, spec: BackboneSpec) -> BoxBackbone:
    """Rebuild a saved detector."""
    found = load(spec.source, directory, read_processor(directory))
    made = replace(spec, revision=found.spec.revision)
    if found.spec.dim != spec.dim or found.spec.preprocessing != spec.preprocessing:
        raise BackboneError(
            f"{directory} holds a detector of other facts than its spec: copy the model again"
        )
    queries = replace(cast(_Queries, found.candidates), spec=made)
    return replace(found, spec=made, candidates=queries)


def _trial(network: nn.Module, preprocessing: Preprocessing) -> tuple[int, float]:
    """Return the numbers of a box, and GMACs: a forward of an empty picture tells.

    Detectors look at values, which have no counts without them.
    """
    from torch.utils.flop_counter import FlopCounterMode

    size = preprocessing.height_pixels, preprocessing.width_pixels
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        tokens = network(torch.zeros(1, 1, *size, 3, dtype=torch.uint8))
    return int(tokens.shape[2]), counter.get_total_flops() / 2e9


def _configuration(model: nn.Module) -> str:
    config: Any = model.config
    facts = {**configuration(config), "classes": list(config.id2label.values())}
    return json.dumps(facts, sort_keys=True, default=str)


def _read_model(directory: Path) -> tuple[Any, bool]:
    import transformers

    path = directory / CONFIG
    facts = read_json(path)
    name, softmax = DETECTORS[facts["model_type"]]
    state = read_weights(directory)
    model_class = getattr(transformers, name)
    try:
        config = _config(transformers, facts)
        with hf.quiet():
            check_size(model_class, config, state)
            # Values, and no directory: see `hf_reading`.
            model, report = model_class.from_pretrained(
                None,
                config=config,
                state_dict=state,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                trust_remote_code=False,
                local_files_only=True,
                dtype=torch.float32,
            )
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
    return model, softmax


def _config(transformers: Any, facts: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return the config of a detector, of known fields; no network is fetched by its name."""
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
    elif facts["model_type"] != "yolos":
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
