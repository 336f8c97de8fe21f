"""Boxes in the XML of CVAT 1.1, of videos (tracks) and of pictures.

A track has a box at some frames, and between two of them one that moves evenly; from a box with
``outside`` on the object is not there. Of a video, each frame of the task was looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from vidfit.boxes import Box, LabelledFrame
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import frame_index, number, plain, size_of, whole
from vidfit.manifest.annotations.keyframes import KeyBox, Sides, tracks_of, with_ends
from vidfit.manifest.annotations.named import names_of
from vidfit.manifest.annotations.rows import BoxRows, Sizes, unknown
from vidfit.manifest.annotations.value import Annotations, Files
from vidfit.manifest.annotations.xml_tree import Element
from vidfit.manifest.names import split_word

FORM = "CVAT"
_SIDES = ("xtl", "ytl", "xbr", "ybr")
_TASKS = (("meta", "task"), ("meta", "job"), ("meta", "project"))


def is_cvat(root: Element) -> bool:
    """Return whether a document is one of CVAT."""
    return root.tag == "annotations"


def parse_cvat(root: Element, name: str, sizes: Sizes = unknown) -> Annotations:
    """Read boxes; other shapes are counted in a note.

    Raises
    ------
    ManifestError
        If nothing can be used, or it is of several tasks with tracks, whose frames share numbers.
    """
    rows = BoxRows(name, FORM, sizes)
    task = next((found for tags in _TASKS if (found := root.first(*tags))), Element("", 0, {}))
    labels = task.first("labels")
    rows.classes = [item.said("name") for item in labels.all("label")] if labels else []
    for image in root.all("image"):
        _image(rows, image)
    if tracks := list(root.all("track")):
        if len({track.of.get("task_id") for track in tracks}) > 1:
            raise ManifestError(
                f"{name} holds tracks of several tasks, whose frames have the same numbers; export "
                "each task by itself"
            )
        _video(rows, root, task, tracks)
    elif task.said("mode") == "interpolation":
        _video(rows, root, task, [])
    others = Counter(
        shape.tag for part in root.children for shape in part.children if shape.tag in _OTHERS
    )
    for tag, count in others.items():
        rows.note(name, f"{count} shapes are {tag}; boxes are read")
    return rows.result()


_OTHERS = {"polygon", "polyline", "points", "ellipse", "cuboid", "skeleton", "mask"}


def _image(rows: BoxRows, image: Element) -> None:
    where = rows.at(image.line)
    picture = image.of.get("name", "")
    try:
        size = size_of(image.of.get("width"), image.of.get("height"), text=True)
    except ValueError as error:
        rows.reject(where, str(error))
        return
    if not picture or rows.has((picture, None)):
        why = f"another image is {picture!r}, too" if picture else "it has no name"
        rows.reject(where, why, (picture, None))
        return
    split = split_word(image.of.get("subset", ""))
    frame = rows.see(picture, size_pixels=size, split=split)
    for item in image.all("box"):
        try:
            label, key = item.of.get("label", ""), _key(0, item)
            _known(rows, label)
            box = Box(label, *key.sides, key.score, None, key.ignored)
            rows.add(rows.at(item.line), frame, box)
        except ValueError as error:
            rows.reject(rows.at(item.line), str(error), frame)


def _sides(item: Element) -> tuple[float, float, float, float]:
    left, top, right, bottom = (
        number(item.of.get(side), f"its {side}", text=True) for side in _SIDES
    )
    return left, top, right, bottom


def _known(rows: BoxRows, label: str) -> None:
    if rows.classes and label not in rows.classes:
        raise ValueError(f"its label is {label!r}; the task has {', '.join(rows.classes)}")


# ---------------------------------------------------------------- videos


def _video(rows: BoxRows, root: Element, task: Element, tracks: Sequence[Element]) -> None:
    """Read the tracks of one video, and fill in what lies between their boxes."""
    video = task.said("source") or root.said("meta", "source") or task.said("name") or rows.name
    size = _size(rows, task.first("original_size") or root.first("meta", "original_size"))
    broken: set[int] = set()
    read = [(track, _keys(rows, track, broken)) for track in tracks]
    told = _frames(rows, task)
    last = max((key.index for _, keys in read for key in keys), default=-1)
    frames = told if told else range(last + 1)
    for index in frames:
        rows.see(video, index, size_pixels=size)
    for track, keys in read:
        label, number_ = track.of.get("label", ""), track.of.get("id", "")
        try:
            _known(rows, label)
            identity = whole(number_, "its id", text=True) if number_ else None
            _in_task(keys, frames)
        except ValueError as error:
            rows.reject(rows.at(track.line), str(error))
            rows.doubt((video, key.index) for key in rows.between(keys, frames))
            continue
        for key in rows.between(keys, frames):
            where = f"{rows.at(track.line)}, frame {key.index}"
            box = Box(label, *key.sides, key.score, identity, key.ignored)
            rows.add(where, (video, key.index), box)
    rows.doubt((video, index) for index in broken)


def _size(rows: BoxRows, said: Element | None) -> tuple[int, int] | None:
    try:
        return size_of(said.said("width"), said.said("height"), text=True) if said else None
    except ValueError as error:
        rows.reject(rows.at(said.line if said else 1), str(error))
        return None


def _in_task(keys: Sequence[KeyBox], frames: range) -> None:
    if keys and not frames.start <= keys[0].index <= keys[-1].index < frames.stop:
        raise ValueError(
            f"its frames are {keys[0].index} to {keys[-1].index}, and those of the task "
            f"{frames.start} to {frames.stop - 1}"
        )


def _frames(rows: BoxRows, task: Element) -> range:
    """Return the frames of the task: the video's, of which some may be left out."""
    try:
        first = frame_index(task.said("start_frame") or "0", "start_frame", text=True)
        stop = task.said("stop_frame")
        if stop:
            last = frame_index(stop, "stop_frame", text=True)
        else:
            last = frame_index(task.said("size") or "0", "size", text=True) - 1
        _, _, step = task.said("frame_filter").partition("step=")
        return range(first, last + 1, whole(step or "1", "frame_filter", text=True, least=1))
    except ValueError as error:
        rows.reject(rows.name, str(error))
        return range(0)


