"""The command line, called in this process."""

from __future__ import annotations

from typer.testing import CliRunner

from vidfit.cli.main import app


def call(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])
