"""Tasks of ``vidfit fit`` that are jobs of their own take their options, and refuse the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from vidfit.cli.main import app
from vidfit.cli.own_jobs import OWN_JOBS


def _refusal(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["fit", *arguments])
    assert found.exit_code == 2
    return " ".join(found.output.replace("│", " ").split())


@pytest.mark.parametrize("task", sorted(OWN_JOBS))
def test_an_option_that_says_nothing_to_the_task_is_refused(task: str, tmp_path: Path) -> None:
    said = _refusal(str(tmp_path), "--task", task, "--metric", "accuracy")
    assert "--metric" in said
    assert "leave it away" in said


def test_options_of_these_tasks_are_refused_beside_others(tmp_path: Path) -> None:
    said = _refusal(str(tmp_path), "--task", "classify", "--side", "32")
    assert "--side is for --task forecast and --task generate; leave it away" in said
