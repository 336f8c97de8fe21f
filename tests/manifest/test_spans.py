"""Lists of spans that other tools write, and what they say wrongly."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.clips import write_clip

from vidfit.errors import ManifestError
from vidfit.manifest import read_manifest
from vidfit.manifest.spans import (
    parse_activitynet,
    parse_ava,
    parse_boris,
    parse_eaf,
    parse_elan_text,
    parse_frames,
)
from vidfit.manifest.spans.ava import action_names, is_ava
from vidfit.manifest.spans.boris import is_boris
from vidfit.manifest.spans.elan import is_elan_text
from vidfit.video.policy import Policy, enforced


def said(rows):
    return [(c.path, c.label, c.start_seconds, c.end_seconds) for c in rows.clips]


def why(rows):
    return {failure.name: failure.reason for failure in rows.rejected}


# ---------------------------------------------------------------- ActivityNet

DATABASE = {
    "abc": {"subset": "training", "annotations": [{"segment": [1.5, 4], "label": "walk"}]},
    "def": {"subset": "validation", "annotations": [
        {"segment": [0, 2], "label": "sit"}, {"segment": [5, 3], "label": "sit"},
        {"segment": [1], "label": "sit"}, {"label": "sit"}, {"segment": [-1, 2], "label": "sit"},
    ]},
    "ghi": {"subset": "testing", "annotations": []},
    "jkl": {"subset": "testing"},
}  # fmt: skip


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
    assert "1 videos of x.json have no annotations" in rows.warnings[0]


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


# ---------------------------------------------------------------- AVA

BOX = "0.1,0.2,0.9,1.0"


def test_ava_gives_seconds_that_follow_one_another_as_a_span():
    lines = [f"vid,0902,{BOX},12,0", f"vid,0903,{BOX},12,0", f"vid,0903,{BOX},12,1",
             f"vid,0905,{BOX},12,0", f"vid,0903,{BOX},80,0"]  # fmt: skip
    names = action_names('item {\n name: "stand"\n id: 12\n}\nitem { name: "watch" label_id: 80 }')
    rows = parse_ava("\n".join(lines), "ava.csv", names)
    assert said(rows) == [
        ("vid", "stand", 901.5, 903.5),
        ("vid", "stand", 904.5, 905.5),
        ("vid", "watch", 902.5, 903.5),
    ]
    assert [clip.label for clip in parse_ava(lines[0], "ava.csv").clips] == ["12"]
    assert "Boxes and persons" in rows.warnings[0]


def test_a_row_that_is_not_of_ava_is_named():
    rows = parse_ava(f"vid,0902,{BOX},12,0\nvid,0903,{BOX},\nvid,x,{BOX},1,1", "ava.csv")
    assert list(why(rows)) == ["ava.csv, line 2", "ava.csv, line 3"]
    assert not is_ava("a.mp4,0,2,walk") and not is_ava("path,label,start,end")


# ---------------------------------------------------------------- BORIS

EVENTS = """Observation id,Media file name,Subject,Behavior,Behavior type,Modifiers,Time
o1,a.mp4,cat,walk,START,None,1.5
o1,a.mp4,cat,meow,POINT,None,2
o1,a.mp4,dog,walk,START,fast,2
o1,a.mp4,cat,walk,STOP,None,4
o1,a.mp4,dog,walk,STOP,fast,5
o1,a.mp4,cat,sit,STOP,None,6
o1,a.mp4,cat,sit,START,None,7
o1,,cat,sit,START,None,7
o1,a.mp4,cat
"""
OLD = """Observation id\to1

Media file(s)\tx

Time\tMedia file path\tTotal length\tSubject\tBehavior\tComment\tStatus
1.5\tC:\\films\\a.mp4\t9\t\twalk\t\tSTART
4.0\tC:\\films\\a.mp4\t9\t\twalk\t\tSTOP
"""
AGGREGATED = """Observation id;Media file;Subject;Behavior;Behavior type;Start (s);Stop (s)
o1;player #1: a.mp4;cat;walk;STATE;1,5;4
o1;a.mp4;cat;meow;POINT;2;2
o1;a.mp4;cat;sit;STATE;00:00:05.5;x
o1;a.mp4;b.mp4;cat;sit;STATE;5;5
"""


def test_events_of_boris_are_paired_by_subject_and_behavior():
    assert is_boris(EVENTS.splitlines()) and is_boris(OLD.splitlines())
    rows = parse_boris(EVENTS, "e.csv")
    assert said(rows) == [("a.mp4", "walk", 1.5, 4.0), ("a.mp4", "walk", 2.0, 5.0)]
    reasons = why(rows)
    assert "'meow' is a point in time" in reasons["e.csv, line 3"]
    assert "fits no other row" in reasons["e.csv, line 7"]
    assert reasons["e.csv, line 8"] == "'sit' has a START and no STOP"
    assert "names no video" in reasons["e.csv, line 9"]
    assert reasons["e.csv, line 10"] == "has 3 columns, 7 expected"
    assert rows.warnings == ["Modifiers of e.csv are not used."]
    assert said(parse_boris(OLD, "e.tsv")) == [(r"C:\films\a.mp4", "walk", 1.5, 4.0)]


def test_aggregated_events_of_boris_are_spans():
    rows = parse_boris(AGGREGATED, "a.csv")
    assert said(rows) == [("a.mp4", "walk", 1.5, 4.0)]
    assert list(why(rows)) == ["a.csv, line 3", "a.csv, line 4", "a.csv, line 5"]


@pytest.mark.parametrize(
    "text", ["path,label\na.mp4,walk\n", "Behavior,Start (s),Stop (s)\nwalk,1,2\n", ""]
)
def test_a_table_that_is_not_of_boris_is_refused(text):
    with pytest.raises(ManifestError, match=r"of videos|as BORIS exports"):
        parse_boris(text, "x.csv")


# ---------------------------------------------------------------- ELAN

TEXT = (
    "acts\t\t00:00:01.500\t1.500\t00:00:04.000\t4.000\t00:00:02.500\t2.500\twalk\n"
    "acts\t\t00:00:05.000\t5.000\t00:00:06.000\t6.000\t00:00:01.000\t1.000\t\n"
    "acts\t\tnever\twalk\n"
)
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT><HEADER><MEDIA_DESCRIPTOR MEDIA_URL="file:///x/a.mp4"
 RELATIVE_MEDIA_URL="./a.mp4"/></HEADER>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="t1" TIME_VALUE="1500"/>
<TIME_SLOT TIME_SLOT_ID="t2" TIME_VALUE="4000"/><TIME_SLOT TIME_SLOT_ID="t3"/></TIME_ORDER>
<TIER TIER_ID="acts"><ANNOTATION>
<ALIGNABLE_ANNOTATION TIME_SLOT_REF1="t1" TIME_SLOT_REF2="t2">
<ANNOTATION_VALUE>walk &amp; talk</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="t2" TIME_SLOT_REF2="t3"/></ANNOTATION></TIER>
<TIER TIER_ID="notes"><ANNOTATION><REF_ANNOTATION ANNOTATION_REF="a1"/></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>"""


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


