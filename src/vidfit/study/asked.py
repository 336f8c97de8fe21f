"""Which task is asked of clips: the one that is named, or the one that their labels are of."""

from __future__ import annotations

from vidfit.errors import VidfitError
from vidfit.labels import KINDS, Labels
from vidfit.tasks import Task, task_named, task_of


def asked_task(name: str | None, labels: Labels | None = None) -> Task | None:
    """Return the task of a name, or of a kind of label; ``None`` where neither is asked for.

    Raises
    ------
    VidfitError
        If there is no such task, or the two do not go together.
    """
    if name is None:
        return task_of(KINDS[labels]) if labels else None
    task = task_named(name)
    if labels is not None and task.kind.name != labels:
        raise VidfitError(
            f"--task {name} is of {task.kind.what} a clip, and --labels {labels} says otherwise; "
            "leave one of them away"
        )
    return task


def check_one_class(task: Task, job: str) -> None:
    """Refuse a task that a job does not know yet.

    Raises
    ------
    VidfitError
        Names the task, and the jobs that know it.
    """
    if not task.kind.exclusive:
        raise VidfitError(
            f"vidfit {job} takes clips with one class each, and these have {task.kind.what} "
            f"(--task {task.name}); select, fit and predict take them"
        )
