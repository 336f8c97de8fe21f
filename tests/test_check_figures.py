"""The script that holds figures in documents against the commands that make them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def script(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location(
        "check_figures", ROOT / "scripts/check_figures.py"
    )
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "check_figures", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "WORK", tmp_path)
    return module


def page(body: str, command: str = "echo 7.2 ms", how: str = "quickly ") -> str:
    return f"Before\n\n<!-- made {how}by: {command} -->\n{body}<!-- end -->\n\nAfter\n"


FENCED = "```console\n$ vidfit fit \\\n    clips\n7.2 ms\n```\n"


def test_a_block_has_its_command_and_what_was_printed(script):
    made, slow = script.blocks("README.md", page(FENCED) + page("1\n", "other", ""))
    assert (made.place, made.command, made.said) == ("README.md:3", "echo 7.2 ms", "7.2 ms\n")
    assert (made.quick, slow.quick, slow.said) == (True, False, "1\n")


def test_what_a_reader_types_stays_where_the_output_is_written_anew(script):
    text = script.updated(page(FENCED, "echo 8.4 ms; echo more"), "echo")
    assert text == page(FENCED.replace("7.2 ms", "8.4 ms\nmore"), "echo 8.4 ms; echo more")
    assert script.updated(text, "no such command") == text


def test_an_empty_block_is_filled_and_a_like_one_stays(script):
    text = page("") + page("7.2 ms\n", "echo 9") + page("7.2 ms\n", "cat")
    assert script.updated(text, "echo") == (
        page("7.2 ms\n") + page("9\n", "echo 9") + page("7.2 ms\n", "cat")
    )


def test_a_command_that_fails_changes_no_page(script):
    with pytest.raises(SystemExit, match="exit 3: ended with status 3"):
        script.updated(page(FENCED, "exit 3"), "exit")


def test_a_missed_bar_is_a_figure_like_any_other(script):
    assert script.run("echo '4 s (bar 3): bar NOT met'; exit 1") == (
        "4 s (bar 3): bar NOT met\n", ""
    )  # fmt: skip
    assert script.run("exit 1")[1] == "ended with status 1"


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("79.3 % [72.4, 84.5]", "79.3 % [72.4, 84.6]"),
        ("took 49.5 ms, 2 s", "took 320 ms, 11 s"),
        ("| a   | 1,234 |\n| --- | ----- |", "| a | 1,234 |\n| - | - |"),
        ("-3.3 points", "-3.4 points"),
    ],
)
def test_figures_may_differ_in_their_last_digit_and_times_by_the_machine(script, shown, found):
    assert list(script.differences(shown, found)) == []


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("79.3 % [72.4, 84.5]", "79.5 % [72.4, 84.5]"),
        ("79.3 %", "-79.3 %"),
        ("took 49.5 ms", "took 600 ms"),
        ("Use motion: 79.3 %", "Use lite: 79.3 %"),
        ("79.3 %", "79.3 %\nmore"),
        ("kept 12 clips", "kept 12"),
    ],
)
def test_other_figures_words_and_lines_are_told(script, shown, found):
    assert len(list(script.differences(shown, found))) == 1


def test_a_quick_block_that_no_longer_holds_is_told_with_its_place(script):
    (made,) = script.blocks("README.md", page("8\n", "echo 10"))
    (complaint,) = script.compared(made)
    assert complaint.startswith("README.md:3: echo 10: shown: 8")
    (made,) = script.blocks("README.md", page("9\n", "echo 10"))
    assert list(script.compared(made)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (page(FENCED).replace("<!-- end -->\n", ""), "no command or no end"),
        (page(page("7\n")), "no command or no end, or holds another"),
        (page("```text\n```\n"), "nothing stands in the block"),
        (page("9 s\n", "python -m benchmarks.memory"), "says whether its bar is met"),
        (page("| a | b |\n| c |\n"), "differ in their number of cells"),
    ],
)
def test_a_block_that_is_not_whole_is_told(script, text, words):
    complaints = list(script.broken("README.md", text))
    assert len(complaints) == 1 and words in complaints[0]


def test_whole_blocks_are_not_complained_of(script):
    text = page(FENCED) + page("x\n9 % (bar 8): bar NOT met\n", "python -m benchmarks.memory")
    assert list(script.broken("README.md", text)) == []
