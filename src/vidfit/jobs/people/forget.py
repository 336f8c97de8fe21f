"""Forget a person: out of the model, the features, the aligned faces and the reports of an output.

What is written down of other people stays as it is. Afterwards all files are searched.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vidfit.contracts import Floats
from vidfit.documents import to_json
from vidfit.errors import ModelError, StoreError, not_known
from vidfit.files import claimed
from vidfit.jobs.people.value import Forgotten
from vidfit.model import Model, load_model, member_directory, save_model
from vidfit.tasks.faces import TASK
from vidfit.tasks.faces.pictures import ALIGNED, folder_of, keep_features

REPORTS = ("report.*", "ranking.*", "holdouts/*")
"""Files of an output with names, pictures and figures of everybody."""


def run_forget(name: str, directory: Path) -> Forgotten:
    """Remove a person from a model of people and from all that was written beside it.

    No consent is asked for: whoever wants to be forgotten has withdrawn it. The pictures that the
    person was learned from are the user's, and stay.

    Parameters
    ----------
    directory
        Model directory; its parent is the output of the job that wrote it.

    Raises
    ------
    ModelError
        If it is no model of people, or nobody of that name is in it.
    StoreError
        If something cannot be removed, or is found afterwards.
    """
    model = load_model(directory)
    if model.task != TASK.name:
        raise ModelError(f"{directory} is of the task {model.task!r}, and knows nobody")
    if name not in model.classes:
        raise ModelError(f"{directory}: {not_known('known person', name, model.classes)}")
    output = directory.resolve().parent
    with claimed(output):
        vector_D = model.arrays["people_KD"][model.classes.index(name)]
        _remove_from_model(name, model, directory)
        pictures = _remove_faces(output, name)
        features = keep_features(output)
        reports = _remove_reports(output)
    left = tuple(one for one in model.classes if one != name)
    searched = _searched(output, name, vector_D)
    return Forgotten(name, left, pictures, features, reports, searched)


def _remove_from_model(name: str, model: Model, directory: Path) -> None:
    """Write the model without a person; without the last one there is none."""
    keep = [k for k, one in enumerate(model.classes) if one != name]
    if not keep:
        shutil.rmtree(directory)
        return
    arrays = {**model.arrays, "people_KD": model.arrays["people_KD"][keep]}
    if not arrays["people_KD"].any():
        shutil.rmtree(directory)
        return

    def copied(index: int, folder: Path) -> None:
        shutil.copytree(member_directory(directory, index), folder, dirs_exist_ok=True)

    save_model(
        replace(model, classes=tuple(model.classes[k] for k in keep), arrays=arrays),
        directory,
        copied,
    )


def _remove_faces(output: Path, name: str) -> int:
    folder = output / ALIGNED / folder_of(name)
    count = sum(file.is_file() for file in folder.rglob("*"))
    shutil.rmtree(folder, ignore_errors=True)
    return count


def _remove_reports(output: Path) -> tuple[str, ...]:
    found = sorted(file for pattern in REPORTS for file in output.glob(pattern) if file.is_file())
    for file in found:
        file.unlink()
    return tuple(file.relative_to(output).as_posix() for file in found)


def _searched(output: Path, name: str, vector_D: Floats) -> int:
    """Search all that is left for a person; return how many files that were.

    Raises
    ------
    StoreError
        Names the file that still holds something.
    """
    told = {to_json(name), to_json(name, ascii_only=False)}
    wanted = [*(text.encode() for text in told), vector_D.astype("<f4").tobytes()]
    count = 0
    for file in _files(output):
        content, count = file.read_bytes(), count + 1
        is_of_folder = folder_of(name) in file.relative_to(output).parts[:-1]
        if is_of_folder or any(part in content for part in wanted):
            raise StoreError(f"{file} still holds something of {name!r}; delete it by hand")
    return count


def _files(output: Path) -> Iterator[Path]:
    yield from (file for file in sorted(output.rglob("*")) if file.is_file())
