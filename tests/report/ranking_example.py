"""Made-up rankings that look like real ones, with the extremes a page must survive."""

from __future__ import annotations

import random
from dataclasses import replace

from vidfit.contracts import Estimate, Failure
from vidfit.jobs.select.value import Baseline, Ranked, Ranking, Rung, Temporal
from vidfit.reported import Stage

NAN = float("nan")
NOT_MEASURED = Estimate(NAN, NAN, NAN)
ROUNDS = ((30, 25), (90, 48), (236, 59))
"""Clips and recordings of each round."""

TIED_REASON = "tied with the best: the interval of the difference holds zero"

# name, standing, reason, accuracy, behind the best, clips, ms, parameters, GMACs, modality, licence
ROWS = (
    ("efficientnet-lite2", "tied", TIED_REASON, 0.797, 0.0, 236, 151, 6.09e6, 7.12, "image",
     "Apache-2.0"),
    ("efficientnet-lite1", "tied", TIED_REASON, 0.788, 0.009, 236, 118, 5.42e6, 4.96, "image",
     "Apache-2.0"),
    ("efficientnet-lite0", "recommended", "tied with the best, and the cheapest of those", 0.784,
     0.013, 236, 84.2, 4.65e6, 3.08, "image", "Apache-2.0"),
    ("x3d-s-kinetics400-multigrid-from-a-very-long-name", "tied", TIED_REASON, 0.776, 0.021, 236,
     412, 3.79e6, 1.96, "video", "Apache-2.0"),
    ("videomae-small", "behind", "6.8 points behind efficientnet-lite2, proven", 0.729, 0.068, 236,
     1702, 22e6, 57.0, "video", "CC-BY-NC-4.0"),
    ("mobilenet-v2", "dropped", "5.9 points behind, proven on 90 clips", 0.722, 0.059, 90, 71.5,
     3.5e6, 2.4, "image", "Apache-2.0"),
    ("mvit-small", "dropped", "6.6 points behind, unproven; dropped to keep the budget", 0.715,
     0.066, 90, 2210, 34.5e6, 64.0, "video", "Apache-2.0"),
    ("resnet-18", "dropped", "8.4 points behind, proven on 90 clips", 0.697, 0.084, 90, 131, 11.7e6,
     14.5, "image", "BSD-3-Clause"),
    ("motion-histogram", "dropped", "16.1 points behind, proven on 30 clips", 0.633, 0.161, 30,
     39.1, 0, 0.0, "none", "Apache-2.0"),
    ("squeezenet", "dropped", "16.4 points behind, proven on 30 clips", 0.63, 0.164, 30, 55, 1.24e6,
     2.8, "image", "BSD-3-Clause"),
    ("clip-vit-b32", "dropped", "16.7 points behind, proven on 30 clips", 0.627, 0.167, 30, 640,
     87.8e6, 35.0, "image", "MIT"),
    ("dinov2-small", "dropped", "19.5 points behind, proven on 30 clips", 0.6, 0.195, 30, 910, 22e6,
     49.0, "image", "Apache-2.0"),
    ("mean-colour", "dropped", "24.6 points behind, proven on 30 clips", 0.548, 0.246, 30, 30.2, 0,
     0.0, "none", "Apache-2.0"),
    ("optical-flow-r2d", "dropped", "28.1 points behind, proven on 30 clips", 0.513, 0.281, 30,
     1240, 31e6, 40.5, "none", "-"),
)  # fmt: skip


def ranked(row: tuple, seed: int = 0) -> Ranked:
    """Return the candidate of one row above."""
    name, standing, reason, value, gap, clips, ms, parameters, gmacs, modality, licence = row
    half = 0.9 / clips**0.5
    draw = random.Random(f"{name}{seed}")
    spread = half / 2
    gap_interval = Estimate(0.0, 0.0, 0.0) if gap == 0 else Estimate(gap, gap - 0.04, gap + spread)
    return Ranked(
        name, standing, reason, Estimate(value, value - half, min(1.0, value + half)), gap_interval,
        clips, ms / 1000, int(4 * parameters) + 20_000_000, int(parameters), gmacs, 1280,
        "16x0.133sx1" if modality == "video" else "1xevenx8", modality, licence,
        {"MIT": True, "-": None, "CC-BY-NC-4.0": False}.get(licence, True),
        {"LogME": draw.uniform(-1, 1), "H-score": draw.uniform(2, 9)},
    )  # fmt: skip


