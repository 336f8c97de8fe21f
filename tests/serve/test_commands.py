"""What a client sends becomes arguments only through the table."""

from __future__ import annotations

import pytest
import typer

from vidfit.cli.main import app
from vidfit.serve.commands import COMMANDS, arguments_of
from vidfit.serve.problems import ProblemError


def test_options_become_words():
    options = {"minutes": 5, "backbone": ["motion", "efficientnet-lite0@16"], "commercial": True,
               "train": False}  # fmt: skip
    assert arguments_of("fit", options) == [
        "--minutes=5", "--backbone=motion", "--backbone=efficientnet-lite0@16", "--commercial"
    ]  # fmt: skip
    assert arguments_of("predict", {}) == []


def test_the_command_line_has_every_option_of_the_table():
    group = typer.main.get_command(app)
    for name, command in COMMANDS.items():
        known = {opt for parameter in group.commands[name].params for opt in parameter.opts}
        wanted = {f"--{option}" for option in command.options}
        assert wanted <= known, name


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("serve", {}), ("pull", {}), ("fit", {"download": True}), ("fit", {"output": "/etc"}),
        ("fit", {"allow-url": "https://x/"}), ("fit", {"groups": "/etc/passwd"}),
        ("fit", {"backbone": "evil.py:Net"}), ("fit", {"backbone": ["a/b"]}),
        ("fit", {"backbone": "hf:org/name"}), ("fit", {"backbone": "-o"}),
        ("fit", {"backbone": []}), ("fit", {"backbone": ["motion"] * 21}),
        ("fit", {"minutes": "5"}), ("fit", {"minutes": -1}), ("fit", {"minutes": float("nan")}),
        ("fit", {"minutes": True}), ("fit", {"commercial": 1}), ("fit", {"memory": "2GiB --x"}),
        ("fit", {"metric": "a\n--x"}), ("fit", {"task": "faces"}), ("label", {"count": 1.5}),
        ("predict", {"format": "mp4"}), ("predict", {"unknown": "0.5 x"}),
    ],
)  # fmt: skip
def test_what_is_not_in_the_table_is_refused(command, options):
    with pytest.raises(ProblemError) as refused:
        arguments_of(command, options)
    assert refused.value.status == 422
