"""The wall of 100,000 clips: what a person waits for, and what page and server do meanwhile."""

from __future__ import annotations

import csv
import random
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._clips import folder
from benchmarks._harness import load, table
from benchmarks._serve_browser import Browser
from benchmarks._serve_server import Serving
from vidfit.documents import to_json

CLIPS = 100_000
BARS = {
    "first page": 1000.0, "jump to the middle": 250.0, "scroll, p95 of a frame": 30.0,
    "filter": 250.0, "hover to play": 300.0, "server": 200.0,
}  # fmt: skip
"""Most milliseconds; of the server, MB."""

_SPAN_STEP, _SPAN_SECONDS = 0.002, 1.0
"""The clips of one video begin so many seconds after another, and last so long."""


@dataclass
class Taken:
    """What was measured of one act, in milliseconds, turn by turn."""

    waited: list[float]
    page: list[float]
    """Of these, what the thread of the page worked."""
    server: list[float]
    """What the processor worked for the server."""
    load: str = ""

    @property
    def median(self) -> float:
        """The middle of what was waited."""
        return statistics.median(self.waited)


def write_list(clips: Path, count: int, target: Path) -> Path:
    """Write a list in which the videos of a folder stand again and again, each span once."""
    files = folder(clips, 10**6)
    with target.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["path", "label", "start_seconds", "end_seconds"])
        for number in range(count):
            turn, place = divmod(number, len(files))
            start = turn * _SPAN_STEP
            row = [files[place], files[place].parent.name, f"{start:.3f}"]
            rows.writerow([*row, f"{start + _SPAN_SECONDS:.3f}"])
    return target


def write_run(clips: Path, count: int, target: Path, seed: int = 0) -> Path:
    """Write a report over the same clips, with answers of a model that errs in one of ten."""
    drawn = random.Random(seed)
    files = folder(clips, 10**6)
    classes = sorted({path.parent.name for path in files})
    rows = []
    for number in range(count):
        turn, place = divmod(number, len(files))
        label, sure = files[place].parent.name, drawn.uniform(0.5, 1.0)
        others = [name for name in classes if name != label]
        answer = drawn.choice(others) if others and drawn.random() < 0.1 else label
        clip = {
            "path": str(files[place]), "start_seconds": round(turn * _SPAN_STEP, 3),
            "end_seconds": round(turn * _SPAN_STEP + _SPAN_SECONDS, 3), "label": label,
            "group": f"recording {place % 44}", "split": None, "text": None,
        }  # fmt: skip
        of_label = sure if answer == label else 1 - sure
        rows.append(
            {"key": "", "clip": clip, "predicted": answer, "probability": round(sure, 6),
             "probability_of_label": round(of_label, 6), "declined": sure < 0.52}
        )  # fmt: skip
    report = {
        "format": "vidfit.report/3", "data": str(clips), "classes": classes, "labels": "one",
        "metric": "accuracy", "score": {"value": 0.9, "low": 0.8, "high": 0.95}, "clips": rows,
        "near_duplicates": [], "failures": [],
    }  # fmt: skip
    target.mkdir(parents=True)
    (target / "report.json").write_text(to_json(report), encoding="utf-8")
    return target


def measure(clips: Path, scratch: Path, count: int, turns: int) -> dict[str, Any]:
    """Return figures of the wall, of a list and of a run of so many clips."""
    run = write_run(clips, count, scratch / "run")
    figures: dict[str, Any] = {"clips": count}
    listed = write_list(clips, count, scratch / "clips.csv")
    alone = Serving([listed, clips], scratch / "listed" / "state", options=("--ahead", "0")).start()
    figures["server, a list"] = {"MB": alone.memory_mb(), "peak MB": alone.peak_mb()}
    alone.stop()
    serving = Serving([run, clips], scratch / "state", options=("--ahead", "300")).start()
    browser = Browser(scratch / "profile")
    try:
        browser.enter(serving)
        acts = _acts(browser, serving, turns)
        figures["server"] = {"MB": serving.memory_mb(), "peak MB": serving.peak_mb()}
        figures["complaints"] = browser.complaints()
    finally:
        browser.close()
        serving.stop()
    figures["acts"] = {name: vars(taken) for name, taken in acts.items()}
    figures["reached"] = {name: taken.median for name, taken in acts.items()}
    figures["reached"]["server"] = figures["server"]["MB"]
    _show(acts, figures)
    return figures


def _show(acts: dict[str, Taken], figures: dict[str, Any]) -> None:
    middle = statistics.median
    rows = [
        [
            name, f"{taken.median:.0f} ms", f"{min(taken.waited):.0f} to {max(taken.waited):.0f}",
            f"{middle(taken.page):.0f}", f"{middle(taken.server):.0f}",
            f"{BARS[name]:.0f}" if name in BARS else "", taken.load,
        ]
        for name, taken in acts.items()
    ]  # fmt: skip
    table(["act", "waited", "range", "page's thread", "server's processor", "bar", "load"], rows)
    for name in ("server, a list", "server"):
        held = figures[name]
        print(f"{name}: {held['MB']:.0f} MB, at most {held['peak MB']:.0f} (bar 200)")
    for complaint in figures["complaints"]:
        print(f"the page complains: {complaint}")


