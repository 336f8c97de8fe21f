"""How long what is answered is, and what is said in its windows."""

from __future__ import annotations

import pytest
from tests.video.test_sound import tone, write_wav

from vidfit.contracts import Clip
from vidfit.errors import VideoError
from vidfit.jobs.predict.extent import extent_of, with_text

SRT = "1\n00:00:00,500 --> 00:00:01,000\nyes\n\n2\n00:00:02,000 --> 00:00:03,000\nno\n"


def test_sound_is_as_long_as_it_is_where_it_is_heard(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(2.5))
    assert abs(extent_of(path, {"sound"}).duration_seconds - 2.5) < 0.01
    with pytest.raises(VideoError, match="no video stream"):
        extent_of(path, {"frames", "words"})
    assert extent_of("words:a", {"words"}).duration_seconds == 0


def test_windows_get_the_words_of_their_time(tmp_path):
    (tmp_path / "a.srt").write_text(SRT)
    path = str(tmp_path / "a.mp4")
    halves = [Clip(path, 0.0, 2.0), Clip(path, 2.0, None)]
    assert [one.text for one in with_text(halves, {"words"}, "")] == ["yes", "no"]
    assert [one.text for one in with_text(halves, {"words"}, "told")] == ["yes", "no"]
    assert with_text(halves[:1], {"words"}, "told")[0].text == "told"
    assert with_text(halves, {"frames"}, "told") == halves
    (tmp_path / "a.srt").write_text("broken")
    with pytest.raises(VideoError, match="cannot be read as subtitles"):
        with_text(halves, {"words"}, "")
