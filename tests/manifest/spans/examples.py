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
1.5\tC:\\films\\a.mp4\t4\t\twalk\t\tSTART
4.0\tC:\\films\\a.mp4\t4\t\twalk\t\tSTOP
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

_PLAYERS = "player #1:films/a.mp4;films/b.mp4|player #2:side.mp4"
# The forms that versions of the tools write, with times and names of our own.
QUEUED = (
    "Observation id\tObservation date\tDescription\tObservation type\tSource\tTime offset (s)\t"
    "Coding duration\tMedia duration (s)\tFPS (frame/s)\tpen\tSubject\t"
    "Observation duration by subject by observation\tBehavior\tBehavioral category\tModifier #1\t"
    "Behavior type\tStart (s)\tStop (s)\tDuration (s)\tMedia file name\tImage index start\t"
    "Image index stop\tImage file path start\tImage file path stop\tComment start\tComment stop\n"
) + "".join(
    f"o1\t2024-05-02 10:00:00\t\tMedia file\t{source}\t"
    f"10.0\t80.000\t60.000;90.000|60.000\t25.000;25.000|25.000\tp3\tcow\t80.0\t{label}\tposture\t"
    f"{modifier}\t{kind}\t{start}\t{stop}\tNA\t{media}\tNA\tNA\tNA\tNA\t\t\n"
    for label, modifier, kind, start, stop, media, source in (
        ("lie", "left", "STATE", "12.000", "15.500", "films/a.mp4", _PLAYERS),
        ("lie", "", "STATE", "72.000", "80.000", "films/b.mp4", _PLAYERS),
        ("lie", "", "STATE", "65.000", "75.000", "films/a.mp4", _PLAYERS),
        ("lie", "", "STATE", "90.000", "NA", "films/b.mp4", _PLAYERS),
        ("moo", "", "POINT", "20.000", "20.000", "films/a.mp4", _PLAYERS),
        ("lie", "", "STATE", "30.000", "31.000", "NA", "NA"),
    )
)
PADDED = """Observation id,o 7,,,,,,,
,,,,,,,,
Media file(s),,,,,,,,
,,,,,,,,
Player #1,a.mp4,,,,,,,
,,,,,,,,
Time offset (s),2.0,,,,,,,
,,,,,,,,
independent variables,,,,,,,,
variable,value,,,,,,,
pen,p3,,,,,,,
,,,,,,,,
Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Comment,Status
3.500,a.mp4,150.000,25.0,cow,lie,,,START
6.000,a.mp4,150.000,25.0,cow,lie,,,STOP
"""
PROJECT = {
    "project_name": "cows", "project_format_version": "7.0", "time_format": "hh:mm:ss",
    "behaviors_conf": {
        "0": {"type": "Point event", "code": "moo", "key": "m", "modifiers": {}},
        "1": {"type": "State event", "code": "lie", "key": "l", "category": "posture"},
        "2": {"type": "State event with coding map", "code": "eat", "key": "e"},
    },
    "observations": {
        "morning": {
            "type": "MEDIA", "time offset": 10.0, "description": "", "date": "2024-05-02T10:00:00",
            "file": {"1": ["films/a.mp4", "films/b.mp4"], "2": ["side.mp4"]},
            "media_info": {"length": {"films/a.mp4": 60.0, "films/b.mp4": 90.0, "side.mp4": 60.0}},
            "events": [
                [12.0, "cow", "lie", "left", ""], [14.0, "cow", "lie", "right", ""],
                [15.5, "cow", "lie", "left", ""], [16.0, "cow", "moo", "", ""],
                [72.0, "", "eat", "None", "", 1800], [80.0, "", "eat", "None", "", 2000],
                [65.0, "calf", "lie", "", ""], [75.0, "calf", "lie", "", ""],
            ],
        },
        "again": {"type": "MEDIA", "time offset": 0, "file": {"1": ["films/a.mp4"], "2": []},
                  "events": [[1.0, "", "lie", "", ""], [2.0, "", "lie", "", ""]]},
        "live": {"type": "LIVE", "file": [], "events": [[1.0, "", "lie", "", ""]]},
        "unmeasured": {"type": "MEDIA", "file": {"1": ["a.mp4", "b.mp4"]}, "events": []},
    },
}  # fmt: skip
TIERS_AS_COLUMNS = (
    "Temps de départ - hh:mm:ss.ms\tTemps de départ - ss.msec\tTemps de départ - PAL\t"
    "temps de fin - hh:mm:ss.ms\ttemps de fin - ss.msec\ttemps de fin - PAL\t"
    "Durée - ss.msec\tposture\tcount\n"
    "00:00:01.500\t1.500\t00:00:01:12\t00:00:04.000\t4.000\t00:00:04:00\t2.500\tlie\t\n"
    "00:00:02.000\t2.000\t00:00:02:00\t00:00:03.000\t3.000\t00:00:03:00\t1.000\tlie\t3\n"
    "00:00:05.000\t5.000\t00:00:05:00\t00:00:06.000\t6.000\t00:00:06:00\t1.000\t\t\n"
)
WITH_MEDIA = (
    '"#file:///C:/x/cows.wav -- offset: 0, duration: 00:01:00.000 / 60.000 / 60000, '
    'ms per sample: 40.0"\n'
    '"#file:///C:/x/cows.mp4 -- offset: 0, duration: 00:01:00.000 / 60.000 / 60000, '
    'ms per sample: 40.0"\n\n'
    "posture\tAnna\t00:00:01.500\t1.500\t00:00:04.000\t4.000\t00:00:02.500\t2.500\tlie\n"
)
BY_FILE = (
    "posture\t\t00:00:01.500\t00:00:04.000\t00:00:02.500\tlie\tday1.eaf\tC:\\x\\day1.eaf\n"
    "posture\t\t00:00:05.000\t00:00:06.000\t00:00:01.000\tstand\tday2.eaf\tC:\\x\\day2.eaf\n"
)
SOUND_FIRST = EAF.replace(
    "<HEADER>",
    '<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"><MEDIA_DESCRIPTOR MIME_TYPE="audio/x-wav" '
    'MEDIA_URL="file:///U:/x/a.wav" RELATIVE_MEDIA_URL="./a.wav"/>',
).replace('RELATIVE_MEDIA_URL="./a.mp4"', 'RELATIVE_MEDIA_URL="../my%20a.mp4" TIME_ORIGIN="500"')


def said(rows):
    return [(c.path, c.label, c.start_seconds, c.end_seconds) for c in rows.clips]


def unread(rows):
    """What is not known, as path, start and end."""
    return [(one.path, one.start_seconds, one.end_seconds) for one in rows.unread]


def why(rows):
    return {failure.name: failure.reason for failure in rows.rejected}
