"""What can be asked of clips: one file, or folder, a task, with a ``TASK`` in it.

Another package offers a task of its own by an entry point of the group ``vidfit.tasks``, such as
``count = "my_package.count:TASK"``; `vidfit.testing.check_task` proves that it keeps the contract.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from vidfit.errors import VidfitError, not_known
from vidfit.labels import Kind
from vidfit.task_names import TASKS
from vidfit.tasks.task import Task

GROUP = "vidfit.tasks"
"""Entry points of other packages."""


@cache
def task_named(name: str) -> Task:
    """Return a task.

    Raises
    ------
    VidfitError
        If there is none of that name.
    """
    if name in TASKS:
        found: object = import_module(f"vidfit.tasks.{name}").TASK
    else:
        offered = {entry.name: entry for entry in entry_points(group=GROUP)}
        if name not in offered:
            raise VidfitError(not_known("task", name, (*TASKS, *sorted(offered))))
        try:
            found = offered[name].load()
        except (AttributeError, ImportError) as error:
            raise VidfitError(
                f"the task {name!r} of the package that offers it cannot be imported: {error}"
            ) from error
    if not isinstance(found, Task) or found.name != name:
        raise VidfitError(f"the entry point {name!r} of {GROUP} is no task of that name: {found!r}")
    return found


CLASSIFY = task_named("classify")


def task_of(kind: Kind) -> Task:
    """Return the built-in task whose answers are of a kind of label."""
    return next(task for task in map(task_named, TASKS) if task.kind.name == kind.name)


__all__ = ["CLASSIFY", "GROUP", "TASKS", "Task", "task_named", "task_of"]
