"""From what was named at start to libraries: runs, folders and lists of videos."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vidfit.contracts import Clip
from vidfit.documents import read_json
from vidfit.errors import ManifestError
from vidfit.label_kinds import LABELS, Labels
from vidfit.manifest import read_manifest
from vidfit.manifest.annotations import Annotations
from vidfit.serve.answered import head_of
from vidfit.serve.boxes.book import ANSWERS, boxes_in, clips_of
from vidfit.serve.boxes.found import FoundParts, answers_in
from vidfit.serve.library import (
    FrameParts,
    Library,
    ModelAnswer,
    by_key,
    clip_ids,
    duplicate_sets,
    library_id,
)
from vidfit.serve.roots import Roots
from vidfit.serve.shots.places import INDEX, VIDEOS, index_in
from vidfit.tasks.detect.labels import parsed
from vidfit.video.policy import Policy, enforced

DOCUMENTS = {
    "report": "report.json",
    "ranking": "ranking.json",
    "fusion": "fusion.json",
    "compression": "compression.json",
    "training": "training.json",
    "architectures": "architectures.json",
}
"""Name of what a command found -> its file in the run's folder."""

_DEPTH = 2
"""Levels below a folder where runs are looked for: ``runs/`` holds them at the first."""


def roots_of(sources: Iterable[Path]) -> Roots:
    """Return what may be opened: folders that are no runs, folders of lists, single videos."""
    roots = Roots()
    for source in sources:
        if source.is_dir():
            roots = roots if runs_below(source) else roots.joined(source)
        else:
            listed = source.suffix.lower() in (".csv", ".tsv", ".txt", ".parquet", ".json", ".xml")
            roots = roots.joined(source.parent if listed else source)
    return roots


def runs_below(folder: Path, depth: int = _DEPTH) -> list[Path]:
    """Return the folder, if a command wrote it, or those up to ``depth`` levels below it."""
    if documents_of(folder) or index_in(folder) or answers_in(folder):
        return [folder]
    if depth == 0:
        return []
    try:
        inner = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    except OSError:
        return []
    return [run for path in inner for run in runs_below(path, depth - 1)]


def documents_of(folder: Path) -> Mapping[str, Path]:
    """Return what a command found, as paths of JSON in its folder."""
    paths = {name: folder / file for name, file in DOCUMENTS.items()}
    return {name: path for name, path in paths.items() if path.is_file() and _is_ours(path, name)}


def _is_ours(path: Path, name: str) -> bool:
    with path.open("rb") as stream:
        return f'"vidfit.{name}/'.encode() in stream.read(200)


def open_libraries(sources: Iterable[Path], roots: Roots) -> Iterator[Library]:
    """Yield what the sources hold.

    Raises
    ------
    ManifestError
        If a source is neither a run, nor a folder or list of videos.
    """
    for source in sources:
        runs = runs_below(source) if source.is_dir() else []
        yield from map(open_run, runs)
        if not runs:
            yield open_videos(source, roots)


def open_videos(source: Path, roots: Roots) -> Library:
    """Read a folder or list of videos; what a list names outside of the roots is left out.

    Raises
    ------
    ManifestError
        If it cannot be understood.
    """
    with enforced(Policy(below=roots.places)):
        if boxes := boxes_in(source):
            return _with_boxes(source, boxes, roots)
        manifest = read_manifest(source)
    ids = clip_ids(manifest.clips)
    failed = {failure.name: failure.reason for failure in manifest.missing}
    keys = by_key(manifest.clips, ids)
    left_out = [f"{len(manifest.rejected)} left out"] if manifest.rejected else []
    return Library(
        library_id(source, "videos"),
        source.resolve().name,
        "videos",
        source.resolve(),
        manifest.clips,
        ids,
        _labels(manifest.kind.name),
        () if manifest.kind.name == "number" else _classes(manifest.clips),
        failed={keys[name]: why for name, why in failed.items() if name in keys},
        warnings=(*manifest.warnings, *left_out),
    )


def _with_boxes(source: Path, found: Annotations, roots: Roots) -> Library:
    """Return the files that labelled frames are of; their boxes are read when they are shown."""
    named = clips_of(found)
    clips = tuple(clip for clip in named if roots.real(clip.path))
    out = len(found.rejected) + len(named) - len(clips)
    left_out = [f"{out} left out"] if out else []
    missing = [f"{len(found.missing)} not there"] if found.missing else []
    return Library(
        library_id(source, "videos"),
        source.resolve().parent.name if source.stem in ("boxes", "gt") else source.resolve().name,
        "videos",
        source.resolve(),
        clips,
        clip_ids(clips),
        classes=found.classes,
        warnings=(*left_out, *missing),
        frames="boxes",
    )


def _labels(name: object) -> Labels:
    return next((kind for kind in LABELS if kind == name), "one")


def _classes(clips: Iterable[Clip]) -> tuple[str, ...]:
    """Return the classes that clips are labelled with, those of several labels apart."""
    found = {part for clip in clips if clip.label for part in clip.label.split("|")}
    return tuple(sorted(found))


