"""From a file or folder of annotations, whatever tool wrote it, to labelled frames."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from vidfit.contracts import Note
from vidfit.documents import json_in
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.coco import is_coco, parse_coco
from vidfit.manifest.annotations.coco_masks import parse_coco_masks
from vidfit.manifest.annotations.cvat import is_cvat, parse_cvat
from vidfit.manifest.annotations.label_studio import is_label_studio, parse_label_studio
from vidfit.manifest.annotations.mask_folders import read_mask_folder
from vidfit.manifest.annotations.masks import MaskAnnotations
from vidfit.manifest.annotations.media import Media, Pictures, located, located_masks
from vidfit.manifest.annotations.mot import CLASSES, SequenceFacts, is_mot, parse_facts, parse_mot
from vidfit.manifest.annotations.table import is_table, parse_table
from vidfit.manifest.annotations.value import Annotations, merged
from vidfit.manifest.annotations.voc import parse_voc
from vidfit.manifest.annotations.xml_tree import parse_xml
from vidfit.manifest.annotations.yolo import NAME_LISTS, LabelFile, parse_names, parse_yolo
from vidfit.manifest.entries import folders_in
from vidfit.manifest.names import split_word
from vidfit.manifest.sheets import encoding_of
from vidfit.manifest.value import absolute, is_there
from vidfit.video.names import VIDEO_SUFFIXES

VALID = (
    "COCO, Label Studio (JSON), CVAT, Pascal VOC (XML), YOLO (a folder with data.yaml or labels/), "
    "MOT (gt.txt, or the folder of a sequence), and a CSV with path,frame,label,x,y,w,h"
)
_HEAD_BYTES = 1 << 16
_MOST_BYTES = 1 << 29


def read_annotations(path: str | Path, media: str | Path | None = None) -> Annotations:
    """Read labelled frames; their format is told by their content.

    Parameters
    ----------
    path
        File or folder of annotations.
    media
        Folder of the pictures and videos that they name; if not said, they lie in the folder of
        the annotations or beside it.

    Returns
    -------
    Annotations
        Frames that were looked at, of pictures and videos that are there, by absolute path.

    Raises
    ------
    ManifestError
        If the format is not known, or nothing can be used; all that is wrong is listed.
    """
    place = _place(path)
    found = media_of(place, media)
    return located(parse_annotations(place, found), found)


def parse_annotations(path: str | Path, media: Media | None = None) -> Annotations:
    """Read labelled frames, with names as they are written; see `read_annotations`."""
    place = _place(path)
    known = media or media_of(place)
    try:
        _check_holds(place)
        found = _of_folder(place, known) if place.is_dir() else _of_file(place, known)
    except OSError as error:
        raise ManifestError(f"{place} cannot be read ({error.strerror or error})") from error
    if found is None:
        raise ManifestError(f"{place} is of no format of boxes that is known; valid are {VALID}")
    return found


def _check_holds(place: Path) -> None:
    """Refuse what is empty, which is of no format."""
    empty = not any(place.iterdir()) if place.is_dir() else _is_blank(place)
    if empty:
        what = "folder" if place.is_dir() else "file"
        raise ManifestError(f"{place} is an empty {what}; valid are {VALID}")


def _is_blank(path: Path) -> bool:
    return path.stat().st_size <= _HEAD_BYTES and not _start(path)


def _place(path: str | Path) -> Path:
    place = Path(absolute(Path(path).expanduser()))
    if not is_there(place):
        raise ManifestError(f"{place} does not exist")
    return place


def media_of(path: str | Path, folder: str | Path | None = None) -> Media:
    """Return the pictures and videos of annotations: of a folder, else those beside them."""
    place = _place(path)
    if folder is not None:
        return Media(_place(folder), beside=False)
    return Media(place if place.is_dir() else _sequence_folder(place))


# ---------------------------------------------------------------- files


def _of_file(path: Path, media: Media) -> Annotations | None:
    """Return what a file says; ``None`` where it is of no known format."""
    _check_size(path)
    head = _start(path)
    if head[:1] in (b"{", b"["):
        return _of_json(path, media)
    if head[:1] == b"<" or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _of_xml(path, media)
    lines = [line for line in head.decode("utf-8", "replace").splitlines() if line.strip()]
    if is_table(lines):
        return parse_table(_text(path), path.name, media.size_pixels)
    if path.suffix.lower() in (".yaml", ".yml"):
        return _yolo(path.parent, media, path)
    return _sequence(path, media) if is_mot(lines) else None


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise ManifestError(f"{path} has {size:,} bytes; at most {_MOST_BYTES:,} are read")


def _text(path: Path) -> str:
    _check_size(path)
    try:
        return path.read_text(encoding=encoding_of(path, table=True))
    except UnicodeError as error:
        raise ManifestError(f"{path} cannot be read as text ({error}); save it as UTF-8") from error


def _of_json(path: Path, media: Media) -> Annotations | None:
    document = load_json(path.read_bytes(), path.name)
    if is_coco(document):
        return parse_coco(document, path.name, media.size_pixels)
    if is_label_studio(document):
        return parse_label_studio(document, path.name, media.size_pixels)
    return None


def _of_xml(path: Path, media: Media) -> Annotations | None:
    root = parse_xml(path.read_bytes(), path.name)
    if is_cvat(root):
        return parse_cvat(root, path.name, media.size_pixels)
    if root.tag == "annotation":
        return parse_voc([(path.name, path.read_bytes())], path.name, media.size_pixels)
    return None


def load_json(content: bytes, name: str) -> Any:  # noqa: ANN401
    """Return what JSON holds.

    Raises
    ------
    ManifestError
        Says at which line it is none.
    """
    try:
        return json_in(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ManifestError(f"{name}, line {error.lineno}: it is no JSON ({error.msg})") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestError(f"{name}, line {line}: it is no UTF-8; save it as UTF-8") from error
    except ValueError as error:
        raise ManifestError(f"{name}: it is no JSON that can be read ({error})") from error


# ---------------------------------------------------------------- folders

_LISTS = ("gt/gt.txt", "gt.txt", "det/det.txt", "det.txt")


def _of_folder(folder: Path, media: Media) -> Annotations | None:
    """Return what the files of a folder say; ``None`` where none is of a known format."""
    inside = sorted(folder.iterdir())
    sequences = [folder] if _list_of(folder) else [f for f in folders_in(folder) if _list_of(f)]
    if sequences:
        return merged([_sequence(_list_of(one) or one, media) for one in sequences], "MOT")
    if (found := _yolo(folder, media)) or (found := _voc(folder, media)):
        return found
    files = [file for file in inside if file.suffix.lower() in _SUFFIXES]
    files = files or [file for file in sorted(folder.glob("*/*")) if file.suffix in _SUFFIXES]
    read = [found for file in files if (found := _part(folder, file, media))]
    return merged(read, " and ".join(dict.fromkeys(one.form for one in read))) if read else None


_SUFFIXES = (".json", ".xml", ".csv")


def _part(folder: Path, file: Path, media: Media) -> Annotations | None:
    """Return what one of several files says, whose name or folder may say a split.

    As in ``instances_val2017.json`` and ``valid/_annotations.coco.json``.
    """
    place = file.parent.relative_to(folder)
    known = media if place == Path() else Media(file.parent)
    found = _of_file(file, known)
    if found is None:
        return None
    words = re.split(r"[^A-Za-z]+", f"{place.as_posix()} {file.stem}")
    split = next(filter(None, map(split_word, words)), None)
    frames = tuple(
        replace(
            frame,
            path=(place / frame.path).as_posix()
            if is_there(file.parent / frame.path)
            else frame.path,
            split=frame.split or split,
        )
        for frame in found.frames
    )
    return replace(found, frames=frames)


def _voc(folder: Path, media: Media) -> Annotations | None:
    """Return the boxes of a folder of Pascal VOC, whose first file of XML tells that it is one."""
    root = folder / "Annotations" if (folder / "Annotations").is_dir() else folder
    files = sorted(root.rglob("*.xml"))
    if not files or b"<annotation>" not in files[0].read_bytes()[:_HEAD_BYTES]:
        return None
    read = ((file.relative_to(folder).as_posix(), file.read_bytes()) for file in files)
    found = parse_voc(read, folder.name, media.size_pixels)
    of_split = {
        line.strip(): split
        for text in sorted((folder / "ImageSets" / "Main").glob("*.txt"))
        if (split := split_word(text.stem))
        for line in _text(text).splitlines()
        if line.strip()
    }
    frames = tuple(
        replace(frame, split=frame.split or of_split.get(Path(frame.path).stem))
        for frame in found.frames
    )
    masks = [Note(folder.name, _MASKS_TOO)] if (folder / _MASKS).is_dir() else []
    return replace(found, frames=frames, notes=(*found.notes, *masks))


_MASKS = "SegmentationClass"
_MASKS_TOO = (
    "its folder SegmentationClass holds masks, too, which are not read here: --task segment learns "
    "them, and vidfit convert --to masks writes them"
)


def _yolo(folder: Path, media: Media, told: Path | None = None) -> Annotations | None:
    """Return the boxes of a folder of YOLO; ``None`` where it is none."""
    told = told or next((p for p in sorted(folder.glob("*.y*ml")) if b"names" in _head(p)), None)
    lists = [folder / name for name in NAME_LISTS if (folder / name).is_file()]
    texts = sorted(folder.rglob("*.txt"))
    apart = [text for text in texts if "labels" in text.relative_to(folder).parts[:-1]]
    if not (told or lists or apart):
        return None
    names = parse_names(_text(told), told.name) if told else ()
    if not told and lists:
        names = tuple(line.strip() for line in _text(lists[0]).splitlines() if line.strip())
    pictures = Pictures(folder)
    labels = apart or [text for text in texts if text not in lists and pictures.of(text)]
    if not (told or labels):
        return None  # a list of names stands beside masks, too
    files = (
        LabelFile(text.relative_to(folder).as_posix(), pictures.of(text), _text(text))
        for text in labels
    )
    found = parse_yolo(files, names, folder.name, media.size_pixels)
    others = pictures.others()
    if not others:
        return found
    have = "picture has" if len(others) == 1 else "pictures have"
    looked = "was not looked at" if len(others) == 1 else "were not looked at"
    text = f"{len(others)} {have} no file of labels, and {looked} (such as {others[0]})"
    return replace(found, notes=(*found.notes, Note(folder.name, text)))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _list_of(folder: Path) -> Path | None:
    return next((folder / name for name in _LISTS if (folder / name).is_file()), None)


def _sequence_folder(path: Path) -> Path:
    return path.parent.parent if path.parent.name in ("gt", "det") else path.parent


def _sequence(path: Path, media: Media) -> Annotations:
    """Return the boxes of one sequence of MOT."""
    folder = _sequence_folder(path)
    told = folder / "seqinfo.ini"
    facts = parse_facts(_text(told), told.name) if told.is_file() else SequenceFacts()
    names = path.with_name("labels.txt")
    classes = [line.strip() for line in _text(names).splitlines()] if names.is_file() else CLASSES
    name = path.relative_to(folder.parent).as_posix()
    video = facts.video or _video_of(folder, facts, media)
    return parse_mot(_text(path), name, video, classes, facts, media.size_pixels)


def _video_of(folder: Path, facts: SequenceFacts, media: Media) -> str:
    """Return the folder of frames of a sequence, its only video, or its name."""
    pictures = folder / (facts.pictures or "img1")
    videos = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in VIDEO_SUFFIXES]
    found = [pictures] if pictures.is_dir() else videos
    if len(found) != 1:
        return facts.name or folder.name
    inside = found[0].is_relative_to(media.folder)
    return (found[0].relative_to(media.folder) if inside else found[0]).as_posix()


# ---------------------------------------------------------------- masks


def read_masks(path: str | Path, media: str | Path | None = None) -> MaskAnnotations:
    """Read frames with masks: a folder or table of index PNG with ``names.txt``, or COCO JSON.

    Parameters
    ----------
    path
        Folder, table, or file of COCO.
    media
        Folder of the pictures; if not said, they lie in the folder or beside it.

    Returns
    -------
    MaskAnnotations
        Of pictures and videos that are there, by absolute path; `index_mask` gives the classes.

    Raises
    ------
    ManifestError
        If there are no masks, or none can be used; all that is wrong is listed.
    """
    place = _place(path)
    found = media_of(place, media)
    return located_masks(parse_masks(place, found), found)


def parse_masks(path: str | Path, media: Media | None = None) -> MaskAnnotations:
    """Read frames with masks, with names as they are written; see `read_masks`."""
    place = _place(path)
    known = media or media_of(place)
    try:
        _check_holds(place)
        masks = None if _is_json(place) else read_mask_folder(place, known)
        if masks is None and (file := _only_json(place)):
            _check_size(file)
            document = load_json(file.read_bytes(), file.name)
            masks = parse_coco_masks(document, file.name, known.size_pixels)
    except OSError as error:
        raise ManifestError(f"{place} cannot be read ({error.strerror or error})") from error
    if masks is None:
        raise ManifestError(
            f"{place} has no masks; valid are the folders images and masks, or X and X_masks, with "
            "files of the same names, or a table with the columns path and mask, and names.txt "
            "with the name of each number of the masks, from 0 on, a line each; and a file of COCO"
        )
    return masks


def _only_json(place: Path) -> Path | None:
    """Return the file of JSON, or the only one of a folder."""
    if place.is_dir():
        files = [file for file in sorted(place.iterdir()) if file.suffix.lower() == ".json"]
        return files[0] if len(files) == 1 else None
    return place if _is_json(place) else None


def _is_json(path: Path) -> bool:
    if path.is_dir():
        return False
    return path.suffix.lower() == ".json" or _start(path)[:1] in (b"{", b"[")


def _start(path: Path) -> bytes:
    """Return how a file begins, without a mark of its encoding and blanks."""
    return _head(path).lstrip(b"\xef\xbb\xbf \t\r\n")
