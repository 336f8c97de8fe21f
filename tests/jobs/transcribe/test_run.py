"""Transcripts beside recordings: once by content, resumed, and never over what others wrote."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.called import call
from tests.video.test_sound import tone, write_wav

from vidfit.backbones.speech import HeardWord
from vidfit.errors import VidfitError
from vidfit.jobs.transcribe import run as run_module
from vidfit.jobs.transcribe.options import TranscribeOptions
from vidfit.jobs.transcribe.run import recordings_in, run_transcribe
from vidfit.jobs.transcribe.terminal import lines_of
from vidfit.manifest.subtitles import read_cues

SECOND = 16_000


class Toy:
    """Hears a word in each second that is not silent; ends after some pieces, as if killed."""

    name, revision, language = "toy", "toy-1", "en"

    def __init__(self, most: int = 1_000) -> None:
        self.pieces, self.most, self.sure = 0, most, 0.9

    def speech(self, samples_S):
        seconds = [samples_S[at : at + SECOND] for at in range(0, len(samples_S), SECOND)]
        return [(k * SECOND, k * SECOND + len(s)) for k, s in enumerate(seconds) if s.any()]

    def words(self, samples_S):
        self.pieces += 1
        if self.pieces > self.most:
            raise KeyboardInterrupt
        for k in range(len(samples_S) // SECOND):
            if not samples_S[k * SECOND : (k + 1) * SECOND].any():
                continue
            yield HeardWord(k + 0.1, k + 0.6, "beep.", self.sure)


@pytest.fixture
def toy(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = Toy()
    monkeypatch.setattr(run_module, "open_speech", lambda *_, **__: made)
    return made


@pytest.fixture
def talk(tmp_path):
    seconds = [tone(1.0) if k % 3 else np.zeros(SECOND) for k in range(70)]
    return write_wav(tmp_path / "talk.wav", np.concatenate(seconds))


def run(path, **options):
    return run_transcribe([path], TranscribeOptions(workers=1, **options))


def test_words_stand_beside_the_recording_at_their_time(toy, talk, tmp_path):
    done = run(talk, formats=("srt", "vtt", "json"))
    assert [*map(str.strip, lines_of(done))] and not done.failures and len(done.files) == 3
    said = json.loads((tmp_path / "talk.json").read_text())["words"]
    assert len(said) == 46 and said[0]["start_seconds"] == 1.1 and said[-1]["start_seconds"] == 68.1
    for name in ("talk.srt", "talk.vtt"):
        cues = list(read_cues((tmp_path / name).read_text()))
        assert [cue.start_seconds for cue in cues] == [word["start_seconds"] for word in said]


def test_what_was_heard_is_not_heard_again(toy, talk, tmp_path):
    first = run(talk).transcripts[0]
    heard = toy.pieces
    (tmp_path / "copy.wav").write_bytes((tmp_path / "talk.wav").read_bytes())
    again = run(tmp_path / "copy.wav").transcripts[0]
    assert toy.pieces == heard and again.words == first.words and again.seconds == 0


def test_a_killed_run_goes_on_without_loss(toy, talk):
    toy.most = 1
    with pytest.raises(KeyboardInterrupt):
        run(talk)
    toy.most, toy.pieces = 1_000, 0
    resumed = run(talk).transcripts[0]
    assert len(resumed.words) == 46 and toy.pieces < 3


def test_other_subtitles_are_kept_unless_told_otherwise(toy, talk, tmp_path):
    (tmp_path / "talk.srt").write_text("by hand")
    assert run(talk).kept and (tmp_path / "talk.srt").read_text() == "by hand"
    assert not run(talk, replace=True).kept and "beep" in (tmp_path / "talk.srt").read_text()


def test_silence_and_doubt_are_said_and_failures_stop_nothing(toy, tmp_path):
    quiet = write_wav(tmp_path / "quiet.wav", np.zeros(SECOND))
    short = write_wav(tmp_path / "short.wav", tone(1.0))
    toy.sure = 0.3
    (tmp_path / "frames").mkdir()
    asked = [quiet, short, tmp_path / "frames", tmp_path / "gone.mp4"]
    done = run_transcribe(asked, TranscribeOptions(workers=1))
    assert [one.notes[0][:9] for one in done.transcripts] == ["no speech", "its words"]
    assert len(done.failures) == 2 and (tmp_path / "quiet.srt").read_text() == ""


def test_a_folder_is_gone_through_and_sound_of_a_video_is_left_and_named(toy, tmp_path):
    folder = tmp_path / "talks"
    (folder / "in" / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for name in ("b.mp4", "b.wav", "c.wav", "in/deep/a.ogg", "in/.d.wav", "e.txt", ".hidden/f.wav"):
        (folder / name).touch()
    found, left = recordings_in(folder)
    assert [Path(path).relative_to(folder).as_posix() for path in found] == [
        "b.mp4", "c.wav", "in/deep/a.ogg"
    ]  # fmt: skip
    assert left == [str(folder / "b.wav")]
    for name in ("c.wav", "in/deep/a.wav"):
        write_wav(folder / name, tone(1.0))
    (folder / "in/deep/a.ogg").unlink()
    result = call("transcribe", folder, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.srt", "c.srt"]
    assert f"{folder / 'b.wav'} is taken for the sound of the video beside it" in result.stdout


def test_what_cannot_be_is_refused(toy, talk):
    for wrong, why in (
        (lambda: run(talk, formats=("doc",)), "valid are srt, vtt, json"),
        (lambda: run_transcribe([], TranscribeOptions()), "no recording"),
        (lambda: run("https://host/a.mp4"), "beside a URL"),
        (lambda: run_both(talk, "talk.mp4"), "talk.wav and .*talk.mp4 .* written to .*talk.srt"),
        (lambda: run_both(talk, "b/talk.wav", output=Path(talk).parent), "leave --output away"),
    ):
        with pytest.raises(VidfitError, match=why):
            wrong()


def run_both(talk, other, **options):
    return run_transcribe(
        [talk, Path(talk).parent / other], TranscribeOptions(workers=1, **options)
    )
