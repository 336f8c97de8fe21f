"""The audio of a video beside a copy of its pictures."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from vidfit.errors import VideoError
from vidfit.video import Audio, write_video

RATE, FPS, SECONDS = 16_000, 10, 3
LOW_HZ, HIGH_HZ = 500, 1500


def with_tones(path, codec="aac"):
    """Write three seconds of grey: a low tone up to 1.5 s, then a high one."""
    seconds_S = np.arange(SECONDS * RATE) / RATE
    tone_S = np.sin(2 * np.pi * np.where(seconds_S < 1.5, LOW_HZ, HIGH_HZ) * seconds_S)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, width=64, height=48)
        video.pix_fmt = "yuv420p"
        audio = container.add_stream(codec, rate=RATE, layout="mono")
        for picture in grey(SECONDS * FPS):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        for at in range(0, len(tone_S), 1000):
            part = (tone_S[at : at + 1000] * 20_000).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def grey(count):
    return (np.full((48, 64, 3), 128, np.uint8) for _ in range(count))


def packets(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def heard(path):
    with av.open(str(path)) as container:
        return np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])


def loudest_hz(sound_S):
    spectrum_F = np.abs(np.fft.rfft(sound_S))
    return float(np.fft.rfftfreq(len(sound_S), 1 / RATE)[spectrum_F.argmax()])


def test_packets_are_carried_over_as_they_are(tmp_path):
    source = with_tones(tmp_path / "source.mp4")
    write_video(tmp_path / "copy.mp4", grey(30), FPS, audio=Audio(str(source)))
    original, copied = packets(source), packets(tmp_path / "copy.mp4")
    assert set(copied) <= set(original)
    assert len(original) - len(copied) <= 1  # AAC begins before the first picture
    assert len(heard(tmp_path / "copy.mp4")) / RATE == pytest.approx(SECONDS, abs=0.15)


@pytest.mark.parametrize(
    ("start", "end", "tone"), [(0.2, 1.2, LOW_HZ), (1.8, 2.8, HIGH_HZ), (2.0, None, HIGH_HZ)]
)
def test_a_span_sounds_as_that_span_does(tmp_path, start, end, tone):
    source = with_tones(tmp_path / "source.mp4")
    write_video(tmp_path / "copy.mp4", grey(10), FPS, audio=Audio(str(source), start, end))
    sound_S = heard(tmp_path / "copy.mp4")
    assert len(sound_S) / RATE == pytest.approx(1.0, abs=0.15)
    assert loudest_hz(sound_S[2000:-2000]) == pytest.approx(tone, abs=10)


def test_a_codec_that_mp4_does_not_hold_is_encoded_anew(tmp_path):
    source = with_tones(tmp_path / "source.avi", codec="adpcm_ms")
    write_video(tmp_path / "copy.mp4", grey(30), FPS, audio=Audio(str(source)))
    with av.open(str(tmp_path / "copy.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    sound_S = heard(tmp_path / "copy.mp4")
    assert len(sound_S) / RATE == pytest.approx(SECONDS, abs=0.2)
    assert loudest_hz(sound_S[4000:20_000]) == pytest.approx(LOW_HZ, abs=10)
    assert loudest_hz(sound_S[28_000:44_000]) == pytest.approx(HIGH_HZ, abs=10)


def test_a_video_without_audio_gives_a_silent_copy(tmp_path):
    write_video(tmp_path / "source.mp4", grey(10), FPS)
    write_video(tmp_path / "copy.mp4", grey(10), FPS, audio=Audio(str(tmp_path / "source.mp4")))
    with av.open(str(tmp_path / "copy.mp4")) as container:
        assert not container.streams.audio and len(container.streams.video) == 1


def test_a_video_that_is_gone_is_refused(tmp_path):
    with pytest.raises(VideoError, match="gone"):
        write_video(tmp_path / "copy.mp4", grey(2), FPS, audio=Audio(str(tmp_path / "gone.mp4")))
    assert not list(tmp_path.iterdir())