def open_run(folder: Path) -> Library:
    """Read a folder that a command wrote.

    Raises
    ------
    ManifestError
        If what lies there is damaged.
    """
    documents, index, place = documents_of(folder), index_in(folder), folder.resolve()
    is_bare = index is not None and (index.parent, place.name) == (place, INDEX)
    name = place.parent.name if is_bare else place.name
    known = library_id(folder, "run")
    library = Library(known, name, "run", place, (), (), documents=documents, index=index)
    if "report" not in documents:
        if found := answers_in(folder):
            return _with_found(library, found)
        return library if index is None else _with_videos(library, index)
    try:
        return _with_report(library, read_json(documents["report"], _row_reader()))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ManifestError(
            f"{documents['report']} is no report of vidfit: {error}; run `vidfit fit` again"
        ) from error


def _with_found(library: Library, found: Mapping[Path, FoundParts]) -> Library:
    """Return what was found in videos as a library of these; faces are shown as such if any are."""
    clips = tuple(map(Clip, dict.fromkeys(head_of(path).video for path in found)))
    kind: FrameParts = "faces" if "faces" in found.values() else "boxes"
    return replace(library, clips=clips, ids=clip_ids(clips), frames=kind)


def _with_videos(library: Library, index: Path) -> Library:
    """Return an index as a library of the videos that are in it."""
    try:
        paths = [str(one["path"]) for one in read_json(index / VIDEOS)]
    except (OSError, ValueError, TypeError, KeyError):
        return replace(library, warnings=("the list of its videos is damaged",))
    clips = tuple(map(Clip, dict.fromkeys(paths)))
    return replace(library, clips=clips, ids=clip_ids(clips))


@dataclass(frozen=True, slots=True)
class _ReportRow:
    """A clip of a report, and what the model said of it."""

    clip: Clip
    answer: ModelAnswer


def _row_reader() -> Callable[[dict[str, Any]], object]:
    """Return what makes rows of a report's clips while it is read; equal texts are kept once."""
    known: dict[str, str] = {}

    def each(found: dict[str, Any]) -> object:
        if found.keys() >= _OF_CLIP:
            return _clip_of(found, known)
        if isinstance(found.get("clip"), Clip) and "predicted" in found:  # pictures have clips, too
            return _ReportRow(found["clip"], _answer_of(found, known))
        return found

    return each


def _with_report(library: Library, report: Mapping[str, Any]) -> Library:
    rows = report.get("clips", ())
    if not all(isinstance(row, _ReportRow) for row in rows):
        raise ValueError("a row of its clips is none")
    found = [row.clip for row in rows]
    if in_words := _LABELS_IN_WORDS.get(report.get("labels")):
        found = [replace(clip, label=in_words(clip.label)) for clip in found]
    failures = {str(one["name"]): str(one["reason"]) for one in report.get("failures", ())}
    seen = {clip.path for clip in found}
    unread = [Clip(name) for name in failures if "#" not in name and name not in seen]
    clips = (*found, *unread)
    ids = clip_ids(clips)
    answers = {one: row.answer for one, row in zip(ids, rows, strict=False)}
    keys = by_key(clips, ids)
    pairs = [(str(p["first"]), str(p["second"])) for p in report.get("near_duplicates", ())]
    sets = duplicate_sets(pairs)
    return replace(
        library,
        clips=clips,
        ids=ids,
        frames=_frames(library, report),
        labels=_labels(report.get("labels")),
        classes=tuple(map(str, report.get("classes", ()))),
        answers=answers,
        failed={keys[name]: why for name, why in failures.items() if name in keys},
        duplicates={keys[name]: number for name, number in sets.items() if name in keys},
    )


def _frames(library: Library, report: Mapping[str, Any]) -> FrameParts:
    """Return what is in the frames of a run, where it kept its answers to them."""
    kinds: Mapping[object, FrameParts] = {"boxes": "boxes", "mask": "masks"}
    is_there = (library.source / ANSWERS).is_file()
    return kinds.get(report.get("labels"), "") if is_there else ""


def _boxes_in_words(label: str | None) -> str | None:
    """Say how many objects of which class there are, as answers are said."""
    try:
        names = [box.label for box in parsed(label or "").boxes if not box.ignored]
    except ValueError:
        return label
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names)) or "nothing"


_LABELS_IN_WORDS: Mapping[object, Callable[[str | None], str | None]] = {
    "boxes": _boxes_in_words,
    "mask": lambda label: None,
}
"""Kind of labels that are no words -> what is said of one; of a mask there is nothing."""


_OF_CLIP = frozenset({"path", "start_seconds", "end_seconds", "label", "group", "split", "text"})


def _clip_of(row: Mapping[str, Any], known: dict[str, str]) -> Clip:
    """Return a clip of ``report.json``, whoever wrote it; quickly, for there may be 100,000."""
    path, times = row["path"], (row["start_seconds"], row["end_seconds"])
    texts = (row["label"], row["group"], row["split"], row["text"])
    if not isinstance(path, str) or not all(t is None or isinstance(t, str) for t in texts):
        raise ValueError(f"{path!r} is no clip")
    start, end = float(times[0]), None if times[1] is None else float(times[1])
    kept = (None if text is None else known.setdefault(text, text) for text in texts)
    return Clip(known.setdefault(path, path), start, end, *kept)


def _answer_of(row: Mapping[str, Any], known: dict[str, str]) -> ModelAnswer:
    of_answer, of_label = row["probability"], row["probability_of_label"]
    said = str(row["predicted"])
    return ModelAnswer(
        known.setdefault(said, said),
        None if of_answer is None else float(of_answer),
        None if of_label is None else float(of_label),
        row["declined"] is True,
    )
