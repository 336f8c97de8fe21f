"""Made-up reports that look like real ones, with the extremes a page must survive."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from functools import cache

import numpy as np

from vidfit.answers import Segment, Timeline
from vidfit.contracts import Clip, Estimate, Failure, clip_key
from vidfit.evaluate import score_classes
from vidfit.reported import Candidate, ClipResult, NearDuplicate, ReliabilityBin, Report, Stage

NAN = float("nan")
NOT_MEASURED = Estimate(NAN, NAN, NAN)

CANDIDATES = (
    Candidate(
        "efficientnet-lite0", "backbone", ("efficientnet-lite0",), Estimate(0.764, 0.701, 0.822),
        0.0842, 1280, 4_650_000, 3.08, "1xevenx8", "Apache-2.0", True, True,
        "tied with the best, and cheapest of them",
    ),
    Candidate(
        "efficientnet-lite1", "backbone", ("efficientnet-lite1",), Estimate(0.771, 0.709, 0.828),
        0.118, 1280, 5_420_000, 4.96, "1xevenx8", "Apache-2.0", True, note="tied with the best",
    ),
    Candidate(
        "efficientnet-lite2", "backbone", ("efficientnet-lite2",), Estimate(0.752, 0.686, 0.811),
        0.151, 1280, 6_090_000, 7.12, "1xevenx8", "Apache-2.0", True, note="tied with the best",
    ),
    Candidate(
        "videomae-small", "backbone", ("videomae-small",), Estimate(0.721, 0.652, 0.787),
        1.702, 384, 22_000_000, 57.0, "16x0.133sx1", "CC-BY-NC-4.0", False,
    ),
    Candidate(
        "motion-histogram", "backbone", ("motion-histogram",), Estimate(0.633, 0.561, 0.702),
        0.0391, 96, 0, 0.0, "2x0.2sx8", "Apache-2.0", True,
    ),
    Candidate(
        "concat", "fusion", ("efficientnet-lite0", "motion-histogram"),
        Estimate(0.787, 0.726, 0.842), 0.1233, 1376, 4_650_000, 3.08, "1xevenx8, 2x0.2sx8",
        "Apache-2.0", True, note="tied with the best; no gain that the clips can show",
    ),
    Candidate(
        "mean-colour", "baseline", (), Estimate(0.548, 0.471, 0.622),
        0.0302, 3, 0, 0.0, "1xevenx8", "Apache-2.0", True,
    ),
    Candidate(
        "majority class", "baseline", (), Estimate(0.362, 0.291, 0.437),
        0.0, 0, 0, 0.0, "-", "-", True,
    ),
)  # fmt: skip


def picture(seed: int) -> bytes:
    """Return a small JPEG of a made-up scene."""
    from PIL import Image, ImageDraw

    draw = random.Random(seed)
    image = Image.linear_gradient("L").resize((256, 144)).convert("RGB")
    colour = tuple(draw.randrange(60, 220) for _ in range(3))
    image = Image.blend(image, Image.new("RGB", image.size, colour), 0.6)
    canvas = ImageDraw.Draw(image)
    for _ in range(4):
        x, y, r = draw.randrange(256), draw.randrange(40, 144), draw.randrange(8, 34)
        shade = tuple(draw.randrange(256) for _ in range(3))
        canvas.ellipse((x - r, y - r, x + r, y + r), fill=shade)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=80)
    return content.getvalue()


def results(classes: tuple[str, ...], count: int, seed: int = 1) -> tuple[ClipResult, ...]:
    """Return answers of a model that is right about three times in four."""
    draw = random.Random(seed)
    found = []
    for i in range(count):
        label = classes[min(int(draw.random() ** 1.3 * len(classes)), len(classes) - 1)]
        right = draw.random() < 0.77
        others = [c for c in classes if c != label] or [label]
        predicted = label if right else draw.choice(others)
        probability = min(0.99, max(0.2, draw.gauss(0.82 if right else 0.6, 0.16)))
        start = 4.0 * (i % 4)
        path = f"clips/{label}/camera{i // 4 % 7:02d}_take{i // 4:03d}.mp4"
        clip = Clip(path, start, start + 4, label, f"camera{i // 4 % 7:02d}_take{i // 4:03d}")
        of_label = probability if right else (1 - probability) / 2
        found.append(ClipResult(clip, predicted, probability, of_label, probability < 0.4))
    return tuple(found)


def confusion(classes: tuple[str, ...], clips: tuple[ClipResult, ...]):
    """Return the counts of true class by answer."""
    place = {label: i for i, label in enumerate(classes)}
    matrix = [[0] * len(classes) for _ in classes]
    for result in clips:
        matrix[place[result.clip.label]][place[result.predicted]] += 1
    return tuple(tuple(row) for row in matrix)


def scored_classes(classes: tuple[str, ...], clips: tuple[ClipResult, ...]):
    """Return the scores of each class by answers that have the stated probabilities."""
    answers_MK = np.full((len(clips), len(classes)), 1e-3)
    labels_M = np.array([classes.index(r.clip.label) for r in clips])
    for row_K, result, label in zip(answers_MK, clips, labels_M, strict=True):
        row_K[label] = result.probability_of_label
        row_K[classes.index(result.predicted)] = result.probability
    return score_classes(answers_MK, labels_M, [str(r.clip.group) for r in clips], classes)


def bins(clips: tuple[ClipResult, ...], count: int = 8) -> tuple[ReliabilityBin, ...]:
    """Return reliability in ranges of equal width."""
    found = []
    for i in range(count):
        inside = [r for r in clips if i / count <= r.probability < (i + 1) / count]
        if inside:
            right = sum(r.predicted == r.clip.label for r in inside)
            mean = sum(r.probability for r in inside) / len(inside)
            found.append(ReliabilityBin(mean, right / len(inside), len(inside)))
    return tuple(found)


@cache
def example_report(
    classes: tuple[str, ...] = ("pour", "stir", "chop", "peel", "wash hands"), clip_count: int = 236
) -> Report:
    """Return a realistic report."""
    clips = results(classes, clip_count)
    wrong = [r for r in clips if r.predicted != r.clip.label]
    worst = sorted(wrong, key=lambda r: r.probability_of_label)[:12]
    return Report(
        data="/data/kitchen/clips",
        task="Classify actions",
        classes=classes,
        clip_count=clip_count,
        group_count=len({r.clip.group for r in clips}),
        grouping="by recording: the file name up to the last underscore",
        protocol="5-fold cross-validation, grouped and stratified, 3 repeats; the choice is "
        "inside the folds; intervals by bootstrap over recordings",
        chosen="efficientnet-lite0",
        verdict="Four candidates are tied; this one is the cheapest of them. Fusing it with "
        "motion-histogram brings no gain that these clips can show.",
        score=Estimate(0.7574, 0.6931, 0.8163),
        accuracy=Estimate(0.7574, 0.6931, 0.8163),
        mean_class_accuracy=Estimate(0.7412, 0.6722, 0.8031),
        majority=Estimate(0.3624, 0.2912, 0.4371),
        grouped_split=Estimate(0.7574, 0.6931, 0.8163),
        leak=Estimate(0.1287, 0.0811, 0.1763),
        random_split=Estimate(0.8861, 0.8424, 0.9243),
        candidates=CANDIDATES,
        confusion_KK=confusion(classes, clips),
        reliability=bins(clips),
        calibration_error=0.0473,
        unknown_probability=0.4,
        clips=clips,
        failures=(
            Failure("clips/pour/camera02_take044.mp4", "no video stream"),
            Failure("clips/stir/camera05_take010.mp4", "ends after 0.1 s: moov atom not found"),
        ),
        dropped=(
            Failure("timesformer-base", "licence CC-BY-NC-4.0 forbids commercial use"),
            Failure("resnet-50", "race, round 1: 61.2 % on 64 clips, below the leaders"),
        ),
        near_duplicates=(
            NearDuplicate("clips/chop/camera01_take008.mp4", "clips/chop/camera03_take024.mp4", 2),
        ),
        stages=(
            Stage("read the folder", None, 0.42),
            Stage("features of all candidates", 61.0, 74.2),
            Stage("race", 8.0, 6.1),
            Stage("fusion", 5.0, 5.3),
            Stage("held-out evaluation", 21.0, 19.8),
        ),
        machine={"processor": "AMD EPYC, 2 cores, AVX2", "memory": "7.8 GiB", "graphics": "none"},
        provenance={
            "vidfit": "0.1.0", "torch": "2.13.0", "onnxruntime": "1.32.0", "seed": "0",
            "data digest": "sha256:6f1ed002ab5595859014ebf0951522d9a3b1c1f0d3a1",
            "finished": "2026-11-14 09:31 UTC",
        },
        warnings=("Class 'wash hands' has 11 recordings: its recall is rough.",),
        by_class=scored_classes(classes, clips),
        thumbnails={clip_key(r.clip): picture(i) for i, r in enumerate(worst)},
    )  # fmt: skip


@cache
def large_report(class_count: int = 101, candidate_count: int = 60) -> Report:
    """Return a report with much of everything."""
    draw = random.Random(3)
    classes = tuple(f"class number {i} of many" if i % 9 else f"c{i}" for i in range(class_count))
    base = example_report(classes, 3000)
    kinds = ("backbone", "backbone", "fusion", "baseline")
    candidates = []
    for i in range(candidate_count):
        value, cost = draw.uniform(0.1, 0.8), 10 ** draw.uniform(-2, 1)
        name = f"candidate-{i:02d}" + ("-with-a-very-long-name-that-goes-on" if i % 7 == 0 else "")
        candidates.append(
            Candidate(
                name, kinds[i % 4] if i % 12 == 3 else kinds[i % 3], (name,),
                Estimate(value, value - 0.06, value + 0.06), cost, 512, 10_000_000 * i, 12.5 * i,
                "8x0.1sx3", "MIT", True, i == 5,
            )
        )  # fmt: skip
    failures = tuple(
        Failure(f"clips/very/deep/folder/{i:04d}.avi", "unreadable" if i % 3 else "no frames")
        for i in range(500)
    )
    return replace(
        base, chosen="candidate-05", candidates=tuple(candidates), failures=failures,
        near_duplicates=tuple(NearDuplicate(f"a{i}.mp4", f"b{i}.mp4", i % 5) for i in range(40)),
    )  # fmt: skip


def hostile_report() -> Report:
    """Return a report whose names try to leave their places."""
    script, quote = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'
    base = example_report((script, quote), 40)
    return replace(
        base,
        data=f"/data/{quote}",
        chosen=script,
        verdict=f"</style>{script}",
        candidates=(replace(CANDIDATES[0], name=script, note=quote, licence=script),),
        failures=(Failure(quote, script),),
        dropped=(Failure(script, quote),),
        warnings=(script,),
        machine={script: quote},
        provenance={quote: "{{ 7 * 7 }}"},
        stages=(Stage(script, 1.0, 2.0),),
        near_duplicates=(NearDuplicate(script, quote, 1),),
    )


def bare_report() -> Report:
    """Return a report in which little could be measured."""
    base = example_report(("yes", "no"), 8)
    candidates = tuple(
        replace(c, score=replace(c.score, low=NAN, high=NAN), seconds_per_clip=NAN)
        for c in CANDIDATES[:3]
    )
    return replace(
        base, score=Estimate(0.75, NAN, NAN), mean_class_accuracy=NOT_MEASURED,
        majority=NOT_MEASURED, grouped_split=NOT_MEASURED, random_split=NOT_MEASURED,
        leak=NOT_MEASURED,
        candidates=candidates, reliability=(),
        calibration_error=NAN, unknown_probability=NAN, clips=(), by_class=(),
        failures=(), dropped=(),
        near_duplicates=(), stages=(), machine={}, provenance={}, warnings=(), thumbnails={},
    )  # fmt: skip


def example_timeline(minutes: float = 4.0, seed: int = 2) -> Timeline:
    """Return answers to a video of some minutes."""
    draw = random.Random(seed)
    classes = ("pour", "stir", "chop", "peel", "wash hands")
    segments, windows, start = [], [], 0.0
    while start < 60 * minutes - 1:
        end = min(60 * minutes, start + draw.uniform(4, 30))
        label = draw.choice((*classes, None))
        level = 0.35 if label is None else draw.uniform(0.6, 0.95)
        segments.append(Segment(start, end, label, level, label is None))
        at = start
        while at < end:
            p = min(0.99, max(0.05, draw.gauss(level, 0.05)))
            windows.append(Segment(at, min(at + 2, end), label, p, label is None))
            at += 2
        start = end
    return Timeline(
        "/data/kitchen/long/evening_$5_session.mp4", 60 * minutes, classes, tuple(windows),
        tuple(segments), 8 * len(windows), int(60 * minutes * 25), "1xevenx8",
    )  # fmt: skip
