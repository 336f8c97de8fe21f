"""What tools write, and what was read of it."""

from __future__ import annotations

DATABASE = {
    "abc": {"subset": "training", "annotations": [{"segment": [1.5, 4], "label": "walk"}]},
    "def": {"subset": "validation", "annotations": [
        {"segment": [0, 2], "label": "sit"}, {"segment": [5, 3], "label": "sit"},
        {"segment": [1], "label": "sit"}, {"label": "sit"}, {"segment": [-1, 2], "label": "sit"},
    ]},
    "ghi": {"subset": "testing", "annotations": []},
    "jkl": {"subset": "testing"},
}  # fmt: skip
BOX = "0.1,0.2,0.9,1.0"
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


def said(rows):
    return [(c.path, c.label, c.start_seconds, c.end_seconds) for c in rows.clips]


def why(rows):
    return {failure.name: failure.reason for failure in rows.rejected}
