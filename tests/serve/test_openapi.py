"""``/openapi.json`` is true: what is answered is what it says."""

from __future__ import annotations

import re

import pytest

from vidfit.serve.app import ENDPOINTS

TYPES = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None),
    "array": list, "object": dict,
}  # fmt: skip


def faults(found, schema, document, where="it") -> list[str]:
    """Return where a value is not as a schema says; of JSON Schema what is used here."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        each = [faults(found, one, document, where) for one in schema["anyOf"]]
        return [] if [] in each else each[0]
    kind = schema.get("type")
    if kind and (
        not isinstance(found, TYPES[kind]) or (isinstance(found, bool) and kind[0] in "in")
    ):
        return [f"{where} is {found!r}, no {kind}"]
    wrong = [] if found in schema.get("enum", [found]) else [f"{where} is {found!r}"]
    if kind == "array" and "items" in schema and schema["items"]:
        wrong += [
            f
            for i, x in enumerate(found)
            for f in faults(x, schema["items"], document, f"{where}[{i}]")
        ]
    if kind == "object" and "properties" in schema:
        properties = schema["properties"]
        wrong += [f"{where} lacks {name}" for name in properties if name not in found]
        wrong += [f"{where} has {name}" for name in found if name not in properties]
        wrong += [f for name, x in found.items() if name in properties
                  for f in faults(x, properties[name], document, f"{where}.{name}")]  # fmt: skip
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        inner = schema["additionalProperties"]
        wrong += [f for n, x in found.items() for f in faults(x, inner, document, f"{where}.{n}")]
    return wrong


@pytest.fixture
def document(served) -> dict:
    return served.page.get("/openapi.json").json()


def test_it_names_every_endpoint_and_its_ids(document):
    assert document["openapi"].startswith("3.1")
    named = {(m.upper(), path) for path, of in document["paths"].items() for m in of}
    assert named == {(one.method, one.path) for one in ENDPOINTS}
    for path, of in document["paths"].items():
        for operation in of.values():
            inside = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert inside == set(re.findall(r"{(\w+)}", path))
    names = [
        operation["operationId"] for of in document["paths"].values() for operation in of.values()
    ]
    assert len(set(names)) == len(names)


def test_references_lead_somewhere(document):
    text = str(document)
    names = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert names == set(document["components"]["schemas"])


def test_answers_are_as_it_says(served, document):
    ids = {"library": served.library("run"), "clip": served.ids()["left/left0.mp4"],
           "document": "report"}  # fmt: skip
    checked = 0
    for path, of in document["paths"].items():
        operation = of.get("get")
        needed = set(re.findall(r"{(\w+)}", path))
        if (
            not operation
            or not needed <= set(ids)
            or any(p.get("required") and p["in"] == "query" for p in operation["parameters"])
        ):
            continue
        response = served.when_ready(path.format(**ids))
        assert str(response.status_code) in operation["responses"], path
        content = operation["responses"][str(response.status_code)].get("content", {})
        if response.headers["content-type"] == "application/json":
            schema = content["application/json"]["schema"]
            assert faults(response.json(), schema, document, path) == []
            checked += 1
    assert checked >= 8


def test_refusals_are_as_it_says(served, document):
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    for path in ("/v1/clips/none", "/v1/libraries/none/clips"):
        response = served.page.get(path)
        operation = document["paths"]["/v1/clips/{clip}"]["get"]
        assert "application/problem+json" in operation["responses"]["404"]["content"]
        assert faults(response.json(), schema, document) == []


def test_what_differs_is_found():
    assert faults({"a": 1}, {"type": "object", "properties": {"a": {"type": "string"}}}, {})
    assert faults({}, {"type": "object", "properties": {"a": {"type": "string"}}}, {})


def test_what_writes_answer_is_as_it_says(served, document):
    library, clip = served.library("run"), served.ids()["left/left0.mp4"]
    label = {"library": library, "clips": [clip], "label": "a"}
    span = {"start_seconds": 0.1, "end_seconds": 0.2, "label": "a"}
    asked = [
        ("/v1/labels", "/v1/labels", label),
        ("/v1/labels/undo", "/v1/labels/undo", {"library": library}),
        ("/v1/queue", "/v1/queue", {"library": library}),
        ("/v1/previews", "/v1/previews", {"clips": [clip]}),
        ("/v1/clips/{clip}/spans", f"/v1/clips/{clip}/spans", span),
        ("/v1/assets", "/v1/assets", {"name": "a.mp4", "size_bytes": 5}),
        ("/v1/jobs", "/v1/jobs", {"command": "select", "library": library,
                                  "options": {"backbone": ["none"]}}),
    ]  # fmt: skip
    for path, address, body in asked:
        operation = document["paths"][path]["post"]
        response = served.page.post(address, json=body)
        assert str(response.status_code) in operation["responses"], (path, response.text)
        said = operation["responses"][str(response.status_code)]["content"]["application/json"]
        assert faults(response.json(), said["schema"], document, path) == []
        sent = operation["requestBody"]["content"]["application/json"]["schema"]
        wrong = faults(body, sent, document, path)
        assert [fault for fault in wrong if " lacks " not in fault] == []  # what has a default
