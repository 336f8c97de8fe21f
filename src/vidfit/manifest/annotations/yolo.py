"""Boxes in the text of YOLO: one file a picture, ``class x y w h`` in shares of the picture.

The file of ``images/a.jpg`` is ``labels/a.txt``, or ``a.txt`` beside the picture; x and y are the
middle of the box. An empty file is a picture that holds nothing; one without a file was not looked
at. Names of classes stand in ``data.yaml``, or a line each in ``classes.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from vidfit.boxes import Box, LabelledFrame
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import number, plain, whole
from vidfit.manifest.annotations.named import picture_names
from vidfit.manifest.annotations.rows import BoxRows, Sizes, unknown
from vidfit.manifest.annotations.value import Annotations, Files, without_ignored
from vidfit.manifest.names import split_word
from vidfit.shown import counted

FORM = "YOLO"
NAME_LISTS = ("classes.txt", "obj.names", "names.txt", "_darknet.labels")

_KEY = re.compile(r"([A-Za-z_]\w*)\s*:\s*(.*)")
_ITEM = re.compile(r"-\s+(.*)")
_NUMBERED = re.compile(r"(\d{1,9})\s*:\s*(.*)")


@dataclass(frozen=True)
class LabelFile:
    """The labels of one picture.

    Parameters
    ----------
    name
        That of the file, to say where a row stands.
    picture
        Name of the picture; ``None`` where there is none.
    """

    name: str
    picture: str | None
    text: str


def parse_yolo(
    files: Iterable[LabelFile], names: Sequence[str], name: str, sizes: Sizes = unknown
) -> Annotations:
    """Read boxes; a row of more than five numbers is an outline, of which the box is taken.

    Parameters
    ----------
    names
        Of the classes, from 0; none means that the numbers are their names.

    Raises
    ------
    ManifestError
        If nothing can be used.
    """
    rows = BoxRows(name, FORM, sizes, list(names))
    for file in files:
        if file.picture is None:
            rows.reject(file.name, "no picture has its name")
            continue
        split = next(filter(None, map(split_word, PurePosixPath(file.picture).parts[:-1])), None)
        frame = rows.see(file.picture, split=split)
        size = rows.size(frame)
        if size is None:
            rows.reject(file.name, f"the picture {file.picture} cannot be read", frame)
            continue
        for line, text in enumerate(file.text.splitlines(), 1):
            if not (cells := text.split()):
                continue
            where = f"{file.name}, line {line}"
            try:
                rows.add(where, frame, _box(cells, names, size))
            except ValueError as error:
                rows.reject(where, str(error), frame)
    return rows.result()


def _box(cells: Sequence[str], names: Sequence[str], size: tuple[int, int]) -> Box:
    if len(cells) < 5 or (len(cells) > 6 and len(cells) % 2 == 0):
        raise ValueError(f"it has {len(cells)} columns; valid is class x y w h, and a score")
    at = whole(cells[0], "its class", text=True)
    if names and at >= len(names):
        raise ValueError(f"its class is {at}; the classes are 0 to {len(names) - 1}")
    values = [number(cell, "a number of it", text=True) for cell in cells[1:]]
    if max(values) > 2:
        raise ValueError(f"it has {max(values):g}; valid are shares of the picture, 0 to 1")
    left, top, right, bottom = _sides(values)
    return Box(
        names[at] if names else str(at),
        left * size[0],
        top * size[1],
        right * size[0],
        bottom * size[1],
        values[4] if len(values) == 5 else None,
    )


def _sides(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom in shares of the picture."""
    if len(values) > 5:
        xs, ys = values[::2], values[1::2]
        return min(xs), min(ys), max(xs), max(ys)
    x, y, width, height = values[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


# ---------------------------------------------------------------- data.yaml


def parse_names(text: str, name: str) -> tuple[str, ...]:
    """Read the names of classes from ``data.yaml``.

    Of YAML it is known what such files hold: keys at the margin, and ``names`` as a list in one
    line, a list of items, or numbers with names. No tags, anchors or objects are.

    Raises
    ------
    ManifestError
        If there are no names, or as many as ``nc`` does not say.
    """
    keys: dict[str, str] = {}
    block: list[str] = []
    inside = False
    for raw in text.splitlines():
        line = _uncommented(raw)
        if not line.strip():
            continue
        if key := _KEY.fullmatch(line):
            inside = key[1] == "names"
            keys[key[1]] = key[2].strip()
        elif inside:
            block.append(line.strip())
    inline = keys.get("names", "")
    names = _inline(" ".join([inline, *block])) if inline else _block(block)
    if not names or not all(names):
        raise ManifestError(
            f"{name} has no names of classes that can be read; valid are names: [car, bus], or a "
            "line for each, '- car' or '0: car'"
        )
    count = keys.get("nc", "")
    if count and count != str(len(names)):
        raise ManifestError(f"{name} says nc: {count}, and has {counted(len(names), 'name')}")
    return names


def _uncommented(line: str) -> str:
    """Return a line without what follows a ``#`` outside of quotes."""
    quote = ""
    for at, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at].rstrip()
    return line.rstrip()


