"""Questions are looked at once, one after another, and not without end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.serve.conftest import until

from vidfit.serve.line_child import ChildClockError, ChildDiedError
from vidfit.serve.problems import ProblemError
from vidfit.serve.shots import looking as module
from vidfit.serve.shots.looking import Looking, LookTask


class Child:
    """Answers when it is let, and counts."""

    def __init__(self):
        self.asked, self.let, self.error = [], threading.Event(), None

    def ask(self, task, clock_seconds):
        self.asked.append(task)
        self.let.wait(30)
        if self.error:
            raise self.error
        return {"vectors": {"look": [[1.0]]}, "end_seconds": 2.0}

    def rest(self):
        self.asked.append("rest")

    def kill(self):
        self.let.set()


@pytest.fixture
def looking():
    found = Looking()
    found._child = Child()
    yield found
    found.close()


def task(number: int) -> LookTask:
    return LookTask(Path("index"), f"{number}.mp4", float(number))


def test_a_question_is_looked_at_once(looking):
    assert looking.at(task(0)) is None and looking.at(task(0)) is None
    looking._child.let.set()
    found = until(lambda: looking.at(task(0)), bool)
    assert found.vectors == {"look": [[1.0]]} and found.end_seconds == 2.0
    assert looking._child.asked == [task(0).sent()]


def test_too_many_are_refused_until_some_are_done(looking):
    for number in range(module.MOST_WAITING):
        assert looking.at(task(number)) is None
    with pytest.raises(ProblemError) as refused:
        looking.at(task(99))
    assert refused.value.status == 429 and refused.value.retry_seconds
    looking._child.let.set()
    until(lambda: looking.at(task(0)), bool)


@pytest.mark.parametrize(
    ("error", "why"), [(ChildClockError(), "more than 120 s"), (ChildDiedError(), "broke down")]
)
def test_what_failed_is_said_once_and_tried_again(looking, error, why):
    looking._child.error = error
    looking._child.let.set()
    assert looking.at(task(0)) is None
    assert why in until(lambda: looking.at(task(0)), bool).why
    looking._child.error = None
    assert looking.at(task(0)) is None
    assert until(lambda: looking.at(task(0)), bool).why == ""


def test_models_are_given_back_when_nobody_asks(looking, monkeypatch):
    monkeypatch.setattr(module, "_REST_SECONDS", 0.05)
    looking._child.let.set()
    looking.at(task(0))
    until(lambda: looking._child.asked, lambda asked: "rest" in asked)
