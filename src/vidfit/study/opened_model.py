"""A model directory, anybody's, as a model, its members and its head.

Files, names, types, sizes and numbers are checked here. What only running it tells, time, memory
and whether its answers are numbers, a child process finds out first (`vidfit.study.trial`), once
for a model that was not written on this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidfit import backbones as zoo
from vidfit.contracts import Backbone
from vidfit.documents import shown
from vidfit.errors import ModelError, VidfitError
from vidfit.fitted import FittedFusion
from vidfit.fusion import REMOVED_HEADS
from vidfit.model import (
    Model,
    is_known,
    load_model,
    member_directory,
    note_known,
    read_document,
)
from vidfit.study import heads
from vidfit.study.consent import check_consent, check_measures_nobody
from vidfit.study.trial_child import try_in_child
from vidfit.tasks import CLASSIFY, Task, task_named


@dataclass(frozen=True)
class OpenedModel:
    """A model whose parts fit each other; members are not yet on an engine."""

    model: Model
    members: tuple[Backbone, ...]
    head: FittedFusion

    @property
    def task(self) -> Task:
        """What it answers."""
        return task_named(self.model.task)


def open_model(
    directory: Path,
    own: Sequence[str] = (),
    *,
    consent: str | None = None,
    deferred: bool = False,
) -> OpenedModel:
    """Open a model directory.

    Parameters
    ----------
    own
        ``FILE.py:NAME`` of encoders of one's own that the model may hold: the file knows how
        to restore them, a model directory never holds code.
    consent
        To what the people agreed who are measured by it; ``None`` where nobody is asked, and
        models that measure people are not taken.
    deferred
        Read networks only when they are needed; see `vidfit.backbones.restore`.

    Raises
    ------
    ConsentError
        If the model measures people, and is not taken or no purpose is stated.
    ModelError
        If it is incomplete or altered, its parts do not fit, or it takes too long or too much
        memory, or does not answer in numbers.
    BackboneError
        If a member is damaged, or cannot run here.
    """
    task = task_named(read_document(directory).task or CLASSIFY.name)
    if consent is None:
        check_measures_nobody(task, directory)
    else:
        check_consent(task, consent)
    return parts_of(directory, load_tried(directory, own), own, deferred=deferred)


def open_members(directory: Path, own: Sequence[str] = ()) -> tuple[Backbone, ...]:
    """Open the networks of a model, of any task: without its head they answer nothing.

    Raises
    ------
    ModelError, BackboneError
        As `open_model` does.
    """
    return parts_of(directory, load_tried(directory, own), own).members


def check_answers_one(model: Model, job: str) -> None:
    """Refuse a model of a task that a job does not know yet.

    Raises
    ------
    ModelError
        Names the jobs that do.
    """
    task = task_named(model.task)
    if not task.kind.exclusive:
        raise ModelError(
            f"vidfit {job} takes models that answer with one class, and this one answers with "
            f"{task.kind.what}; predict takes it"
        )


def load_tried(directory: Path, own: Sequence[str] = ()) -> Model:
    """Load a model that was tried before, or is tried now; its members are not opened here.

    Raises
    ------
    ModelError
        If it is incomplete or altered, or ends in a kind of head that was removed.
    """
    model = load_model(directory)
    if model.head in REMOVED_HEADS:
        raise ModelError(
            f"{directory} ends in the fusion {model.head!r}, which vidfit no longer has; fit the "
            "clips again with vidfit fuse, or answer with the version that wrote the model"
        )
    if not is_known(directory):
        try_in_child(directory, own)
        note_known(directory)
    return model


def parts_of(
    directory: Path, model: Model, own: Sequence[str] = (), *, deferred: bool = False
) -> OpenedModel:
    """Restore the parts of a model and hold them against each other; nothing is run."""
    for name in own:
        zoo.load(name)
    folders = [member_directory(directory, i) for i in range(len(model.members))]
    members = tuple(zoo.restore(folder, deferred=deferred) for folder in folders)
    names = tuple(member.spec.name for member in members)
    if names != model.members:
        raise ModelError(
            f"{directory} says that its members are {shown(model.members)}, and holds "
            f"{shown(names)}; fit or copy it again"
        )
    dims = [member.spec.dim for member in members]
    try:
        task = task_named(model.task)
        _check_thresholds(model, task)
        head = heads.restore_checked(model.head, model.arrays, dims, len(model.classes), task)
    except VidfitError as error:
        raise ModelError(f"{directory}: {error}; fit or copy it again, or update vidfit") from error
    return OpenedModel(model, members, head)


def _check_thresholds(model: Model, task: Task) -> None:
    wanted = len(model.classes) if task.kind.separate else 0
    if len(model.thresholds) != wanted:
        raise ModelError(f"it has {len(model.thresholds)} thresholds; {wanted} are needed")
