from __future__ import annotations

import pytest

from vidfit.children import run_module


def module(folder, monkeypatch, code: str) -> str:
    (folder / "asked.py").write_text(code)
    monkeypatch.syspath_prepend(folder)
    return "asked"


def test_last_line_is_the_answer(tmp_path, monkeypatch):
    code = (
        "import os, sys\nprint('first')\nprint(sys.stdin.read(), sys.argv[1], os.environ['GIVEN'])"
    )
    name = module(tmp_path, monkeypatch, code)
    ended = run_module(name, ["one"], question="what", environment={"GIVEN": "two"})
    assert (ended.status, ended.answer) == (0, "what one two")


def test_a_failure_says_its_last_line(tmp_path, monkeypatch):
    ended = run_module(module(tmp_path, monkeypatch, "raise ValueError('too large')"))
    assert (ended.status, ended.answer, ended.said) == (1, "", "ValueError: too large")
    silent = run_module(module(tmp_path, monkeypatch, "import os; os.kill(os.getpid(), 9)"))
    assert (silent.status, silent.said) == (-9, "it ended with -9")


def test_nothing_is_imported_from_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("print('not that one')")
    monkeypatch.chdir(tmp_path)
    name = module(tmp_path / "..", monkeypatch, "import json; print(json.dumps([1]))")
    assert run_module(name).answer == "[1]"


def test_one_that_does_not_end_is_killed(tmp_path, monkeypatch):
    name = module(tmp_path, monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(TimeoutError, match="asked did not end within 1 s"):
        run_module(name, timeout_seconds=1.0)
