"""A headless Chromium before a server: pages opened, keys pressed, time and pictures taken."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._serve_server import Serving

CHROMIUM, CHROMEDRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required", "--window-size=1280,900",
)  # fmt: skip


class Browser:
    """A browser that is logged in."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service as Driver

        if not (CHROMIUM.exists() and CHROMEDRIVER.exists()):
            raise SystemExit(f"needs {CHROMIUM} and {CHROMEDRIVER}")
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Driver(str(CHROMEDRIVER)))
        self.driver.set_script_timeout(600)
        self.address = ""

    def enter(self, serving: Serving, person: str = "Ann") -> None:
        """Log in."""
        self.address = serving.address
        self.driver.get(serving.login(person))
        self.wait("location.pathname === '/'")

    def go(self, path: str, sees: str) -> None:
        """Open a page, and wait for an element."""
        self.driver.get(self.address + path)
        self.wait(f"document.querySelector({sees!r})")

    def js(self, text: str) -> Any:
        """Return the value of an expression."""
        return self.driver.execute_script(f"return {text}")

    def promised(self, text: str, *values: object) -> Any:
        """Return what an async function of these lines returns; values are its ``given``."""
        return self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1], given = [...arguments].slice(0, -1);"
            f"(async () => {text})().then(done, (e) => done({{ thrown: String(e) }}))",
            *values,
        )

    def wait(self, text: str, seconds: float = 120.0) -> Any:
        """Wait until an expression is true, and return it."""
        end = time.monotonic() + seconds
        while not (found := self.js(text)):
            if time.monotonic() > end:
                said = self.js("document.body.innerText.slice(0, 600)")
                raise SystemExit(f"waited {seconds:.0f} s for {text}; the page says: {said}")
            time.sleep(0.05)
        return found

    def keys(self, *keys: str) -> None:
        """Press keys."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def pointed(self, x: float, y: float) -> None:
        """Move the pointer."""
        self.devtools("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def devtools(self, command: str, **values: object) -> Any:
        """Send a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, values)

    def metrics(self) -> dict[str, float]:
        """Return what the page's thread has done so far, in seconds by kind."""
        found = self.devtools("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in found}

    @contextmanager
    def of_width(self, width: int, height: int = 900) -> Iterator[None]:
        """Show pages as wide as a phone or a desk."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip
        try:
            yield
        finally:
            self.devtools("Emulation.clearDeviceMetricsOverride")

    @contextmanager
    def in_the_dark(self) -> Iterator[None]:
        """Show pages as where people want dark ones."""
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        self.devtools("Emulation.setEmulatedMedia", features=dark)
        try:
            yield
        finally:
            self.devtools("Emulation.setEmulatedMedia", features=[])

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Save what is seen, or the whole page."""
        import base64

        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        more = {"captureBeyondViewport": True, "clip": clip} if whole else {}
        found = self.devtools("Page.captureScreenshot", format="png", **more)
        path.write_bytes(base64.b64decode(found["data"]))

    def complaints(self) -> list[str]:
        """Return errors of the page's scripts and policy since the last call."""
        entries = self.driver.get_log("browser")
        severe = [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
        return [text for text in severe if "/favicon.ico" not in text]  # of a page without an icon

    def close(self) -> None:
        """End it."""
        self.driver.quit()