# ---------------------------------------------------------------- frames


def test_runs_of_frames_are_spans_by_the_times_of_the_video():
    times = np.arange(10) / 5
    rows = parse_frames("walk\n" * 4 + "background\n" * 6, "a.txt", "a.mp4", times)
    assert said(rows) == [("a.mp4", "walk", 0.0, 0.8), ("a.mp4", "background", 0.8, 2.0)]


def test_lists_of_another_frame_rate_or_with_empty_lines_are_rejected():
    times = np.arange(100) / 5
    rows = parse_frames("walk\n" * 50, "a.txt", "a.mp4", times)
    assert not rows.clips and "were the labels made at another frame rate" in str(why(rows))
    rows = parse_frames("walk\n" * 90 + "\n" * 5 + "sit\n" * 7, "a.txt", "a.mp4", times)
    assert why(rows) == {"a.txt, line 91": "it has no label"}
    rows = parse_frames("walk\n" * 100 + "sit\n" * 2, "a.txt", "a.mp4", times)
    assert "beyond the last of 100 frames" in why(rows)["a.txt, line 101"]


# ---------------------------------------------------------------- their videos


@pytest.fixture
def folder(tmp_path):
    """Two videos, and a folder of lists beside theirs."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "lists").mkdir()
    for name in ("a", "v_abc"):
        write_clip(tmp_path / "videos" / f"{name}.mp4", frames=50)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("x.json", json.dumps({"database": DATABASE}), [("v_abc", "walk", 1.5, 4.0)]),
        ("x.csv", f"a,0002,{BOX},12,0\n", [("a", "stand", 1.5, 2.5)]),
        ("e.csv", AGGREGATED, [("a", "walk", 1.5, 4.0)]),
        ("old.tsv", OLD, [("a", "walk", 1.5, 4.0)]),
        ("a.txt", TEXT, [("a", "walk", 1.5, 4.0), ("a", "acts", 5.0, 6.0)]),
        ("a.eaf", EAF, [("a", "walk & talk", 1.5, 4.0)]),
    ],
)
def test_a_manifest_is_read_from_each(folder, name, text, found):
    (folder / "lists" / name).write_text(text)
    (folder / "lists" / "actions.pbtxt").write_text('item { name: "stand" id: 12 }')
    manifest = read_manifest(folder / "lists" / name)
    assert [(c.path, c.label, c.start_seconds, c.end_seconds) for c in manifest.clips] == [
        (str(folder / "videos" / f"{video}.mp4"), *rest) for video, *rest in found
    ]
    assert not manifest.missing


def test_a_folder_of_lists_of_frames_is_read(folder):
    lines = ["walk"] * 30 + ["background"] * 20
    (folder / "lists" / "a.txt").write_text("\n".join(lines))
    (folder / "lists" / "gone.txt").write_text("walk\n")
    manifest = read_manifest(folder / "lists")
    assert [clip.label for clip in manifest.clips] == ["walk", "background"]
    assert manifest.clips[0].end_seconds == pytest.approx(30 / 12.5)
    assert [failure.name for failure in manifest.rejected] == ["gone.txt"]


def test_a_video_that_is_not_there_or_there_twice_is_named(folder):
    (folder / "lists" / "x.json").write_text(json.dumps({"database": DATABASE}))
    write_clip(folder / "videos" / "def.mp4", frames=3)
    write_clip(folder / "def.mkv", frames=3)
    manifest = read_manifest(folder / "lists" / "x.json")
    assert [clip.label for clip in manifest.clips] == ["walk"]
    assert any(
        "x.json: def" in f.name and "or more than one" in f.reason for f in manifest.rejected
    )
    (folder / "videos" / "v_abc.mp4").unlink()
    with pytest.raises(ManifestError, match="No clips in"):
        read_manifest(folder / "lists" / "x.json")


def test_a_list_may_not_lead_out_of_what_is_allowed(folder):
    outside = folder.parent / "outside.mp4"
    write_clip(outside, frames=3)
    (folder / "lists" / "e.csv").write_text(AGGREGATED.replace("player #1: a.mp4", str(outside)))
    assert read_manifest(folder / "lists" / "e.csv").clips[0].path == str(outside)
    with (
        enforced(Policy(below=(folder,))),
        pytest.raises(ManifestError, match="4 of 4 cannot be used"),
    ):
        read_manifest(folder / "lists" / "e.csv")
