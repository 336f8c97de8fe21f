"""Boxes in COCO JSON: ``images``, ``annotations``, ``categories``, and ``videos`` where there are.

Lin et al. (2014), Microsoft COCO: Common Objects in Context; the format of its detection task.
``video_id`` and ``track_id`` are those of TAO (Dave et al. 2020).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from vidfit.boxes import Box
from vidfit.documents import shown, to_json
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import (
    frame_index,
    is_plain,
    number,
    numbers,
    of_json,
    size_of,
    whole,
)
from vidfit.manifest.annotations.rows import BoxRows, Sizes, unknown
from vidfit.manifest.annotations.value import Annotations, Files, Key, frame_name
from vidfit.manifest.names import is_video, split_word

FORM = "COCO"
_SIDES = ("x", "y", "width", "height")
_EXAMPLE = '{"images": [...], "annotations": [...], "categories": [...]}'


def is_coco(document: object) -> bool:
    """Return whether JSON has the parts of COCO."""
    return isinstance(document, dict) and {"images", "annotations"} <= document.keys()


def parse_coco(document: Any, name: str, sizes: Sizes = unknown) -> Annotations:  # noqa: ANN401
    """Read boxes; each image that is listed was looked at.

    An object with ``iscrowd`` is one to ignore. Of an object with a segmentation and no ``bbox``
    the box is what the polygons span. The image of a video is the frame ``frame_index`` or
    ``frame_id``, from 0, of a video that is a file, or has a ``file_name``; or else a picture whose
    recording is the video.

    Parameters
    ----------
    document
        What the JSON holds.

    Raises
    ------
    ManifestError
        If it is no COCO, or nothing can be used.
    """
    rows = BoxRows(name, FORM, sizes)
    read_objects(rows, document, lambda place, object_, label: _add(rows, place, object_, label))
    return rows.result()


Take = Callable[[tuple[str, Key], dict[str, Any], str], None]
"""Is called with where an annotation stands and its frame, the annotation, and its label."""


def read_objects(rows: BoxRows, document: Any, take: Take) -> None:  # noqa: ANN401
    """Go through the annotations of COCO, whose ids are checked; see `parse_coco`.

    What ``take`` raises as ValueError is noted, and the frame left out.
    """
    if not is_coco(document):
        raise ManifestError(f"{rows.name} is no COCO; valid is {_EXAMPLE}")
    categories = _categories(rows, document)
    videos = {item["id"]: item for _, item in _items(rows, document, "videos")}
    keys: dict[object, Key | None] = {}
    for where, image in _items(rows, document, "images"):
        try:
            keys[image["id"]] = _see(rows, where, image, videos)
        except ValueError as error:
            rows.reject(where, str(error))
    for where, annotation in _objects(rows, document):
        image, category = annotation.get("image_id"), annotation.get("category_id")
        key = keys.get(image) if isinstance(image, int | str) else None
        if key is None:
            reason = f"its image_id is {shown(image)}, and no image that can be used has it"
            rows.reject(where, reason)
            continue
        try:
            label = categories.get(category) if isinstance(category, int | str) else None
            if label is None:
                raise ValueError(f"its category_id is {shown(category)}, and no category has it")
            take((where, key), annotation, label)
        except ValueError as error:
            rows.reject(where, str(error), key)


def _add(rows: BoxRows, place: tuple[str, Key], annotation: dict[str, Any], label: str) -> None:
    rows.add(*place, _box(annotation, label))


def _items(rows: BoxRows, document: dict[str, Any], part: str) -> Iterator[tuple[str, Any]]:
    """Yield where and what a part lists under an id; name what has none, or that of another."""
    listed = document.get(part) or []
    if not isinstance(listed, list):
        rows.reject(rows.inside(part), f"it is a {type(listed).__name__}, and no list")
        return
    ids = Counter(map(_id, listed))
    for place, item in enumerate(listed):
        where, found = rows.inside(f"{part}[{place}]"), _id(item)
        if not isinstance(item, dict):
            rows.reject(where, f"it is a {type(item).__name__}, and no object with fields")
        elif found is None:
            rows.reject(where, f"its id is {shown(item.get('id'))}; a whole number is valid")
        elif ids[found] > 1:
            rows.reject(where, f"{ids[found]} {part} have its id {found!r}")
        else:
            yield where, item


def _id(item: object) -> int | str | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, int | str) else None


def _objects(rows: BoxRows, document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield where and what the annotations are; their ids need not be there."""
    listed = document["annotations"]
    if not isinstance(listed, list):
        raise ManifestError(f"{rows.name}: its annotations are no list; valid is {_EXAMPLE}")
    known: set[int | str] = set()
    for place, item in enumerate(listed):
        where, found = rows.inside(f"annotations[{place}]"), _id(item)
        if not isinstance(item, dict):
            rows.reject(where, f"it is a {type(item).__name__}, and no object with fields")
            continue
        if found is not None and found in known:
            rows.note(where, f"its id {found!r} is that of another before it; both are used")
        known |= {found} if found is not None else set()
        yield where, item


