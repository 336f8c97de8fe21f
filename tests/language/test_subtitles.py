from __future__ import annotations

from vidfit.language.subtitles import read_cues

VTT = """WEBVTT

NOTE a remark

intro
01:02.500 --> 01:04.000 align:start
<v Anna>Hello there</v>

00:01:05.000 --> 00:01:06.000
- twice
- as much
"""


def test_subtitles_of_both_formats_are_read():
    assert [*read_cues(VTT)] == [(62.5, 64.0, "Hello there"), (65.0, 66.0, "- twice - as much")]
    srt = "1\n00:00:01,5 --> 00:00:02,25\n{\\an8}A &lt; B\n\n2\n00:00:04,0 --> 00:00:03,0\nback"
    assert [*read_cues(srt.replace("\n", "\r\n"))] == [(1.5, 2.25, "A < B")]
    assert [*read_cues("no times at all")] == []
