"""Ground truth, detections and scores of tracks, for the benchmark of the tracker.

The scores are those of TrackEval (Luiten et al., "HOTA", IJCV 2020), whose metric classes take
what is compared from memory. The peer is ByteTrack as the package supervision has it. Neither can
be a dependency, for both bring another OpenCV:

    pip install --no-deps trackeval==1.3.0 supervision==0.27.0 pyDeprecate tqdm defusedxml
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.boxes import Edges, overlaps
from vidfit.contracts import Clip, Seconds
from vidfit.jobs.predict.objects.finder import ObjectFinder
from vidfit.jobs.predict.objects.followed import followed
from vidfit.jobs.predict.objects.looks import ObjectLook, look_at, wanted_frames
from vidfit.tracking.tracker import FoundBoxes
from vidfit.video import VideoReader

PEERS = ("trackeval", "supervision")
MEASURES = ("HOTA", "IDF1", "MOTA")

Rows = list[tuple[list[int], Edges]]
"""Of each frame, tracks and edges."""


@dataclass(frozen=True)
class People:
    """One video of people: its looks, its truth, and when each frame is shown."""

    name: str
    path: str
    pts_seconds_F: Seconds
    looks: tuple[ObjectLook, ...]
    truth: Rows


def absent() -> list[str]:
    """Return the packages that are not installed."""
    return [name for name in PEERS if importlib.util.find_spec(name) is None]


def read_truth(path: Path) -> Rows:
    """Read MOT's ground truth; boxes that do not count are left out."""
    rows = np.loadtxt(path, delimiter=",")
    rows = rows[rows[:, 6] != 0]
    frames = [rows[rows[:, 0] == number] for number in range(1, int(rows[:, 0].max()) + 1)]
    return [
        (of[:, 1].astype(int).tolist(), np.column_stack([of[:, 2:4], of[:, 2:4] + of[:, 4:6]]))
        for of in frames
    ]


def looked(folder: Path, finder: ObjectFinder, most: int | None, workers: int) -> People:
    """Find people in all frames of a video, or in the first of them."""
    video = next(path for path in sorted(folder.iterdir()) if path.suffix in (".avi", ".mp4"))
    truth = read_truth(folder / "gt.txt")[:most]
    person = finder.classes.index("person")
    with VideoReader(str(video)) as reader:
        wanted = wanted_frames(reader, Clip(str(video)), 1)[: len(truth)]
        looks = []
        for look in look_at(reader, finder, wanted, workers):
            found = look.found.chosen(look.found.classes_M == person)
            looks.append(ObjectLook(look.index, look.is_cut, _of_one_class(found)))
        pts_seconds_F = reader.pts_seconds[: len(truth)]
    return People(folder.name, str(video), pts_seconds_F, tuple(looks), truth)


def disturbed(sequence: People, seed: int) -> People:
    """Return a copy: one box in twenty is missed, edges and scores tremble.

    One run says little: who takes whose number hangs on the last pixel.
    """
    rng = np.random.default_rng(seed)
    looks = []
    for look in sequence.looks:
        found = look.found.chosen(rng.random(len(look.found.scores_M)) > 0.05)
        size = (found.edges_M4[:, 2:] - found.edges_M4[:, :2]).mean(axis=1, keepdims=True)
        edges = found.edges_M4 + 0.01 * size * rng.normal(size=found.edges_M4.shape)
        scores = np.clip(found.scores_M + 0.03 * rng.normal(size=len(found.scores_M)), 0, 1)
        looks.append(
            ObjectLook(look.index, look.is_cut, FoundBoxes(edges, scores, found.classes_M))
        )
    return People(
        sequence.name, sequence.path, sequence.pts_seconds_F, tuple(looks), sequence.truth
    )


def by_vidfit(sequence: People, every: int) -> Rows:
    """Track with vidfit's tracker."""
    pts = sequence.pts_seconds_F
    frames = followed(sequence.looks[::every], pts, ("person",), (0, len(pts) - 1))
    return [
        ([box.track or 0 for box in frame.boxes], _edges([box.edges for box in frame.boxes]))
        for frame in frames
    ]


