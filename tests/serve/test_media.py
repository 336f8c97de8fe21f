"""Videos by ranges, and nothing but videos."""

from __future__ import annotations

import time

import pytest

from vidfit.serve.media import ByteSpan, span_of
from vidfit.serve.problems import ProblemError


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None), ("bytes=0-99", ByteSpan(0, 99)), ("bytes=10-", ByteSpan(10, 999)),
        ("bytes=-10", ByteSpan(990, 999)), ("bytes=-5000", ByteSpan(0, 999)),
        ("bytes=900-5000", ByteSpan(900, 999)), ("Bytes=0-0", ByteSpan(0, 0)),
        ("bytes=9-1", None), ("bytes=a-b", None), ("bytes=-", None), ("frames=0-1", None),
    ],
)  # fmt: skip
def test_ranges_are_read_as_the_standard_has_them(header, span):
    assert span_of(header, 1000) == span


@pytest.mark.parametrize(
    "header", ["bytes=1000-", "bytes=-0", "bytes=0-1,5-6", "bytes=" + "1" * 99]
)
def test_what_lies_outside_and_several_ranges_are_refused(header):
    with pytest.raises(ProblemError) as refused:
        span_of(header, 1000)
    assert refused.value.status == 416


def test_a_video_is_sent_whole_and_in_parts(served):
    clip = served.ids()["left/left0.mp4"]
    content = (served.clips / "left" / "left0.mp4").read_bytes()
    whole = served.page.get(f"/v1/clips/{clip}/video")
    assert whole.status_code == 200 and whole.content == content
    assert whole.headers["content-type"] == "video/mp4"
    part = served.page.get(f"/v1/clips/{clip}/video", headers={"range": "bytes=100-199"})
    assert part.status_code == 206 and part.content == content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(content)}"
    head = served.page.head(f"/v1/clips/{clip}/video", headers={"range": "bytes=100-199"})
    assert head.status_code == 206 and head.content == b""
    assert head.headers["content-length"] == "100"
    kept = {"if-none-match": whole.headers["etag"]}
    assert served.page.get(f"/v1/clips/{clip}/video", headers=kept).status_code == 304
    other = {"range": "bytes=0-1", "if-range": '"another"'}
    assert served.page.get(f"/v1/clips/{clip}/video", headers=other).status_code == 200


def test_ten_thousand_ranges_are_answered_at_once(served):
    clip = served.ids()["left/left0.mp4"]
    ranges = ",".join(f"{i}-{i + 5}" for i in range(10_000))
    begun = time.process_time()
    response = served.page.get(f"/v1/clips/{clip}/video", headers={"range": f"bytes={ranges}"})
    assert response.status_code == 416
    assert time.process_time() - begun < 0.5


def test_what_is_no_video_is_not_sent(serve, tmp_path):
    page, drawing = "<html><script>alert(1)</script></html>", "<svg onload='alert(1)'/>"
    served = serve(copied=True)
    (served.clips / "left" / "left0.mp4").write_text(page)
    (served.clips / "right" / "right0.mp4").write_text(drawing)
    ids = served.ids()
    for name in ("left/left0.mp4", "right/right0.mp4"):
        response = served.page.get(f"/v1/clips/{ids[name]}/video")
        assert response.status_code == 404 and "script" not in response.text
        assert served.page.get(f"/v1/clips/{ids[name]}").json()["media"] is False
