"""Text and files of ELAN; XML that is a trap."""

from __future__ import annotations

import pytest
from tests.manifest.spans.examples import (
    BY_FILE,
    EAF,
    SOUND_FIRST,
    TEXT,
    TIERS_AS_COLUMNS,
    WITH_MEDIA,
    said,
    unread,
    why,
)

from vidfit.errors import ManifestError
from vidfit.manifest.spans import (
    parse_eaf,
    parse_elan_text,
)
from vidfit.manifest.spans.elan_text import is_elan_text


def test_text_of_elan_gives_tiers_and_values():
    assert is_elan_text(TEXT.splitlines()[:2]) and not is_elan_text(["a.mp4\t0\t2\twalk"])
    rows = parse_elan_text(TEXT, "a.txt")
    assert said(rows) == [("a", "walk", 1.5, 4.0), ("a", "acts", 5.0, 6.0)]
    assert list(why(rows)) == ["a.txt, line 3"] and unread(rows) == [("a", 0.0, None)]
    head = "Tier\tBegin Time - msec\tEnd Time - msec\tValue\n"
    assert said(parse_elan_text(f"{head}acts\t1500\t4000\twalk\n", "a.txt")) == said(rows)[:1]


def test_each_tier_may_have_a_column_under_a_header_of_any_language():
    assert is_elan_text(TIERS_AS_COLUMNS.splitlines())
    expected = [("a", "lie", 1.5, 4.0), ("a", "lie", 2.0, 3.0), ("a", "3", 2.0, 3.0)]
    rows = parse_elan_text(TIERS_AS_COLUMNS, "a.txt")
    assert said(rows) == expected
    assert why(rows) == {"a.txt, line 4": "it has no label"}
    assert unread(rows) == [("a", 5.0, 6.0)]
    assert "the tiers posture, count" in rows.warnings[0]
    commas = TIERS_AS_COLUMNS.replace("\t", ",")
    assert is_elan_text(commas.splitlines()) and said(parse_elan_text(commas, "a.csv")) == expected
    bare = TIERS_AS_COLUMNS.partition("\n")[2].splitlines()[0]
    assert said(parse_elan_text(bare, "a.txt"))[0] == expected[0]


def test_text_of_elan_may_name_its_media_or_its_files():
    assert is_elan_text(WITH_MEDIA.splitlines()) and is_elan_text(BY_FILE.splitlines())
    rows = parse_elan_text(WITH_MEDIA, "a.txt")
    assert said(rows) == [("file:///C:/x/cows.mp4", "lie", 1.5, 4.0)] and not rows.warnings
    rows = parse_elan_text(WITH_MEDIA.replace("offset: 0", "offset: 500"), "a.txt")
    assert "is shifted by 0.5 s" in rows.warnings[0]
    assert said(parse_elan_text(BY_FILE, "all.txt")) == [
        ("day1", "lie", 1.5, 4.0),
        ("day2", "stand", 5.0, 6.0),
    ]


def test_an_annotation_without_times_lies_between_those_beside_it():
    slots = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="t{at}"{value and f" TIME_VALUE={value!r}"}/>'
        for at, value in enumerate(("1000", "", "", "4000", ""))
    )
    pairs = ((0, 1), (1, 2), (2, 3), (3, 4))
    spans = "".join(
        f'<ALIGNABLE_ANNOTATION TIME_SLOT_REF1="t{a}" TIME_SLOT_REF2="t{b}"/>' for a, b in pairs
    )
    document = f"<TIME_ORDER>{slots}</TIME_ORDER><TIER TIER_ID='acts'>{spans}</TIER>"
    text = f"<ANNOTATION_DOCUMENT>{document}</ANNOTATION_DOCUMENT>"
    rows = parse_eaf(text.encode(), "a.eaf")
    assert not rows.clips and unread(rows) == [("a", 1.0, 4.0)] * 3 + [("a", 4.0, None)]


def test_times_of_a_file_of_elan_are_those_of_its_video():
    assert said(parse_eaf(SOUND_FIRST.encode(), "a.eaf")) == [
        ("../my a.mp4", "walk & talk", 2.0, 4.5)
    ]
    early = EAF.replace('"1500"', '"-1500"')
    assert said(parse_eaf(early.encode(), "a.eaf")) == [("./a.mp4", "walk & talk", 0.0, 4.0)]
    with pytest.raises(ManifestError, match="counts time in PAL-frames"):
        parse_eaf(SOUND_FIRST.replace('"milliseconds"', '"PAL-frames"').encode(), "a.eaf")


def test_files_of_elan_are_read():
    rows = parse_eaf(EAF.encode(), "a.eaf")
    assert said(rows) == [("./a.mp4", "walk & talk", 1.5, 4.0)]
    assert why(rows) == {
        "a.eaf, line 9": "an annotation of the tier 'acts' has no times of its own"
    }
    assert "hang on others, without times: 1 annotation of a.eaf." in rows.warnings[0]


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
