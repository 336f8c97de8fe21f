"""Whether tracks gain by what boxes look like to the detector: the cells that they came from.

NanoDet's boxes of people in two videos of MOTChallenge 2015, each with the 128 numbers of its cell
of the feature pyramid, standardised by the other video. Beside the tracker as it is, which looks at
overlap and score alone, stand three known ways to use looks, each with the settings of its authors
where they have some. A track keeps a moving average of its looks. As in `benchmarks.track`, figures
are of the boxes as they are and of copies in which they tremble: a way that helps is ahead in all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks import _tracking
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._tracking import MEASURES, Rows
from benchmarks.track import DATA, NAMES
from vidfit import backbones as zoo
from vidfit.backbones.coco import COCO_CLASSES
from vidfit.backbones.package_weights import is_fetched
from vidfit.boxes import Edges, overlaps
from vidfit.contracts import Floats, Indices
from vidfit.runtime import accelerate
from vidfit.tracking.association import associate
from vidfit.tracking.filled import Filled
from vidfit.tracking.kalman import edges_of
from vidfit.tracking.tracker import NO_TRACK, FoundBoxes, Tracker, TrackerSettings
from vidfit.video import VideoReader

EVERY = (1, 2, 5)
KEPT = 0.9
"""Of a track's looks at each box (Aharon et al., "BoT-SORT" 2022)."""

LEAST_OVERLAP, MOST_APART = 0.5, 0.25
"""Of BoT-SORT: a pair is looked at where it overlaps by that, and is that near in looks."""

SHARE = 0.5
"""Of looks in the weighed sum, the middle of what is usual."""

BACK_SECONDS, BACK_ALIKE = 5.0, 0.5
"""For how long, and from which cosine on, a lost track comes back by its looks alone."""

Blend = Callable[[Edges, Edges], Edges]
"""Overlap and cosine of tracks and boxes, [N, M] -> how alike they are."""


@dataclass(frozen=True)
class SeenBoxesOf:
    """Boxes of each frame with their looks, truth and times of a video."""

    name: str
    pts_seconds: Floats
    found: tuple[FoundBoxes, ...]
    looks: tuple[Floats, ...]
    truth: Rows


class LooksTracker(Tracker):
    """The tracker, with looks; ``back`` lets lost tracks come back by these alone."""

    def __init__(self, blend: Blend | None, back: bool = False) -> None:
        self._blend, self._back = blend, back
        self._known: dict[int, Floats] = {}
        self._now_ME: Floats = np.zeros((0, 1), np.float32)
        lost = BACK_SECONDS if back else TrackerSettings().lost_seconds
        super().__init__(replace(TrackerSettings(), lost_seconds=lost))

    def see(self, seconds: float, found: FoundBoxes, looks_ME: Floats) -> Any:
        """Take boxes, all of them with an area and sure enough, with their looks."""
        self._now_ME = looks_ME
        told = self.look(seconds, found)
        row = {tuple(edges): looks for edges, looks in zip(found.edges_M4, looks_ME, strict=True)}
        for edges, number in zip(told.boxes.edges_M4, told.tracks_M, strict=True):
            new = row[tuple(edges)]
            old = self._known.get(int(number), new)
            self._known[int(number)] = KEPT * old + (1 - KEPT) * new
        return told

    def _give(self, wanted_N, found, wanted_M, track_M, least, fused=True) -> None:  # type: ignore[no-untyped-def]
        tracks = self._tracks
        places_N, places_M = np.flatnonzero(wanted_N), np.flatnonzero(wanted_M)
        over = overlaps(edges_of(tracks.motion.chosen(places_N)), found.edges_M4[places_M])
        cosine = self._cosine(tracks.number_N[places_N], places_M)
        if self._back and fused:  # who is out of sight for long is not where it was
            long_N = self._now - tracks.seen_N[places_N] >= TrackerSettings().lost_seconds - 1e-3
            over[long_N] = 0.0
        alike = self._blend(over, cosine) if self._blend and fused else over
        pairs = associate(alike * found.scores_M[places_M] if fused else alike, least)
        track_M[places_M[pairs.boxes_P]] = places_N[pairs.tracks_P]
        if self._back and fused and wanted_N is tracks.is_confirmed_N:
            self._come_back(found, wanted_M, track_M)

    def _come_back(self, found: FoundBoxes, wanted_M: Any, track_M: Indices) -> None:
        tracks = self._tracks
        free_N = tracks.is_confirmed_N & tracks.is_lost_N
        free_N[track_M[track_M != NO_TRACK]] = False
        free_M = wanted_M & (track_M == NO_TRACK) & (found.scores_M >= self._settings.new_score)
        places_N, places_M = np.flatnonzero(free_N), np.flatnonzero(free_M)
        cosine = self._cosine(tracks.number_N[places_N], places_M)
        pairs = associate(cosine, BACK_ALIKE)
        track_M[places_M[pairs.boxes_P]] = places_N[pairs.tracks_P]

    def _cosine(self, numbers: Indices, places_M: Indices) -> Edges:
        ours = np.array([self._known[int(n)] for n in numbers]).reshape(
            len(numbers), self._now_ME.shape[1]
        )
        theirs = self._now_ME[places_M]
        norms = np.linalg.norm(ours, axis=1)[:, None] * np.linalg.norm(theirs, axis=1)[None]
        return np.asarray(ours @ theirs.T / np.maximum(norms, 1e-9), np.float64)


