"""Amounts as people type them."""

from __future__ import annotations

import re

import typer


def memory_bytes(text: str | None) -> int | None:
    """Read ``2GiB``, ``800MB`` or a count of bytes.

    Raises
    ------
    typer.BadParameter
        If it is no amount of memory.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kKMGT])(i?)B?|B)?", text.strip())
    if not match:
        raise typer.BadParameter(f"{text!r} is no amount of memory; write 2GiB or 800MB")
    power = " KMGT".index((match[2] or " ").upper())
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def time_seconds(text: str | None) -> float | None:
    """Read ``80ms`` or ``0.5s``.

    Raises
    ------
    typer.BadParameter
        If it is no length of time.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)", text.strip())
    if not match:
        raise typer.BadParameter(f"{text!r} is no length of time; write 80ms or 0.5s")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)