def by_supervision(sequence: People, every: int, threshold: float) -> Rows:
    """Track with supervision's ByteTrack; between looks its boxes lie on lines, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import supervision

        pts = sequence.pts_seconds_F
        rate = (len(pts) - 1) / float(pts[-1]) / every
        tracker = supervision.ByteTrack(track_activation_threshold=threshold, frame_rate=rate)
    rows: list[tuple[list[int], list[Any]]] = [([], []) for _ in pts]
    last: dict[int, tuple[int, Edges]] = {}
    for look in sequence.looks[::every]:
        found = supervision.Detections(
            xyxy=look.found.edges_M4.astype(np.float32),
            confidence=look.found.scores_M.astype(np.float32),
            class_id=look.found.classes_M,
        )
        tracked = tracker.update_with_detections(found)
        for number, edges in zip(tracked.tracker_id.tolist(), tracked.xyxy, strict=True):
            before, old = last.get(number, (look.index - every, edges))
            if before == look.index - every and number in last:
                for index in range(before + 1, look.index):
                    share = (index - before) / every
                    rows[index][0].append(number)
                    rows[index][1].append((1 - share) * old + share * edges)
            rows[look.index][0].append(number)
            rows[look.index][1].append(edges)
            last[number] = look.index, edges
    return [(numbers, _edges(edges)) for numbers, edges in rows]


def scored(sequences: Sequence[tuple[Rows, Rows]]) -> dict[str, float]:
    """Return HOTA, IDF1, MOTA, recall and precision in percent, and switches, of all together.

    Parameters
    ----------
    sequences
        Truth and tracks of each.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        from trackeval.metrics import CLEAR, HOTA, Identity

        found: dict[str, Any] = {}
        for metric in (HOTA(), CLEAR(), Identity()):
            parts = {
                str(number): metric.eval_sequence(_compared(*pair))
                for number, pair in enumerate(sequences)
            }
            found |= metric.combine_sequences(parts)
    shares = {"HOTA": "HOTA", "IDF1": "IDF1", "MOTA": "MOTA", "recall": "CLR_Re"}
    figures = {name: 100 * float(np.mean(found[key])) for name, key in shares.items()}
    return {**figures, "switches": float(found["IDSW"])}


def _compared(truth: Rows, tracks: Rows) -> dict[str, Any]:
    """Return two sets of tracks as TrackEval takes them."""
    facts: dict[str, Any] = {"num_timesteps": len(truth)}
    for name, rows in (("gt", truth), ("tracker", tracks)):
        known = {n: i for i, n in enumerate(sorted({n for numbers, _ in rows for n in numbers}))}
        facts[f"{name}_ids"] = [np.array([known[n] for n in ns], int) for ns, _ in rows]
        facts[f"num_{name}_ids"] = len(known)
        facts[f"num_{name}_dets"] = sum(len(numbers) for numbers, _ in rows)
    facts["similarity_scores"] = [
        overlaps(a, b) for (_, a), (_, b) in zip(truth, tracks, strict=True)
    ]
    return facts


def by_motmetrics(sequences: Sequence[tuple[Rows, Rows]]) -> dict[str, float]:
    """Return IDF1, MOTA and switches as py-motmetrics counts them: another reading."""
    import motmetrics

    parts = []
    for truth, tracks in sequences:
        part = motmetrics.MOTAccumulator(auto_id=True)
        for (ids, edges), (numbers, found) in zip(truth, tracks, strict=True):
            apart = 1 - overlaps(edges, found)
            part.update(ids, numbers, np.where(apart <= 0.5, apart, np.nan))
        parts.append(part)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        host = motmetrics.metrics.create()
        names = ["idf1", "mota", "num_switches"]
        row = host.compute_many(parts, metrics=names, generate_overall=True).loc["OVERALL"]
    return {"IDF1": 100 * row["idf1"], "MOTA": 100 * row["mota"], "switches": row["num_switches"]}


def average_precision(sequences: Sequence[People]) -> tuple[float, float]:
    """Return AP at an overlap of a half, and the share of people that any box finds, in percent.

    The area under precision by recall, each precision the best from there on (COCO, but at all
    recalls in place of 101).
    """
    scores, hits, people, found_people = [], [], 0, 0
    for sequence in sequences:
        for look, (_, truth) in zip(sequence.looks, sequence.truth, strict=True):
            alike = overlaps(look.found.edges_M4, truth)
            taken = np.zeros(len(truth), bool)
            for box in np.argsort(-look.found.scores_M, kind="stable"):
                free = np.where(taken, 0, alike[box])
                best = int(free.argmax()) if len(truth) else 0
                is_hit = bool(len(truth) and free[best] >= 0.5)
                if is_hit:
                    taken[best] = True
                scores.append(float(look.found.scores_M[box]))
                hits.append(is_hit)
            people, found_people = people + len(truth), found_people + int(taken.sum())
    order = np.argsort(-np.array(scores), kind="stable")
    right = np.cumsum(np.array(hits)[order])
    precision = np.maximum.accumulate((right / np.arange(1, len(right) + 1))[::-1])[::-1]
    area = float((precision * np.diff(right, prepend=0)).sum()) / people
    return 100 * area, 100 * found_people / people


def _of_one_class(found: FoundBoxes) -> FoundBoxes:
    return FoundBoxes(found.edges_M4, found.scores_M, np.zeros_like(found.classes_M))


def _edges(rows: Sequence[Any]) -> Edges:
    return np.array(rows, np.float64).reshape(-1, 4)