def bot_sort(over: Edges, cosine: Edges) -> Edges:
    """Return the better of overlap and looks, where both are near (Aharon et al. 2022)."""
    near = (over >= LEAST_OVERLAP) & ((1 - cosine) / 2 <= MOST_APART)
    return np.where(near, np.maximum(over, 1 - (1 - cosine) / 4), over)


def weighed(over: Edges, cosine: Edges) -> Edges:
    """Return a weighed sum for pairs that overlap."""
    return np.where(over > 0, (1 - SHARE) * over + SHARE * np.maximum(cosine, 0), 0.0)


WAYS: dict[str, Callable[[], LooksTracker]] = {
    "overlap alone": lambda: LooksTracker(None),
    "the better of both (BoT-SORT)": lambda: LooksTracker(bot_sort),
    "weighed sum": lambda: LooksTracker(weighed),
    "lost ones come back by looks": lambda: LooksTracker(None, back=True),
}


def main() -> None:
    options = arguments(__doc__).parse_args()
    start = environment()
    if not is_fetched("nanodet"):
        raise SystemExit("run `vidfit models --fetch nanodet` first")
    if lacking := _tracking.absent():
        raise SystemExit(f"not installed: {', '.join(lacking)}\n{_tracking.__doc__}")
    seen = _standardised([_seen(name, 120 if options.quick else None) for name in NAMES])
    copies = [seen] + [
        [_disturbed(one, seed) for one in seen] for seed in range(2 if options.quick else 10)
    ]
    figures: dict[str, Any] = {"told apart": _told_apart(seen)}
    rows, gains = [], []
    for every in EVERY:
        base = [_scores(copy, every, "overlap alone") for copy in copies]
        for way in WAYS:
            own = base if way == "overlap alone" else [_scores(c, every, way) for c in copies]
            mean = {name: float(np.mean([one[name] for one in own])) for name in own[0]}
            lead = np.array([a["IDF1"] - b["IDF1"] for a, b in zip(own, base, strict=True)])
            figures[f"{way}, every {every}"] = {**mean, "lead": lead.tolist()}
            cells = [f"{mean[name]:.1f}" for name in (*MEASURES, "switches")]
            spread = (
                "" if own is base else f"{lead.mean():+.1f} [{lead.min():+.1f}, {lead.max():+.1f}]"
            )
            rows.append([way, str(every), *cells, spread])
            gains += [] if own is base else [(float(lead.min()), way, every)]
    table(("looks", "every", *MEASURES, "switches", "IDF1 gained [least, most]"), rows)
    best = max(gains)
    headline = (
        f"the way that never loses most, {best[1]} at every {best[2]}, gains {best[0]:+.1f} points "
        "of IDF1 at least (a finding, not a bar)"
    )
    finish(options, figures, start, headline, met=None)


def _seen(name: str, most: int | None) -> SeenBoxesOf:
    """Look at all frames of a video."""
    detector = accelerate(zoo.load("nanodet"))
    folder, person = DATA / name, COCO_CLASSES.index("person")
    truth = _tracking.read_truth(folder / "gt.txt")[:most]
    video = next(path for path in sorted(folder.iterdir()) if path.suffix in (".avi", ".mp4"))
    found, looks = [], []
    with VideoReader(str(video)) as reader:
        size = np.array([reader.info.width_pixels, reader.info.height_pixels] * 2)
        pts = reader.pts_seconds[: len(truth)]
        for frame in reader.frames(np.arange(len(truth))):
            picture = frame.rgb(detector.spec.preprocessing)
            tokens_ND = detector.forward(picture[None, None])[0].astype(np.float64)
            score_NC = tokens_ND[:, 4 : 4 + len(COCO_CLASSES)]
            edges = (np.clip(tokens_ND[:, :4], 0, 1) * size).round(2)
            keep = (score_NC.argmax(axis=1) == person) & (edges[:, 2:] > edges[:, :2]).all(axis=1)
            keep &= score_NC.max(axis=1) >= TrackerSettings().unsure_score
            found.append(
                FoundBoxes(edges, score_NC.max(axis=1), np.zeros(len(edges), int)).chosen(keep)
            )
            looks.append(tokens_ND[keep, 4 + len(COCO_CLASSES) :])
    return SeenBoxesOf(name, pts, tuple(found), tuple(looks), truth)


