"""Frozen values as Arrow rows, and back: what travels between processes is typed, never pickled.

A dataclass becomes a struct with a column for each field: text, numbers, truth values, paths,
what may be absent, tuples (lists), dictionaries with text keys (maps) and further dataclasses.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import pyarrow as pa

Item = TypeVar("Item")
Row = TypeVar("Row")

_PLAIN: dict[object, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
}
_OPTIONAL = (types.UnionType, Union)


def schema(kind: type) -> pa.Schema:
    """Return the columns of a dataclass.

    Raises
    ------
    TypeError
        If a field has a type that no column can hold.
    """
    return pa.schema(
        [pa.field(name, _column(hint)) for name, hint in _fields(cast(Any, kind)).items()]
    )


def to_batch(kind: type[Row], rows: Sequence[Row]) -> pa.RecordBatch:
    """Return values as a batch, in their order."""
    return pa.RecordBatch.from_pylist([_plain(row) for row in rows], schema(kind))


def from_batch(kind: type[Row], batch: pa.RecordBatch) -> list[Row]:
    """Return the values of a batch."""
    return [cast(Row, _value(kind, row)) for row in batch.to_pylist()]


@lru_cache
def _fields(kind: Hashable) -> dict[str, Any]:
    hints = get_type_hints(cast(type, kind))
    return {f.name: hints[f.name] for f in dataclasses.fields(cast(Any, kind))}


def _column(hint: Any) -> pa.DataType:  # noqa: ANN401  (a type hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if dataclasses.is_dataclass(hint):
        return pa.struct(list(schema(cast(type, hint))))
    args = [arg for arg in get_args(hint) if arg not in (type(None), Ellipsis)]
    origin = get_origin(hint)
    if origin in _OPTIONAL and len(args) == 1:
        return _column(args[0])
    if origin is tuple and len(set(args)) == 1:
        return pa.list_(_column(args[0]))
    if origin is dict and args[0] is str:
        return pa.map_(pa.string(), _column(args[1]))
    if origin is Literal:
        return pa.string()
    raise TypeError(f"no column holds {hint}; give text, numbers, tuples, maps or dataclasses")


def _plain(value: object) -> object:
    """Return a value as Arrow takes it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return [(key, _plain(one)) for key, one in value.items()]
    return value


def _value(hint: Any, found: Any) -> object:  # noqa: ANN401  (as the hint says)
    """Return what Arrow gave as the type says."""
    if found is None:
        return None
    if dataclasses.is_dataclass(hint):
        fields = _fields(cast(Any, hint))
        return cast(Any, hint)(**{name: _value(of, found[name]) for name, of in fields.items()})
    args = [arg for arg in get_args(hint) if arg not in (type(None), Ellipsis)]
    origin = get_origin(hint)
    if origin is tuple:
        return tuple(_value(args[0], one) for one in found)
    if origin is dict:
        return {key: _value(args[1], one) for key, one in found}
    if origin in _OPTIONAL:
        return _value(args[0], found)
    return found


def runs(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield items in lists of ``size``, the last one shorter."""
    source = iter(items)
    while some := list(islice(source, size)):
        yield some
