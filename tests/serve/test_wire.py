"""Values on the wire: what is sent, what is taken, and what is told of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from vidfit.documents import FieldRule, json_in
from vidfit.serve.problems import ProblemError
from vidfit.serve.wire import body_of, json_of, query_of, schema_of


@dataclass(frozen=True)
class Inner:
    """What lies within."""

    name: str


@dataclass(frozen=True)
class Outer:
    """What is sent."""

    many: tuple[Inner, ...]
    number: float | None = None
    count: int = 0
    on: bool = False
    kind: Literal["a", "b"] = "a"


RULES = {(Outer, "count"): FieldRule(lambda n: n < 10, "less than 10")}


def test_values_go_out_and_come_back():
    value = Outer((Inner("ä"), Inner("\u202e")), 0.5, 3, True, "b")
    assert body_of(Outer, json_of(value), RULES) == value
    assert json_in(json_of(Outer(())))["many"] == []


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"{", 400, "no JSON"), (b"[" * 100_000, 400, "nested too deep"),
        (b"{}", 422, "lacks the field 'many'"), (b'{"many": 1}', 422, "give a list"),
        (b'{"many": [], "count": 11}', 422, "less than 10"),
        (b'{"many": [], "on": 1}', 422, "true or false"),
        (b'{"many": [], "evil": 1}', 422, "no field 'evil'"),
        (b'{"many": [], "number": NaN}', 422, "give a number"),
    ],
)  # fmt: skip
def test_a_body_that_is_not_right_is_refused(body, status, why):
    with pytest.raises(ProblemError, match=why) as refused:
        body_of(Outer, body, RULES)
    assert refused.value.status == status


@dataclass(frozen=True)
class Query:
    """What a query says."""

    name: str
    count: int = 1
    share: float = 0.0
    on: bool = False


def test_parameters_have_the_types_of_their_fields():
    said = [("name", "12"), ("count", "3"), ("share", "0.5"), ("on", "true")]
    assert query_of(Query, said, {}) == Query("12", 3, 0.5, True)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([], "lacks the field 'name'"), ([("name", "a"), ("name", "b")], "given twice"),
        ([("name", "a"), ("count", "x")], "give a whole number"),
        ([("name", "a"), ("on", "yes")], "give true or false"),
        ([("name", "a"), ("more", "1")], "no field 'more'"),
    ],
)  # fmt: skip
def test_a_query_that_is_not_right_is_refused(said, why):
    with pytest.raises(ProblemError, match=why):
        query_of(Query, said, {})


def test_types_are_told_as_json_schema():
    known: dict[str, object] = {}
    assert schema_of(Outer, known) == {"$ref": "#/components/schemas/Outer"}
    assert known["Outer"] == {
        "type": "object",
        "description": "What is sent.",
        "properties": {
            "many": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
            "number": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "count": {"type": "integer"},
            "on": {"type": "boolean"},
            "kind": {"type": "string", "enum": ["a", "b"]},
        },
        "required": ["many"],
        "additionalProperties": False,
    }


def test_half_a_letter_is_no_text():
    with pytest.raises(ProblemError, match="surrogate") as refused:
        body_of(Inner, b'{"name": "\\ud800"}', {})
    assert refused.value.status == 400
    assert body_of(Inner, b'{"name": "\\ud83d\\ude00"}', {}) == Inner("😀")
    assert json_of(Inner("a\udcff.mp4")) == b'{"name": "a?.mp4"}'
