"""Samples by time: equal to a full decode, wherever they are read from; gaps, damage, silence."""

from __future__ import annotations

import wave

import av
import numpy as np
import pytest

from vidfit.errors import VideoError
from vidfit.video.sound import SoundReader

RATE = 16_000


def tone(seconds: float, hertz: float = 440.0, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write_wav(path, samples, rate: int = RATE):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return str(path)


def write_sound(path, codec: str, samples, rate: int, *, late: float = 0.0, video: bool = False):
    """Sound by a codec, ``late`` seconds after the pictures, if there are any."""
    with av.open(str(path), "w") as out:
        if video:
            pictures = out.add_stream("mpeg4", rate=10)
            pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
        stream = out.add_stream(codec, rate=rate, layout="mono")
        if video:
            for i in range(10):
                grey = np.full((32, 32, 3), 20 * i, np.uint8)
                out.mux(pictures.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
            out.mux(pictures.encode(None))
        for at in range(0, len(samples), 960):
            block = samples[None, at : at + 960].astype(np.float32)
            frame = av.AudioFrame.from_ndarray(block, "fltp", "mono")
            frame.sample_rate, frame.pts = rate, at + round(late * rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return str(path)


def test_samples_of_a_wav_are_those_that_were_written(tmp_path):
    samples = tone(1.5)
    with SoundReader(write_wav(tmp_path / "a.wav", samples), RATE) as reader:
        found = reader.samples(0)
        assert found.dtype == np.float32 and reader.count == len(samples)
    np.testing.assert_allclose(found, samples, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("a.ogg", "libopus", 48_000), ("a.mp3", "libmp3lame", 44_100), ("a.m4a", "aac", 44_100),
     ("a.flac", "flac", 44_100)],
)  # fmt: skip
def test_a_span_is_a_slice_of_a_full_decode(tmp_path, name, codec, rate):
    rng = np.random.default_rng(0)
    path = write_sound(tmp_path / name, codec, 0.3 * rng.normal(size=3 * rate).clip(-1, 1), rate)
    with SoundReader(path, RATE) as reader:
        whole = reader.samples(0)
    assert abs(len(whole) - 3 * RATE) < 0.1 * RATE
    with SoundReader(path, RATE) as reader:
        late, early = reader.samples(30_001, 33_333), reader.samples(500, 9_000)
        again = np.concatenate(list(reader.blocks(0.7)))
    assert np.array_equal(late, whole[30_001:33_333]) and np.array_equal(early, whole[500:9_000])
    assert np.array_equal(again, whole)


def test_sound_that_begins_after_the_pictures_is_silent_until_then(tmp_path):
    path = write_sound(tmp_path / "a.mkv", "pcm_s16le", tone(1.0), RATE, late=0.5, video=True)
    with SoundReader(path, RATE) as reader:
        found = reader.samples(0)
    assert not found[: RATE // 2 - 100].any() and np.abs(found[RATE // 2 + 200 :]).max() > 0.4
    assert abs(len(found) - 1.5 * RATE) < 100


def write_gap(path, seconds: float):
    """A second of sound, a gap, and another second."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libopus", rate=48000, layout="mono")
        for first in (0, round((1 + seconds) * 48000)):
            for at in range(0, 48000, 960):
                block = tone(1.0, rate=48000)[None, at : at + 960].astype(np.float32)
                frame = av.AudioFrame.from_ndarray(block, "flt", "mono")
                frame.sample_rate, frame.pts = 48000, first + at
                out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return str(path)


def test_a_gap_is_silence_in_blocks(tmp_path):
    with SoundReader(write_gap(tmp_path / "gap.mka", 35.0), RATE) as reader:
        parts = list(reader._parts)
    assert max(map(len, parts)) <= 10 * RATE
    assert sum(map(len, parts)) == pytest.approx(37 * RATE, abs=0.1 * RATE)


def test_sound_that_goes_on_after_more_than_a_month_is_refused(tmp_path):
    with SoundReader(write_gap(tmp_path / "gap.mka", 1e7), RATE) as reader:
        assert np.abs(reader.samples(0, RATE // 2)).max() > 0.1
        with pytest.raises(VideoError, match=r"goes on at 10,000,001 s, at most 2,678,400"):
            reader.samples(2 * RATE)


def test_damaged_packets_are_silent_and_counted(tmp_path):
    path = write_sound(tmp_path / "a.mp3", "libmp3lame", tone(3.0, rate=44_100), 44_100)
    content = bytearray((tmp_path / "a.mp3").read_bytes())
    content[8_000:12_000] = bytes(4_000)
    (tmp_path / "b.mp3").write_bytes(content)
    with SoundReader(path, RATE) as whole, SoundReader(str(tmp_path / "b.mp3"), RATE) as cut:
        assert 0 < len(cut.samples(0)) <= len(whole.samples(0)) + RATE // 10


def test_what_has_no_sound_says_so(tmp_path):
    (tmp_path / "frames").mkdir()
    with pytest.raises(VideoError, match="has no sound, only pictures"):
        SoundReader(str(tmp_path / "frames"), RATE)
    (tmp_path / "a.txt").write_text("no sound at all")
    with pytest.raises(VideoError, match="is text"):
        SoundReader(str(tmp_path / "a.txt"), RATE)
