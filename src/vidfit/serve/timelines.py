"""What models answered to a video over time, as jobs wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidfit.contracts import Clip, clip_key
from vidfit.documents import read_json
from vidfit.serve.answered import head_of
from vidfit.serve.job_folders import result_files
from vidfit.serve.service import Service

_FORMAT = "vidfit.timeline/"


@dataclass(frozen=True, slots=True)
class AnswersInTime:
    """The answers of a job to one video, as `vidfit predict` writes them.

    ``segments`` and ``windows`` have ``start_seconds``, ``end_seconds``, ``label``,
    ``probability``, ``declined``, ``why``, ``scores`` (by class, where they are kept) and
    ``value``.
    """

    job: str
    model: str | None
    name: str
    classes: tuple[str, ...]
    duration_seconds: float
    segments: tuple[dict[str, Any], ...]
    windows: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AnswersList:
    """What models answered to a video, the newest first."""

    timelines: tuple[AnswersInTime, ...]


def timelines_of(service: Service, clip: Clip) -> AnswersList:
    """Return what the jobs that are done answered to the video of a clip."""
    names, found = {clip.path, clip_key(clip)}, []
    for job in service.jobs.all():
        if job.state != "done" or job.asked["command"] != "predict":
            continue
        for path in _written(service.jobs.folder / job.id):
            with suppress(OSError, ValueError, KeyError, TypeError):  # what is damaged is none
                head = head_of(path)
                if not head.format.startswith(_FORMAT) or head.video not in names:
                    continue
                found.append(_read(path, job.id, job.asked.get("model")))
    return AnswersList(tuple(found))


def _written(folder: Path) -> Iterator[Path]:
    return (path for path in result_files(folder).values() if path.suffix == ".json")


def _read(path: Path, job: str, model: str | None) -> AnswersInTime:
    document = read_json(path)
    return AnswersInTime(
        job,
        model,
        path.stem,
        tuple(map(str, document["classes"])),
        float(document["duration_seconds"]),
        tuple(map(dict, document["segments"])),
        tuple(map(dict, document["windows"])),
    )