def _inline(text: str) -> tuple[str, ...]:
    text = text.strip()
    if text[:1] == "{" and text[-1:] == "}":
        return _block([part.strip() for part in _parts(text[1:-1])])
    if text[:1] == "[" and text[-1:] == "]":
        return tuple(map(_unquoted, _parts(text[1:-1])))
    return ()


def _parts(text: str) -> list[str]:
    found = [part.strip() for part in re.findall(r"(?:'[^']*'|\"[^\"]*\"|[^,])+", text)]
    return found[:-1] if found and not found[-1] else found


def _block(lines: Sequence[str]) -> tuple[str, ...]:
    items = [_ITEM.fullmatch(line) for line in lines]
    if all(items):
        return tuple(_unquoted(item[1]) for item in items if item)
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    found = {int(item[1]): _unquoted(item[2]) for item in numbered if item}
    if len(found) != len(lines) or sorted(found) != list(range(len(lines))):
        return ()
    return tuple(found[at] for at in range(len(lines)))


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


# ---------------------------------------------------------------- writing


def yolo_files(annotations: Annotations) -> Files:
    """Yield ``data.yaml`` and ``labels/NAME.txt`` for each picture, by splits where there are.

    The pictures are to lie in ``images/``, see `picture_names`. Tracks are lost, and a box to
    ignore is left out with its frame, for YOLO would take it for an object or for nothing.

    Raises
    ------
    ManifestError
        If the size of a picture is not known.
    """
    numbers = {name: at for at, name in enumerate(annotations.classes)}
    kept = without_ignored(annotations.frames)
    splits = sorted({frame.split or "" for frame in kept})
    yield "data.yaml", _yaml(annotations.classes, splits).encode()
    for frame, name in picture_names(kept):
        if frame.size_pixels is None:
            raise ManifestError(
                f"the size of {frame.path} is not known, and YOLO writes shares of it; name the "
                "folder that it lies in"
            )
        folder = f"labels/{frame.split}" if frame.split else "labels"
        text = "".join(_line(frame, box, numbers[box.label]) for box in frame.boxes)
        yield f"{folder}/{PurePosixPath(name).stem}.txt", text.encode()


def _line(frame: LabelledFrame, box: Box, at: int) -> str:
    width, height = frame.size_pixels or (1, 1)
    sides = (
        (box.left + box.right) / 2 / width,
        (box.top + box.bottom) / 2 / height,
        (box.right - box.left) / width,
        (box.bottom - box.top) / height,
    )
    scores = [] if box.score is None else [box.score]
    return " ".join([str(at), *map(plain, (*sides, *scores))]) + "\n"


def _yaml(classes: Sequence[str], splits: Sequence[str]) -> str:
    folders = {split or "train": f"images/{split}".rstrip("/") for split in splits}
    whole_ = folders.get("train") or next(iter(folders.values()), "images")
    lines = ["path: .", f"train: {whole_}", f"val: {folders.get('val', whole_)}"]
    lines += [f"test: {folders['test']}"] if "test" in folders else []
    quoted = ("'{}'".format(name.replace("'", "''")) for name in classes)
    return "\n".join([*lines, "names:", *(f"  {i}: {q}" for i, q in enumerate(quoted))]) + "\n"
