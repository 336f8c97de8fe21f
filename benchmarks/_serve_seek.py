"""Frame-exact seeking: whether the page shows the frame that it names, in eight kinds of files."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks._harness import load, table
from benchmarks._serve_browser import Browser
from benchmarks._serve_server import Serving
from vidfit.contracts import Frames

SEEKS = 40
FRAMES = 160
_BLOCK_PIXELS, _BITS = 32, 8
_TICK = Fraction(1, 1000)


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name, what encodes it, and how long each frame is shown."""

    name: str
    file: str
    codec: str
    rate: Fraction = Fraction(25)
    is_variable: bool = False
    options: tuple[tuple[str, str], ...] = ()
    begins_seconds: float = 0.0
    """Timestamp of its first frame."""


KINDS = (
    Kind("H.264 MP4, B-frames", "plain.mp4", "libx264", options=(("bf", "3"), ("g", "60"))),
    Kind("H.264 MP4, variable rate", "variable.mp4", "libx264", is_variable=True,
         options=(("bf", "3"),)),
    Kind("H.264 MOV, 29.97, one keyframe", "film.mov", "libx264", Fraction(30000, 1001),
         options=(("g", "1000"),)),
    Kind("H.264 MKV, 50 a second, begins late", "late.mkv", "libx264", Fraction(50),
         begins_seconds=1.36),
    Kind("VP9 WebM, variable rate", "variable.webm", "libvpx-vp9", is_variable=True,
         options=(("deadline", "realtime"), ("cpu-used", "8"))),
    Kind("MPEG-4 AVI (proxy)", "old.avi", "mpeg4"),
    Kind("HEVC MKV, variable rate (proxy)", "variable-hevc.mkv", "libx265", is_variable=True,
         options=(("preset", "ultrafast"),)),
    Kind("MPEG-2 TS (proxy)", "cast.ts", "mpeg2video", begins_seconds=10.0),
)  # fmt: skip


def times(kind: Kind, seed: int = 0) -> list[float]:
    """Return when each frame begins, from the first, in seconds."""
    if not kind.is_variable:
        return [float(number / kind.rate) for number in range(FRAMES)]
    drawn = random.Random(seed)
    at, found = 0, []
    for _ in range(FRAMES):
        found.append(at / 1000)
        at += drawn.choice((10, 17, 33, 40, 66, 120))
    return found


def bars(number: int) -> Frames:
    """Draw a number as a row of blocks: white, black, its bits from the least on, their parity."""
    bits = [number >> place & 1 for place in range(_BITS)]
    blocks = np.array([1, 0, *bits, sum(bits) % 2], np.uint8) * 255
    row = np.repeat(blocks, _BLOCK_PIXELS)
    return np.repeat(np.tile(row, (_BLOCK_PIXELS * 4, 1))[..., None], 3, axis=2)


