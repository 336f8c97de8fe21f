"""``vidfit plan CLIPS --task restore|forecast|generate``: what it will hold and take."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from vidfit.cli.options import output_of
from vidfit.cli.quantities import memory_bytes
from vidfit.cli.say import say, say_lines


def plan_pixels(
    clips: str,
    output: Path | None,
    *,
    as_json: bool,
    task: str,
    memory: str | None,
    **given: Any,  # noqa: ANN401  (the options of the task)
) -> None:
    """Plan a job that learns on frames, and say how to run it."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.plan.pixels import pixel_plan_lines, run_pixel_plan

    if isinstance(given.get("backbone"), str):  # of `fit` it may be repeated
        given["backbone"] = [given["backbone"]]
    options = import_module(f"vidfit.cli.pixels.{task}").options_of(**given)
    folder = output or output_of(clips)
    with Bars() as bars:
        plan = run_pixel_plan(task, clips, folder, options, memory_bytes(memory), bars)
    if as_json:
        say_lines((folder / "plan.json").read_text(encoding="utf-8").rstrip())
        return
    for line in pixel_plan_lines(plan):
        say(line)
    say(f"Plan     {folder / 'plan.json'}")
    said = "".join(
        f" --{name.replace('_', '-')} {f'{value:g}' if isinstance(value, float) else value}"
        for name, values in given.items()
        for value in (values if isinstance(values, list) else [values])
        if value is not None
    )
    say(f"Fit      vidfit fit {clips} --task {task}{said} -o {folder}")
