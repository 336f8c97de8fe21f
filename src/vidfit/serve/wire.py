"""Values as JSON on the wire, what a request says as values, and both as JSON Schema.

A dataclass is all three: what is written in it, what must be in it, and what is told of it.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from vidfit.documents import Rules, from_json, to_json, value_of
from vidfit.serve.problems import ProblemError

Value = TypeVar("Value")

MOST_BODY_BYTES = 2**20
"""Of a request in JSON: 10,000 clips that get a label at once have 250 kB."""


def json_of(value: object) -> bytes:
    """Return a value of frozen dataclasses as JSON; of names that are no Unicode, ``?``."""
    return to_json(plain(value), ascii_only=False).encode("utf-8", "replace")


def plain(value: object) -> object:
    """Return a value made of what JSON has; long tuples of numbers and texts stay as they are."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        if value and (is_dataclass(value[0]) or isinstance(value[0], tuple | list | dict)):
            return [plain(item) for item in value]
        return value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def body_of(kind: type[Value], content: bytes, rules: Rules) -> Value:
    """Return what the body of a request says.

    Raises
    ------
    ProblemError
        422 where it lacks a field, or has one that is not valid; 400 where it is no JSON.
    """
    try:
        found = from_json(content or b"{}")
    except ValueError as error:
        raise ProblemError(400, f"the body is no JSON: {error}") from error
    if not _is_unicode(found):
        raise ProblemError(400, "the body holds half of a surrogate pair, which is no letter")
    try:
        return value_of(kind, found, rules, "the body")
    except ValueError as error:
        raise ProblemError(422, str(error)) from error


def _is_unicode(found: object) -> bool:
    r"""Return whether all texts are Unicode: ``"\ud800"`` is JSON, but no file can hold it."""
    try:
        to_json(found, ascii_only=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def query_of(kind: type[Value], found: Sequence[tuple[str, str]], rules: Rules) -> Value:
    """Return what the query of a request says.

    Raises
    ------
    ProblemError
        422 where a parameter is not known, is given twice, or is not valid.
    """
    hints = get_type_hints(kind)
    said: dict[str, object] = {}
    for name, text in found:
        if name in said:
            raise ProblemError(422, f"the parameter {name!r} is given twice; give it once")
        said[name] = _typed(hints.get(name, str), text)
    try:
        return value_of(kind, said, rules, "the query")
    except ValueError as error:
        raise ProblemError(422, str(error)) from error


def _typed(hint: object, text: str) -> object:
    """Return the text of a parameter as its type has it, or as it is where it is none of it."""
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)]
    try:
        if int in kinds:
            return int(text)
        return float(text) if float in kinds else {"true": True, "false": False}[text]
    except (ValueError, KeyError):
        return text


# ---------------------------------------------------------------- JSON Schema


def schema_of(hint: object, known: dict[str, object]) -> Mapping[str, object]:
    """Return the JSON Schema (2020-12) of a type; those of dataclasses are put into ``known``."""
    origin, of = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return _schema_of_class(cast(type, hint), known)
    if origin in (types.UnionType, Union):
        return {"anyOf": [schema_of(kind, known) for kind in of]}
    if origin is Literal:
        return {"type": "string", "enum": [*of]}
    if origin in (tuple, list):
        if of and of[-1] is not ... and origin is tuple:
            items = [schema_of(kind, known) for kind in of]
            return {"type": "array", "prefixItems": items, "minItems": len(of), "items": False}
        return {"type": "array", "items": schema_of(of[0], known)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(of[1], known)}
    return {} if hint is Any else {"type": _TYPES[hint]}


def _schema_of_class(kind: type, known: dict[str, object]) -> Mapping[str, object]:
    reference = {"$ref": f"#/components/schemas/{kind.__name__}"}
    if kind.__name__ in known:
        return reference
    known[kind.__name__] = {}  # of what holds itself
    hints = get_type_hints(kind)
    needed = [
        field.name
        for field in fields(cast(Any, kind))
        if field.default is MISSING and field.default_factory is MISSING
    ]
    known[kind.__name__] = {
        "type": "object",
        "description": (kind.__doc__ or "").strip().splitlines()[0],
        "properties": {name: schema_of(hint, known) for name, hint in hints.items()},
        "required": needed,
        "additionalProperties": False,
    }
    return reference


_TYPES: dict[object, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"
}  # fmt: skip