def write(kind: Kind, target: Path) -> Path:
    """Write a file of a kind, whose pictures say their numbers."""
    path = target / kind.file
    with av.open(str(path), "w") as container:
        stream = container.add_stream(kind.codec, rate=kind.rate, options=dict(kind.options))
        picture = bars(0)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        tick = _TICK if kind.is_variable else 1 / kind.rate
        stream.codec_context.time_base = stream.time_base = tick
        for number, seconds in enumerate(times(kind)):
            frame = av.VideoFrame.from_ndarray(bars(number), format="rgb24")
            frame.pts, frame.time_base = (
                round(kind.begins_seconds / tick) + round(seconds / tick),
                tick,
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def measure(scratch: Path, seeks: int) -> dict[str, Any]:
    """Return how many seeks of each kind showed the frame that was asked for."""
    folder = scratch / "videos"
    folder.mkdir()
    for kind in KINDS:
        write(kind, folder)
    serving = Serving([folder], scratch / "state", options=("--ahead", "0")).start()
    browser = Browser(scratch / "profile")
    try:
        browser.enter(serving)
        ids = browser.promised(
            """{ const { libraries } = await (await fetch("/v1/libraries")).json();
                 const path = `/v1/libraries/${libraries[0].id}/clips`;
                 const table = await (await fetch(path)).json();
                 return Object.fromEntries(table.name.map((name, i) => [name, table.id[i]])); }"""
        )
        rows = [_seek(browser, ids[kind.file], kind, seeks) for kind in KINDS]
        complaints = [text for text in browser.complaints() if "ERR_" not in text]
    finally:
        browser.close()
        serving.stop()
    table(
        ["kind", "shown", "of", "by the page's word", "played as", "ms a seek", "wrong"],
        [
            [row["kind"], f"{row['right']}", f"{seeks}", f"{row['said']}", row["source"],
             f"{row['milliseconds']:.0f}", row["wrong"]]
            for row in rows
        ],
    )  # fmt: skip
    print(load())
    return {"seeks": seeks, "kinds": rows, "complaints": complaints}


def _seek(browser: Browser, clip: str, kind: Kind, seeks: int) -> dict[str, Any]:
    """Go to frames by clicks on the lanes and by single steps."""
    browser.go(f"/timeline?clip={clip}", ".transport")
    browser.wait(f"document.body.innerText.includes(' of {FRAMES}')")
    browser.wait("document.querySelector('video')?.readyState >= 2", 180)
    drawn = random.Random(kind.name)
    begins = [*times(kind)]
    right = said = 0
    spent, wrong = 0.0, []
    wanted = 0
    for number in range(seeks):
        if number % 2:
            by = 1 if wanted < FRAMES - 1 and (drawn.random() < 0.5 or wanted == 0) else -1
            wanted += by
            found = browser.promised(_STEP, "." if by > 0 else ",", wanted)
        else:
            wanted = drawn.choice([k for k in range(2, FRAMES - 2) if k != wanted])
            middle = (begins[wanted] + begins[wanted + 1]) / 2
            found = browser.promised(_CLICK, middle, begins)
            wanted = found["wanted"]
        spent += found["milliseconds"]
        right += found["shown"] == wanted
        said += found["said"] == wanted
        if found["shown"] != wanted or found["said"] != wanted:
            wrong.append(f"{wanted}: shows {found['shown']}, says {found['said']}")
    source = "proxy" if browser.js("document.querySelector('video').src").endswith("proxy") else (
        "original"
    )  # fmt: skip
    return {
        "kind": kind.name, "right": right, "said": said, "source": source,
        "milliseconds": spent / seeks, "wrong": "; ".join(_few(wrong)),
    }  # fmt: skip


def _few(texts: Sequence[str], most: int = 4) -> list[str]:
    return [*texts[:most], *([f"and {len(texts) - most} more"] if len(texts) > most else [])]


_SEEN = f"""
  const bars = () => {{
    const video = document.querySelector("video");
    const canvas = document.createElement("canvas");
    canvas.width = {_BLOCK_PIXELS * (_BITS + 3)};
    canvas.height = 1;
    const pen = canvas.getContext("2d");
    pen.drawImage(video, 0, 0, canvas.width, 1);
    const row = pen.getImageData(0, 0, canvas.width, 1).data;
    const bit = (k) => Number(row[4 * ({_BLOCK_PIXELS} * k + {_BLOCK_PIXELS // 2})] > 127);
    let number = 0, sum = 0;
    for (let k = 0; k < {_BITS}; k += 1) {{ number += bit(k + 2) << k; sum += bit(k + 2); }}
    return bit(0) === 1 && bit(1) === 0 && sum % 2 === bit({_BITS + 2}) ? number : -1;
  }};
  const settled = async (wanted) => {{
    const begun = performance.now();
    for (;;) {{
      await new Promise((done) => setTimeout(done, 20));
      const label = [...document.querySelectorAll(".transport .num")].at(-1);
      const said = Number(label.innerText.replaceAll(",", "").match(/frame (\\d+)/)[1]);
      const isSeen = label.title === "as seen on screen";
      const isStill = !document.querySelector("video").seeking;
      const late = performance.now() - begun > 8000;
      if ((isSeen && isStill && said === wanted) || late) {{
        const milliseconds = performance.now() - begun;
        await new Promise((done) => setTimeout(done, 60));
        return {{ said, shown: bars(), milliseconds }};
      }}
    }}
  }};"""

_CLICK = f"""{{ {_SEEN}
  const box = document.querySelector(".lane-all").getBoundingClientRect();
  const {{ Frames }} = await import("/static/timeline/frames.js");
  const clip = new URLSearchParams(location.search).get("clip");
  const sent = await (await fetch(`/v1/clips/${{clip}}/times`)).json();
  const {{ duration }} = new Frames(sent.pts_seconds, sent.duration_seconds);
  const clientX = Math.round(box.left + (box.width * given[0]) / duration);
  // A click is at a whole pixel, which is longer than a short frame.
  const seconds = ((clientX - box.left) / box.width) * duration;
  const wanted = given[1].findLastIndex((begins) => begins <= seconds);
  document.querySelector(".lane-all").dispatchEvent(
    new PointerEvent("click", {{ bubbles: true, clientX, clientY: box.top + 4 }}));
  return {{ ...await settled(wanted), wanted }};
}}"""

_STEP = f"""{{ {_SEEN}
  dispatchEvent(new KeyboardEvent("keydown", {{ key: given[0] }}));
  return settled(given[1]);
}}"""