def _acts(browser: Browser, serving: Serving, turns: int) -> dict[str, Taken]:
    library = browser.promised(
        """{ const found = await (await fetch("/v1/libraries")).json();
             return found.libraries.find((one) => one.kind === "run").id; }"""
    )
    wall = f"/wall?library={library}"
    browser.devtools("Performance.enable", timeDomain="threadTicks")
    first = Taken([], [], [])
    for _ in range(turns):
        browser.driver.get("about:blank")
        _timed(browser, serving, first, lambda: _opened(browser, wall))
    acts = {"first page": first}
    for name, script in (
        ("jump to the middle", _JUMP), ("filter", _FILTER), ("scroll, p95 of a frame", _SCROLL),
    ):  # fmt: skip
        acts[name] = Taken([], [], [])
        for _ in range(turns):
            _timed(browser, serving, acts[name], lambda s=script: float(browser.promised(s)))
    browser.go(f"{wall}", ".tile img")
    acts["hover to play"] = hover = Taken([], [], [])
    for turn in range(turns):
        _timed(browser, serving, hover, lambda t=turn: _hovered(browser, t))
    return acts


def _timed(browser: Browser, serving: Serving, taken: Taken, act: Any) -> None:
    worked, before = serving.cpu_seconds(), _thread_seconds(browser)
    taken.waited.append(act())
    after = _thread_seconds(browser)
    # A page that was opened anew begins to count anew.
    taken.page.append(1000 * (after - before if after >= before else after))
    taken.server.append(1000 * (serving.cpu_seconds() - worked))
    taken.load = load()


def _thread_seconds(browser: Browser) -> float:
    return browser.metrics().get("ThreadTime", 0.0) or browser.metrics()["TaskDuration"]


def _opened(browser: Browser, path: str) -> float:
    browser.driver.get(browser.address + path)
    return float(browser.promised(_DRAWN))


def _hovered(browser: Browser, turn: int) -> float:
    """Point at a tile that nobody pointed at yet, and wait for its video."""
    browser.pointed(5, 5)
    browser.wait("!document.querySelector('.tile video')")
    x, y = browser.promised(
        """{ const tiles = [...document.querySelectorAll(".tile .picture")].filter((one) =>
               one.querySelector("img") && one.getBoundingClientRect().top > 150
               && one.getBoundingClientRect().bottom < innerHeight);
             const edges = tiles[given[0] % tiles.length].getBoundingClientRect();
             window.pointed = new Promise((done) => addEventListener("pointerover", (over) => {
               if (!over.target.closest(".tile")) return;
               const begun = performance.now();
               const poll = () => {
                 const video = document.querySelector(".tile video.playing");
                 if (video && video.currentTime > 0) done(performance.now() - begun);
                 else setTimeout(poll, 5);
               };
               poll();
             }, { capture: true }));
             return [edges.left + edges.width / 2, edges.top + edges.height / 2]; }""",
        turn,
    )
    browser.pointed(x, y)
    return float(browser.promised("{ return window.pointed; }"))


_DRAWN = """{
  while (!document.querySelector(".tile")) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now();
}"""
"""When the first tiles are drawn, since the page was asked for."""

_PAINTED = """const frame = () => new Promise(requestAnimationFrame);
  const scroller = document.querySelector(".wall-scroll");
  const painted = async (holds) => { while (!holds()) await frame(); await frame(); };"""

_JUMP = f"""{{ {_PAINTED}
  scroller.scrollTop = 0;
  await painted(() => document.querySelector("[data-place='0']"));
  await new Promise((done) => setTimeout(done, 700));
  const begun = performance.now();
  scroller.scrollTop = scroller.scrollHeight / 2;
  const count = Number(document.querySelector(".tile").getAttribute("aria-setsize"));
  const near = () => [...document.querySelectorAll("[data-place]")].some((tile) =>
    Math.abs(Number(tile.dataset.place) - count / 2) < count / 100);
  await painted(near);
  return performance.now() - begun;
}}"""

_FILTER = f"""{{ {_PAINTED}
  const chip = [...document.querySelectorAll(".chip")].find((one) =>
    one.innerText.startsWith("Wrong"));
  const said = document.querySelector(".found").innerText;
  const begun = performance.now();
  chip.click();
  await painted(() => document.querySelector(".found").innerText !== said);
  const taken = performance.now() - begun;
  chip.click();
  await painted(() => document.querySelector(".found").innerText === said);
  return taken;
}}"""

_SCROLL = f"""{{ {_PAINTED}
  const times = [];
  let before = await frame();
  for (let k = 0; k < 240; k += 1) {{
    scroller.scrollTop += 60;
    const now = await frame();
    times.push(now - before);
    before = now;
  }}
  times.sort((a, b) => a - b);
  return times[Math.floor(0.95 * times.length)];
}}"""
