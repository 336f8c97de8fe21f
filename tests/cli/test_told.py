"""Progress as lines of JSON."""

from __future__ import annotations

import io
import subprocess
import sys

from vidfit.cli import told
from vidfit.cli.told import JsonLines
from vidfit.documents import json_in


def lines(stream: io.StringIO) -> list[dict]:
    return [json_in(line) for line in stream.getvalue().splitlines()]


def test_stages_counts_and_notes_are_lines(monkeypatch):
    monkeypatch.setattr(told, "LEAST_SECONDS", 0.0)
    stream = io.StringIO()
    telling = JsonLines(stream)
    telling.start("look\x1b", 3)
    telling.advance()
    telling.advance(2)
    telling.note("a\nb")
    assert lines(stream) == [
        {"event": "stage", "stage": "look\\x1b", "total": 3},
        {"event": "advance", "done": 1, "total": 3},
        {"event": "advance", "done": 3, "total": 3},
        {"event": "note", "text": "a\\nb"},
    ]


def test_many_counts_are_few_lines_and_the_last_is_told(monkeypatch):
    monkeypatch.setattr(told, "LEAST_SECONDS", 60.0)
    stream = io.StringIO()
    telling = JsonLines(stream)
    telling._last_seconds = told.time.monotonic()
    telling.start("a", 1000)
    for _ in range(500):
        telling.advance()
    telling.start("b", 1)
    telling.advance()
    assert [line.get("done") for line in lines(stream)] == [None, 500, None, 1]


def test_a_stream_that_is_gone_ends_no_work():
    stream = io.StringIO()
    stream.close()
    telling = JsonLines(stream)
    telling.start("a", 1)
    telling.advance()


def test_a_command_tells_what_it_does(tmp_path):
    code = (
        "from vidfit.cli.told import tell_as; tell_as('json')\n"
        "from vidfit.cli.progress import Bars\n"
        "with Bars() as bars:\n    bars.start('look', 2); bars.advance(2); bars.note('done')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [json_in(line)["event"] for line in done.stderr.splitlines()] == [
        "stage", "advance", "note"
    ]  # fmt: skip
    assert done.stdout == ""
