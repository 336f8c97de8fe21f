"""A process that answers lines: what it says, and what becomes of one that dies or does not end."""

from __future__ import annotations

import pytest

from vidfit.serve.line_child import ChildClockError, ChildDiedError, ChildOverError, LineChild

ECHO = """
import json, os, sys, time
for line in sys.stdin:
    task = json.loads(line)
    if task.get("die"):
        os._exit(3)
    time.sleep(task.get("wait", 0))
    print(json.dumps({"pid": os.getpid(), "long": "x" * task.get("long", 0)}), flush=True)
"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    (tmp_path / "echo_lines.py").write_text(ECHO)
    monkeypatch.syspath_prepend(str(tmp_path))
    child = LineChild("echo_lines")
    yield child
    child.kill()


def test_one_process_answers_one_line_after_another(child):
    first = child.ask({}, 30)["pid"]
    assert child.ask({"long": 200_000}, 30) == {"pid": first, "long": "x" * 200_000}


def test_one_that_dies_or_takes_too_long_is_started_again(child):
    first = child.ask({}, 30)["pid"]
    with pytest.raises(ChildDiedError):
        child.ask({"die": True}, 30)
    second = child.ask({}, 30)["pid"]
    with pytest.raises(ChildClockError):
        child.ask({"wait": 30}, 0.2)
    third = child.ask({}, 30)["pid"]
    child.rest()
    assert len({first, second, third, child.ask({}, 30)["pid"]}) == 4


def test_one_that_was_ended_answers_no_more(child):
    child.ask({}, 30)
    child.kill()
    with pytest.raises(ChildOverError):
        child.ask({}, 30)
