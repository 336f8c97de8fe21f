"""The pages in a browser: what is seen, what keys do, and that what is done is kept."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import uvicorn
from tests.serve.conftest import until, write_boxed, write_index, write_run

from vidfit.serve import running
from vidfit.serve.app import build
from vidfit.serve.boxes.rows import drawn_frames
from vidfit.serve.options import ServeOptions
from vidfit.serve.service import Service
from vidfit.video import write_video

CHROMIUM, CHROMEDRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
LEVELS = 12
"""Frames of the video whose brightness tells which frame it is."""

HOSTILE = "<img src=x onerror=alert(1)>.mp4"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and CHROMEDRIVER.exists()),
        reason="needs /usr/bin/chromium and /usr/bin/chromedriver",
    ),
]


class Window:
    """A browser with the server's address, logged in."""

    def __init__(self, driver, service, port: int):
        self.driver, self.service = driver, service
        self.address = f"http://127.0.0.1:{port}"
        driver.get(f"{self.address}/login?token={service.token}&person=Ann")
        until(lambda: driver.current_url, lambda url: url == f"{self.address}/")

    def library(self, kind: str) -> str:
        return next(one.id for one in self.service.libraries.all() if one.kind == kind)

    def go(self, path: str, sees: str) -> None:
        """Open a page, and wait for an element."""
        self.driver.get(self.address + path)
        self.wait(f"document.querySelector({sees!r})")

    def js(self, text: str):
        return self.driver.execute_script(f"return {text}")

    def promised(self, text: str):
        return self.driver.execute_async_script(
            f"const done = arguments[0]; (async () => {text})().then(done, (e) => done(String(e)))"
        )

    def wait(self, text: str, seconds: float = 60.0):
        return until(lambda: self.js(text), bool, seconds)

    def keys(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def labels(self) -> dict[str, tuple[str, str | None]]:
        """What stands, by the name of the clip."""
        library = self.service.libraries.get(self.library("videos"))
        names = dict(zip(library.ids, library.names, strict=True))
        given = self.service.given(library)
        return {
            names[one]: (row.kind, row.label) for one, row in given.items() if row.kind != "none"
        }

    def complaints(self) -> list[str]:
        return [
            entry["message"] for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE"
        ]  # fmt: skip


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service as Driver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Driver(str(CHROMEDRIVER)))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def window(driver, videos, tmp_path_factory):
    """Return a browser before a folder of clips, two runs and an index over it, and others."""
    folder = tmp_path_factory.mktemp("pages")
    runs = [write_run(folder / name, videos, **REPORT) for name in ("run", "other")]
    frames = [np.full((48, 64, 3), 20 * level + 8, np.uint8) for level in range(LEVELS)]
    grey = folder / "grey"
    grey.mkdir()
    write_video(grey / HOSTILE, frames, fps=12.5)
    index = write_index(folder / "index of all", videos)
    late = folder / "late"
    write_late(late, frames)
    boxed = folder / "boxed"
    boxed.mkdir()
    write_answers(folder / "faces", videos / "left" / "left0.mp4")
    sources = [videos, *runs, folder / "faces", grey, write_boxed(boxed), index, late / "clips.csv"]
    service = Service(sources, ServeOptions(folder / "state"))
    bound = running._bound("127.0.0.1", 0)
    server = uvicorn.Server(running.config(build(service)))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([bound])))
    thread.start()
    until(lambda: server.started, bool)
    yield Window(driver, service, bound.getsockname()[1])
    driver.get("about:blank")
    server.should_exit = True
    thread.join(30)
    bound.close()
    service.close()


def write_answers(folder: Path, video: Path) -> None:
    """Write what a model of people found in the first frame of a video."""
    folder.mkdir()
    document = {
        "format": "vidfit.people/1", "path": str(video), "width_pixels": 64, "height_pixels": 48,
        "consent": "the door", "people": ["Ada"],
        "tracks": [{"track": 1, "name": "Ada", "similarity": 0.97},
                   {"track": 2, "name": "unknown", "similarity": 0.8}],
        "frames": [{"frame": 0, "seconds": 0.0,
                    "boxes": [[1, 5, 5, 25, 25, 0.9], [2, 30, 5, 50, 25, None]]}],
    }  # fmt: skip
    (folder / "left0.json").write_text(json.dumps(document, indent=1))