def _keys(rows: BoxRows, track: Element, broken: set[int]) -> list[KeyBox]:
    """Return the boxes of a track; of one that cannot be read, add where the object may be."""
    keys: dict[int, KeyBox] = {}
    unread: list[int] = []
    for item in track.all("box"):
        where = rows.at(item.line)
        try:
            index = frame_index(item.of.get("frame"), "its frame", text=True)
        except ValueError as error:
            rows.reject(where, str(error))
            continue
        if index in keys:
            rows.reject(where, f"the track has a box at frame {index} before it")
            continue
        try:
            keys[index] = _key(index, item)
        except ValueError as error:
            rows.reject(where, str(error))
            unread.append(index)
    indices = sorted([*keys, *unread])
    for index in unread:
        place = bisect_left(indices, index)
        around = indices[max(place - 1, 0) : place + 2]
        broken.update(range(around[0] + 1, max(around[-1], index + 1)))
    return [keys[index] for index in sorted(keys)]


def _key(index: int, item: Element) -> KeyBox:
    said = {part.of.get("name"): part.text.strip() for part in item.all("attribute")}
    score = said.get("score")
    return KeyBox(
        index,
        _sides(item),
        item.of.get("outside") == "1",
        number(score, "its score", text=True) if score else None,
        said.get("ignored") == "true",
    )


# ---------------------------------------------------------------- writing


def cvat_files(annotations: Annotations) -> Files:
    """Yield ``NAME.xml`` for each video, and ``images.xml`` for the photos.

    Scores and what is ignored are attributes of the boxes.
    """
    of_video: dict[str, list[LabelledFrame]] = defaultdict(list)
    photos = [frame for frame in annotations.frames if frame.index is None]
    for frame in annotations.frames:
        if frame.index is not None:
            of_video[frame.path].append(frame)
    for video, name in names_of(of_video).items():
        text = _document(annotations.classes, _head(video, of_video[video]), of_video[video])
        yield f"{name}.xml", text.encode()
    if photos:
        images = "".join(_written_image(number_, frame) for number_, frame in enumerate(photos))
        labels = _labels(annotations.classes)
        head = f"<meta><task><mode>annotation</mode>{labels}</task></meta>\n"
        yield "images.xml", f"{_BEGIN}{head}{images}</annotations>\n".encode()


_BEGIN = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
_ATTRIBUTES = "".join(
    f"<attribute><name>{name}</name><mutable>True</mutable><input_type>{kind}</input_type>"
    f"<default_value></default_value><values>{values}</values></attribute>"
    for name, kind, values in (("score", "text", ""), ("ignored", "checkbox", "false"))
)


def _labels(classes: Sequence[str]) -> str:
    items = (
        f"<label><name>{escape(name)}</name><attributes>{_ATTRIBUTES}</attributes></label>\n"
        for name in classes
    )
    return f"<labels>\n{''.join(items)}</labels>"


def _head(video: str, frames: Sequence[LabelledFrame]) -> str:
    first, last = frames[0].index or 0, frames[-1].index or 0
    size = next((frame.size_pixels for frame in frames if frame.size_pixels), None)
    sides = f"<width>{size[0]}</width><height>{size[1]}</height>" if size else ""
    return (
        f"<name>{escape(video)}</name><size>{last - first + 1}</size><mode>interpolation</mode>"
        f"<start_frame>{first}</start_frame><stop_frame>{last}</stop_frame>"
        f"<original_size>{sides}</original_size><source>{escape(video)}</source>"
    )


def _document(classes: Sequence[str], head: str, frames: Sequence[LabelledFrame]) -> str:
    last = frames[-1].index or 0
    tracks = "".join(
        _written_track(label, track, with_ends(keys, last))
        for label, track, keys in tracks_of(frames)
    )
    meta = f"<meta><task>{head}{_labels(classes)}</task></meta>\n"
    return f"{_BEGIN}{meta}{tracks}</annotations>\n"


def _written_track(label: str, track: int | None, keys: Iterable[KeyBox]) -> str:
    identity = "" if track is None else f'id="{track}" '
    boxes = "".join(
        f'<box frame="{key.index}" keyframe="1" outside="{int(key.outside)}" '
        f"{_written_box(key.sides, key.score, key.ignored)}</box>\n"
        for key in keys
    )
    return f"<track {identity}label={quoteattr(label)}>\n{boxes}</track>\n"


def _written_image(number_: int, frame: LabelledFrame) -> str:
    width, height = frame.size_pixels or (0, 0)
    subset = f" subset={quoteattr(frame.split)}" if frame.split else ""
    boxes = "".join(
        f"<box label={quoteattr(box.label)} {_written_box(box.edges, box.score, box.ignored)}"
        "</box>\n"
        for box in frame.boxes
    )
    return (
        f'<image id="{number_}" name={quoteattr(frame.path)}{subset} width="{width}" '
        f'height="{height}">\n{boxes}</image>\n'
    )


def _written_box(sides: Sides, score: float | None, ignored: bool) -> str:
    places = " ".join(f'{s}="{plain(v)}"' for s, v in zip(_SIDES, sides, strict=True))
    said = "" if score is None else f'<attribute name="score">{plain(score)}</attribute>'
    said += '<attribute name="ignored">true</attribute>' if ignored else ""
    return f'occluded="0" {places}>{said}'
