"""What is too long or too large is refused by its header."""

from __future__ import annotations

import av
import pytest
from tests.clips import write_clip
from tests.serve.conftest import settled

from vidfit.errors import VideoError
from vidfit.serve import stills
from vidfit.serve.headers import check_header
from vidfit.serve.previews import Wish
from vidfit.serve.proxy import make_proxy
from vidfit.video.opened import OpenStream


def test_more_frames_than_are_shown_are_refused_before_one_is_decoded(tmp_path, monkeypatch):
    def decode(self, *rest):
        raise AssertionError("a frame is decoded")

    clip = write_clip(tmp_path / "a.mp4")
    monkeypatch.setattr(OpenStream, "decode", decode)
    monkeypatch.setattr(stills, "MOST_FRAMES", 19)
    for make in (stills.make_times, make_proxy):
        with pytest.raises(VideoError, match="has 20 frames; at most 19"):
            make(str(clip), tmp_path / "out")
    with pytest.raises(VideoError, match="has 20 frames; at most 19"):
        check_header(str(clip))
    monkeypatch.setattr(stills, "MOST_FRAMES", 20)
    check_header(str(clip))
    stills.make_times(str(clip), tmp_path / "out")
    monkeypatch.setattr(stills, "MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(VideoError, match="64 x 48 pixels"):
        check_header(str(clip))


def test_a_header_that_claims_endless_frames_is_refused(tmp_path, making):
    """An AVI of 20 frames, whose stream says that it has three million."""
    long = tmp_path / "long.avi"
    with av.open(str(long), "w") as container:
        stream = container.add_stream("mpeg4", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(20):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    content = bytearray(long.read_bytes())
    at = content.index(b"strh") + 8 + 32  # dwLength of AVISTREAMHEADER
    assert int.from_bytes(content[at : at + 4], "little") == 20
    content[at : at + 4] = (3_000_000).to_bytes(4, "little")
    long.write_bytes(content)
    for what in ("stills", "proxy", "times"):
        wish = Wish(what, long)
        making.ask([wish])
        assert settled(making, wish) == (
            "failed", "has 3,000,000 frames; at most 2,000,000 are shown: cut it in parts"
        )  # fmt: skip
