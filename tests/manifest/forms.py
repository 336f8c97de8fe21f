"""Forms in which people keep clips, made in a folder, and what vidfit says to each.

``python -m tests.manifest.forms`` writes the tables of docs/videos.md anew. Add a
form to `forms_of_folders` or `forms_of_lists`; a test holds the tables.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from tests.manifest.forms_of_folders import FOLDERS
from tests.manifest.forms_of_lists import LISTS
from tests.manifest.made import Form

from vidfit.errors import VidfitError
from vidfit.manifest import noticed, read_manifest, told
from vidfit.study.folds import check_enough

PAGE = Path(__file__).parents[2] / "docs/videos.md"


def said(form: Form, folder: Path) -> str:
    """Return what vidfit says to a form before any work, or why it refuses."""
    try:
        manifest = read_manifest(form.make(folder))
        lines = told(manifest)
        labelled = [clip for clip in manifest.present(manifest.clips) if clip.label]
        if len(labelled) < len(manifest.missing):
            check_enough(labelled, noticed(manifest))
    except VidfitError as error:
        lines = [f"refused: {str(error).partition(' Expected: ')[0]}"]
    return " ".join(f"{line.rstrip('.')}." for line in lines).replace(str(folder), "DATA")


def top_folders(folder: Path) -> str:
    """Return the classes by the rule of torchvision's ImageFolder: the folders at the top."""
    return _names({entry.name for entry in os.scandir(folder) if entry.is_dir()})


def parent_folders(folder: Path) -> str:
    """Return the classes by the rule of VideoFolder of datasets: the folder that holds a video."""
    videos = [path for path in folder.rglob("*") if path.suffix in (".mp4", ".avi")]
    return _names({path.parent.name for path in videos} - {folder.name})


def _names(found: set[str]) -> str:
    return ", ".join(sorted(found)) or "none"


def tables() -> dict[str, str]:
    """Return the tables by the name of their marker."""
    folders = ["| folder | what vidfit says | top folders | parent folders |", "|---|---|---|---|"]
    lists = ["| list | what vidfit says |", "|---|---|"]
    for form in FOLDERS:
        words, folder = _tried(form)
        folders.append(f"| {form.name} | {words} | {folder} |")
    lists += [f"| {form.name} | {_tried(form)[0]} |" for form in LISTS]
    return {"folders": "\n".join(folders), "lists": "\n".join(lists)}


def _tried(form: Form) -> tuple[str, str]:
    """Return what is said to a form, and the classes by the rules of two other tools."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve() / "alone"  # lists look for files in folders beside theirs
        folder.mkdir()
        words = said(form, folder)
        return _cell(words), f"{top_folders(folder)} | {parent_folders(folder)}"


def with_tables(page: str, found: dict[str, str]) -> str:
    """Return the page with the tables between their markers."""
    for name, table in found.items():
        start, end = f"<!-- {name}: python -m tests.manifest.forms -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
        page, count = pattern.subn(lambda _, new=f"{start}\n{table}\n{end}": new, page)
        if count != 1:
            raise ValueError(f"{PAGE} has {count} places for the table {name}; give it one")
    return page


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