def _standardised(seen: list[SeenBoxesOf]) -> list[SeenBoxesOf]:
    """Standardise the looks of each video by those of the others."""
    result = []
    for one in seen:
        others = np.concatenate([x for other in seen if other is not one for x in other.looks])
        mean, scale = others.mean(axis=0), 1 / np.maximum(others.std(axis=0), 1e-6)
        result.append(replace(one, looks=tuple((x - mean) * scale for x in one.looks)))
    return result


def _disturbed(one: SeenBoxesOf, seed: int) -> SeenBoxesOf:
    """Return a copy as `_tracking.disturbed` makes it."""
    rng = np.random.default_rng(seed)
    found, looks = [], []
    for boxes, looks_ME in zip(one.found, one.looks, strict=True):
        keep = rng.random(len(looks_ME)) > 0.05
        some = boxes.chosen(keep)
        size = (some.edges_M4[:, 2:] - some.edges_M4[:, :2]).mean(axis=1, keepdims=True)
        edges = some.edges_M4 + 0.01 * size * rng.normal(size=some.edges_M4.shape)
        scores = np.clip(some.scores_M + 0.03 * rng.normal(size=len(some.scores_M)), 0, 1)
        least = (scores >= TrackerSettings().unsure_score) & (edges[:, 2:] > edges[:, :2]).all(
            axis=1
        )
        found.append(FoundBoxes(edges, scores, some.classes_M).chosen(least))
        looks.append(looks_ME[keep][least])
    return replace(one, found=tuple(found), looks=tuple(looks))


def _scores(copy: list[SeenBoxesOf], every: int, way: str) -> dict[str, float]:
    return _tracking.scored([(one.truth, _tracked(one, every, WAYS[way]())) for one in copy])


def _tracked(one: SeenBoxesOf, every: int, tracker: LooksTracker) -> Rows:
    filled = Filled(one.pts_seconds, ("person",), 0, len(one.pts_seconds) - 1)
    frames = []
    for index in range(0, len(one.found), every):
        told = tracker.see(float(one.pts_seconds[index]), one.found[index], one.looks[index])
        frames += filled.add(index, told)
    frames += filled.end()
    return [
        ([box.track or 0 for box in frame.boxes],
         np.array([box.edges for box in frame.boxes], np.float64).reshape(-1, 4))
        for frame in frames
    ]  # fmt: skip


def _told_apart(seen: list[SeenBoxesOf]) -> dict[str, dict[str, float]]:
    """Return how often two boxes of one person a second apart are nearer than of two people."""
    rows, result = [], {}
    for one in seen:
        step = max(1, int(np.searchsorted(one.pts_seconds, one.pts_seconds[0] + 1.0)))
        ids = [_ids(boxes, truth) for boxes, truth in zip(one.found, one.truth, strict=True)]
        same: list[tuple[bool, float, float]] = []
        for a in range(0, len(ids) - step, 3):
            b = a + step
            for i, p in enumerate(ids[a]):
                for j, q in enumerate(ids[b]):
                    if p and q:
                        x, y = one.looks[a][i], one.looks[b][j]
                        cosine = float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)))
                        ends = one.found[a].edges_M4[i], one.found[b].edges_M4[j]
                        apart = (ends[0] - ends[1]).reshape(2, 2).mean(axis=0)
                        same.append((p == q, cosine, -float(np.hypot(*apart))))
        is_same = np.array([row[0] for row in same])
        figures = {
            "looks": _auroc(is_same, np.array([row[1] for row in same])),
            "distance": _auroc(is_same, np.array([row[2] for row in same])),
        }
        result[one.name] = figures
        rows.append([one.name, *(f"{100 * value:.1f}" for value in figures.values())])
    table(("a second apart, AUROC", "looks", "distance"), rows)
    return result


def _ids(found: FoundBoxes, truth: tuple[list[int], Edges]) -> list[int]:
    """Return the person of each box, 0 where it is none for certain."""
    numbers, edges = truth
    over = overlaps(found.edges_M4, edges)
    return [numbers[int(row.argmax())] if len(row) and row.max() >= 0.6 else 0 for row in over]


def _auroc(is_same: Any, value: Any) -> float:
    from scipy.stats import rankdata

    rank, count = rankdata(value), int(is_same.sum())
    others = len(is_same) - count
    return float((rank[is_same].sum() - count * (count + 1) / 2) / (count * others))


if __name__ == "__main__":
    main()
