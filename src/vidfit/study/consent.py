"""Consent: work on people starts only when it is said to what they agreed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidfit.backbones import OF_PEOPLE
from vidfit.backbones.notation import plain_name
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


def check_measures_nobody(task: Task, directory: Path) -> None:
    """Refuse a model that measures people where no consent is asked for.

    Raises
    ------
    ConsentError
        Says who takes it.
    """
    if task.consent:
        raise ConsentError(
            f"{directory} answers --task {task.name}, where {task.consent}: only `vidfit predict` "
            f"asks it, with --{OPTION} PURPOSE (in Python `vidfit.people_in`)"
        )


def check_encoders(names: Sequence[str], task: Task | None) -> None:
    """Refuse encoders that tell people apart where no consent is asked for.

    Raises
    ------
    ConsentError
        Names the encoder.
    """
    for name in names:
        known = plain_name(name).partition(":")[0] in OF_PEOPLE
        if known and not (task and task.consent):
            raise ConsentError(
                f"{name} tells people by their faces: it is for --task faces, with their consent; "
                "take another encoder"
            )


def consent_line(purpose: str) -> str:
    """Return what a report says of it."""
    return f"Consent was stated for: {purpose}"
