"""What the commands offer; a change here is a change for every user's scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from vidfit.cli.main import app

SNAPSHOT = Path(__file__).with_name("help.txt")


def shown() -> str:
    """Return every command with its options: how typer draws them varies with its version."""
    group = typer.main.get_command(app)
    lines = [f"vidfit: {group.help}"]
    for name, command in group.commands.items():
        lines += ["", f"vidfit {name}: {command.help}"]
        lines += [f"  {_parameter(parameter)}" for parameter in command.params]
    return "\n".join(lines) + "\n"


def _parameter(parameter) -> str:
    names = ", ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.name
    facts = [
        word for word in ("required", "multiple", "is_flag") if getattr(parameter, word, False)
    ]
    facts += ["several"] if parameter.nargs == -1 else []
    default = "" if parameter.default in (None, False) else f" [default: {parameter.default}]"
    return f"{names} ({', '.join(facts) or 'optional'}): {parameter.help}{default}"


def test_help_is_as_it_was():
    """After a wanted change: ``python -m tests.cli.test_help`` writes the new snapshot."""
    assert shown() == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["fit", "predict", "demo"])
def test_each_command_has_help(command):
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, [command, "--help"], prog_name="vidfit")
    assert result.exit_code == 0
    assert f"vidfit {command}" in result.output and "--workers" in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_without_a_command_help_is_shown():
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "Usage" in result.output and "predict" in result.output


@pytest.mark.parametrize("words", [["fitt"], ["fit", "--minuts", "3"], ["predict"]])
def test_mistyped_words_are_answered_with_usage(words):
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "Usage" in result.output and "Error" in result.output


if __name__ == "__main__":
    SNAPSHOT.write_text(shown(), encoding="utf-8")
