from __future__ import annotations

from vidfit.language.subtitles import read_cues

VTT = """WEBVTT

00:01.000 --> 00:02.500 align:start
<c.yellow>Hello</c>
there
"""


def test_cues_of_webvtt_and_subrip():
    assert [*read_cues(VTT)] == [(1.0, 2.5, "Hello there")]
    srt = "1\r\n00:00:01,500 --> 00:00:02,250\r\nA &lt; B\r\n"
    assert [*read_cues(srt)] == [(1.5, 2.25, "A < B")]
    assert [*read_cues("no times at all")] == []
