"""Text and files of ELAN; XML that is a trap."""

from __future__ import annotations

import pytest
from tests.manifest.spans.examples import (
    EAF,
    TEXT,
    said,
    why,
)

from vidfit.errors import ManifestError
from vidfit.manifest.spans import (
    parse_eaf,
    parse_elan_text,
)
from vidfit.manifest.spans.elan import is_elan_text


def test_text_of_elan_gives_tiers_and_values():
    assert is_elan_text(TEXT.splitlines()[:2]) and not is_elan_text(["a.mp4\t0\t2\twalk"])
    rows = parse_elan_text(TEXT, "a.txt")
    assert said(rows) == [("a", "walk", 1.5, 4.0), ("a", "acts", 5.0, 6.0)]
    assert list(why(rows)) == ["a.txt, line 3"]
    head = "Tier\tBegin Time - msec\tEnd Time - msec\tValue\n"
    assert said(parse_elan_text(f"{head}acts\t1500\t4000\twalk\n", "a.txt")) == said(rows)[:1]


def test_files_of_elan_are_read():
    rows = parse_eaf(EAF.encode(), "a.eaf")
    assert said(rows) == [("./a.mp4", "walk & talk", 1.5, 4.0)]
    assert why(rows) == {
        "a.eaf, line 9": "an annotation of the tier 'acts' has no times of its own"
    }
    assert "1 annotations of a.eaf hang on others" in rows.warnings[0]


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
FOREIGN = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><ANNOTATION_DOCUMENT>&a;</a>'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (BOMB, "has a document type"),
        (FOREIGN, "has a document type"),
        ("<html></html>", "is XML of 'html'"),
        ("<ANNOTATION_DOCUMENT>\n<TIER>", "a.eaf, line 2: it is no sound XML"),
        ("", "it is no sound XML"),
    ],
)
def test_xml_that_is_not_of_elan_is_refused(text, complaint):
    with pytest.raises(ManifestError, match=complaint):
        parse_eaf(text.encode(), "a.eaf")
