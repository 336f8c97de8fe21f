"""``vidfit serve`` as it is typed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from typer.testing import CliRunner

from vidfit.cli import serve as module
from vidfit.cli.main import app

RUN = "from vidfit.cli.main import main; main()"


def start(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-c", RUN, "serve", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ},
    )  # fmt: skip


def test_it_prints_the_address_that_logs_in_and_ends_by_an_interrupt(tmp_path):
    with start("--port", 0, "--state", tmp_path / "state") as process:
        line = process.stdout.readline()
        found = re.fullmatch(r"Open +(http://127\.0\.0\.1:\d+)/login\?token=(\S+)\n", line)
        assert found, line
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{found[1]}/v1/libraries", timeout=60)
        with urllib.request.urlopen(f"{found[1]}/login?token={found[2]}", timeout=60) as answer:
            assert answer.status == 200
        second = CliRunner().invoke(
            app, ["serve", "--port", "0", "--state", str(tmp_path / "state")]
        )
        assert second.exit_code == 2 and "another vidfit" in second.output
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said and found[2] not in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--host", "0.0.0.0"], "--token-file FILE and --allow-host NAME"),
        (["--token-file", "/nonexistent"], "cannot read the token"),
        (["/nonexistent"], "There is no"),
        (["--new-key", ""], "1 to 64 printable"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(tmp_path, words, why):
    result = CliRunner().invoke(app, ["serve", *words, "--state", str(tmp_path / "state")])
    assert result.exit_code == 2 and why in result.output


def test_a_key_is_printed_once_and_removed(tmp_path):
    def ask(*words: str) -> str:
        result = CliRunner().invoke(app, ["serve", "--state", str(tmp_path / "state"), *words])
        assert result.exit_code == 0, result.output
        return result.output

    assert re.fullmatch(r"vidfit_\S{43}\n", ask("--new-key", "bot"))
    assert "Removed  1 key " in ask("--forget", "bot")
    assert "Removed  0 keys" in ask("--forget", "bot")


def test_without_its_extra_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, ["serve", "--state", str(tmp_path)])
    assert result.exit_code == 2 and "pip install 'vidfit[serve]'" in result.output
