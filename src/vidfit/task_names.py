"""Names of the tasks that are built in: what ``--task`` takes, without the tasks themselves."""

from __future__ import annotations

TASKS = (
    "classify",
    "tag",
    "regress",
    "localise",
    "anomaly",
    "detect",
    "segment",
    "faces",
    "sentiment",
)
"""Each is a module of `vidfit.tasks`."""
