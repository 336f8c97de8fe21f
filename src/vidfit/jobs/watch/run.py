"""Look at a folder again and again, and answer the videos that are new in it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from vidfit.answers import Timeline
from vidfit.contracts import Clip, Failure
from vidfit.documents import to_json
from vidfit.errors import VidfitError
from vidfit.jobs.predict.by_task import way_of
from vidfit.jobs.predict.many import predict_many
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.watch.journal import Arrival, Journal
from vidfit.jobs.watch.options import WatchOptions
from vidfit.launch import HERE, launcher
from vidfit.manifest.entries import is_own
from vidfit.manifest.value import absolute
from vidfit.progress import SILENT, Progress
from vidfit.video import is_video_path
from vidfit.video.policy import in_force


def run_watch(
    model: Path,
    folder: Path,
    output: Path,
    options: WatchOptions = WatchOptions(),
    progress: Progress | None = None,
) -> Iterator[Timeline | Failure]:
    """Yield the answer to each video below a folder, then to each that appears.

    A video is answered once its size and time of change stayed for a look; one that changes, or
    has another name, is answered again, and so are all by another model or with other options.
    Each answer is a line of ``answers.jsonl`` in ``output`` before it is yielded: the same call
    goes on where a killed one ended. Hidden files, and folders that vidfit wrote, are left out;
    files are taken for videos by their suffix.

    Parameters
    ----------
    model
        Directory that `vidfit.fit` wrote.

    Raises
    ------
    VidfitError
        If there is no such folder. One that is gone later is waited for.
    ModelError
        If the model cannot be loaded; see `vidfit.load`.
    StoreError
        If an answer cannot be written.
    """
    options.check()
    _check_folder(folder)
    if way_of(str(model), options.task):
        raise VidfitError(
            f"{model} answers frames: watch takes models that answer clips or windows; ask "
            "`vidfit predict` about the videos that came"
        )
    predictor = load(model, options.own, options.task).declining(options.unknown)
    asked_of = [predictor.sha256, options.window_seconds, options.unknown]
    journal = Journal(output, hashlib.sha256(to_json(asked_of).encode()).hexdigest())
    folder, is_gone = Path(absolute(folder)), False
    place = launcher(HERE, workers=options.workers, scratch=output)
    progress = progress or SILENT
    progress.note(f"Answers go to {journal.path}")
    before = found(folder)
    while True:
        time.sleep(options.every_seconds)
        now = found(folder)
        if not folder.is_dir() and not is_gone:
            if options.once:
                _check_folder(folder)
            progress.note(f"{folder} is gone; waiting for it to come back")
        is_gone = not folder.is_dir()
        new = settled(before, now, journal.answered)
        before = now
        asked = [_asked(arrival) for arrival in new]
        answers = predict_many(
            predictor, asked, place, window_seconds=options.window_seconds, progress=progress
        )
        for arrival, answer in zip(new, answers if asked else (), strict=True):
            journal.add(arrival, answer)
            yield answer
        if options.once:
            return


def _asked(arrival: Arrival) -> Clip | Failure:
    why = in_force().refusal(arrival.path)
    return Failure(arrival.path, why) if why else Clip(arrival.path)


def found(folder: Path) -> dict[str, Arrival]:
    """Return the videos below a folder by path; none where it is gone."""
    arrivals = {}
    for top, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".") and not _own(top, name)]
        for name in names:
            path = Path(top, name)
            if name.startswith(".") or not is_video_path(name):
                continue
            with suppress(OSError):  # it is gone, or a link to nowhere
                stat = path.stat()
                arrivals[str(path)] = Arrival(str(path), stat.st_size, stat.st_mtime_ns)
    return arrivals


def settled(
    before: Mapping[str, Arrival], now: Mapping[str, Arrival], answered: Mapping[str, Arrival]
) -> list[Arrival]:
    """Return the files that two looks found alike and that have no answer, the oldest first."""
    new = [
        arrival
        for path, arrival in now.items()
        if before.get(path) == arrival and answered.get(path) != arrival
    ]
    return sorted(new, key=lambda arrival: (arrival.changed_ns, arrival.path))


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise VidfitError(f"there is no folder {folder} to watch; give one that exists")


def _own(top: str, name: str) -> bool:
    with suppress(OSError):
        return is_own(Path(top, name))
    return False
