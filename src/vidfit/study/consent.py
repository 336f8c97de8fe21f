"""Consent: work on people starts only when it is said to what they agreed."""

from __future__ import annotations

from vidfit.errors import ConsentError
from vidfit.tasks import Task

OPTION = "i-have-consent"

_LEAST, _MOST = 3, 500


def check_consent(task: Task, purpose: str | None) -> str:
    """Return the stated purpose; empty where the task measures nobody.

    Raises
    ------
    ConsentError
        If a task measures people and no purpose is stated.
    """
    if not task.consent:
        return ""
    said = " ".join((purpose or "").split())
    if not _LEAST <= len(said) <= _MOST:
        raise ConsentError(
            f"--task {task.name} does not start: {task.consent}. Say to what these people agreed: "
            f"--{OPTION} PURPOSE (in Python consent=PURPOSE), {_LEAST} to {_MOST} signs. It is "
            "written into the model, its answers and reports"
        )
    return said


def consent_line(purpose: str) -> str:
    """Return what a report says of it."""
    return f"Consent was stated for: {purpose}"
