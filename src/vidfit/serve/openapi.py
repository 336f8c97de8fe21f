"""``/openapi.json``, made of the endpoints themselves (OpenAPI 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, cast, get_type_hints

from vidfit.documents import to_json
from vidfit.serve.endpoint import EVENT_STREAM, Endpoint, Nothing
from vidfit.serve.problems import MEDIA_TYPE, ProblemDetails
from vidfit.serve.wire import schema_of

_REFUSALS = (400, 401, 403, 404, 415, 421, 422)
"""That every endpoint may answer."""

_RAW: Mapping[str, object] = {"schema": {"type": "string", "format": "binary"}}
_IN_JSON: Mapping[str, object] = {"schema": {}}
"""Of a file in JSON, whose form another program has set."""


def described(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the description of all endpoints as JSON."""
    known: dict[str, object] = {}
    paths: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, known)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "vidfit", "version": version("vidfit")},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(known.items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }
    return to_json(document, ascii_only=False).encode()


def _operation(endpoint: Endpoint, known: dict[str, object]) -> dict[str, object]:
    problem = {MEDIA_TYPE: {"schema": schema_of(ProblemDetails, known)}}
    refusals = sorted({*_REFUSALS, *(code for code in endpoint.refusals if code >= 400)})
    answers: dict[str, object] = {
        str(endpoint.status): _answer(endpoint, known),
        **{
            str(code): {"description": HTTPStatus(code).phrase}
            for code in endpoint.refusals
            if code < 400
        },
        **{
            str(code): {"description": HTTPStatus(code).phrase, "content": problem}
            for code in refusals
        },
    }
    subject = endpoint.answer.__module__.rpartition(".")[2]
    found: dict[str, object] = {
        "summary": endpoint.summary,
        "operationId": f"{subject}_{endpoint.answer.__name__}",
        "parameters": [
            *_in_path(endpoint.path),
            *_in_query(endpoint.query, known),
            *(
                {"name": name, "in": "header", "schema": {"type": "string"}}
                for name in endpoint.headers
            ),
        ],
        "responses": answers,
    }
    if isinstance(endpoint.takes, str):
        found["requestBody"] = {"content": {endpoint.takes: _RAW}}
    elif endpoint.takes:
        schema = {"schema": schema_of(endpoint.takes, known)}
        found["requestBody"] = {"required": True, "content": {"application/json": schema}}
    if endpoint.is_open:
        found["security"] = []
    return found


def _answer(endpoint: Endpoint, known: dict[str, object]) -> dict[str, object]:
    said: dict[str, object] = {"description": endpoint.summary}
    if endpoint.tells:
        return {**said, "content": {EVENT_STREAM: {"schema": _event(endpoint.tells, known)}}}
    if isinstance(endpoint.answers, tuple):
        content = {
            kind: _IN_JSON if kind == "application/json" else _RAW for kind in endpoint.answers
        }
        return {**said, "content": content}
    if endpoint.answers is Nothing:
        return said
    known_kind = is_dataclass(endpoint.answers)
    schema = schema_of(endpoint.answers, known) if known_kind else {"type": "object"}
    return {**said, "content": {"application/json": {"schema": schema}}}


def _event(kind: type, known: dict[str, object]) -> dict[str, object]:
    """Return the schema of an event of a stream: each has a number, but of those that say a state.

    Before OpenAPI 3.2, which has ``itemSchema``, the schema of a stream is read as that of one.
    """
    text = {"type": "string"}
    data = {**text, "contentMediaType": "application/json", "contentSchema": schema_of(kind, known)}
    return {"type": "object", "properties": {"id": text, "data": data}, "required": ["data"]}


def _in_path(path: str) -> list[dict[str, object]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _in_query(kind: type, known: dict[str, object]) -> list[dict[str, object]]:
    hints = get_type_hints(kind)
    whole = cast(dict[str, Any], known_schema(kind))
    return [
        {
            "name": field.name,
            "in": "query",
            "required": field.name in whole["required"],
            "schema": schema_of(hints[field.name], known),
        }
        for field in fields(cast(Any, kind))
    ]


def known_schema(kind: type) -> object:
    """Return the schema of a dataclass by itself."""
    known: dict[str, object] = {}
    schema_of(kind, known)
    return known[kind.__name__]
