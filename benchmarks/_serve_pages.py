"""All pages, of all kinds of what can be open, in pictures: what is cut off, what axe finds."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks._clips import folder
from benchmarks._serve_browser import Browser
from benchmarks._serve_path import Walk, shown
from benchmarks._serve_server import Serving
from vidfit.documents import to_json
from vidfit.video import probe

CLIPS = 24
_BOXES = [["person", 20, 30, 90, 200, 0], ["person", 150, 40, 210, 210, 0]]
_FOUND = [["person", 24, 30, 92, 196, 0.9], ["dog", 100, 120, 140, 160, 0.4]]
_SUBTITLE = "1\n00:00:00,100 --> 00:00:01,000\nSomebody says that the door is open.\n"


def measure(clips: Path, scratch: Path, pictures: Path, axe: Path | None) -> dict[str, Any]:
    """Open every page, and return what was seen."""
    pictures.mkdir(parents=True, exist_ok=True)
    serving = Serving(_sources(clips, scratch), scratch / "state").start()
    browser = Browser(scratch / "profile")
    try:
        browser.enter(serving)
        walk = Walk(browser, pictures, axe)
        _walk(walk)
        complaints = browser.complaints()
    finally:
        browser.close()
        serving.stop()
    figures = {"stops": walk.stops, "complaints": complaints}
    shown(figures)
    return figures


# ---------------------------------------------------------------- what is open


def _sources(clips: Path, scratch: Path) -> list[Path]:
    """Make clips, two runs, an index, boxes, masks, faces and objects to open."""
    place = scratch / "clips"
    for path in folder(clips, CLIPS):
        (place / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place / path.parent.name / path.name)
    files = sorted(place.rglob("*.mp4"))
    files[0].with_suffix(".srt").write_text(_SUBTITLE)
    runs = scratch / "runs"
    _vidfit("fit", place, "--backbone", "motion", "--output", runs / "first")
    shutil.copytree(runs / "first", runs / "second")
    _vidfit("search", place, files[0], "--output", runs / "index of clips")
    _write_frames_run(runs / "boxes", files[:2], "boxes")
    _write_frames_run(runs / "masks", files[:2], "mask")
    _write_found(scratch / "faces", files[0], "people")
    _write_found(scratch / "objects", files[0], "objects")
    listed = scratch / "listed"
    listed.mkdir()
    with (listed / "boxes.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["path", "frame", "label", "x", "y", "w", "h"])
        rows.writerows([files[0], 5 * n, "person", 10 + n, 20, 60, 120] for n in range(3))
    return [place, runs, scratch / "faces", scratch / "objects", listed / "boxes.csv"]


def _vidfit(*words: object) -> None:
    command = [sys.executable, "-m", "vidfit", *map(str, words)]
    subprocess.run(command, check=True, capture_output=True)


def _write_frames_run(target: Path, videos: list[Path], kind: str) -> None:
    frames = [
        {
            "path": str(path), "frame": number, "seconds": number / 25,
            "size_pixels": _size(path), "objects": _BOXES, "found": _FOUND,
            **({"grid": [2, 2], "objects": [2, 0, 2, 1], "found": [3, 0, 1, 1]}
               if kind == "mask" else {}),
        }
        for path in videos for number in (0, 10)
    ]  # fmt: skip
    clips = [
        {"key": "k", "predicted": "1 person, 1 dog", "probability": 0.9,
         "probability_of_label": None, "declined": False,
         "clip": {"path": one["path"], "start_seconds": one["seconds"], "end_seconds": None,
                  "group": one["path"], "split": None, "text": None, "label": None}}
        for one in frames
    ]  # fmt: skip
    estimate = {"value": 0.41, "low": 0.3, "high": 0.52}
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    report = {
        "format": "vidfit.report/3", "classes": ["person", "dog"], "labels": kind, "row": "frame",
        "metric": "ap50-95" if kind == "boxes" else "miou", "score": estimate, "clips": clips,
        "majority": nothing, "baseline": "no boxes", "chosen": "nanodet", "verdict": "",
        "clip_count": len(frames), "group_count": len(videos), "candidates": [], "warnings": [],
        "near_duplicates": [], "failures": [], "dropped": [], "notes": [], "stages": [],
        "confusion_KK": [], "machine": {}, "provenance": {}, "protocol": "folds",
        "grouping": "by file", "grouped_split": estimate, "random_split": estimate,
        "leak": nothing,
    }  # fmt: skip
    target.mkdir(parents=True)
    (target / "report.json").write_text(to_json(report))
    answers = {"format": "vidfit.answers/1", "classes": ["person", "dog"], "frames": frames}
    (target / "answers.json").write_text(to_json(answers))


def _write_found(target: Path, video: Path, what: str) -> None:
    wide, high = _size(video)
    boxes = [[1, *_BOXES[0][1:5], 0.9], [2, *_BOXES[1][1:5], None]]
    named = [{"name": "Ada", "similarity": 0.97}, {"name": "unknown", "similarity": 0.8}]
    classed = [{"label": "person", "score": 0.9}, {"label": "dog", "score": 0.6}]
    tracks = named if what == "people" else classed
    document = {
        "format": f"vidfit.{what}/1", "path": str(video), "width_pixels": wide,
        "height_pixels": high, "consent": "the door of a workshop, forms of May",
        "people": ["Ada"], "classes": ["person", "dog"],
        "tracks": [{"track": n + 1, **one} for n, one in enumerate(tracks)],
        "frames": [{"frame": n, "seconds": n / 25, "boxes": boxes} for n in range(10)],
    }  # fmt: skip
    target.mkdir()
    (target / f"{video.stem}.json").write_text(to_json(document, indent=1))


def _size(path: Path) -> list[int]:
    info = probe(str(path))
    return [info.width_pixels, info.height_pixels]


# ---------------------------------------------------------------- the way


def _walk(walk: Walk) -> None:
    browser = walk.browser
    found = browser.promised("{ return (await fetch('/v1/libraries')).json(); }")["libraries"]
    ids = {one["name"]: one["id"] for one in found}
    index = next(one["id"] for one in found if one["searchable"])
    place, run = ids["clips"], ids["first"]
    browser.wait("document.querySelectorAll('.library-card .score b').length > 1")
    walk.stop("start")
    browser.go(f"/report?library={run}", ".confusion")
    walk.stop("report")
    browser.go(f"/report?library={ids['boxes']}", "h1")
    walk.stop("report-of-boxes")
    browser.go(f"/wall?library={run}", ".tile img")
    walk.stop("wall", whole=False)
    browser.wait("document.querySelector('.tile .picture')").click()
    browser.wait("document.querySelector('.viewer-said dl')")
    walk.stop("clip", whole=False)
    browser.go(f"/label?library={run}", ".desk video")
    walk.stop("label")
    browser.go(f"/timeline?library={place}", ".choose a")
    walk.stop("which-video")
    browser.js("document.querySelector('.choose a').click()")
    browser.wait("document.querySelector('.lane')")
    walk.stop("timeline")
    browser.go(f"/compare?first={run}&second={ids['second']}", ".pickers")
    browser.wait("document.body.innerText.includes('Lost')")
    walk.stop("compare")
    browser.go(f"/models?run={run}", ".run-model")
    walk.stop("models")
    for name in ("listed", "boxes", "masks", "faces", "objects"):
        browser.go(f"/boxes?library={ids[name]}", ".box-desk")
        browser.wait("document.querySelector('.stage img')?.naturalWidth > 0")
        walk.stop(f"frames-{name}")
    browser.go(f"/search?library={index}", ".shot-acts")
    walk.stop("search")
    browser.js("document.querySelector('.shot-acts button').click()")
    browser.wait("document.querySelector('.asked-for .picture img')")
    time.sleep(0.5)
    walk.stop("search-like")
    browser.go(f"/search?library={index}&text=door", ".shot-acts")
    walk.stop("search-words")
