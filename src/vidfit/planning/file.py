"""``plan.json``: a plan that a person can read, edit and run.

Every field is checked when it is read: an unknown name is answered with the closest one, a value
of another kind or outside its range with what is valid.
"""

from __future__ import annotations

import difflib
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from vidfit.errors import VidfitError
from vidfit.plans import Layout, Plan, Recipe

FORMAT = "vidfit.plan/1"
Value = TypeVar("Value")

_AT_LEAST: dict[str, float] = {
    "micro_batch": 1, "accumulation": 1, "processes": 1, "loader_workers": 0, "shard_clips": 1,
    "epochs": 1, "learning_rate": 0, "weight_decay": 0, "clip_norm": 0, "mixup": 0, "patience": 0,
    "width": 1, "layers": 1, "heads": 1, "classes": 2, "clips": 1,
}  # fmt: skip
_SHARES = ("warmup_share", "dropout", "drop_path", "label_smoothing", "ema")


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan, whole or not at all.

    Raises
    ------
    VidfitError
        If it cannot be written.
    """
    text = json.dumps({"format": FORMAT, **asdict(plan)}, indent=1, ensure_ascii=False)
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise VidfitError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def read_plan(path: Path) -> Plan:
    """Read a plan, as it was written or edited.

    Raises
    ------
    VidfitError
        If it is no plan, or a value in it is not valid: which one, and what is.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise VidfitError(f"{path} is no plan ({error}); make one with `vidfit plan`") from error
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise VidfitError(f"{path} is no plan of the format {FORMAT}; make one with `vidfit plan`")
    plan = _value(Plan, document, f"{path}: ")
    _check(plan.layout, f"{path}: layout.")
    _check(plan.recipe, f"{path}: recipe.")
    return plan


def _value(kind: type[Value], document: object, place: str) -> Value:
    """Return the dataclass that a JSON object says."""
    if not isinstance(document, Mapping):
        raise VidfitError(f"{place.rstrip(':. ')} is {document!r}; valid is an object")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(cast(Any, kind))}
    for name in document:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"valid are {', '.join(known)}"
            raise VidfitError(f"{place}{name} is no field of a plan; {hint}")
    missing = [
        name
        for name, field in known.items()
        if name not in document and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise VidfitError(f"{place}{missing[0]} is missing")
    values = {n: _typed(hints[n], value, f"{place}{n}") for n, value in document.items()}
    return kind(**values)


def _typed(kind: Any, value: Any, place: str) -> Any:  # noqa: ANN401  (what JSON holds)
    """Return a value of a kind, or say which kind it should be."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _value(cast(type, kind), value, f"{place}.")
    if origin is Literal:
        if value in arguments:
            return value
        raise VidfitError(f"{place} is {value!r}; valid are {', '.join(map(repr, arguments))}")
    if origin is tuple and isinstance(value, list):
        each = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(each) == len(value):
            pairs = enumerate(zip(each, value, strict=True))
            return tuple(_typed(k, v, f"{place}[{i}]") for i, (k, v) in pairs)
    if origin is dict and isinstance(value, dict):
        return {key: _typed(arguments[1], v, f"{place}.{key}") for key, v in value.items()}
    if kind is float and type(value) in (int, float):
        return float(value)
    if origin is None and type(value) is kind:
        return value
    raise VidfitError(f"{place} is {value!r}; valid is {getattr(kind, '__name__', kind)}")


def _check(part: Layout | Recipe, place: str) -> None:
    """Refuse numbers outside of their ranges."""
    for name, value in asdict(part).items():
        least = _AT_LEAST.get(name)
        if least is not None and value < least:
            raise VidfitError(f"{place}{name} is {value}; valid is {least:g} or more")
        if name in _SHARES and not 0 <= value < 1:
            raise VidfitError(f"{place}{name} is {value}; valid is a share in [0, 1)")
    if isinstance(part, Recipe):
        if not 0 < part.layer_decay <= 1:
            raise VidfitError(f"{place}layer_decay is {part.layer_decay}; valid is (0, 1]")
        starts = [start for start, _ in part.batch_schedule]
        factors = [factor for _, factor in part.batch_schedule]
        if not starts or starts[0] != 0 or starts != sorted(starts) or min(factors) <= 0:
            raise VidfitError(
                f"{place}batch_schedule is {part.batch_schedule}; valid are pairs of a share of "
                "the run, rising from 0, and a factor above 0, such as [[0, 1], [0.5, 2]]"
            )
