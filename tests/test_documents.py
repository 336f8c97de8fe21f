"""JSON that every reader takes, and that is read back."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import pytest

from vidfit.documents import FieldRule, json_in, number_of, to_json, value_of


@dataclass(frozen=True)
class Limits:
    most: float
    least: float = 0.0


RULES = {(Limits, "most"): FieldRule(lambda x: x >= 0, "0 or more", infinite=True)}


def strict(text: str) -> object:
    return json.loads(text, parse_constant=pytest.fail)


def test_numbers_that_are_not_finite_become_what_json_knows():
    values = {"a": math.nan, "b": [math.inf, (-math.inf,)], "c": 1.5, "d": "NaN"}
    expected = {"a": None, "b": ["Infinity", ["-Infinity"]], "c": 1.5, "d": "NaN"}
    assert strict(to_json(values, indent=1)) == expected


@pytest.mark.parametrize("value", [math.inf, -math.inf, 2.5])
def test_a_number_is_read_back(value):
    assert number_of(strict(to_json(value))) == value
    assert number_of(json.loads(json.dumps(value))) == value  # as files of before hold it


def test_each_object_becomes_something_else_while_it_is_read():
    rows = '{"rows": [{"place": {"x": 1}}, {"place": {"x": 2}}]}'
    found = json_in(rows, lambda one: one.get("x", one))
    assert found == {"rows": [{"place": 1}, {"place": 2}]}
    with pytest.raises(KeyError):
        json_in(rows, lambda one: one["nowhere"])


def test_what_was_not_measured_is_read_back():
    assert math.isnan(number_of(strict(to_json(math.nan))))
    with pytest.raises(ValueError, match="could not convert"):
        number_of("much")


@pytest.mark.parametrize("text", ['{"most": "Infinity"}', '{"most": Infinity}'])
def test_a_field_that_may_be_infinite_is_read_as_it_is_written_now_and_was_before(text):
    assert value_of(Limits, json_in(text), RULES) == Limits(math.inf)
    with pytest.raises(ValueError, match=r"least is .*Infinity.*; give a number"):
        value_of(Limits, json_in(text.replace("}", ', "least": "Infinity"}')), RULES)


def test_json_without_end_is_said_in_our_words():
    with pytest.raises(ValueError, match=r"^it is nested too deep$"):
        json_in("[" * 200_000)
