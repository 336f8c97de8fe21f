"""Words of subtitles: found beside a video, given to the clips whose middle they lie in."""

from __future__ import annotations

from vidfit.contracts import Clip
from vidfit.manifest import iter_clips, read_manifest
from vidfit.manifest.subtitles import (
    Cue,
    all_subtitles_of,
    cues_beside,
    read_cues,
    with_words,
    words_within,
)
from vidfit.manifest.value import Manifest

SRT = (
    "1\n00:00:01,500 --> 00:00:02,250\n<i>A</i> &lt; B\n\n2\n00:00:04,000 --> 00:00:06,000\nand C\n"
)


def test_cues_are_read_without_marks():
    vtt = "WEBVTT\n\nNOTE a\n\nintro\n01:02.500 --> 01:04.000 align:start\n<v Ann>Hello\nthere"
    assert [*read_cues(vtt)] == [Cue(62.5, 64.0, "Hello there")]
    assert [*read_cues(SRT)] == [Cue(1.5, 2.25, "A < B"), Cue(4.0, 6.0, "and C")]
    odd = "00:00:01,5 --> 00:00:02,25\r\n{\\an8}A\r\n\r\n2\r\n00:00:04,0 --> 00:00:03,0\r\nback"
    assert [*read_cues(odd)] == [Cue(1.5, 2.25, "A")]
    assert [*read_cues("no times at all")] == []


def test_each_cue_belongs_to_one_window():
    cues = [*read_cues(SRT)]
    spans = [(0.0, 1.9), (1.9, 5.0), (5.0, None)]
    assert [words_within(cues, *span) for span in spans] == ["A < B", "", "and C"]


def test_clips_get_the_words_beside_them_and_keep_their_own(tmp_path):
    video = str(tmp_path / "a.mp4")
    (tmp_path / "a.en.srt").write_text(SRT)
    (tmp_path / "b.srt").write_text("broken")
    clips = (Clip(video, 3.0), Clip(video, text="own"), Clip(str(tmp_path / "b.mp4")))
    found = with_words(Manifest(clips))
    assert [clip.text for clip in found.clips] == ["and C", "own", None]
    assert "cannot be read as subtitles" in found.warnings[0]
    assert with_words(Manifest((Clip(str(tmp_path / "c.mp4")),))).warnings == ()
    assert cues_beside(str(tmp_path / "c.mp4")) == ()


def test_names_with_dots_keep_their_subtitles(tmp_path):
    (tmp_path / "2024.01.05.en.srt").write_text(SRT)
    assert len(cues_beside(str(tmp_path / "2024.01.05.mp4"))) == 2
    assert cues_beside(str(tmp_path / "2024.01.0.mp4")) == ()


def test_a_language_is_no_other_word(tmp_path):
    theirs = ("my.eng.vtt", "my.pt-BR.forced.srt", "my.srt", "my.zh-Hans.srt", "my.zh_TW.srt")
    words = ("my.cut.srt", "my.en-talk-two.srt", "my.part.en.srt", "my.talk.srt", "my.v2.srt")
    for name in (*theirs, *words):
        (tmp_path / name).write_text(SRT)
    assert [p.name for p in all_subtitles_of(str(tmp_path / "my.mp4"))] == sorted(theirs)
    for name in ("my.cut", "my.talk"):
        found = all_subtitles_of(str(tmp_path / f"{name}.mp4"))
        assert [p.name for p in found] == [f"{name}.srt"]


def test_ogg_is_sound_like_other_sound(tmp_path):
    for name in ("a.ogg", "b.wav"):
        (tmp_path / name).touch()
    assert [clip.path[-5:] for clip in iter_clips(tmp_path)] == ["a.ogg", "b.wav"]


def test_a_table_of_texts_gives_clips_of_words_alone(tmp_path):
    table = tmp_path / "said.csv"
    table.write_text("text,label,group,start\nyes,good,one,0:10\n,bad,one,\nno,bad,two,\n")
    manifest = read_manifest(table)
    assert [(c.path, c.text, c.group) for c in manifest.clips] == [
        ("words:said.csv row 1", "yes", "one"), ("words:said.csv row 3", "no", "two"),
    ]  # fmt: skip
    assert "has no text" in manifest.rejected[0].reason and not manifest.missing


def test_files_of_sound_are_clips_where_no_videos_are(tmp_path):
    for name in ("good/a.wav", "good/b.mp3", "bad/c.opus", "mixed/d.mp4", "mixed/d.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    manifest = read_manifest(tmp_path)
    assert sorted(clip.path.rpartition("/")[2] for clip in manifest.clips) == [
        "a.wav", "b.mp3", "c.opus", "d.mp4",
    ]  # fmt: skip
    assert any("d.wav" in one.name for one in manifest.rejected)
