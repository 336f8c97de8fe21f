"""The job for labels of other tools: boxes and masks from one format to another."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from vidfit.contracts import Failure, Note
from vidfit.errors import ManifestError, VidfitError
from vidfit.files import write_whole
from vidfit.jobs.convert.options import ConvertOptions
from vidfit.jobs.convert.pictures import pictures
from vidfit.jobs.convert.value import Converted
from vidfit.manifest.annotations import Annotations, MaskAnnotations, Media, parse_masks, summary
from vidfit.manifest.annotations.coco_masks import coco_mask_files
from vidfit.manifest.annotations.mask_folders import holds_boxes, mask_files, read_mask_folder
from vidfit.manifest.annotations.read import media_of, parse_annotations
from vidfit.manifest.annotations.value import without_ignored
from vidfit.manifest.annotations.write import WRITERS, lost_in
from vidfit.manifest.cells import written_cell
from vidfit.progress import SILENT, Progress
from vidfit.shown import counted

PROBLEMS = "problems.csv"
_HEADER = "what,where,why\n"


def run_convert(
    source: str | Path,
    output: Path,
    options: ConvertOptions = ConvertOptions(),
    progress: Progress | None = None,
) -> Converted:
    """Write the boxes, or masks, of a file or folder in another format.

    The names of pictures and videos stay as they are written; of yolo and voc they are those of
    ``images/``. ``problems.csv`` lists all that is left out, changed or lost, also where nothing
    can be used.

    Parameters
    ----------
    source
        File or folder in any format that `vidfit.manifest.annotations.read_annotations` reads.
    output
        A folder that is empty or not there.

    Raises
    ------
    ManifestError
        If the source cannot be read, or does not fit the format.
    VidfitError
        If the folder is not empty.
    StoreError
        If it cannot be written.
    """
    options.check()
    _check_empty(output)
    media = media_of(source, options.media)
    with _faults_listed(output):
        masks = _masks(Path(source), media, options)
        found = parse_annotations(source, media) if masks is None else masks
    if isinstance(found, MaskAnnotations):
        files = mask_files(found) if options.to == "masks" else coco_mask_files(found)
        return _written(output, found, files, _said(found))
    lost = [Note(options.to, sentence) for sentence in lost_in(found, options.to)]
    written: Iterable[tuple[str, bytes] | Failure] = WRITERS[options.to](found)
    if options.pictures:
        frames = without_ignored(found.frames) if options.to == "yolo" else found.frames
        written = chain(written, _advanced(pictures(frames, media), len(frames), progress))
    return _written(output, found, written, summary(found), lost)


def _advanced(
    files: Iterator[tuple[str, bytes] | Failure], total: int, progress: Progress | None
) -> Iterator[tuple[str, bytes] | Failure]:
    told = progress or SILENT
    told.start("pictures", total)
    for file in files:
        told.advance()
        yield file


@contextmanager
def _faults_listed(output: Path) -> Iterator[None]:
    """List what is wrong with a source of which nothing can be used, as with any other."""
    try:
        yield
    except ManifestError as error:
        if not error.faults:
            raise
        write_whole(output / PROBLEMS, _table(("left out", *fault) for fault in error.faults))
        said = f"{error.said}; all of it is listed in {output / PROBLEMS}"
        raise ManifestError(said, error.faults) from error


def _check_empty(output: Path) -> None:
    """Refuse a folder with files; what a run that wrote nothing else listed is removed."""
    inside = [p.name for p in output.iterdir() if p.name[:1] != "."] if output.is_dir() else []
    if inside == [PROBLEMS] and (output / PROBLEMS).read_bytes().startswith(_HEADER.encode()):
        (output / PROBLEMS).unlink()
    elif inside:
        raise VidfitError(
            f"{output} holds files; choose an empty folder, so that none of them is taken for one "
            "of these"
        )


def _masks(source: Path, media: Media, options: ConvertOptions) -> MaskAnnotations | None:
    """Return the masks of a source that are to be converted; ``None`` where boxes are."""
    if options.to == "masks":
        return parse_masks(source, media)
    masks = read_mask_folder(source, media) if source.is_dir() else None
    if masks is not None and options.to != "coco":
        if holds_boxes(source):
            return None
        raise VidfitError(f"{source} holds masks, and {options.to} has none; choose coco")
    return masks


def _said(masks: MaskAnnotations) -> str:
    classes = f"{counted(len(masks.classes), 'class', 'classes')}, {', '.join(masks.classes)}"
    return f"Read as {masks.form}: {counted(len(masks.frames), 'mask')} of {classes}"


def _written(
    output: Path,
    found: Annotations | MaskAnnotations,
    files: Iterable[tuple[str, bytes] | Failure],
    read_as: str,
    lost: Iterable[Note] = (),
) -> Converted:
    """Write files as they come, and last the list of what is wrong."""
    lost = list(lost)
    count = 0
    for file in files:
        if isinstance(file, Failure):
            lost.append(Note(file.name, file.reason))
        else:
            write_whole(output / file[0], file[1])
            count += 1
    faults = [("left out", one.name, one.reason) for one in found.rejected]
    faults += [("changed or odd", one.name, one.text) for one in found.notes]
    faults += [("lost", one.name, one.text) for one in lost]
    if faults:
        write_whole(output / PROBLEMS, _table(faults))
    return Converted(read_as, output, count, found.rejected, found.notes, tuple(lost))


def _table(faults: Iterable[tuple[str, str, str]]) -> bytes:
    text = io.StringIO(_HEADER)
    text.seek(len(_HEADER))
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(tuple(map(written_cell, row)) for row in faults)
    return text.getvalue().encode("utf-8", "replace")