def write_late(folder: Path, frames: list) -> None:
    """Write a Matroska whose clock begins at ten seconds, and a list of a part of it."""
    folder.mkdir()
    path = folder / "late.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25, 2))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number, frame_HWC in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame_HWC, format="rgb24")
            picture.pts, picture.time_base = 125 + number, Fraction(2, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    rows = "path,label,start_seconds,end_seconds\nlate.mkv,grey,0.48,0.8\n"
    (folder / "clips.csv").write_text(rows)


def estimate(value: float) -> dict:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


REPORT = {
    "chosen": "motion", "verdict": "motion is the only candidate.", "majority": estimate(0.5),
    "baseline": "majority class", "clip_count": 4, "group_count": 4, "protocol": "folds",
    "grouping": "by file", "row": "clip", "warnings": [], "notes": [], "dropped": [],
    "confusion_KK": [[1, 1], [0, 2]], "grouped_split": estimate(0.7), "machine": {"cores": "2"},
    "random_split": estimate(0.8), "leak": estimate(0.1), "stages": [], "provenance": {},
    "candidates": [
        {"name": f"model {place}", "kind": "backbone", "members": [], "score": estimate(0.7),
         "seconds_per_clip": 0.1, "gmacs_per_clip": 1.0, "sampling": "3x0.133sx8",
         "licence": "MIT", "commercial_use": True, "chosen": place == 0, "note": ""}
        for place in range(7)
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(window):
    """Let no page go against its policy, or throw, without a test noticing."""
    window.complaints()
    yield
    assert window.complaints() == []


def test_the_start_lists_what_is_open(window):
    window.go("/", ".score b")
    texts = "[...document.querySelectorAll('.library-card')].map((c) => c.innerText)"
    window.wait(f"{texts}.some((text) => text.startsWith('run') && text.includes('%'))")
    cards = window.js(texts)
    assert len(cards) == 8
    (run,) = [card for card in cards if card.startswith("run")]
    assert "75.0 %" in run and "30.0 to 95.0" in run


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    "path", ["/", "/wall", "/label", "/timeline", "/boxes", "/report", "/compare", "/search",
             "/models"],
)  # fmt: skip
def test_nothing_is_cut_off(window, path, width):
    window.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    window.go(f"{path}?library={window.library('run')}", "h1")
    try:
        time.sleep(0.3)  # what is fetched is drawn
        assert window.js("document.documentElement.scrollWidth") <= width
        assert window.js("document.title").endswith("vidfit")
    finally:
        window.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_wall_filters_by_its_address(window):
    run = window.library("run")
    window.go(f"/wall?library={run}&wrong=1", ".tile")
    assert "left1.mp4" in window.js("document.querySelector('.wall-content').innerText")
    assert window.js("document.querySelectorAll('.tile').length") == 1
    chip = "[...document.querySelectorAll('.chip')].find((c) => c.innerText.startsWith('Wrong'))"
    window.js(f"{chip}.click()")
    window.wait("document.querySelectorAll('.tile').length === 5")
    assert "wrong" not in window.driver.current_url
    window.go(f"/wall?library={run}&failed=1", ".tile")
    assert "header is damaged" in window.js("document.querySelector('.tile').innerText")


def test_a_clip_plays_under_the_pointer(window):
    from selenium.webdriver import ActionChains

    window.go(f"/wall?library={window.library('run')}&text=right0", ".tile img")
    tile = window.driver.find_element("css selector", ".tile .picture")
    ActionChains(window.driver).move_to_element(tile).perform()
    window.wait("document.querySelector('.tile video.playing')?.currentTime > 0")


def test_a_part_of_a_matroska_that_begins_late_is_the_part(window):
    from selenium.webdriver import ActionChains

    library = next(one for one in window.service.libraries.all() if one.name == "clips.csv")
    window.go(f"/wall?library={library.id}", ".tile img")
    tile = window.driver.find_element("css selector", ".tile .picture")
    ActionChains(window.driver).move_to_element(tile).perform()
    window.wait("document.querySelector('.tile video.playing')")
    seen = []
    for _ in range(15):  # its frames 6 to 9, again and again
        seen.append((window.js(BRIGHTNESS) - 8) / 20)
        time.sleep(0.07)
    assert min(seen) > 5.5 and sorted(seen)[len(seen) // 2] < 9.5


def test_shots_are_found_by_look_and_by_motion(window):
    from selenium.webdriver import ActionChains

    library = next(one for one in window.service.libraries.all() if one.index).id
    window.go(f"/search?library={library}", ".shot-acts")
    shown = "[...document.querySelectorAll('section .cards b')].map((b) => b.innerText).join()"
    assert window.js(shown) == "left0.mp4,left1.mp4,right0.mp4,right1.mp4"
    window.js("document.querySelector('section .shot-acts button').click()")
    window.wait(f"{shown} === 'right1.mp4,left1.mp4,right0.mp4'")
    window.js("document.querySelectorAll('.ways button')[1].click()")
    window.wait(f"{shown}.startsWith('left1.mp4')")
    assert "by=motion" in window.driver.current_url and "clip=" in window.driver.current_url
    card = window.driver.find_element("css selector", "section .cards .picture")
    ActionChains(window.driver).move_to_element(card).perform()
    window.wait("document.querySelector('section .cards video.playing')?.currentTime > 0")
    window.js("document.querySelector('section .shot-acts a').click()")
    window.wait("document.querySelector('h1.clip-title')?.innerText.endsWith('left1.mp4')")


def test_the_wall_leads_to_shots_like_a_clip(window):
    videos = window.service.libraries.get(window.library("videos"))
    clip = videos.ids[videos.names.index("right/right1.mp4")]
    window.go(f"/wall?library={videos.id}&clip={clip}", ".viewer-said")
    href = (
        "[...document.querySelectorAll('.viewer-said a')].find((a) => a.href.includes('/search'))"
    )
    window.js(f"{href}.click()")
    window.wait("document.querySelector('section .cards b')?.innerText === 'left0.mp4'")


def test_many_clips_get_a_label_by_a_key_and_lose_it_together(window):
    from selenium.webdriver.common.keys import Keys

    window.go(f"/wall?library={window.library('videos')}&label=right", ".tile")
    window.js("document.querySelector('.wall-scroll').focus()")
    window.keys(Keys.ARROW_RIGHT, Keys.SPACE, Keys.ARROW_RIGHT, Keys.SPACE, "1")
    until(window.labels, lambda found: len(found) == 2)
    assert window.labels() == dict.fromkeys(
        ["right/right0.mp4", "right/right1.mp4"], ("label", "left")
    )
    assert window.js("document.querySelectorAll('.tile').length") == 2  # they stay in sight
    window.keys("u")
    until(window.labels, lambda found: not found)


def test_the_queue_keeps_an_answer_before_it_shows_the_next(window):
    window.go(f"/label?library={window.library('run')}", ".desk video")
    window.wait("document.querySelector('.screen:not(.next) figcaption').innerText.length > 3")
    caption = "document.querySelector('.screen:not(.next) figcaption').innerText"
    first = window.js(caption)
    assert window.js("document.querySelectorAll('.desk video').length") == 2  # the next is loaded
    window.keys("2")
    window.wait(f"{caption} !== {first!r}")
    assert window.labels()[first] == ("label", "right")
    window.keys("u")
    window.wait(f"{caption} === {first!r}")
    assert first not in window.labels()
    window.keys("?")
    window.wait(f"{caption} !== {first!r}")
    assert window.labels() == {first: ("unsure", None)}
    window.keys("u")
    until(window.labels, lambda found: not found)


def test_a_seek_shows_the_very_frame(window):
    clip = next(one for one in window.service.libraries.all() if one.name == "grey").ids[0]
    window.go(f"/timeline?clip={clip}", ".transport")
    window.wait("document.body.innerText.includes(' of 12')")
    assert window.js("document.querySelector('h1').innerText") == HOSTILE
    for frame in range(1, LEVELS):
        window.keys(".")
        window.wait(f"document.body.innerText.includes('frame {frame} of')")
        window.wait(f"Math.abs({BRIGHTNESS} - {20 * frame + 8}) < 10", 5)


BRIGHTNESS = """((video) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0, 1, 1);
  return pen.getImageData(0, 0, 1, 1).data[1];
})(document.querySelector("video"))"""


def test_spans_are_edited_by_keys(window):
    clip = window.service.libraries.get(window.library("videos")).ids[-1]
    window.go(f"/timeline?library={window.library('videos')}&clip={clip}", ".transport")
    window.wait("document.body.innerText.includes('frame 0 of 20')")
    window.keys("2")  # a short press on no span marks the second from here

    def edges():
        text = window.js("document.querySelector('.chosen-span p .num')?.innerText ?? ''")
        return text.split(" to ")

    window.js("[...document.querySelectorAll('.giving button')][1].click()")
    until(edges, lambda found: len(found) == 2)
    window.keys(".", "[")
    until(edges, lambda found: found[0] == "0:00.080")
    window.keys("u")
    until(edges, lambda found: found[0] == "0:00.000")


def boxes(window) -> list[tuple]:
    """What stands of the first frame of the list of boxes."""
    library = next(one for one in window.service.libraries.all() if one.name == "boxed")
    frames = window.service.shelf.of(library)
    (file, path), *_ = frames.files.items()
    drawn = drawn_frames(window.service.store, [file]).get((file, 0))
    found = drawn.boxes if drawn else frames.book.frame(path, 0).objects
    return [(box.label, box.left, box.top, box.right, box.bottom) for box in found]


def test_boxes_are_corrected_by_the_pointer_and_by_keys(window):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    library = next(one for one in window.service.libraries.all() if one.name == "boxed")
    window.go(f"/boxes?library={library.id}", ".acts")
    window.wait("document.querySelectorAll('.stage .box.object').length === 2")
    (car, bus) = boxes(window)
    assert (car, bus) == (("car", 10, 10, 30, 22), ("bus", 40, 20, 50, 30))
    element = window.driver.find_elements("css selector", ".stage .box.object")[0]
    ActionChains(window.driver).drag_and_drop_by_offset(element, 40, 0).perform()
    until(lambda: boxes(window), lambda found: found[0] != car)
    moved = boxes(window)[0]
    assert moved[1] > 10 and moved[3] - moved[1] == pytest.approx(20, abs=0.05)
    assert moved[2::2] == pytest.approx((10, 22), abs=0.05)
    window.keys("e", Keys.ARROW_RIGHT)  # its right and lower edge
    until(lambda: boxes(window)[0][3], lambda right: right == pytest.approx(moved[3] + 1, abs=0.05))
    window.keys("1")
    until(lambda: boxes(window)[0][0], lambda label: label == "bus")
    window.keys("n")
    until(lambda: boxes(window), lambda found: found[-1] == ("bus", 24, 18, 40, 30))
    window.keys(Keys.DELETE)
    until(lambda: boxes(window), lambda found: len(found) == 2)
    for _ in range(5):
        before = boxes(window)
        window.keys("u")
        until(lambda: boxes(window), lambda found, before=before: found != before)
    assert boxes(window) == [car, bus]


def test_a_picture_is_drawn_upon(window):
    from selenium.webdriver import ActionChains

    library = next(one for one in window.service.libraries.all() if one.name == "boxed")
    window.driver.set_window_size(1280, 1000)  # all of the picture is in sight
    window.go(f"/boxes?library={library.id}", ".acts")
    window.wait("document.querySelector('.stage img')?.naturalWidth === 64")
    window.wait("document.querySelectorAll('.stage .box.object').length === 2")
    stage = window.driver.find_element("css selector", ".stage")
    scale = stage.size["width"] / 64
    start = ActionChains(window.driver).move_to_element_with_offset(
        stage, int(-28 * scale), int(-18 * scale)
    )
    start.click_and_hold().move_by_offset(int(5 * scale), int(3 * scale)).release().perform()
    until(lambda: boxes(window), lambda found: len(found) == 3)
    assert boxes(window)[-1][1:] == pytest.approx((4, 6, 9, 9), abs=0.6)
    window.keys("u")
    until(lambda: boxes(window), lambda found: len(found) == 2)


def test_faces_are_shown_with_names_and_not_changed(window):
    library = next(one for one in window.service.libraries.all() if one.frames == "faces")
    window.go(f"/boxes?library={library.id}", ".box-desk")
    window.wait("document.querySelectorAll('.stage .box.found').length === 2")
    tags = window.js("[...document.querySelectorAll('.stage .tag')].map((one) => one.innerText)")
    assert sorted(tags) == ["Ada #1", "unknown #2"]
    said = window.js("document.querySelector('main').innerText")
    assert "agreed to: the door" in said and "alike 0.97" in said
    assert window.js("document.querySelector('.acts, .export, .giving')") is None


def test_models_are_filtered_by_the_address(window):
    window.go("/models?ready=1&modality=audio", ".models tbody tr")
    rows = window.js("[...document.querySelectorAll('.models tbody tr')].map((r) => r.innerText)")
    assert rows and all("audio" in row and "ready" in row for row in rows)
    window.js("document.querySelector('.model-card summary').click()")
    window.wait("document.querySelector('.model-card dl').innerText.includes('made for')")


def test_a_cell_of_the_report_leads_to_its_clips(window):
    window.go(f"/report?library={window.library('run')}", ".confusion")
    assert window.js("document.querySelector('h1').innerText").startswith("75.0 % accuracy")
    assert window.js("document.querySelectorAll('.board tbody tr').length") == 7
    assert window.js("document.querySelectorAll('section > .board tbody tr').length") == 4
    window.js("document.querySelector('.confusion .wrong a').click()")
    window.wait("document.querySelector('.tile')?.innerText.includes('left1.mp4')")


def test_two_runs_say_what_was_won(window):
    window.go("/compare", ".pickers")
    window.wait("document.body.innerText.includes('Lost: 0 clips')")
    assert window.js("document.querySelector('h1').innerText").startswith("0.0 points from")


def test_a_word_is_explained_where_it_stands(window):
    window.go(f"/report?library={window.library('run')}", ".word button")
    window.js("document.querySelector('.word button').click()")
    assert "other recordings" in window.wait("document.querySelector('.meaning')?.innerText")


def test_rows_above_what_a_browser_holds_are_all_reached(window):
    found = window.promised(
        """{
        const { Heights, MOST_PIXELS } = await import("/static/wall/rows.js");
        const all = new Heights(1e6, 200, 900);
        const far = all.atScroll(all.content - 900);
        return [all.content <= MOST_PIXELS, all.seen(far)[1], all.moved(5000, 400, 500),
                new Heights(10, 200, 900).moved(0, 0, 300)];
        }"""
    )
    assert found == [True, 1_000_000, 5100, 300]


def test_the_threshold_cuts_and_joins_segments(window):
    found = window.promised(
        """{
        const { segmentsOf } = await import("/static/timeline/segments.js");
        const windows = [[0, 2, .9, .1], [1, 3, .8, .2], [2, 4, .3, .7], [3, 5, .45, .55]].map(
          ([from, to, ...scores]) => ({ start_seconds: from, end_seconds: to, scores }));
        const of = (at) => segmentsOf(windows, ["a", "b"], at).map((one) =>
          [one.label, one.start_seconds, one.end_seconds]);
        return [of(0.5), of(0.6)];
        }"""
    )
    assert found == [[["a", 0, 2], ["b", 2, 5]], [["a", 0, 2], ["b", 2, 3]]]


def test_a_fit_again_is_given_what_the_one_before_was(window):
    run, jobs = window.library("run"), window.service.jobs
    asked = {"command": "fit", "library": run, "options": {"minutes": 2}}
    job = jobs.add(asked, "Ann", lambda folder: ["--version"], most_waiting=9)
    until(lambda: jobs.get(job.id).state, lambda state: state == "done")
    window.go(f"/label?library={run}", "[aria-labelledby=fits] button")
    sent = window.promised(
        """{
        const real = window.fetch;
        const bodies = [];
        window.fetch = (path, options = {}) => {
          if (path !== "/v1/jobs" || options.method !== "POST") return real(path, options);
          bodies.push(JSON.parse(options.body));
          return Promise.resolve(new Response("{}", { status: 202 }));
        };
        const button = () => document.querySelector("[aria-labelledby=fits] button");
        const isSent = () => bodies.some((one) => one.options.minutes === 2);
        for (let turn = 0; turn < 100 && !isSent(); turn += 1) {
          button()?.click();
          await new Promise((done) => setTimeout(done, 100));
        }
        window.fetch = real;
        return bodies.at(-1);
        }"""
    )
    assert sent == asked
