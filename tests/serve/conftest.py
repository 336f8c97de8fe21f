"""A server over a folder of small videos and a run over them."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from starlette.testclient import TestClient
from tests.clips import write_clip

from vidfit.documents import to_json
from vidfit.jobs.search.index import ShotIndex, ShotRow
from vidfit.jobs.search.segments import KnownVideo
from vidfit.jobs.search.shots import Shot
from vidfit.serve import running
from vidfit.serve.app import build
from vidfit.serve.options import ServeOptions
from vidfit.serve.previews import Previews
from vidfit.serve.service import Service
from vidfit.video import probe, write_video

ADDRESS = "http://localhost:8321"
PAGE = {"origin": ADDRESS, "sec-fetch-site": "same-origin"}
"""What a browser sends with a write of the server's own page."""


@dataclass
class Served:
    """A running service, and a browser that is logged in."""

    service: Service
    page: TestClient
    clips: Path
    run: Path

    def library(self, kind: str = "videos") -> str:
        found = self.page.get("/v1/libraries").json()["libraries"]
        return next(one["id"] for one in found if one["kind"] == kind)

    def table(self, kind: str = "videos") -> dict:
        return self.page.get(f"/v1/libraries/{self.library(kind)}/clips").json()

    def ids(self, kind: str = "videos") -> dict[str, str]:
        table = self.table(kind)
        return dict(zip(table["name"], table["id"], strict=True))

    def browser(self, person: str = "Ann") -> TestClient:
        return logged_in(self.service, person)

    def program(self) -> TestClient:
        """A client that is not logged in."""
        return TestClient(build(self.service), base_url=ADDRESS)

    def when_ready(self, path: str, client: TestClient | None = None):
        """Ask again until it is not being made any more."""
        return until(lambda: (client or self.page).get(path), lambda r: r.status_code != 202)


