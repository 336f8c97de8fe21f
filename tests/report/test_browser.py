from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.jobs.compare.test_page import BEST, TABLE, TRAINED
from tests.report.compression_example import (
    hostile_compression,
    kept_compression,
    long_compression,
    refused_compression,
)
from tests.report.example import bare_report, example_report, hostile_report, large_report
from tests.report.ranking_example import (
    example_ranking,
    hostile_ranking,
    large_ranking,
    single_ranking,
)

from vidfit.contracts import Estimate
from vidfit.jobs.compare.page import write_architectures
from vidfit.jobs.compress.page import write_compression
from vidfit.jobs.fit.page import write_report
from vidfit.jobs.select.page import write_ranking

CHROMIUM, CHROMEDRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
REPORTS = {
    "example": example_report,
    "large": large_report,
    "hostile": hostile_report,
    "bare": bare_report,
}

RANKINGS = {
    "example": example_ranking,
    "large": large_ranking,
    "hostile": hostile_ranking,
    "single": single_ranking,
}

COMPRESSIONS = {
    "kept": kept_compression,
    "refused": refused_compression,
    "long": long_compression,
    "hostile": hostile_compression,
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and CHROMEDRIVER.exists()),
        reason="needs /usr/bin/chromium and /usr/bin/chromedriver",
    ),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(CHROMEDRIVER)))
    yield driver
    driver.quit()


@pytest.fixture(scope="module", params=REPORTS)
def page(request, tmp_path_factory):
    return write_report(REPORTS[request.param](), tmp_path_factory.mktemp("report"))


def look(browser, page, width, scheme):
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {
            "features": [
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ]
        },
    )
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.get(page.as_uri())


def requests(browser):
    import json

    messages = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    sent = [m for m in messages if m["method"] == "Network.requestWillBeSent"]
    return {m["params"]["request"]["url"] for m in sent}


def look_and_judge(browser, page, width, scheme):
    """Open a page with all its details; it fits the width and asks for nothing outside."""
    requests(browser)  # what earlier pages asked for is not this page's
    look(browser, page, width, scheme)
    assert browser.get_log("browser") == []
    # The browser's own first tab loads chrome:// and chrome-untrusted:// pages.
    own = ("data:", "chrome://", "chrome-untrusted://")
    asked = {url for url in requests(browser) if not url.startswith(own)}
    assert asked == {page.as_uri()}
    for details in browser.find_elements("tag name", "details"):
        browser.execute_script("arguments[0].open = true", details)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_in_a_browser(browser, page, width, scheme):
    look_and_judge(browser, page, width, scheme)
    headline = browser.find_element("id", "headline")
    assert headline.is_displayed() and "on recordings it never saw" in headline.text
    assert contrast(browser, "#headline .interval") > 4.5
    assert contrast(browser, ".verdict") > 7


@pytest.fixture(scope="module", params=RANKINGS)
def ranking_page(request, tmp_path_factory):
    return write_ranking(RANKINGS[request.param](), tmp_path_factory.mktemp("ranking"))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_ranking_in_a_browser(browser, ranking_page, width, scheme):
    look_and_judge(browser, ranking_page, width, scheme)
    headline = browser.find_element("id", "headline")
    assert headline.is_displayed() and "expected on new recordings" in headline.text
    assert contrast(browser, "#headline .interval") > 4.5
    assert overlapping_labels(browser) == []


def test_picture_of_a_ranking_in_a_browser(browser, tmp_path):
    page = write_ranking(example_ranking(), tmp_path).with_name("ranking.svg")
    look(browser, page, 1280, "dark")
    assert browser.get_log("browser") == []
    assert overlapping_labels(browser) == []
    colour = "return getComputedStyle(document.querySelector('.mark.tied')).fill"
    assert browser.execute_script(colour) == "rgb(11, 106, 117)"


@pytest.fixture(scope="module", params=COMPRESSIONS)
def compression_page(request, tmp_path_factory):
    return write_compression(COMPRESSIONS[request.param](), tmp_path_factory.mktemp("compression"))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_compression_in_a_browser(browser, compression_page, width, scheme):
    look_and_judge(browser, compression_page, width, scheme)
    assert browser.find_element("id", "headline").is_displayed()
    assert contrast(browser, "#headline em") > 4.5
    assert contrast(browser, ".shrunk .soft") > 4.5
    assert overlapping_labels(browser) == []


