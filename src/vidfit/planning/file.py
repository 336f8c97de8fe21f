"""``plan.json``: written whole or not at all, and read with every field checked, as people edit it.

Shares and counts are held to the ranges that `vidfit.plans` gives them.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from vidfit.errors import StoreError, VidfitError
from vidfit.planning.child import write_text
from vidfit.plans import Data, Layout, Machine, Plan, Prediction, Recipe, Subject

FORMAT = "vidfit.plan/1"
"""Raised when an older vidfit would misread the file."""

Value = TypeVar("Value")
Rule = tuple[Callable[[float], bool], str]

_COUNT: Rule = (lambda n: n >= 1, "1 or more")
_NOT_NEGATIVE: Rule = (lambda n: n >= 0, "0 or more")
_SHARE: Rule = (lambda x: 0 <= x < 1, "a share in [0, 1)")
_POSITIVE: Rule = (lambda x: x > 0, "above 0")
_FACTOR: Rule = (lambda x: 0 < x <= 1, "in (0, 1]")

_RULES: dict[tuple[type, str], Rule] = {
    **{(Subject, name): _COUNT for name in ("width", "layers", "heads")},
    **{(Layout, name): _COUNT for name in ("micro_batch", "accumulation", "processes")},
    (Layout, "shard_clips"): _COUNT,
    (Layout, "loader_workers"): _NOT_NEGATIVE,
    (Recipe, "epochs"): _COUNT,
    (Recipe, "learning_rate"): _POSITIVE,
    (Recipe, "layer_decay"): _FACTOR,
    **{
        (Recipe, name): _SHARE
        for name in ("warmup_share", "dropout", "drop_path", "label_smoothing", "ema")
    },
    **{
        (Recipe, name): _NOT_NEGATIVE
        for name in ("weight_decay", "clip_norm", "mixup", "patience", "seed")
    },
    **{(Data, name): _COUNT for name in ("clips", "classes", "tokens")},
    (Data, "rarest"): _NOT_NEGATIVE,
    (Data, "read_seconds"): _NOT_NEGATIVE,
    **{(Machine, name): _COUNT for name in ("devices", "cores")},
    (Machine, "memory_bytes"): _NOT_NEGATIVE,
    **{
        (Prediction, name): _NOT_NEGATIVE
        for name in ("peak_bytes", "step_seconds", "total_seconds")
    },
}


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan, so that a reader finds the old file or the new one.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    document = {"format": FORMAT, **asdict(plan)}
    try:
        write_text(path, json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; free space or choose another folder"
        ) from error


def read_plan(path: Path) -> Plan:
    """Read a plan that was written, and perhaps edited.

    Raises
    ------
    VidfitError
        If it is no plan; the message names the field, what it holds, and what it may.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise VidfitError(
            f"there is no plan {path}; `vidfit plan CLIPS -o FOLDER` writes FOLDER/plan.json"
        ) from error
    except (OSError, ValueError) as error:
        raise VidfitError(f"{path} is no JSON file ({error}); mend it, or plan anew") from error
    if not isinstance(document, dict) or "format" not in document:
        raise VidfitError(f"{path} is no plan: it has no field 'format'; plan anew")
    if document.pop("format") != FORMAT:
        raise VidfitError(
            f"{path} has another format than {FORMAT!r}, which this vidfit reads; plan anew, or "
            "install the vidfit that wrote it"
        )
    plan = _made(Plan, document, str(path))
    _check_together(plan, path)
    return plan


def _check_together(plan: Plan, path: Path) -> None:
    layout = plan.layout
    if layout.sharding == "none" and layout.processes > 1:
        raise VidfitError(
            f"{path}: layout.processes is {layout.processes} and layout.sharding 'none'; several "
            "processes need 'ddp' or 'fsdp'"
        )
    shares = [share for share, _ in plan.recipe.batch_schedule]
    if shares != sorted(shares) or not all(factor > 0 for _, factor in plan.recipe.batch_schedule):
        raise VidfitError(
            f"{path}: recipe.batch_schedule is {plan.recipe.batch_schedule}; give pairs of a share "
            "of the run, rising, and a factor above 0"
        )


def _made(kind: type[Value], found: object, where: str) -> Value:
    """Return a value of a dataclass from what JSON holds."""
    if not isinstance(found, Mapping):
        raise VidfitError(f"{where} is {_shown(found)}; give an object of its fields")
    known = {field.name: field for field in fields(cast(Any, kind))}
    for name in found:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise VidfitError(f"{where} has no field {name!r}{hint} Valid are {', '.join(known)}.")
    for name, field in known.items():
        if name not in found and field.default is MISSING and field.default_factory is MISSING:
            raise VidfitError(f"{where} lacks the field {name!r}; add it, or plan anew")
    hints = get_type_hints(kind)
    values = {}
    for name, value in found.items():
        place = f"{where}: {name}" if ":" not in where else f"{where}.{name}"
        values[name] = _value(hints[name], value, place)
        _check_range(_RULES.get((kind, name)), values[name], place)
    return kind(**values)


def _check_range(rule: Rule | None, value: object, where: str) -> None:
    if rule and not rule[0](cast(float, value)):
        raise VidfitError(f"{where} is {_shown(value)}; give {rule[1]}")


def _value(hint: Any, found: object, where: str) -> object:  # noqa: ANN401
    """Return what a type hint asks for, or say what it asks for."""
    origin, of = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return _made(cast(type, hint), found, where)
    if origin is Literal:
        if found in of:
            return found
        raise VidfitError(f"{where} is {_shown(found)}; valid are {', '.join(map(repr, of))}")
    if origin is tuple and isinstance(found, list):
        kinds = (of[0],) * len(found) if of[-1] is ... else of
        if len(kinds) == len(found):
            pairs = zip(kinds, found, strict=True)
            return tuple(_value(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(pairs))
    if origin is dict and isinstance(found, dict):
        return {str(key): _value(of[1], value, f"{where}.{key}") for key, value in found.items()}
    if hint is float and type(found) in (int, float) and math.isfinite(cast(float, found)):
        return float(cast(float, found))
    if hint in (int, str, bool) and type(found) is hint:
        return found
    raise VidfitError(f"{where} is {_shown(found)}; give {_NAMES.get(hint, 'a list')}")


_NAMES: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
}


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