def until(ask: Callable, holds: Callable, seconds: float = 100.0):
    end = time.monotonic() + seconds
    while not holds(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found


def logged_in(service: Service, person: str = "me") -> TestClient:
    client = TestClient(build(service), base_url=ADDRESS)
    response = client.get("/login", params={"token": service.token, "person": person})
    assert response.status_code == 200
    client.headers.update(PAGE)
    return client


@pytest.fixture(scope="session")
def videos(tmp_path_factory) -> Path:
    """Two clips to the left, two to the right, and one that is no video."""
    folder = tmp_path_factory.mktemp("served") / "clips"
    for kind in ("left", "right"):
        for number in range(2):
            write_clip(folder / kind / f"{kind}{number}.mp4", kind, number)
    (folder / "left" / "broken.mp4").write_bytes(b"\0\0\0\x18ftypisom" + b"\0" * 300)
    return folder


def report_of(clips: Path) -> dict:
    """Return a report of a fit, as far as it is shown: one clip wrong, two alike, one broken."""
    rows = []
    answers = {"left0": ("left", 0.9), "left1": ("right", 0.8), "right0": ("right", 0.6),
               "right1": ("right", 0.7)}  # fmt: skip
    for name, (predicted, probability) in answers.items():
        label = name[:-1]
        path = str(clips / label / f"{name}.mp4")
        clip = {
            "path": path, "start_seconds": 0.0, "end_seconds": None, "label": label,
            "group": f"{label}/{name}.mp4", "split": None, "text": None,
        }  # fmt: skip
        of_label = probability if predicted == label else 1 - probability
        rows.append(
            {"key": path, "clip": clip, "predicted": predicted, "probability": probability,
             "probability_of_label": round(of_label, 6), "declined": name == "right0"}
        )  # fmt: skip
    pair = {"first": rows[0]["key"], "second": rows[2]["key"], "distance_bits": 3.0}
    broken = {"name": str(clips / "left" / "broken.mp4"), "reason": "its header is damaged"}
    return {
        "format": "vidfit.report/3", "data": str(clips), "classes": ["left", "right"],
        "labels": "one", "metric": "accuracy", "score": {"value": 0.75, "low": 0.3, "high": 0.95},
        "clips": rows, "near_duplicates": [pair], "failures": [broken],
    }  # fmt: skip


def write_run(folder: Path, videos: Path, **changes) -> Path:
    folder.mkdir(parents=True)
    document = {**report_of(videos), **changes}
    (folder / "report.json").write_text(to_json(document), encoding="utf-8")
    return folder


def write_boxed(folder: Path) -> Path:
    """Write two videos of 64 x 48 pixels and a list of boxes in them; return the list."""
    frames = np.random.default_rng(0).integers(0, 255, (6, 48, 64, 3), dtype=np.uint8)
    for name in ("a", "b"):
        write_video(folder / f"{name}.mp4", frames, 10)
    rows = ["a.mp4,0,car,10,10,20,12", "a.mp4,0,bus,40,20,10,10", "a.mp4,3,car,12,10,20,12",
            "b.mp4,0,,,,,"]  # fmt: skip
    path = folder / "boxes.csv"
    path.write_text("path,frame,label,x,y,w,h\n" + "\n".join(rows) + "\n")
    return path


def write_boxed_run(folder: Path, boxed: Path) -> Path:
    """Write a run over frames of `write_boxed`: a car found, a bus missed, a false alarm."""
    place = str(boxed.parent / "a.mp4")
    frames = [
        {"path": place, "frame": 0, "seconds": 0.0, "size_pixels": [64, 48],
         "objects": [["car", 10, 10, 30, 22, 0], ["bus", 40, 20, 50, 30, 0]],
         "found": [["car", 11, 10, 30, 22, 0.9], ["car", 0, 30, 8, 40, 0.4]]},
        {"path": place, "frame": 3, "seconds": 0.3, "size_pixels": [64, 48],
         "objects": [["car", 12, 10, 32, 22, 0]], "found": []},
    ]  # fmt: skip
    clips = [
        {"key": "k", "predicted": "1 car", "probability": 0.9, "probability_of_label": None,
         "declined": False,
         "clip": {"path": place, "start_seconds": one["seconds"],
                  "end_seconds": one["seconds"] + 0.1, "group": "g", "split": None, "text": None,
                  "label": "64x48 car 0.1 0.1 0.5 0.5; bus 0.6 0.4 0.8 0.6"}}
        for one in frames
    ]  # fmt: skip
    report = {"format": "vidfit.report/3", "classes": ["bus", "car"], "labels": "boxes",
              "metric": "ap50-95", "score": {"value": 0.5, "low": 0.3, "high": 0.7},
              "clips": clips, "near_duplicates": [], "failures": []}  # fmt: skip
    picture = {"clip": clips[0]["clip"], "title": "missed", "note": "", "window": [], "marks": []}
    report["part"] = {"scenes": [["what is wrong", [picture]]]}
    answers = {"format": "vidfit.answers/1", "classes": ["bus", "car"], "frames": frames}
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(to_json(report), encoding="utf-8")
    (folder / "answers.json").write_text(to_json(answers), encoding="utf-8")
    return folder


LOOKS = {"left0": (1, 0, 0), "left1": (0, 1, 0), "right0": (0, 0.6, 0.8), "right1": (0.8, 0.6, 0)}
MOTIONS = {"left0": (1, 0, 0), "left1": (0.9, 0.1, 0), "right0": (0, 0, 1), "right1": (0, 1, 0)}


def write_index(folder: Path, videos: Path) -> Path:
    """Write an index of the four clips, a shot each: left0 looks like right1, moves like left1."""
    index = ShotIndex(folder / "index" / ("0" * 16), {"look": 3, "motion": 3})
    rows, known = [], []
    for name in LOOKS:
        path = videos / name[:-1] / f"{name}.mp4"
        seconds = probe(str(path)).duration_seconds
        vectors = {"look": LOOKS[name], "motion": MOTIONS[name]}
        arrays = {way: np.array(of, np.float32) for way, of in vectors.items()}
        rows.append(ShotRow(f"digest of {name}", 0, Shot(0.0, seconds, seconds / 2, arrays)))
        facts = path.stat()
        times = facts.st_size, facts.st_mtime_ns
        known.append(KnownVideo(str(path), *times, f"digest of {name}", seconds))
    index.add(rows)
    index.save_videos(known)
    return folder


@pytest.fixture
def boxed(tmp_path) -> Path:
    folder = tmp_path / "boxed"
    folder.mkdir()
    return write_boxed(folder)


@pytest.fixture
def serve(tmp_path, videos):
    """Return a function that starts a service, with a folder of videos of its own."""
    started = []

    def start(*more: Path, copied: bool = False, **options) -> Served:
        clips = videos
        if copied:
            clips = tmp_path / "clips"
            shutil.copytree(videos, clips)
        run = tmp_path / "run"
        if not run.exists():
            write_run(run, clips)
        options = {"ahead": 0, **options}
        state = options.pop("state", tmp_path / f"state{len(started)}")
        service = Service([clips, run, *more], ServeOptions(state, **options))
        started.append(service)
        return Served(service, logged_in(service), clips, run)

    yield start
    for service in started:
        service.close()


@pytest.fixture
def served(serve) -> Served:
    return serve()


@pytest.fixture
def listening(serve):
    """Return a function that starts a server on a free port; it gives the service and the port."""
    stops = []

    def start(**options):
        served = serve(**options)
        bound = running._bound("127.0.0.1", 0)
        server = uvicorn.Server(running.config(build(served.service)))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([bound])))
        thread.start()
        until(lambda: server.started, bool)
        stops.append((server, thread, bound))
        return served, bound.getsockname()[1]

    yield start
    for server, thread, bound in stops:
        server.should_exit = True
        thread.join(30)
        bound.close()


@pytest.fixture
def making(tmp_path):
    (tmp_path / "made").mkdir()
    previews = Previews(tmp_path / "made", 2**30)
    yield previews
    previews.close()


def settled(previews, wish):
    return until(lambda: previews.state(wish), lambda s: s[0] in ("ready", "failed"))
