"""Spans as files of other tools: ActivityNet's JSON, and the timelines of Label Studio."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vidfit.documents import to_json


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """A span of a video by the name that it has in a file.

    Frames are numbered from 0, and the last one is in the span; ``None`` where they are not known.
    """

    video: str
    start_seconds: float
    end_seconds: float
    label: str
    start_frame: int | None = None
    end_frame: int | None = None
    split: str | None = None


_SUBSETS = {"train": "training", "val": "validation", "test": "testing"}


def activitynet_text(
    spans: Iterable[NamedSpan], durations_seconds: Mapping[str, float] | None = None
) -> str:
    """Return spans as JSON of ActivityNet (``segment`` in seconds); `parse_activitynet` reads it.

    A video without a split is for training: the format wants one.

    Parameters
    ----------
    durations_seconds
        How long videos are, by name, as far as it is known; some readers want it of each.
    """
    lengths = durations_seconds or {}
    database: dict[str, dict[str, Any]] = {}
    for span in spans:
        subset = _SUBSETS.get(span.split or "train", "training")
        length = {"duration": lengths[span.video]} if span.video in lengths else {}
        entry = database.setdefault(span.video, {"subset": subset, **length, "annotations": []})
        segment = [span.start_seconds, span.end_seconds]
        entry["annotations"].append({"segment": segment, "label": span.label})
    document = {"version": "VERSION 1.3", "database": database, "taxonomy": []}
    return to_json(document, indent=1, ascii_only=False)


def label_studio_timelines(spans: Iterable[NamedSpan]) -> str:
    """Return spans as tasks of Label Studio with predictions of the kind ``timelinelabels``.

    Its frames are numbered from 1. Spans whose frames are not known are left out: it knows no
    seconds.
    """
    of_video: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for span in spans:
        results = of_video[span.video]
        if span.start_frame is None or span.end_frame is None:
            continue
        ranges = [{"start": span.start_frame + 1, "end": span.end_frame + 1}]
        results.append(
            {
                "id": f"span-{len(results) + 1}",
                "type": "timelinelabels",
                "from_name": "label",
                "to_name": "video",
                "value": {"ranges": ranges, "timelinelabels": [span.label]},
            }
        )
    tasks = [
        {
            "data": {"video": video},
            "predictions": [{"model_version": "vidfit", "result": results}],
        }
        for video, results in of_video.items()
    ]
    return to_json(tasks, indent=1, ascii_only=False)