def rungs(candidates: tuple[Ranked, ...], seed: int = 4) -> tuple[Rung, ...]:
    """Return the rounds that such candidates ran."""
    draw = random.Random(seed)
    sizes = [r for r in ROUNDS if r[0] <= max(c.clips for c in candidates)]
    found = []
    for clips, recordings in sizes:
        alive = [c for c in candidates if c.clips >= clips]
        scores = {
            c.name: c.score.value + (draw.gauss(0, 0.4 / clips**0.5) if clips < c.clips else 0)
            for c in alive
        }
        out = [c for c in alive if c.standing == "dropped" and c.clips == clips]
        dropped = tuple(Failure(c.name, c.reason) for c in out)
        found.append(Rung(clips, recordings, scores, dropped, 0.4 * clips * len(alive) ** 0.5))
    return tuple(found)


def example_ranking() -> Ranking:
    """Return a realistic ranking: 14 candidates, 3 rounds, 4 tied, 9 dropped on the way."""
    candidates = tuple(ranked(row) for row in ROWS)
    by_name = {c.name: c for c in candidates}
    largest = by_name["clip-vit-b32"]
    return Ranking(
        data="/data/kitchen/clips",
        classes=("pour", "stir", "chop", "peel", "wash hands"),
        clip_count=236,
        group_count=59,
        grouping="by recording: the file name up to the last underscore",
        recommended="efficientnet-lite0",
        why="Four candidates are tied with the best; this is the cheapest of them: 84.2 ms per "
        "clip, 44 % less than efficientnet-lite2.",
        best="efficientnet-lite2",
        score=Estimate(0.7812, 0.7231, 0.8341),
        naive=Estimate(0.797, 0.7384, 0.8556),
        majority=Estimate(0.3624, 0.2912, 0.4371),
        candidates=candidates,
        dropped=(
            Failure("timesformer-base", "licence CC-BY-NC-4.0 forbids commercial use"),
            Failure("internvideo2-1b", "needs 4.1 GiB; 2.0 GiB are given"),
        ),
        rungs=rungs(candidates),
        ended="all clips were seen; the four best cannot be told apart by these clips",
        baselines=(
            Baseline("largest", largest.name, "87.8 M parameters", largest.score,
                     largest.behind_best),
            Baseline("best published", "mvit-small", "Kinetics-400 top-1 81.0 %",
                     by_name["mvit-small"].score, by_name["mvit-small"].behind_best),
        ),
        temporal=Temporal(
            "x3d-s-kinetics400-multigrid-from-a-very-long-name", Estimate(0.776, 0.717, 0.835),
            Estimate(0.752, 0.692, 0.812), Estimate(0.024, -0.011, 0.059), 236,
            "The order of frames does not matter here as far as these clips can show: "
            "image encoders will do.",
        ),
        labels_per_class=28,
        regime="lp-ft",
        spent_seconds=186.4,
        exhaustive_seconds=851.0,
        failures=(
            Failure("clips/pour/camera02_take044.mp4", "no video stream"),
            Failure("clips/stir/camera05_take010.mp4", "ends after 0.1 s: moov atom not found"),
        ),
        stages=(
            Stage("read the folder", None, 0.42),
            Stage("measure the costs", 12.0, 14.1),
            Stage("race", 96.0, 104.8),
            Stage("correct for the choice", None, 6.1),
        ),
        machine={"processor": "AMD EPYC, 2 cores, AVX2", "memory": "7.8 GiB", "graphics": "none"},
        provenance={
            "vidfit": "0.1.0", "torch": "2.13.0", "seed": "0",
            "data digest": "sha256:6f1ed002ab5595859014ebf0951522d9a3b1c1f0d3a1",
            "finished": "2026-11-14 09:31 UTC",
        },
        warnings=("Class 'wash hands' has 28 clips of 11 recordings: its part is rough.",),
    )  # fmt: skip