def _categories(rows: BoxRows, document: dict[str, Any]) -> dict[object, str]:
    found: dict[object, str] = {}
    for where, item in _items(rows, document, "categories"):
        label = item.get("name")
        if isinstance(label, str) and label.strip() and is_plain(label):
            found[item["id"]] = label.strip()
        else:
            rows.reject(where, "it has no name that is text")
    for name, count in Counter(found.values()).items():
        if count > 1:
            rows.note(rows.inside("categories"), f"{count} are named {name!r}; they are one class")
    rows.classes = list(dict.fromkeys(found.values()))
    return found


def _see(rows: BoxRows, where: str, image: dict[str, Any], videos: dict[object, Any]) -> Key | None:
    """Note the frame of an image; ``None`` where another image has it."""
    name = image.get("file_name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError("it has no file_name")
    size = size_of(image.get("width"), image.get("height"))
    group, split = _text(image, "group"), _text(image, "split")
    path, index = name, None
    if "video_id" in image:
        number_ = image["video_id"]
        video = videos.get(number_) if isinstance(number_, int | str) else None
        if video is None:
            raise ValueError(f"its video_id is {shown(number_)}, and no video has it")
        called = _text(video, "file_name") or _text(video, "name")
        if called and ("file_name" in video or is_video(called)):
            at = image.get("frame_index", image.get("frame_id"))
            path, index = called, frame_index(at, "its frame_index")
        else:
            group = group or called
    key = (path, index)
    if rows.has(key):
        rows.reject(where, f"another image before it is {frame_name(*key)}, too", key)
        return None
    return rows.see(path, index, size_pixels=size, group=group, split=split and split_word(split))


def _text(item: dict[str, Any], field: str) -> str | None:
    found = item.get(field)
    return found if isinstance(found, str) and found.strip() else None


def _box(annotation: dict[str, Any], label: str) -> Box:
    left, top, width, height = _sides(annotation)
    score, track = annotation.get("score"), annotation.get("track_id")
    return Box(
        label,
        left,
        top,
        left + width,
        top + height,
        None if score is None else number(score, "its score"),
        None if track is None else whole(track, "its track_id"),
        is_crowd(annotation),
    )


def is_crowd(annotation: dict[str, Any]) -> bool:
    """Return whether an object is one to ignore."""
    return annotation.get("iscrowd") in (1, "1")


def _sides(annotation: dict[str, Any]) -> tuple[float, ...]:
    polygons = annotation.get("segmentation")
    if "bbox" in annotation or not (isinstance(polygons, list) and polygons):
        return numbers(annotation.get("bbox"), _SIDES, "bbox")
    points = [value for polygon in polygons if isinstance(polygon, list) for value in polygon]
    places = [number(value, "a point of its segmentation") for value in points]
    if len(places) < 6 or len(places) % 2:
        raise ValueError("it has no bbox, and no polygon of three points")
    xs, ys = places[::2], places[1::2]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


# ---------------------------------------------------------------- writing


def coco_files(annotations: Annotations) -> Files:
    """Yield ``annotations.json``; `parse_coco` gives back the same frames and boxes."""
    text = to_json(coco_document(annotations), ascii_only=False, indent=1)
    yield "annotations.json", text.encode()


def coco_document(annotations: Annotations) -> dict[str, Any]:
    """Return annotations as COCO; ids count from 1."""
    numbers_ = {name: number_ for number_, name in enumerate(annotations.classes, 1)}
    videos: dict[str, int] = {}
    images: list[dict[str, Any]] = []
    objects: list[dict[str, Any]] = []
    for at, frame in enumerate(annotations.frames, 1):
        image: dict[str, Any] = {"id": at, "file_name": frame.path}
        if frame.index is not None:
            image["file_name"] = f"{frame.path}/{frame.index:06d}.jpg"
            image["video_id"] = videos.setdefault(frame.path, len(videos) + 1)
            image["frame_index"] = frame.index
        if frame.size_pixels:
            image["width"], image["height"] = frame.size_pixels
        image |= {k: v for k, v in (("group", frame.group), ("split", frame.split)) if v}
        images.append(image)
        for box in frame.boxes:
            objects.append(_object(len(objects) + 1, at, numbers_[box.label], box))
    return {
        "videos": [{"id": at, "name": name, "file_name": name} for name, at in videos.items()],
        "images": images,
        "annotations": objects,
        "categories": [{"id": number_, "name": name} for name, number_ in numbers_.items()],
    }


def _object(number_: int, image: int, category: int, box: Box) -> dict[str, Any]:
    width, height = box.right - box.left, box.bottom - box.top
    found: dict[str, Any] = {
        "id": number_,
        "image_id": image,
        "category_id": category,
        "bbox": [of_json(side) for side in (box.left, box.top, width, height)],
        "area": of_json(width * height),
        "iscrowd": int(box.ignored),
    }
    if box.track is not None:
        found["track_id"] = box.track
    if box.score is not None:
        found["score"] = of_json(box.score)
    return found
