"""``vidfit demo`` ends with how to look at what it made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.called import call

from vidfit import demo
from vidfit.cli import fit
from vidfit.jobs.fit import run
from vidfit.serve.opening import open_libraries, roots_of


@pytest.fixture
def made(fitted, monkeypatch) -> None:
    """What was fitted before, in place of the demo: that takes minutes."""

    def build_demo(folder: Path, progress: object) -> Path:
        shutil.copytree(fitted.clips, folder)
        return folder

    def run_fit(clips: Path, output: Path, *rest: object) -> None:
        shutil.copytree(fitted.output, output, dirs_exist_ok=True)

    monkeypatch.setattr(demo, "build_demo", build_demo)
    monkeypatch.setattr(run, "run_fit", run_fit)
    monkeypatch.setattr(fit, "show_report", lambda report, output: None)


def test_the_last_line_opens_the_pages(made, tmp_path):
    done = call("demo", "--output", tmp_path / "demo")
    assert done.exit_code == 0, done.output
    words = done.output.replace("\n", " ").split()
    at = words.index("serve")
    assert words[at - 1] == "vidfit" and words[at + 1 :] == [
        str(tmp_path / "demo"), str(tmp_path / "demo" / "clips")
    ]  # fmt: skip
    sources = [Path(word) for word in words[at + 1 :]]
    libraries = open_libraries(sources, roots_of(sources))
    assert [one.kind for one in libraries] == ["run", "videos"]


def test_what_cannot_be_built_names_no_pages(made, tmp_path, monkeypatch):
    def refuse(folder: Path, progress: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(demo, "build_demo", refuse)
    done = call("demo", "--output", tmp_path / "demo")
    assert done.exit_code != 0 and "serve" not in done.output
