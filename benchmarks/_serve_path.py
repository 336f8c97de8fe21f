"""The way of a person through the pages, from a folder to a list of spans, in pictures."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks._clips import folder
from benchmarks._harness import load, table
from benchmarks._serve_browser import Browser
from benchmarks._serve_server import Serving

CORRECTIONS = 20
WIDTHS = (1280, 390)
DARK = "serious in the dark"
_FIT_SECONDS, _PREDICT_SECONDS = 1800.0, 600.0
_JOINED = 12
_MOST_KEYS = 80


class Walk:
    """A browser on its way; each stop is a picture at each width, and a look for faults."""

    def __init__(self, browser: Browser, pictures: Path, axe: Path | None) -> None:
        self.browser, self.pictures = browser, pictures
        self.axe = axe.read_text() if axe else ""
        self.stops: list[dict[str, Any]] = []
        self._begun = time.monotonic()

    def stop(self, name: str, *, whole: bool = True) -> None:
        """Take pictures; note what is cut off, and what axe finds serious."""
        found: dict[str, Any] = {"name": name, "seconds": time.monotonic() - self._begun}
        for width in WIDTHS:
            with self.browser.of_width(width):
                self._drawn()
                place = self.pictures / f"{len(self.stops) + 1:02d}-{name}-{width}.png"
                self.browser.picture(place, whole=whole)
                found[f"cut at {width}"] = self.browser.js(
                    "Math.max(0, document.documentElement.scrollWidth - innerWidth)"
                )
                found[f"serious at {width}"] = self._serious()
        with self.browser.in_the_dark():
            found[DARK] = self._serious()
        self.stops.append(found)

    def _drawn(self, seconds: float = 8.0) -> None:
        """Wait for what is fetched, and for posters that are made."""
        end, empty = time.monotonic() + seconds, "[...document.querySelectorAll('.picture')]"
        time.sleep(0.6)
        bare = f"{empty}.slice(0, 12).filter((one) => !one.querySelector('img, .why')).length"
        while time.monotonic() < end and self.browser.js(bare):
            time.sleep(0.2)

    def _serious(self) -> list[str]:
        if not self.axe:
            return []
        self.browser.driver.execute_script(self.axe)
        found = self.browser.promised(
            """{ const found = await axe.run(document, { resultTypes: ["violations"] });
                 return found.violations.filter((one) => ["serious", "critical"].includes(
                   one.impact)).map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) =>
                   node.target.join(" ")).join("; ")}`); }"""
        )
        return list(found)


def measure(
    clips: Path, scratch: Path, pictures: Path, axe: Path | None, budget: str
) -> dict[str, Any]:
    """Go the way, and return what was seen on it."""
    pictures.mkdir(parents=True, exist_ok=True)
    long_video = joined(clips, scratch / "long")
    serving = Serving([clips, long_video.parent], scratch / "state").start()
    browser = Browser(scratch / "profile")
    try:
        browser.enter(serving)
        walk = Walk(browser, pictures, axe)
        figures = _walk(walk, budget)
        figures["complaints"] = browser.complaints()
    finally:
        browser.close()
        serving.stop()
    figures["stops"] = walk.stops
    shown(figures)
    print(f"{figures['labels given']} labels by keys; {figures['change']!r}")
    print(f"the span, corrected by keys: {figures['span']}; spans as CSV:")
    print("\n".join(figures["spans.csv"].splitlines()[:4]))
    return figures


def joined(clips: Path, target: Path) -> Path:
    """Join clips of a folder to one long video, by ffmpeg."""
    target.mkdir(parents=True)
    files = folder(clips, _JOINED)
    command = ["ffmpeg", "-v", "error"]
    for path in files:
        command += ["-i", str(path)]
    scaled = "".join(
        f"[{k}:v]scale=320:240,setsar=1,fps=25[v{k}];" for k in range(len(files))
    )  # fmt: skip
    parts = "".join(f"[v{k}]" for k in range(len(files)))
    graph = f"{scaled}{parts}concat=n={len(files)}:v=1[out]"
    path = target / "street.mp4"
    command += ["-filter_complex", graph, "-map", "[out]", "-c:v", "libx264", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def _walk(walk: Walk, budget: str) -> dict[str, Any]:
    browser = walk.browser
    libraries = _libraries(browser)
    clips = next(one for one in libraries if one["clip_count"] > 1)
    street = next(one for one in libraries if one["clip_count"] == 1)
    browser.wait("document.querySelector('.library-card')")
    walk.stop("start")
    first = _fit(walk, clips["id"], budget, "first")
    browser.go(f"/report?library={first}", ".confusion")
    walk.stop("report")
    browser.go(f"/wall?library={first}&wrong=1", ".tile img")
    walk.stop("wall", whole=False)
    given = _correct(walk, first)
    second = _fit(walk, clips["id"], budget, "second")
    browser.go(f"/label?library={second}", ".change")
    browser.wait("document.querySelector('.change')?.innerText.includes('before that')")
    change = browser.js("document.querySelector('[aria-labelledby=fits]').innerText")
    walk.stop("change")
    browser.go(f"/compare?first={first}&second={second}", ".pickers")
    browser.wait("document.body.innerText.includes('Lost')")
    walk.stop("compare")
    span = _correct_span(walk, street)
    exported = {
        what: browser.promised(
            "{ return (await fetch(given[0])).text(); }",
            f"/v1/libraries/{library}/export?form=csv&what={what}",
        )
        for what, library in (("labels", clips["id"]), ("spans", street["id"]))
    }
    return {
        "labels given": given, "change": change, "span": span,
        "spans.csv": exported["spans"], "rows of labels.csv": exported["labels"].count("\n"),
    }  # fmt: skip


def _libraries(browser: Browser) -> list[dict[str, Any]]:
    found = browser.promised("{ return (await fetch('/v1/libraries')).json(); }")
    return list(found["libraries"])


def _fit(walk: Walk, library: str, budget: str, which: str) -> str:
    """Begin a fit by the form of the start page, and return the library that it made."""
    browser = walk.browser
    known = {one["id"] for one in _libraries(browser)}
    browser.go("/", ".fit-form")
    browser.promised(
        """{ const [clips, time] = document.querySelectorAll(".fit-form select");
             for (const [select, value] of [[clips, given[0]], [time, given[1]]]) {
               select.value = value;
               select.dispatchEvent(new Event("change", { bubbles: true }));
             }
             await new Promise((done) => setTimeout(done, 100));
             document.querySelector(".fit-form button").click(); }""",
        library, budget,
    )  # fmt: skip
    browser.wait("document.querySelector('.job .progress')", 120)
    time.sleep(4)
    if which == "first":
        walk.stop("fit-runs")
    done = "['done', 'failed', 'stopped'].find((s) => document.querySelector(`.job .dot.${s}`))"
    browser.wait(f"!document.querySelector('.job .progress') && {done}", _FIT_SECONDS)
    made = [one["id"] for one in _libraries(browser) if one["id"] not in known]
    if not made:
        raise SystemExit(f"the fit failed: {browser.js('document.body.innerText.slice(-900)')}")
    browser.wait("[...document.querySelectorAll('.library-card .score b')].length > 0")
    walk.stop(f"{which}-fit-is-done")
    return str(made[0])


def _correct(walk: Walk, run: str) -> int:
    """Label clips by keys alone: the class that the list says, or the model's where that is it."""
    browser = walk.browser
    browser.go(f"/label?library={run}", ".desk video")
    caption = "document.querySelector('.screen:not(.next) figcaption')?.innerText"
    browser.wait(f"({caption} ?? '').length > 3")
    walk.stop("label")
    keys = {"fight": "1", "noFight": "2"}
    for number in range(CORRECTIONS):
        name = browser.wait(f"({caption} ?? '').includes('/') && {caption}")
        browser.keys(keys[name.split("/")[0]])
        done = number + 1
        browser.wait(f"document.querySelector('.remaining').innerText.includes('{done} done')")
    walk.stop("labelled")
    return CORRECTIONS


def _correct_span(walk: Walk, street: dict[str, Any]) -> str:
    """Ask the model about the long video, take over its first segment, move its end."""
    browser = walk.browser
    browser.go(f"/timeline?library={street['id']}", ".choose a")
    browser.js("document.querySelector('.choose a').click()")
    browser.wait("document.querySelector('.ask button')")
    browser.js("document.querySelector('.ask button').click()")
    browser.wait("document.querySelector('.lane .segment')", _PREDICT_SECONDS)
    walk.stop("long-video")
    _press(browser, "\ue015", "document.querySelector('.segment.is-chosen')")  # down
    browser.keys("\ue007")  # Enter
    browser.wait("document.querySelector('.lane.ours .segment')")
    end = "document.querySelector('.chosen-span .num').innerText.split(' to ')[1]"
    before = browser.js(end)
    _press(browser, "\ue014", "document.querySelector('.transport b').innerText > '0:01'")  # right
    for _ in range(3):
        browser.keys(".")
    browser.wait("[...document.querySelectorAll('.transport .num')].at(-1).title.includes('seen')")
    browser.keys("]")
    browser.wait(f"{end} !== {before!r}")
    walk.stop("corrected-span")
    return str(browser.js("document.querySelector('.chosen-span .num').innerText"))


def _press(browser: Browser, key: str, until: str) -> None:
    for _ in range(_MOST_KEYS):
        if browser.js(until):
            return
        browser.keys(key)
        time.sleep(0.2)
    raise SystemExit(f"{_MOST_KEYS} times the key, and still not {until}")


def shown(figures: dict[str, Any]) -> None:
    """Print what was seen at each stop."""
    rows = [
        [
            stop["name"], f"{stop['seconds']:.0f} s", *(f"{stop[f'cut at {w}']}" for w in WIDTHS),
            *("; ".join(stop[f"serious at {w}"]) or "none" for w in WIDTHS),
            "; ".join(stop[DARK]) or "none",
        ]
        for stop in figures["stops"]
    ]  # fmt: skip
    cut, serious = ([f"{what} at {w}" for w in WIDTHS] for what in ("pixels cut", "serious"))
    table(["stop", "at", *cut, *serious, DARK], rows)
    for complaint in figures["complaints"]:
        print(f"the page complains: {complaint}")
    print(load())


def faults(figures: dict[str, Any]) -> int:
    """Return how many things are cut off, or serious by axe."""
    stops = figures["stops"]
    cut = sum(stop[f"cut at {width}"] > 0 for stop in stops for width in WIDTHS)
    looks = [DARK, *(f"serious at {width}" for width in WIDTHS)]
    return cut + sum(len(stop[look]) for stop in stops for look in looks)
