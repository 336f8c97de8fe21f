"""Ways to answer videos that tasks have of their own: boxes, masks, people.

A model of any other task answers as a whole, or window by window (`vidfit.jobs.predict.run`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from vidfit.backbones import FAMILIES, names
from vidfit.backbones.notation import plain_name, runs_a_file
from vidfit.contracts import Clip, Failure
from vidfit.errors import ModelError, VidfitError, not_known
from vidfit.model import DOCUMENT, read_document
from vidfit.pixels.saved import PIXELS, read_pixel_document
from vidfit.progress import Progress

BY_NAME = "detect"
"""The task of an encoder that stands in place of a model, unless another is asked for."""


@dataclass(frozen=True)
class AskedOfTask:
    """What a way of its own is given.

    Parameters
    ----------
    model
        Model directory, or the name of an encoder that answers without being fitted.
    videos
        What is answered, in order: clips, of which the span counts, and rows that cannot be read.
    names
        Names of the files of answers, without their endings, one a video.
    output
        Folder for these files, which is claimed already; ``None`` writes none.
    formats
        Endings of these files without the dot, as they were asked for, known or not.
    workers
        Threads; ``None`` takes all cores.
    progress
        Told about work done.
    options
        Options of the task that were given, by name without the dashes, all of their values.
    own
        ``FILE.py:NAME`` of encoders of one's own that the model may hold.
    """

    model: str
    videos: Iterable[Clip | Failure]
    names: Iterable[str]
    output: Path | None
    formats: tuple[str, ...]
    workers: int | None
    progress: Progress
    options: Mapping[str, tuple[str, ...]]
    own: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToldOfVideo:
    """What is said of one video; its files are written.

    Parameters
    ----------
    path
        The video.
    lines
        What a person reads on the terminal.
    data
        The answers as JSON takes them, in short.
    failure
        Why it could not be answered; empty where it was.
    """

    path: str
    lines: tuple[str, ...] = ()
    data: Mapping[str, Any] | None = None
    failure: str = ""


TaskWay = Callable[[AskedOfTask], Iterator[ToldOfVideo]]
"""Answers videos in their order, one at a time, and yields what is said of each."""


@dataclass(frozen=True)
class WayOfTask:
    """A function, ``module:name`` below ``vidfit.jobs.predict``, and the options that it takes."""

    target: str
    options: tuple[str, ...] = ()

    def open(self) -> TaskWay:
        """Import the function."""
        module, _, name = self.target.partition(":")
        return cast(TaskWay, getattr(import_module(f"vidfit.jobs.predict.{module}"), name))


WAYS: dict[str, WayOfTask] = {
    "detect": WayOfTask("objects.run:run_objects", ("every", "score", "line", "zone")),
    "segment": WayOfTask("masks.run:run_masks", ("every",)),
    "faces": WayOfTask("people.run:run_people", ("i-have-consent", "every", "smallest")),
    "restore": WayOfTask("restored.run:run_restored"),
    "forecast": WayOfTask("forecast.run:run_forecast"),
}
"""Task -> its own way."""


def way_of(model: str, task: str | None = None) -> WayOfTask | None:
    """Return the way of a model directory, or of an encoder by name; ``None`` is the plain one.

    Parameters
    ----------
    task
        The task that is asked for; ``None`` takes that of the model.

    Raises
    ------
    ModelError
        If there is neither a folder nor an encoder of that name, the directory says what no model
        can, or it is of another task than is asked for.
    """
    directory = Path(model)
    if of := _task_of_folder(directory):
        if of in WAYS and task not in (None, of):
            raise ModelError(
                f"{model} answers the task {of!r}, and --task asks for {task!r}; leave it away, "
                "or give another model"
            )
        return WAYS.get(of)
    if _is_encoder(
        model
    ):  # a folder of that name that holds no model may lie here, such as answers
        return WAYS.get(task or BY_NAME)
    if directory.exists():
        return None
    raise ModelError(not_known("folder of a model, and no encoder", model, names()))


def _task_of_folder(directory: Path) -> str | None:
    """Return the task of the model that lies in a folder, if any.

    Raises
    ------
    ModelError
        If the model is damaged, or answers no videos.
    """
    if (directory / PIXELS).is_file():
        of = read_pixel_document(directory).task
        if of not in WAYS:
            raise ModelError(
                f"{directory} draws new clips and answers none: use `vidfit sample {directory}`"
            )
        return of
    return read_document(directory).task if (directory / DOCUMENT).is_file() else None


def check_options(way: WayOfTask | None, options: Iterable[str]) -> None:
    """Refuse options of other tasks.

    Raises
    ------
    VidfitError
        Names the tasks that have it.
    """
    for name in options:
        if way is None or name not in way.options:
            tasks = " and ".join(task for task, of in WAYS.items() if name in of.options)
            raise VidfitError(f"--{name} is for models of {tasks}; leave it away")


def whole_number(options: Mapping[str, tuple[str, ...]], name: str, least: int) -> int | None:
    """Return an option that is a whole number, the last of those given; ``None`` without it.

    Raises
    ------
    VidfitError
        If it is none, or less than it may be.
    """
    if not (given := options.get(name)):
        return None
    if not given[-1].isdecimal() or int(given[-1]) < least:
        raise VidfitError(f"--{name} {given[-1]} is no whole number of {least} or more")
    return int(given[-1])


def _is_encoder(name: str) -> bool:
    """Return whether an encoder may be known by that name; nothing is loaded."""
    family, _, source = name.partition(":")
    is_of_family = bool(source) and family in FAMILIES
    return plain_name(name) in names() or is_of_family or runs_a_file(name)
