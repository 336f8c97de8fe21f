"""Rows outlive a kill, and not for ever."""

from __future__ import annotations

import os
import time

from vidfit.study.kept import KeptRows


def test_what_killed_runs_left_goes_after_a_week(tmp_path):
    old, young, other = (tmp_path / n for n in (".partial-a.jsonl", ".partial-b.jsonl", "a.jsonl"))
    for file in (old, young, other):
        file.write_text("{}\n")
    days = time.time() - 8 * 24 * 3600
    for file in (old, other):
        os.utime(file, (days, days))
    error = KeyboardInterrupt()
    mine = KeptRows(tmp_path, "facts")
    assert not old.exists() and young.exists() and other.exists()
    mine.add({"window": 1})
    mine.__exit__(KeyboardInterrupt, error, None)
    os.utime(mine.path, (days, days))
    assert list(KeptRows(tmp_path, "facts").rows()) == [{"window": 1}]  # its own goes on
