"""JSON of ActivityNet, and what is none."""

from __future__ import annotations

import json

import pytest
from tests.manifest.spans.examples import (
    DATABASE,
    said,
    why,
)

from vidfit.errors import ManifestError
from vidfit.manifest.spans import (
    parse_activitynet,
)


def test_activitynet_gives_spans_and_splits():
    rows = parse_activitynet(json.dumps({"database": DATABASE}, indent=1), "x.json")
    assert said(rows) == [("abc", "walk", 1.5, 4.0), ("def", "sit", 0.0, 2.0)]
    assert [clip.split for clip in rows.clips] == ["train", "val"]
    reasons = [failure.reason for failure in rows.rejected]
    assert len(reasons) == 5 and "ends at 3 s, not after its start" in reasons[0]
    assert "annotation 3 of 'def' is no segment" in reasons[1]
    lines = json.dumps({"database": DATABASE}, indent=1).splitlines()
    at = next(i for i, line in enumerate(lines, 1) if '"jkl"' in line)
    assert why(rows)[f"x.json, line {at}"] == "'jkl' has no list 'annotations'"
    assert "1 video of x.json without annotations: left out" in rows.warnings[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"database":\n {,}', "x.json, line 2: it is no JSON"),
        ("[]", "without a 'database'"),
        ('{"database": 3}', "without a 'database'"),
        ('{"videos": {}}', "without a 'database'"),
    ],
)
def test_json_that_is_not_activitynet_is_refused(text, complaint):
    with pytest.raises(ManifestError, match=complaint):
        parse_activitynet(text, "x.json")


def test_times_that_are_no_numbers_are_rejected():
    spans = [{"segment": [0, end], "label": "a"} for end in (float("nan"), float("inf"))]
    text = json.dumps({"database": {"v": {"annotations": spans}}})
    rows = parse_activitynet(text, "x.json")
    assert not rows.clips and len(rows.rejected) == 2
