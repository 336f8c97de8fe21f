"""The page: what it says, how it escapes, and whether its videos play."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.clips import write_clip
from tests.report.test_browser import CHROMEDRIVER, CHROMIUM, FLAGS

from vidfit.contracts import Failure
from vidfit.jobs.search.page import search_html, write_search
from vidfit.jobs.search.value import Grown, Hit, SearchResult
from vidfit.report.thumbnail import jpeg
from vidfit.video import decode


def result(folder: Path, name: str = "a clip.mp4", **changes) -> SearchResult:
    path = write_clip(folder / name)
    poster = jpeg(decode(str(path), count=1).frames_THWC[0])
    hits = tuple(
        Hit(str(path), 0.4 * i, 0.4 * i + 0.8, 0.5, 0.9 - i / 10, "", poster) for i in (0, 1)
    )
    facts = {
        "library": str(folder),
        "query": "query.mp4#1-2",
        "by": "motion",
        "hits": {"look": hits, "motion": hits[::-1]},
        "index": Grown(1, 2, 1, 0, (Failure("broken.mp4", "it is damaged"),)),
        "encoders": {"look": "efficientnet-lite0", "motion": "motion"},
        "seconds": {"index": 1.0, "query": 0.1, "compare": 0.01},
    }
    return SearchResult(**{**facts, **changes})


def test_the_way_that_was_asked_for_comes_first_and_the_other_is_a_click_away(tmp_path):
    page = search_html(result(tmp_path / "library"), tmp_path / "out")
    assert page.index('id="way-motion" checked') < page.index('id="way-look"')
    assert '../library/a%20clip.mp4#t=0.40,1.20"' in page
    assert "media-src 'self' file:" in page and "broken.mp4" in page


def test_nothing_found_and_a_video_that_is_gone_make_a_page(tmp_path):
    page = search_html(result(tmp_path, hits={"words": ()}, by="words"), tmp_path)
    assert "Nothing found for" in page
    gone = (Hit("gone.mp4", 0, 1, 0, 0.5),)
    page = search_html(result(tmp_path, hits={"look": gone}, by="look"), tmp_path)
    assert "no picture" in page and "<video" not in page


def test_names_and_words_are_escaped(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    hit = Hit(f"{evil}.mp4", 0, 1, 0, 1.0, evil)
    page = search_html(
        result(tmp_path, query=evil, library=evil, hits={"words": (hit,)}, by="words"), tmp_path
    )
    assert "<img" not in page and "&lt;img" in page


@pytest.mark.browser
@pytest.mark.skipif(not (CHROMIUM.exists() and CHROMEDRIVER.exists()), reason="needs chromium")
def test_videos_play_from_their_shot_and_nothing_is_cut_off(tmp_path):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, "--autoplay-policy=no-user-gesture-required"):
        options.add_argument(flag)
    path = write_search(result(tmp_path / "library"), tmp_path / "out")
    browser = webdriver.Chrome(options, webdriver.ChromeService(str(CHROMEDRIVER)))
    try:
        browser.get(path.as_uri())
        browser.execute_script("document.querySelector('.found-motion video').play()")
        began = time.monotonic()
        while time.monotonic() - began < 20:
            at = browser.execute_script("return document.querySelector('video').currentTime")
            if at > 0.45:
                break
            time.sleep(0.1)
        assert 0.4 <= at <= 1.3
        for way in ("look", "motion"):
            browser.execute_script(f"document.querySelector('label[for=way-{way}]').click()")
            for other in ("look", "motion"):
                found = browser.find_element("css selector", f".found-{other}")
                assert found.is_displayed() == (other == way)
        for width in (390, 1280):
            browser.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
            )
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width
    finally:
        browser.quit()
