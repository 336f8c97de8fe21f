"""Tasks that are jobs of their own, and which of the options of a command each takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module

import typer


@dataclass(frozen=True)
class OwnJob:
    """A function, ``module:name`` below ``vidfit.cli``, and the options that it takes.

    It is called with ``clips``, ``output``, ``as_json`` where the command has it, and these options
    by name, as they were given.
    """

    target: str
    takes: tuple[str, ...]
    refused: str


_OF_PIXELS = "--task {task} trains on the frames themselves and knows no {option}: leave it away"

OWN_JOBS = {
    "read": OwnJob(
        "read:fit_reader",
        ("backbone", "holdout", "download"),
        "{option} is of clips; --task {task} has none: leave it away",
    ),
    "restore": OwnJob(
        "pixels.restore:fit_restorer",
        ("backbone", "groups", "scale", "like", "cpu_seconds"),
        _OF_PIXELS,
    ),
    "forecast": OwnJob(
        "pixels.forecast:fit_forecaster",
        ("groups", "seen", "ahead", "side", "cpu_seconds"),
        _OF_PIXELS,
    ),
    "generate": OwnJob(
        "pixels.generate:fit_generator", ("groups", "side", "cpu_seconds"), _OF_PIXELS
    ),
}

OWN_PLANS = {
    task: OwnJob("pixels.plan:plan_pixels", ("task", "memory", *job.takes), job.refused)
    for task, job in OWN_JOBS.items()
    if job.refused is _OF_PIXELS
}

OWN_FUSIONS = {
    "generate": OwnJob(
        "pixels.generate:fuse_generators",
        ("beside",),
        "--task {task} pools generators that were fitted, and knows no {option}: leave it away",
    ),
}

_ALWAYS = frozenset({"clips", "output", "task", "as_json", "allow_url", "only_below"})
_THEIRS = ("scale", "like", "seen", "ahead", "side", "cpu_seconds")
"""Options that only tasks of this file take."""


def run_own(ctx: typer.Context, task: str, jobs: Mapping[str, OwnJob] = OWN_JOBS) -> None:
    """Run the job of a task with the options that were given.

    Raises
    ------
    typer.BadParameter
        If an option was given that says nothing to the task.
    """
    job = jobs[task]
    for name in _given(ctx):
        if name not in _ALWAYS and name not in job.takes:
            raise typer.BadParameter(job.refused.format(option=_option(name), task=task))
    module, _, function = job.target.partition(":")
    run = getattr(import_module(f"vidfit.cli.{module}"), function)
    run(
        ctx.params["clips"],
        ctx.params["output"],
        **({"as_json": ctx.params["as_json"]} if "as_json" in ctx.params else {}),
        **{name: ctx.params[name] for name in job.takes},
    )


def check_not_theirs(ctx: typer.Context, jobs: Mapping[str, OwnJob] = OWN_JOBS) -> None:
    """Refuse options of these tasks beside another one.

    Raises
    ------
    typer.BadParameter
        Names the tasks that take the option.
    """
    for name in _given(ctx):
        if name in _THEIRS:
            tasks = " and ".join(f"--task {t}" for t, job in jobs.items() if name in job.takes)
            raise typer.BadParameter(f"{_option(name)} is for {tasks}; leave it away")


def _given(ctx: typer.Context) -> Iterator[str]:
    """Return the names of options that stand on the command line."""
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            yield name


def _option(name: str) -> str:
    return "--clips" if name == "beside" else f"--{name.replace('_', '-')}"
