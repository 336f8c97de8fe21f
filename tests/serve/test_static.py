"""The files of the pages: what they may hold, and that all of what they name is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from vidfit.report.wording import METRICS
from vidfit.serve import app

STATIC = Path(app.__file__).parent / "static"
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
OWN = [path for path in FILES if path.parent.name != "vendor"]
HTML = [path for path in FILES if path.suffix == ".html"]
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
METRICS_SCRIPT = STATIC / "lib" / "metrics.js"
IMPORTED = re.compile(r'(?:^|[;}])\s*(?:im|ex)port\b[^;"]*?from\s*"([^"]+)"', re.M)
NAMESPACE = "http://www.w3.org/"
"""Of SVG and MathML: a name, which nothing fetches."""


def named(path: Path) -> str:
    return str(path.relative_to(STATIC))


def test_a_file_is_sent_and_names_no_other_site(served):
    for path in FILES:
        response = served.page.get(f"/static/{named(path)}")
        kind = response.headers["content-type"]
        assert response.status_code == 200 and kind == app.STATIC_TYPES[path.suffix], path
        assert response.content == path.read_bytes(), path
        if path.suffix != ".txt":  # licences name where they come from
            addresses = re.findall(r"""https?://\S*|["'(`]//\w+""", response.text)
            assert [text for text in addresses if not text.startswith(NAMESPACE)] == [], path


@pytest.mark.parametrize("path", HTML, ids=named)
def test_a_page_has_no_script_or_style_in_it(path):
    text = path.read_text()
    (folder,) = re.findall(r"/static/(\w+)/main\.js", text)
    tag = f'<script type="module" src="/static/{folder}/main.js"></script>'
    assert tag in text and text.count("<script") == 1
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|data:", text)
    for name in re.findall(r'"/static/([^"]+)"', text):
        assert (STATIC / name).is_file(), name


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_a_script_imports_what_is_there_and_runs_no_text(path):
    text = path.read_text()
    for name in IMPORTED.findall(text):
        assert name.startswith(("./", "../")), name
        assert (path.parent / name).resolve().is_file(), name
    if path in OWN:
        assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", text)
        assert not re.search(r'\sstyle="', text), "the policy keeps styles out of markup"


@pytest.mark.parametrize("path", OWN, ids=named)
def test_a_file_can_be_read_at_one_go(path):
    assert len(path.read_text().splitlines()) <= 400


def test_folders_stay_small_and_vendored_files_have_licences():
    for folder in (STATIC, *(path for path in STATIC.iterdir() if path.is_dir())):
        assert len([path for path in folder.iterdir() if path.is_file()]) <= 30
    told = (STATIC / "vendor" / "README.txt").read_text()
    for path in (STATIC / "vendor").glob("*.js"):
        (line,) = [line for line in told.splitlines() if line.startswith(path.name)]
        assert (STATIC / "vendor" / line.split()[-1]).is_file()


def test_each_page_is_answered_with_the_policy(served):
    pages = {"/", "/wall", "/label", "/timeline", "/boxes", "/report", "/compare", "/search"}
    assert pages | {"/models"} <= set(app.PAGES)
    for address, (name, kind) in app.PAGES.items():
        response = served.page.get(address)
        assert response.status_code == 200 and response.headers["content-type"] == kind
        assert response.content == (STATIC / name).read_bytes()
        assert "script-src 'self'" in response.headers["content-security-policy"]


def with_preloads(path: Path) -> str:
    """Return a page that names all that its script imports, so that a browser asks for it at once.

    Else it finds out file by file, and each turn waits for the server.
    """
    text = re.sub(r'<link rel="modulepreload"[^\n]*\n', "", path.read_text(encoding="utf-8"))
    (line,) = re.findall(r'<script type="module"[^\n]*\n', text)
    (name,) = re.findall(r'src="/static/([^"]+)"', line)
    found: list[str] = []
    imported(STATIC / name, found)
    links = (f'<link rel="modulepreload" href="/static/{one}">\n' for one in found)
    return text.replace(line, "".join(links) + line)


def imported(script: Path, found: list[str]) -> None:
    for name in IMPORTED.findall(script.read_text(encoding="utf-8")):
        target = (script.parent / name).resolve()
        if named(target) not in found:
            found.append(named(target))
            imported(target, found)


@pytest.mark.parametrize("path", HTML, ids=named)
def test_a_page_names_the_scripts_that_it_will_need(path):
    again = "run python -m tests.serve.test_static"
    assert path.read_text(encoding="utf-8") == with_preloads(path), again


def script_of_metrics() -> str:
    """Return `lib/metrics.js`: what the metrics of reports are called."""
    rows = {
        key: {
            "name": metric.name, "meaning": metric.meaning, "percent": metric.percent,
            "higher": metric.higher_is_better,
        }
        for key, metric in METRICS.items()
    }  # fmt: skip
    head = "// What metrics are called and mean, of vidfit/report/wording.py.\n"
    again = "// `python -m tests.serve.test_static` writes this file again.\n"
    table = json.dumps(rows, indent=1, ensure_ascii=False)
    return f"{head}{again}export const METRICS = {table};\n"


def test_metrics_are_called_as_in_reports():
    assert METRICS_SCRIPT.read_text(encoding="utf-8") == script_of_metrics()


if __name__ == "__main__":
    METRICS_SCRIPT.write_text(script_of_metrics(), encoding="utf-8")
    for page in HTML:
        page.write_text(with_preloads(page), encoding="utf-8")
