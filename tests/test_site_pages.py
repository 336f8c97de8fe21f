"""The pages of the site that are made from the code and from the repository's root."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

import pytest
import typer

import vidfit
from vidfit.cli.main import app

ROOT = Path(__file__).parent.parent
SHOWN = re.compile(r"^(?:::: |### `\w+` \{ #)([\w.]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "scripts/site_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_lists_every_public_name_once(script):
    page = script.public_names()
    wanted = [f"vidfit.{name}" for name in vidfit.__all__ if name != "__version__"]
    assert sorted(SHOWN.findall(page)) == sorted(wanted)
    assert "`vidfit.__version__`" in page


def test_public_names_stand_under_their_kind(script):
    titles = re.split(r"^## (\w+)$", script.public_names(), flags=re.MULTILINE)[1:]
    shown = dict(zip(titles[::2], map(SHOWN.findall, titles[1::2]), strict=True))
    assert list(shown) == ["Functions", "Options", "Values", "Errors"]
    assert {"vidfit.fit", "vidfit.load"} <= set(shown["Functions"])
    assert "vidfit.FitOptions" in shown["Options"] and "vidfit.Report" in shown["Values"]
    assert all(name.endswith("Error") for name in shown["Errors"])
    others = shown["Functions"] + shown["Options"] + shown["Values"]
    assert not any(name.endswith("Error") for name in others)


@pytest.mark.parametrize(
    "name", ["backbones", "fusion", "manifest", "metrics", "shards", "testing", "video"]
)
def test_the_reference_of_a_module_lists_its_public_names(script, name):
    module, *entries = SHOWN.findall(script.module_names(name))
    assert module == f"vidfit.{name}"
    public = importlib.import_module(module).__all__
    assert entries == [f"{module}.{entry}" for entry in public]


def test_the_reference_of_the_command_line_has_every_command_and_option(script):
    page = script.command_line()
    for name, command in vars(typer.main.get_command(app))["commands"].items():
        section = page.split(f"\n## vidfit {name}\n", 1)[1].split("\n## ", 1)[0]
        assert command.help in section
        options = {option for p in command.params for option in p.opts if option.startswith("-")}
        assert {option for option in options if f"`{option}`" not in section} == set(), name


def test_every_page_that_is_written_or_made_is_in_the_navigation(script):
    nav = re.findall(r": ([\w/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    written = [page.name for page in (ROOT / "docs").glob("*.md")]
    assert sorted(nav) == sorted([*written, *script.pages()])


def test_home_is_the_readme_without_what_only_the_repository_needs(script):
    home = script.from_root("README.md")
    assert home.startswith("# vidfit\n") and "## Set up\n" in home
    assert "## The tree" not in home and "(docs/" not in home
    assert "(tutorial.md)" in home and "(explanation/security.md)" in home


def test_links_lead_from_the_page_that_a_document_becomes(script):
    security = script.from_root("SECURITY.md")
    assert "(../benchmarks.md#hostile-files)" in security and "(docs/" not in security


def test_marks_comments_and_links_out_of_the_folder_are_translated(script):
    page = (
        "<!-- made by: x -->\n```console run\n$ x\n```\n<!-- end -->\n"
        "[s](../SECURITY.md#a) [f](fuse.md)\n"
    )
    assert script.as_read_by_mkdocs(page, "export.md") == (
        "\n```console\n$ x\n```\n\n[s](explanation/security.md#a) [f](fuse.md)\n"
    )


def test_the_colons_before_a_literal_block_of_a_docstring_are_not_shown(script):
    html = "<p>As in</p>\n<p>::</p>\n<pre>a</pre>\n<p>So::</p>\n<pre>b</pre>\n"
    assert script.on_page_content(html) == (
        "<p>As in</p>\n<pre>a</pre>\n<p>So:</p>\n<pre>b</pre>\n"
    )


@pytest.mark.parametrize(
    ("html", "loads"),
    [
        ('<script src="https://x.org/a.js"></script>', True),
        ('<link rel="stylesheet" href="https://x.org/a.css">', True),
        ('<img alt="" src="http://x.org/a.png">', True),
        ('<a href="https://x.org">x</a> <script src="assets/a.js"></script>', False),
    ],
)
def test_what_loads_from_the_network_is_found(script, html, loads):
    assert bool(script.LOADED.search(html)) is loads