def test_picture_of_a_compression_in_a_browser(browser, tmp_path):
    page = write_compression(kept_compression(), tmp_path).with_name("compression.svg")
    look(browser, page, 1280, "dark")
    assert browser.get_log("browser") == []
    assert overlapping_labels(browser) == []
    colour = "return getComputedStyle(document.querySelector('.mark.recommended')).fill"
    assert browser.execute_script(colour) == "rgb(11, 106, 117)"


@pytest.mark.parametrize("width", [1280, 390])
def test_names_of_architectures_are_whole_and_stay_in_their_chart(browser, tmp_path, width):
    encoder = "efficientnet-lite0"
    names = [f"{name} on {encoder}" for name in ("gpt", "cnn-lstm", "video-transformer")]
    names += ["video-transformer pretrained", "\u8868" * 14]
    rows = [
        replace(
            TRAINED, name=name, learn_seconds=58.0 + at, standing="tied",
            score=Estimate(0.5 + 0.07 * at, 0.4 + 0.07 * at, 0.6 + 0.07 * at),
        )
        for at, name in enumerate(names)
    ]  # fmt: skip
    look(browser, write_architectures(replace(TABLE, rows=(BEST, *rows)), tmp_path), width, "light")
    said = [label.text for label in browser.find_elements("css selector", "svg text.label")]
    assert {*names, BEST.name} <= {text.replace("\n", " ") for text in said}
    assert overlapping_labels(browser) == [] and outside_labels(browser) == []


def outside_labels(browser):
    """Return texts of charts of a plane that go beyond it as the browser sets them."""
    return browser.execute_script(
        "return [...document.querySelectorAll('svg:has(> text.label) text')].filter(text => {"
        "  const own = text.getBoundingClientRect();"
        "  const all = text.closest('svg').getBoundingClientRect();"
        "  return own.width && (own.left < all.left - 1 || own.right > all.right + 1"
        "    || own.top < all.top - 1 || own.bottom > all.bottom + 1);"
        "}).map(text => text.textContent)"
    )


def overlapping_labels(browser):
    """Return pairs of labels of one chart that cover each other as the browser sets them."""
    return browser.execute_script(
        "const found = [];"
        "for (const chart of document.querySelectorAll('svg')) {"
        "  const boxes = [...chart.querySelectorAll(':scope > text.label')]"
        "    .map(e => [e.textContent, e.getBoundingClientRect()]).filter(([, b]) => b.width);"
        "  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {"
        "    if (p.left < q.right && q.left < p.right"
        "        && p.top + 3 < q.bottom && q.top + 3 < p.bottom)"
        "      found.push([a, b]); }));"
        "}"
        "return found"
    )


def contrast(browser, selector):
    """Return the contrast of text with the page (WCAG 2.2, relative luminance)."""
    colours = browser.execute_script(
        "const rgb = (e, k) => getComputedStyle(e)[k].match(/[\\d.]+/g).map(Number);"
        "return [rgb(document.querySelector(arguments[0]), 'color'),"
        " rgb(document.body, 'backgroundColor')]",
        selector,
    )
    light, dark = sorted((luminance(c) for c in colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb):
    linear = [v / 3294.6 if v <= 10.3 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_schemes_differ(browser, tmp_path):
    page = write_report(example_report(), tmp_path)
    seen = set()
    for scheme in ("light", "dark"):
        look(browser, page, 1280, scheme)
        seen.add(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2


def test_leaderboard_sorts_by_a_column(browser, tmp_path):
    report = example_report()
    look(browser, write_report(report, tmp_path), 1280, "light")
    button = browser.find_element("css selector", "th.c2 button")
    boards = (
        "return [...document.querySelectorAll('.board:not(.classes)')]"
        ".map(board => [...board.querySelectorAll('.who')].map(e => e.textContent))"
    )
    leaders, others = browser.execute_script(boards)
    assert sorted([*leaders, *others]) == sorted(c.name for c in report.candidates)
    by_seconds = sorted(report.candidates, key=lambda c: c.seconds_per_clip)
    expected = [c.name for c in by_seconds if c.name in leaders]
    button.click()
    assert browser.execute_script(boards) == [expected, others]
    button.click()
    assert browser.execute_script(boards) == [expected[::-1], others]
    assert button.find_element("xpath", "..").get_attribute("aria-sort") == "descending"


def test_classes_sort_by_their_clips(browser, tmp_path):
    report = example_report()
    look(browser, write_report(report, tmp_path), 1280, "light")
    names = "return [...document.querySelectorAll('.classes tbody .who')].map(e => e.textContent)"
    browser.find_element("css selector", ".classes th.c5 button").click()
    expected = [c.label for c in sorted(report.by_class, key=lambda c: c.clips)]
    assert browser.execute_script(names) == expected
