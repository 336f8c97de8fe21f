"""The page of a restorer, looked at in a browser: it fits, and the line moves by keys."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys
from tests.jobs.restore.example import PICTURES, REPORT
from tests.report.test_browser import CHROMEDRIVER, CHROMIUM, browser, look_and_judge

from vidfit.jobs.restore.page import report_html, write_report

__all__ = ["browser"]


def test_names_of_strangers_stay_text():
    page = report_html(REPORT, PICTURES)
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_no_gain_is_said_first():
    page = report_html(REPORT, ())
    assert (
        "no gain by what was learned" in page
        and "which is not kept" in page
        and "Before and after" not in page
    )


@pytest.mark.browser
@pytest.mark.skipif(not (CHROMIUM.exists() and CHROMEDRIVER.exists()), reason="needs chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_line_moves_by_keys(browser, tmp_path, width):
    page = write_report(REPORT, PICTURES, tmp_path)
    look_and_judge(browser, page, width, "light")
    slider = browser.find_element("css selector", ".wipe input")
    figure = browser.find_element("css selector", ".wipe")
    where = "return getComputedStyle(arguments[0]).getPropertyValue('--at')"
    assert browser.execute_script(where, figure) == "50%"
    slider.send_keys(Keys.ARROW_LEFT)
    assert browser.execute_script(where, figure) == "49%"