def single_ranking() -> Ranking:
    """Return a ranking of one candidate, of which nothing else was measured."""
    only = replace(
        ranked(ROWS[2]), reason="the only candidate", score=Estimate(0.75, NAN, NAN),
        behind_best=Estimate(0.0, 0.0, 0.0), clips=30, scores={},
    )  # fmt: skip
    return replace(
        example_ranking(), clip_count=30, group_count=1, why="It is the only candidate.",
        best=only.name, score=Estimate(0.75, NAN, NAN), naive=Estimate(0.75, NAN, NAN),
        majority=NOT_MEASURED, candidates=(only,), dropped=(), rungs=rungs((only,)),
        ended="one candidate is left", baselines=(), temporal=None, labels_per_class=3,
        regime="probe", spent_seconds=2.5, exhaustive_seconds=2.5, failures=(), stages=(),
        machine={}, provenance={}, warnings=(),
    )  # fmt: skip


def tied_ranking(count: int = 14) -> Ranking:
    """Return a ranking in which all ran to the end and none is proven better or cheaper."""
    candidates = tuple(
        replace(
            ranked(ROWS[0]), name=f"encoder-{i}", standing="tied" if i else "recommended",
            score=Estimate(0.75, 0.69, 0.81), behind_best=Estimate(0.0, -0.03, 0.03),
        )
        for i in range(count)
    )  # fmt: skip
    return replace(
        example_ranking(), recommended="encoder-0", best="encoder-0", why="All are tied.",
        candidates=candidates, dropped=(), rungs=rungs(candidates)[-1:],
        baselines=(
            Baseline("largest", "encoder-0", "6 M parameters", candidates[0].score,
                     candidates[0].behind_best),
        ),
    )  # fmt: skip


def large_ranking(count: int = 60) -> Ranking:
    """Return a ranking with much of everything, and some figures missing."""
    draw = random.Random(5)
    base = example_ranking()
    candidates = list(base.candidates[:4])
    for i in range(count - len(candidates)):
        clips = ROUNDS[min(2, int(draw.random() ** 2 * 3))][0]
        row = list(ROWS[5])
        row[0] = f"encoder-{i:02d}" + ("-with-a-very-long-name-that-goes-on" if i % 5 == 0 else "")
        row[1] = "behind" if clips == ROUNDS[-1][0] else "dropped"
        row[3], row[4], row[5] = draw.uniform(0.2, 0.7), draw.uniform(0.1, 0.5), clips
        row[6] = 10 ** draw.uniform(1, 3.6)
        made = ranked(tuple(row))
        candidates.append(replace(made, score=NOT_MEASURED) if i == 7 else made)
    candidates.sort(key=lambda c: (-c.clips, -c.score.value))
    return replace(
        base, candidates=tuple(candidates), rungs=rungs(tuple(candidates)),
        dropped=tuple(Failure(f"unknown-{i}", "weights are missing") for i in range(30)),
        failures=tuple(Failure(f"clips/{i:04d}.avi", "unreadable") for i in range(600)),
        temporal=None,
    )  # fmt: skip


def hostile_ranking() -> Ranking:
    """Return a ranking whose names try to leave their places."""
    script, quote = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'
    base = example_ranking()
    names = {base.recommended: script, base.best: quote}
    candidates = tuple(
        replace(c, name=names.get(c.name, c.name), reason=quote, licence=script, sampling=script,
                modality=quote, scores={script: 1.0})
        for c in base.candidates
    )  # fmt: skip
    return replace(
        base, data=f"/data/{quote}", recommended=script, best=quote, why=f"</style>{script}",
        candidates=candidates, rungs=rungs(candidates), ended=script, grouping=quote,
        baselines=(replace(base.baselines[0], rule=script, name=quote, evidence=script),),
        temporal=replace(base.temporal, name=quote, verdict=script),
        dropped=(Failure(script, quote),), failures=(Failure(quote, script),),
        warnings=(script,), stages=(Stage(script, 1.0, 2.0),), machine={script: quote},
        provenance={quote: "{{ 7 * 7 }}"},
    )  # fmt: skip
