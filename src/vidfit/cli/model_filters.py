"""Filters over the catalogue: what `vidfit models` keeps, and what each filter left out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import typer

from vidfit.backbones.catalogue import PretrainedModel, Status, entries, licence_refusal, status
from vidfit.errors import VidfitError

Keep = Callable[[PretrainedModel, Status], bool | None]
"""Whether an entry passes a filter; ``None`` when the catalogue does not know."""


@dataclass(frozen=True, slots=True)
class ModelFilter:
    """What the options ask for; ``None``, ``""`` and ``False`` ask for nothing."""

    task: str | None = None
    modality: str | None = None
    max_parameters_m: float | None = None
    max_gmacs: float | None = None
    licence: str | None = None
    commercial: bool = False
    loadable: bool = False
    present: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """What one filter left, and how many it left out for want of a fact."""

    option: str
    count: int
    unknown: int


def filtered(wanted: ModelFilter) -> tuple[list[tuple[PretrainedModel, Status]], list[Left]]:
    """Return the entries that pass all filters, and what each filter left of them.

    Raises
    ------
    VidfitError
        When a task, modality or licence occurs nowhere in the catalogue.
    """
    rows = [(entry, status(entry)) for entry in entries()]
    lefts = []
    for option, keep in _filters(wanted):
        verdicts = [keep(*row) for row in rows]
        rows = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict]
        lefts.append(Left(option, len(rows), verdicts.count(None)))
    return rows, lefts


def millions(text: str | None) -> float | None:
    """Read a count of parameters in millions: ``100M``, ``1.2B``, ``500k``, or bare millions."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGB]?)", text.strip(), re.IGNORECASE)
    if not match:
        raise typer.BadParameter(f"{text!r} is no count of parameters; write 100M, 1.2B or 100")
    return float(match[1]) * {"": 1, "k": 1e-3, "m": 1, "g": 1e3, "b": 1e3}[match[2].lower()]


def _filters(wanted: ModelFilter) -> Iterable[tuple[str, Keep]]:
    """Yield each filter that was asked for, under the option as it was typed."""
    task, modality, licence = wanted.task, wanted.modality, wanted.licence
    parameters_m, gmacs = wanted.max_parameters_m, wanted.max_gmacs
    if task is not None:
        _known("task", task, {name for entry in entries() for name in entry.tasks})
        yield f"--task {task}", lambda entry, _: task in entry.tasks
    if modality is not None:
        _known("modality", modality, {name for entry in entries() for name in _modalities(entry)})
        yield f"--modality {modality}", lambda entry, _: modality in _modalities(entry)
    if parameters_m is not None:
        limit = f"--max-params {parameters_m:g}M"
        yield limit, lambda entry, _: _at_most(entry.parameters_m, parameters_m)
    if gmacs is not None:
        yield f"--max-gmacs {gmacs:g}", lambda entry, _: _at_most(entry.gmacs_per_clip, gmacs)
    if licence is not None:
        text = _known_licence(licence)
        yield f"--licence {licence}", lambda entry, _: text in entry.licence.lower()
    if wanted.commercial:
        yield "--commercial", lambda entry, _: _commercial(entry)
    if wanted.loadable:
        yield "--loadable", lambda _, here: here.loadable
    if wanted.present:
        yield "--present", lambda _, here: bool(here.present)


def _at_most(value: float | None, limit: float) -> bool | None:
    return None if value is None else value <= limit


def _commercial(entry: PretrainedModel) -> bool | None:
    allowed = not licence_refusal(entry.licence, entry.commercial_use)
    return None if entry.commercial_use is None else allowed


def _modalities(entry: PretrainedModel) -> list[str]:
    return entry.modality.split("+")


def _known(what: str, value: str, valid: set[str]) -> None:
    if value not in valid:
        raise VidfitError(
            f"there is no {what} {value!r} in the catalogue.{_hint(value, valid)} "
            f"Valid are {', '.join(sorted(valid))}."
        )


def _known_licence(text: str) -> str:
    """Return the text in small letters, when it is part of any licence."""
    licences = {entry.licence.lower() for entry in entries()}
    if not any(text.lower() in licence for licence in licences):
        words = {word.strip(":;,()") for licence in licences for word in licence.split()}
        raise VidfitError(
            f"no licence in the catalogue has the words {text!r}.{_hint(text, words)} "
            "`vidfit models` shows all licences."
        )
    return text.lower()


def _hint(value: str, valid: set[str]) -> str:
    close = difflib.get_close_matches(value.lower(), sorted(valid), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
