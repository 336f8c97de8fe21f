"""Which commands a job may be, and with which options: a table, and nothing beside it.

What a client sends becomes arguments of ``vidfit`` only through here. No option takes a path, an
address, or the name of a file with code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vidfit.serve.problems import ProblemError

Read = Callable[[Any], "list[str] | None"]
"""Takes what JSON holds, returns the values of an option; ``None`` where it is not valid."""


@dataclass(frozen=True, slots=True)
class JobOption:
    """An option: how its value is read, and what is valid, in words. A flag has no values."""

    read: Read
    valid: str


@dataclass(frozen=True, slots=True)
class JobCommand:
    """A command: its options, and what it is given.

    Parameters
    ----------
    needs_model
        Whether the model of a run goes before its clips.
    needs_labels
        Whether clips without a label are left out.
    """

    options: Mapping[str, JobOption]
    needs_model: bool = False
    needs_labels: bool = True


def number(least: float, most: float) -> JobOption:
    """Return an option that takes a number."""

    def read(found: Any) -> list[str] | None:  # noqa: ANN401
        is_number = type(found) in (int, float) and least <= found <= most
        return [f"{found:g}"] if is_number else None

    return JobOption(read, f"a number from {least:g} to {most:g}")


def whole(least: int, most: int) -> JobOption:
    """Return an option that takes a whole number."""

    def read(found: Any) -> list[str] | None:  # noqa: ANN401
        return [str(found)] if type(found) is int and least <= found <= most else None

    return JobOption(read, f"a whole number from {least} to {most}")


def one_of(*names: str) -> JobOption:
    """Return an option that takes one of some names."""
    return JobOption(lambda found: [found] if found in names else None, ", ".join(names))


def written(pattern: str, valid: str, most: int = 1) -> JobOption:
    """Return an option that takes texts of a form; of several, each is given."""

    def read(found: Any) -> list[str] | None:  # noqa: ANN401
        texts = found if isinstance(found, list) and most > 1 else [found]
        right = all(isinstance(text, str) and re.fullmatch(pattern, text) for text in texts)
        return list(texts) if right and 0 < len(texts) <= most else None

    return JobOption(read, valid)


def _flag(found: Any) -> list[str] | None:  # noqa: ANN401
    if not isinstance(found, bool):
        return None
    return [""] if found else []


FLAG = JobOption(_flag, "true or false")

_BACKBONES = written(
    r"[A-Za-z0-9][A-Za-z0-9._+-]{0,80}(@[0-9]{1,3})?", "up to 20 names of `vidfit models`", 20
)
TASKS = ("classify", "tag", "regress", "localise", "anomaly", "sentiment")
DETECT = "detect"
"""The task of boxes in frames, which `fit` alone has."""

_CHOICE = {
    "backbone": _BACKBONES,
    "task": one_of(*TASKS),
    "minutes": number(0, 100_000),
    "memory": written(r"[0-9]{1,6}([.][0-9]+)?[kKMGT]i?B", "such as 2GiB"),
    "latency": written(r"[0-9]{1,6}([.][0-9]+)?m?s", "such as 80ms"),
    "commercial": FLAG,
    "network-only": FLAG,
    "labels": one_of("one", "several", "number"),
    "metric": written(r"[a-z][a-z0-9-]{0,30}", "a metric, such as balanced"),
    "class-weights": one_of("none", "balanced"),
    "prefer": one_of("cheapest", "best"),
    "give-up": number(0, 100),
    "workers": whole(1, 1024),
}

CONSENT = "i-have-consent"
"""To what the people agreed whose faces a model knows; it does not start without."""

COMMANDS: Mapping[str, JobCommand] = {
    "fit": JobCommand(
        {**_CHOICE, "task": one_of(*TASKS, DETECT), "holdout": number(0, 0.9),
         "merge-duplicates": FLAG, "keep-untested": FLAG, "train": FLAG}
    ),
    "select": JobCommand(_CHOICE),
    "fuse": JobCommand({**_CHOICE, "student": FLAG, "keep-untested": FLAG}),
    "label": JobCommand(
        {"count": whole(1, 10_000), "backbone": _BACKBONES, "seed": whole(0, 2**31),
         "workers": whole(1, 1024)},
        needs_labels=False,
    ),
    "predict": JobCommand(
        {"window": number(0.04, 86_400), "smooth": number(0, 86_400),
         "unknown": written(r"off|strict|0[.][0-9]{1,6}", "off, strict, or 0.5 and the like"),
         CONSENT: written(r"\S[^\x00-\x1f\x7f]{1,498}\S", "3 to 500 letters in one line"),
         "workers": whole(1, 1024)},
        needs_model=True, needs_labels=False,
    ),
    "compress": JobCommand(
        {"max-loss": number(0, 100), "target": one_of("latency", "size", "memory"),
         "distil-steps": whole(0, 100_000), "workers": whole(1, 1024)},
        needs_model=True,
    ),
}  # fmt: skip


def command_of(name: str) -> JobCommand:
    """Return a command; raises ProblemError (422) where there is none of that name."""
    if name not in COMMANDS:
        raise ProblemError(422, f"{name!r} is no command of a job; valid are {', '.join(COMMANDS)}")
    return COMMANDS[name]


def arguments_of(name: str, options: Mapping[str, Any]) -> list[str]:
    """Return options as arguments of the command line, a word each.

    Raises
    ------
    ProblemError
        422 for an option that is not in the table, or a value that is not valid.
    """
    command, words = command_of(name), list[str]()
    for option, value in options.items():
        known = command.options.get(option)
        if known is None:
            valid = ", ".join(command.options)
            raise ProblemError(422, f"{name} takes no option {option!r} here; valid are {valid}")
        values = known.read(value)
        if values is None:
            raise ProblemError(422, f"options: {option}: give {known.valid}")
        words += [f"--{option}={text}" if text else f"--{option}" for text in values]
    return words
