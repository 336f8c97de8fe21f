"""What lies in the folder of a job: its clips, its output, and what it answered over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.errors import ModelError
from vidfit.labels import KINDS
from vidfit.manifest import Manifest, write_manifest
from vidfit.model.document import read_document
from vidfit.serve.boxes.rows import drawn_frames
from vidfit.serve.boxes.written import written_boxes
from vidfit.serve.commands import CONSENT, DETECT, arguments_of, command_of
from vidfit.serve.exports import labelled, marked
from vidfit.serve.job_values import JobWish, ResultFile
from vidfit.serve.labels import label_of
from vidfit.serve.library import FrameParts, Library
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.service import OUTPUT, Service
from vidfit.serve.spans import spans_of

FACES = "faces"
"""The task of models that name people."""

CLIPS, BOXES, MODEL = "clips.csv", "boxes.csv", "model"
_FORMATS: Mapping[FrameParts, str] = {
    "": "json,csv,vtt", "boxes": "json,csv", "masks": "json,csv", "faces": "json,csv",
}  # fmt: skip
"""What is in the frames of a run -> formats in which its model answers."""

_MEDIA = {".json": "application/json", ".csv": "text/csv", ".vtt": "text/vtt"}


def prepare(service: Service, wish: JobWish, folder: Path) -> list[str]:
    """Write the clips or boxes of a job into its folder; return the arguments of its command.

    Raises
    ------
    ProblemError
        404 for ids that are not there; 422 for what the command does not take.
    """
    words = arguments_of(wish.command, wish.options)
    command = command_of(wish.command)
    library = service.libraries.get(wish.library)
    if command.needs_model != (wish.model is not None):
        needs = "needs the model of a run: give model" if command.needs_model else "takes no model"
        raise ProblemError(422, f"{wish.command} {needs}")
    named = []
    if wish.model is not None:
        run = service.libraries.get(wish.model)
        named = [str(model_of(run))]
        if wish.command == "predict":
            words.append(f"--format={_formats(run, wish)}")
    if command.needs_labels and _is_of_boxes(library, wish):
        _write_boxes(service, library, folder / BOXES)
        words += [] if "task" in wish.options else [f"--task={DETECT}"]
    else:
        _write_clips(service, library, wish, folder / CLIPS)
    output = folder / OUTPUT
    # A report may name any file, whoever wrote it: a job reads what the server may send.
    below = [f"--only-below={place}" for place in service.libraries.roots.places]
    (of_job,) = (str(path) for path in (folder / CLIPS, folder / BOXES) if path.is_file())
    return [wish.command, *words, *below, f"--output={output}", "--", *named, of_job]


def _is_of_boxes(library: Library, wish: JobWish) -> bool:
    """Return whether boxes are learned, and no labels.

    Raises
    ------
    ProblemError
        422 where boxes are asked for and there are none, or they are and the command has no task
        of them.
    """
    task = wish.options.get("task", DETECT if library.frames == "boxes" else "")
    if library.frames == "masks":
        raise ProblemError(422, "masks are learned by `vidfit fit --task segment` alone")
    if (task == DETECT) != (library.frames == "boxes"):
        there = "boxes; give task=detect" if library.frames else "no boxes; give another task"
        raise ProblemError(422, f"this library has {there}")
    if task == DETECT and wish.command != "fit":
        raise ProblemError(422, f"{wish.command} does not take boxes; fit does")
    return bool(task == DETECT)


def _write_boxes(service: Service, library: Library, path: Path) -> None:
    """Write the boxes of a library, those that people changed as they are now."""
    frames = service.shelf.of(library)
    drawn = drawn_frames(service.store, frames.files)
    path.write_bytes(written_boxes(frames, drawn, "csv"))


def _write_clips(service: Service, library: Library, wish: JobWish, path: Path) -> None:
    clips = _clips(service, library, wish, labelled_only=command_of(wish.command).needs_labels)
    if not clips:
        raise ProblemError(422, "no clip of this library has a label; label some first")
    kind = KINDS["one" if wish.what == "spans" else library.labels]
    write_manifest(Manifest(tuple(clips), kind=kind), path)


def _formats(run: Library, wish: JobWish) -> str:
    """Return the formats in which the model of a run answers.

    Raises
    ------
    ProblemError
        422 where it knows people, and it is not said to what they agreed.
    """
    try:
        task = read_document(model_of(run)).task
    except ModelError:
        task = ""
    if task != FACES:
        return _FORMATS[run.frames]
    if CONSENT not in wish.options:
        raise ProblemError(
            422, f"this model names people; say to what they agreed: options {CONSENT!r}"
        )
    return _FORMATS["faces"]


def model_of(library: Library) -> Path:
    """Return the model of a run; raises ProblemError (422) where it has none."""
    path = library.source / MODEL
    if library.kind != "run" or not (path / "model.json").is_file():
        raise ProblemError(422, "that library has no model; give the id of a run that has one")
    return path


def _clips(
    service: Service, library: Library, wish: JobWish, *, labelled_only: bool
) -> Sequence[Clip]:
    if wish.clip is not None:
        if wish.command != "predict":
            raise ProblemError(422, f"{wish.command} takes no single clip; leave clip away")
        place = library.place_of.get(wish.clip)
        if place is None or service.libraries.roots.real(library.clips[place].path) is None:
            raise missing()
        return [replace(library.clips[place], label=None)]
    if wish.what == "spans":
        return marked(library, spans_of(service.store, library.ids))
    given = service.given(library)
    if labelled_only:
        return labelled(library, given)
    pairs = zip(library.ids, library.clips, strict=True)
    reached = ((one, clip) for one, clip in pairs if one not in library.failed)
    if wish.command == "predict":
        return [replace(clip, label=None) for _, clip in reached]
    return [replace(clip, label=label_of(clip, given.get(one))) for one, clip in reached]


def result_files(folder: Path) -> dict[str, Path]:
    """Return the files that a job wrote and that are sent, by name; links are not."""
    output = folder / OUTPUT
    if not output.is_dir():
        return {}
    return {
        path.name: path
        for path in sorted(output.iterdir())
        if path.suffix in _MEDIA and path.is_file() and not path.is_symlink()
        and not path.name.startswith(".")
    }  # fmt: skip


def result_of(path: Path) -> ResultFile:
    """Return what is said of a file that a job wrote."""
    name = path.name.encode("utf-8", "replace").decode()
    return ResultFile(name, path.stat().st_size, _MEDIA[path.suffix])  # type: ignore[arg-type]
