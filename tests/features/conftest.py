"""Folders that refuse to be changed, also where root runs the tests."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest


@pytest.fixture
def forbid(monkeypatch):
    """Refuse to change files, as a folder that is mounted read-only does, whoever asks."""

    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def start() -> None:
        for name in ("unlink", "replace", "rename", "mkdir", "touch", "write_bytes"):
            monkeypatch.setattr(Path, name, refuse)
        real_open, real_path_open = os.open, Path.open

        def low(path, flags, *args, **kwargs):
            changes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            return refuse() if changes else real_open(path, flags, *args, **kwargs)

        def high(path, mode="r", *args, **kwargs):
            return real_path_open(path, mode, *args, **kwargs) if mode[0] == "r" else refuse()

        monkeypatch.setattr(os, "open", low)
        monkeypatch.setattr(Path, "open", high)

    return start
