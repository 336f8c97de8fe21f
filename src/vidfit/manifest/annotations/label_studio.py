"""Boxes in the JSON of Label Studio: rectangles in percent, of pictures and of videos.

A task has a picture, or a video in whose frames, from 1, an object has a rectangle here and there;
between two of them it moves evenly, unless the first is not ``enabled``. Of a video that was
labelled each frame was looked at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from vidfit.boxes import Box, LabelledFrame
from vidfit.documents import shown, to_json
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import frame_index, number, of_json, size_of
from vidfit.manifest.annotations.keyframes import KeyBox, Sides, tracks_of
from vidfit.manifest.annotations.rows import BoxRows, Sizes, unknown
from vidfit.manifest.annotations.value import Annotations, Files, Key
from vidfit.manifest.names import is_clip, is_video, split_word
from vidfit.manifest.told import counted

FORM = "Label Studio"
_SIDES = ("x", "y", "width", "height")
_MEDIA = ("image", "video")
_ID = re.compile(r"(track|box)-(\d{1,9})")
_UPLOADED = "/data/local-files/?d="
Place = tuple[str, str]
"""Name of the picture or video of a task, and where the task stands."""


def is_label_studio(document: object) -> bool:
    """Return whether JSON is a list of tasks."""
    tasks = document if isinstance(document, list) else [document]
    return bool(tasks) and all(
        isinstance(task, dict) and "data" in task and {"annotations", "predictions"} & task.keys()
        for task in tasks[:5]
    )


def parse_label_studio(document: Any, name: str, sizes: Sizes = unknown) -> Annotations:  # noqa: ANN401
    """Read what people drew, of a task that nobody worked on what a model predicted.

    Of several annotations of a task the first that was not cancelled is read, and that is noted. A
    task with neither was not looked at.

    Raises
    ------
    ManifestError
        If nothing can be used.
    """
    rows = BoxRows(name, FORM, sizes)
    for at, task in enumerate(document if isinstance(document, list) else [document]):
        where = rows.inside(f"[{at}]")
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            rows.reject(where, "it has no 'data'")
            continue
        picture = _picture(task["data"])
        if picture is None:
            rows.reject(where, f"its data names no picture or video: {shown(task['data'])}")
            continue
        _task(rows, (picture, where), task)
    return rows.result()


def _picture(data: dict[str, Any]) -> str | None:
    """Return what a task shows: by the usual names, else the first that is a file of a kind."""
    named = [data[key] for key in _MEDIA if isinstance(data.get(key), str)]
    others = [value for value in data.values() if isinstance(value, str) and is_clip(value)]
    found = next(iter(named + others), None)
    return found.rpartition(_UPLOADED)[2] if found else None


def _task(rows: BoxRows, place: Place, task: dict[str, Any]) -> None:
    picture, where = place
    drawn = [
        (f"{where}.{part}[{at}]", done)
        for part in ("annotations", "predictions")
        for at, done in enumerate(_listed(task.get(part)))
        if isinstance(done, dict) and not done.get("was_cancelled")
    ]
    if not drawn:
        return
    if len(drawn) > 1 and ".annotations" in drawn[1][0]:
        rows.note(where, "it was annotated more than once; the first is read")
    inside, done = drawn[0]
    results = done.get("result")
    if not isinstance(results, list):
        rows.reject(inside, "it has no list 'result'")
        return
    kind = "videorectangle" if is_video(picture) else "rectanglelabels"
    items = [(f"{inside}.result[{at}]", item) for at, item in enumerate(results)]
    drawn = [(at, item) for at, item in items if _is(item, kind)]
    if others := len(items) - len(drawn):
        rows.note(inside, f"{counted(others, 'result')} of it no {kind}, and not read")
    data = task["data"]
    group = data.get("group") if isinstance(data.get("group"), str) else None
    facts = {**data, "split": split_word(str(data.get("split"))), "group": group}
    (_video if is_video(picture) else _photo)(rows, place, drawn, facts)


def _listed(found: object) -> list[Any]:
    return found if isinstance(found, list) else []


Items = Sequence[tuple[str, Any]]
Facts = dict[str, Any]
"""What the data of a task says beside its picture."""


def _photo(rows: BoxRows, place: Place, items: Items, facts: Facts) -> None:
    picture, where = place
    if rows.has((picture, None)):
        rows.reject(where, f"another task shows {picture!r}, too", (picture, None))
        return
    try:
        size = _size(items[0][1] if items else {})
    except ValueError as error:
        rows.reject(items[0][0], str(error))
        return
    frame = rows.see(picture, size_pixels=size, group=facts["group"], split=facts["split"])
    for at, item in items:
        try:
            key = KeyBox(0, _percent(rows, frame, item.get("value"), at))
            rows.add(at, frame, _box(_label(item), key, item, None))
        except ValueError as error:
            rows.reject(at, str(error), frame)


def _video(rows: BoxRows, place: Place, items: Items, facts: Facts) -> None:
    video, where = place
    if rows.has((video, 0)):
        rows.reject(where, f"another task shows {video!r}, too")
        return
    try:
        size = _size(items[0][1] if items else {})
        length = max(_count(facts), *[_count(item.get("value")) for _, item in items], 0)
    except ValueError as error:
        rows.reject(where, str(error))
        return
    if not length:
        rows.reject(where, "no rectangle says its framesCount, so the frames are not known")
        return
    group, split = facts["group"], facts["split"]
    frames = [
        rows.see(video, index, size_pixels=size, group=group, split=split)
        for index in range(length)
    ]
    lost = False
    for track, (at, item) in zip(_tracks(items), items, strict=True):
        try:
            label, keys, _ = _label(item), _keys(rows, frames[0], at, item), _score(item)
        except ValueError as error:
            rows.reject(at, str(error))
            lost = True
            continue
        for key in rows.between(keys, range(length)):
            box = _box(label, key, item, track)
            rows.add(f"{at}, frame {key.index + 1}", (video, key.index), box)
    rows.doubt(frames if lost else ())


def _tracks(objects: Items) -> list[int | None]:
    """Return the number of each object: as vidfit writes it into ids, else the next one."""
    ids = [_ID.fullmatch(str(item.get("id"))) for _, item in objects]
    numbers = [int(found[2]) if found else None for found in ids]
    next_ = count(max([number_ for number_ in numbers if number_ is not None], default=0) + 1)
    return [
        next(next_) if found is None else int(found[2]) if found[1] == "track" else None
        for found in ids
    ]


def _is(item: object, kind: str) -> bool:
    return isinstance(item, dict) and item.get("type") == kind


def _size(item: dict[str, Any]) -> tuple[int, int] | None:
    return size_of(item.get("original_width"), item.get("original_height"))


def _count(value: object) -> int:
    found = value.get("framesCount") if isinstance(value, dict) else None
    return 0 if found is None else frame_index(found, "its framesCount", first=1) + 1


def _label(item: dict[str, Any]) -> str:
    value = item.get("value")
    known = value if isinstance(value, dict) else {}
    labels = [known.get(key) for key in ("rectanglelabels", "labels")]
    found = next((label for label in labels if isinstance(label, list) and label), None)
    if not found or not isinstance(found[0], str):
        raise ValueError("it has no label")
    return found[0]


def _percent(rows: BoxRows, frame: Key, value: object, where: str) -> Sides:
    """Return the edges in pixels of a rectangle in percent."""
    if not isinstance(value, dict):
        raise ValueError("it has no value")
    size = rows.size(frame)
    if size is None:
        raise ValueError("it has no original_width, and the picture cannot be read")
    x, y, width, height = (number(value.get(side), f"its {side}") for side in _SIDES)
    if value.get("rotation"):
        rows.note(where, f"it is turned by {value['rotation']} degrees; it is read as if not")
    across, down = size[0] / 100, size[1] / 100
    return x * across, y * down, (x + width) * across, (y + height) * down


def _keys(rows: BoxRows, frame: Key, where: str, item: dict[str, Any]) -> list[KeyBox]:
    """Return the rectangles of an object, and the frames from which it is not there."""
    sequence = item["value"].get("sequence")
    if not isinstance(sequence, list) or not all(isinstance(part, dict) for part in sequence):
        raise ValueError("it has no sequence of rectangles")
    found: dict[int, tuple[KeyBox, bool]] = {}
    for part in sequence:
        index = frame_index(part.get("frame"), "its frame", first=1)
        if index in found:
            raise ValueError(f"two of its rectangles are of frame {index + 1}")
        key = KeyBox(index, _percent(rows, frame, part, where), score=_score(part))
        found[index] = key, part.get("enabled", True) is True
    keys: list[KeyBox] = []
    for index in sorted(found):
        key, goes_on = found[index]
        keys.append(key)
        if not goes_on and index + 1 not in found:
            keys.append(KeyBox(index + 1, key.sides, outside=True))
    return keys


def _score(part: dict[str, Any]) -> float | None:
    return None if part.get("score") is None else number(part["score"], "its score")


def _box(label: str, key: KeyBox, item: dict[str, Any], track: int | None) -> Box:
    meta = item.get("meta")
    ignored = isinstance(meta, dict) and meta.get("ignored") is True
    score = key.score if key.score is not None else _score(item)
    return Box(label, *key.sides, score, track, ignored)


# ---------------------------------------------------------------- writing


def label_studio_files(annotations: Annotations) -> Files:
    """Yield ``tasks.json``: boxes as predictions, to be corrected and accepted.

    Raises
    ------
    ManifestError
        If the size of a picture is not known.
    """
    of_video: dict[str, list[LabelledFrame]] = defaultdict(list)
    tasks: list[dict[str, Any]] = []
    for frame in annotations.frames:
        if frame.boxes and frame.size_pixels is None:
            raise ManifestError(
                f"the size of {frame.path} is not known, and Label Studio has boxes in percent of "
                "it; name the folder that it lies in"
            )
        if frame.index is None:
            results = [_of_photo(at, frame, box) for at, box in enumerate(frame.boxes, 1)]
            tasks.append(_written(frame, {"image": frame.path}, results))
        else:
            of_video[frame.path].append(frame)
    for video, frames in of_video.items():
        length = (frames[-1].index or 0) + 1
        data = {"video": video, "framesCount": length}
        tasks.append(_written(frames[0], data, [*_of_video(frames, length)]))
    yield "tasks.json", to_json(tasks, ascii_only=False, indent=1).encode()


def _written(
    frame: LabelledFrame, data: dict[str, Any], results: list[dict[str, Any]]
) -> dict[str, Any]:
    data |= {k: v for k, v in (("group", frame.group), ("split", frame.split)) if v}
    return {"data": data, "predictions": [{"model_version": "vidfit", "result": results}]}


def _result(
    frame: LabelledFrame, called: tuple[str, str], ignored: bool, value: dict[str, Any]
) -> dict[str, Any]:
    kind, identity = called
    width, height = frame.size_pixels or (0, 0)
    shown_ = "video" if kind == "videorectangle" else "image"
    return {
        "id": identity,
        "type": kind,
        "from_name": "label",
        "to_name": shown_,
        "original_width": width,
        "original_height": height,
        "value": value,
        **({"meta": {"ignored": True}} if ignored else {}),
    }


def _of_photo(at: int, frame: LabelledFrame, box: Box) -> dict[str, Any]:
    value = _rectangle(frame, box.edges) | {"rectanglelabels": [box.label]}
    found = _result(frame, ("rectanglelabels", f"box-{at}"), box.ignored, value)
    return found if box.score is None else found | {"score": of_json(box.score)}


def _of_video(frames: Sequence[LabelledFrame], length: int) -> Iterator[dict[str, Any]]:
    first = next((frame for frame in frames if frame.size_pixels), frames[0])
    for at, (label, track, keys) in enumerate(tracks_of(frames), 1):
        identity = f"box-{at}" if track is None else f"track-{track}"
        following = [key.index for key in keys[1:]] + [length]
        sequence = [
            {
                "frame": key.index + 1,
                "enabled": next_ == key.index + 1,
                **_rectangle(first, key.sides),
                **({} if key.score is None else {"score": of_json(key.score)}),
            }
            for key, next_ in zip(keys, following, strict=True)
        ]
        value = {"framesCount": length, "sequence": sequence, "labels": [label]}
        yield _result(first, ("videorectangle", identity), keys[0].ignored, value)


def _rectangle(frame: LabelledFrame, sides: Sides) -> dict[str, Any]:
    width, height = frame.size_pixels or (1, 1)
    left, top, right, bottom = sides
    across, down = 100 / width, 100 / height
    places = (left * across, top * down, (right - left) * across, (bottom - top) * down)
    return dict(zip(_SIDES, map(of_json, places), strict=True)) | {"rotation": 0}
