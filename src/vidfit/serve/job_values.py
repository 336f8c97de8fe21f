"""What is asked of jobs, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from vidfit.serve.exports import Exported
from vidfit.serve.jobs import JobProgress, JobRow, JobState


@dataclass(frozen=True, slots=True)
class JobWish:
    """A command over a library, or over one clip.

    Parameters
    ----------
    command
        Such as ``"fit"``.
    library
        Whose clips; those of its list with the labels that were given here.
    clip
        A single clip of it, for ``predict``.
    model
        Library of a run that has a model, for ``predict`` and ``compress``.
    what
        Whether the labels of clips are learned, or those of spans.
    options
        Those of the command line that a job may have, without dashes in front.
    """

    command: str
    library: str
    clip: str | None = None
    model: str | None = None
    what: Exported = "labels"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A job: what it is, how far it is, and how it ended.

    ``options`` are those that it was asked with; ``status`` is the exit status of the command;
    ``said`` the last line that it told;
    ``result_library`` the id of what it wrote, once that is open.
    """

    id: str
    command: str
    library: str
    clip: str | None
    model: str | None
    options: dict[str, Any]
    person: str
    state: JobState
    at: float
    begun: float | None
    ended: float | None
    status: int | None
    stage: str
    done: int
    total: int
    said: str
    result_library: str


@dataclass(frozen=True, slots=True)
class JobList:
    """All jobs, the newest first."""

    jobs: tuple[JobFacts, ...]


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file that a job wrote."""

    name: str
    bytes: int
    media_type: Literal["application/json", "text/csv", "text/vtt"]


@dataclass(frozen=True, slots=True)
class ResultList:
    """The files that a job wrote, by name."""

    results: tuple[ResultFile, ...]


@dataclass(frozen=True, slots=True)
class JobEvent:
    """What a job tells while it runs, as data of server-sent events."""

    event: Literal["stage", "advance", "note", "state"]
    stage: str | None = None
    done: int | None = None
    total: int | None = None
    text: str | None = None
    state: JobState | None = None


def facts_of_job(job: JobRow, progress: JobProgress, result_library: str) -> JobFacts:
    """Return what is said of a job."""
    asked = job.asked
    return JobFacts(
        job.id, asked["command"], asked["library"], asked.get("clip"), asked.get("model"),
        asked.get("options", {}), job.person, job.state, job.at, job.begun, job.ended, job.status,
        progress.stage, progress.done, progress.total, progress.said, result_library,
    )  # fmt: skip
