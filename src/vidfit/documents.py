"""JSON as frozen values: whoever wrote it, each field has the type and the range that it must.

What does not raises ValueError, which says where, what was found, and what is valid; readers put
the file's name before it, in an error of their own kind.
"""

from __future__ import annotations

import difflib
import json
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

LARGEST_BYTES = 64 * 2**20
"""Of a JSON file; a model of 10,000 classes has one of 1 MB."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a field must be beside its type: ``holds`` of it, in ``words``.

    Numbers are finite; ``infinite`` allows positive infinity, too.
    """

    holds: Callable[[Any], bool]
    words: str
    infinite: bool = False


Each = Callable[[dict[str, Any]], Any]

Rules = Mapping[tuple[type, str], FieldRule]
"""Dataclass and name of a field -> its rule."""


def within(least: float, most: float) -> FieldRule:
    """Return the rule of numbers in a closed interval."""
    return FieldRule(lambda x: least <= x <= most, f"{least:,} to {most:,}")


def read_json(path: Path, each: Each | None = None) -> Any:  # noqa: ANN401
    """Return what a JSON file holds; ``each`` as in `json_in`.

    Raises
    ------
    ValueError
        If it is no JSON, nested too deep, or larger than `LARGEST_BYTES`.
    OSError
        If it cannot be read.
    """
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(f"{path.name} has {size:,} bytes; at most {LARGEST_BYTES:,} are read")
    return json_in(path.read_bytes().decode("utf-8"), each)


def from_json(content: bytes) -> Any:  # noqa: ANN401
    """Return what JSON in UTF-8 holds; see `read_json`."""
    return json_in(content.decode("utf-8"))


def json_in(text: str | bytes, each: Each | None = None) -> Any:  # noqa: ANN401
    """Return what JSON holds, whoever wrote it.

    Parameters
    ----------
    each
        Takes each object when it was read, the inner ones first, and returns what stands in its
        place: of 100,000 rows as dictionaries no more than one is in memory at a time.

    Raises
    ------
    ValueError
        If it is no JSON (``json.JSONDecodeError``), or nested too deep.
    """
    try:
        return json.loads(text, object_hook=each)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def to_json(
    value: object, *, indent: int | None = None, sort_keys: bool = False, ascii_only: bool = True
) -> str:
    """Return a value as JSON that every reader takes.

    JSON knows no number that is not finite: NaN, which is what was not measured, is ``null``, and
    the infinities are the texts ``"Infinity"`` and ``"-Infinity"``; `number_of` reads them back.
    """
    form: dict[str, Any] = {
        "indent": indent,
        "sort_keys": sort_keys,
        "ensure_ascii": ascii_only,
        "allow_nan": False,
    }
    try:
        return json.dumps(value, **form)
    except ValueError:
        return json.dumps(_finite(value), **form)


def _finite(value: object) -> object:
    """Return a value without numbers that are not finite, see `to_json`."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else _INFINITE[value > 0]


_INFINITE = ("-Infinity", "Infinity")


def number_of(found: float | str | None) -> float:
    """Return a number that `to_json` wrote.

    Raises
    ------
    ValueError
        If it is none.
    """
    return math.nan if found is None else float(found)


def value_of(kind: type[Value], found: object, rules: Rules, where: str = "it") -> Value:
    """Return a value of a dataclass, and of those within it, from what JSON holds.

    Parameters
    ----------
    where
        Name of the whole, which stands before the field in messages.

    Raises
    ------
    ValueError
        Names the field, what it holds, and what it may.
    """
    if not isinstance(found, Mapping):
        raise ValueError(f"{where} is {shown(found)}; give an object of its fields")
    known = {field.name: field for field in fields(cast(Any, kind))}
    for name in found:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise ValueError(f"{where} has no field {name!r}{hint} Valid are {', '.join(known)}.")
    for name, field in known.items():
        if name not in found and field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{where} lacks the field {name!r}")
    hints = get_type_hints(kind)
    values = {}
    for name, value in found.items():
        place = f"{where}: {name}" if ":" not in where else f"{where}.{name}"
        rule = rules.get((kind, name))
        values[name] = _value(hints[name], value, place, (rules, bool(rule and rule.infinite)))
        if rule and values[name] is not None and not rule.holds(values[name]):
            raise ValueError(f"{place} is {shown(value)}; give {rule.words}")
    return kind(**values)


def shown(value: object) -> str:
    """Return a value as JSON, cut where it is long."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _value(hint: Any, found: object, where: str, held: tuple[Rules, bool]) -> object:  # noqa: ANN401
    """Return what a type hint asks for, or say what it asks for."""
    origin, of = get_origin(hint), get_args(hint)
    if hint is Any:
        return found
    if is_dataclass(hint):
        return value_of(cast(type, hint), found, held[0], where)
    if origin in (types.UnionType, Union) and type(None) in of:
        (one,) = (kind for kind in of if kind is not type(None))
        return None if found is None else _value(one, found, where, held)
    if origin is Literal:
        if isinstance(found, str) and found in of:
            return found
        raise ValueError(f"{where} is {shown(found)}; valid are {', '.join(map(repr, of))}")
    if origin is tuple and isinstance(found, list):
        kinds = (of[0],) * len(found) if of[-1] is ... else of
        if len(kinds) == len(found):
            pairs = zip(kinds, found, strict=True)
            return tuple(_value(k, v, f"{where}[{i}]", held) for i, (k, v) in enumerate(pairs))
    if origin is dict and isinstance(found, dict):
        return {str(key): _value(of[1], v, f"{where}.{key}", held) for key, v in found.items()}
    plain = _plain(hint, found, infinite=held[1])
    if plain is None:
        raise ValueError(f"{where} is {shown(found)}; give {_NAMES.get(hint, 'a list')}")
    return plain


def _plain(hint: object, found: object, *, infinite: bool) -> object:
    """Return a number, text or truth of a type; ``None`` where it is of another."""
    if hint is float and infinite and found == _INFINITE[1]:
        return math.inf
    if hint is float and type(found) in (int, float):
        try:
            number = float(cast(float, found))
        except OverflowError:  # a whole number of 400 digits
            return None
        return number if math.isfinite(number) or (infinite and number == math.inf) else None
    return found if hint in (int, str, bool) and type(found) is hint else None


_NAMES: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
}
