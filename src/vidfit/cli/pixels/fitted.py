"""What is said when a model of pixels is fitted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vidfit.cli.say import say, say_lines


def say_fitted(folder: Path, lines: Iterable[str], use: str, *, as_json: bool) -> None:
    """Print what was measured, where everything lies and how it is used, or report.json alone."""
    if as_json:
        say_lines((folder / "report.json").read_text(encoding="utf-8").rstrip())
        return
    for line in lines:
        say(line)
    for name, file in (
        ("Report", "report.html"),
        ("Samples", "samples.png"),
        ("Model", "model"),
    ):
        if (folder / file).exists():
            say(f"{name:<8} {folder / file}")
    say(f"Use      vidfit {use}")
