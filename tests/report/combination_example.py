"""Made-up combinations that look like real ones, with the extremes a page must survive."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

from vidfit.contracts import Estimate, Failure
from vidfit.jobs.fuse.value import Combination, Option, Pair, Student
from vidfit.reported import Stage

NAN = float("nan")
NOT_MEASURED = Estimate(NAN, NAN, NAN)

# name, family, members, accuracy, gain, half of the interval of the gain, ms, MiB, parameters
LITE, MOTION, X3D = "efficientnet-lite0", "motion", "x3d-s"
SINGLES = (
    (MOTION, "single", (MOTION,), 0.625, 0.0, 0.0, 31, 0, 0),
    (LITE, "single", (LITE,), 0.611, -0.014, 0.16, 84.2, 31, 4.65e6),
    (X3D, "single", (X3D,), 0.590, -0.035, 0.14, 412, 44, 3.79e6),
    ("mean-colour", "single", ("mean-colour",), 0.382, -0.243, 0.12, 24, 0, 0),
)
FUSIONS = (
    ("stack-2", "integration", (MOTION, LITE), 0.826, 0.201, 0.16, 103, 31, 4.65e6),
    ("stack-3", "integration", (MOTION, LITE, X3D), 0.833, 0.208, 0.165, 488, 75, 8.44e6),
    ("cascade-3", "complement", (MOTION, LITE, X3D), 0.826, 0.201, 0.165, 246, 75, 8.44e6),
    ("cascade-2", "complement", (MOTION, LITE), 0.806, 0.181, 0.15, 74, 31, 4.65e6),
    ("chain-2", "complement", (MOTION, LITE), 0.771, 0.146, 0.17, 103, 31, 4.65e6),
    ("concat-2", "concatenation", (MOTION, LITE), 0.785, 0.160, 0.15, 103, 31, 4.65e6),
    ("concat-3", "concatenation", (MOTION, LITE, X3D), 0.792, 0.167, 0.16, 488, 75, 8.44e6),
    ("average-3", "integration", (MOTION, LITE, X3D), 0.799, 0.174, 0.14, 488, 75, 8.44e6),
    ("weighted-2", "integration", (MOTION, LITE), 0.806, 0.181, 0.15, 103, 31, 4.65e6),
)
CALLS = {"cascade-3": {MOTION: 1.0, LITE: 0.63, X3D: 0.27}, "cascade-2": {MOTION: 1.0, LITE: 0.58}}


def option(row: tuple) -> Option:
    """Return the option of one row above; whether it is on the front is not known yet."""
    name, family, members, value, gain, half, ms, mebibytes, parameters = row
    return Option(
        name, family, members, Estimate(value, value - 0.11, min(1.0, value + 0.09)),
        Estimate(gain, gain - half, gain + half), ms / 1000, mebibytes * 2**20, int(parameters),
        CALLS.get(name, {}), False,
    )  # fmt: skip


def ranked(options: list[Option]) -> tuple[Option, ...]:
    """Return options as `fuse` gives them: most accurate first, the front marked."""

    def beaten(one: Option) -> bool:
        return any(
            o.score.value >= one.score.value and o.seconds_per_clip <= one.seconds_per_clip
            and (o.score.value, -o.seconds_per_clip)
            != (one.score.value, -one.seconds_per_clip)
            for o in options
        )  # fmt: skip

    found = [replace(o, pareto=not beaten(o)) for o in options]
    return tuple(sorted(found, key=lambda o: (-o.score.value, o.name)))


def pairs_of(options: tuple[Option, ...], seed: int = 2, most: float = 0.2) -> tuple[Pair, ...]:
    """Return a pair for every two single models, the largest addition first."""
    draw = random.Random(seed)
    found = []
    for first, second in combinations([o for o in options if o.family == "single"], 2):
        added = draw.uniform(-0.03, most)
        half = draw.uniform(0.03, 0.12)
        oracle = min(1.0, first.score.value + draw.uniform(0.02, 0.25))
        found.append(
            Pair(first.name, second.name, draw.uniform(0.05, 0.9),
                 Estimate(oracle, oracle - 0.08, min(1.0, oracle + 0.06)),
                 draw.uniform(-0.2, 0.8), Estimate(added, added - half, added + half))
        )  # fmt: skip
    return tuple(sorted(found, key=lambda pair: -pair.added.value))


def kept_combination() -> Combination:
    """Return a combination whose fusion is kept, with a cascade and a student."""
    options = ranked([option(row) for row in (*SINGLES, *FUSIONS)])
    gain = Estimate(0.2014, 0.0361, 0.3622)
    return Combination(
        data="/data/demo/two-questions",
        classes=("pan left", "pan right", "day", "night"),
        clip_count=144,
        group_count=36,
        grouping="by recording: the column 'group' of the table",
        protocol="nested cross-validation, 5 folds of recordings; every choice is made again "
        "without the fold (chosen in the folds: stack-2, stack-2, stack-3, stack-2, cascade-2)",
        chosen="stack-2",
        verdict="Fusion kept: stack-2 of motion and efficientnet-lite0 beats the best single "
        "model, motion, by +20.1 points [+3.6, +36.2].",
        best_single=MOTION,
        fusion=Estimate(0.8264, 0.7083, 0.9097),
        gain=gain,
        proven=True,
        score=Estimate(0.8194, 0.7014, 0.9028),
        majority=Estimate(0.2778, 0.1875, 0.3889),
        options=options,
        pairs=pairs_of(options),
        student=Student(
            LITE, Estimate(0.7014, 0.59, 0.80), Estimate(0.0764, -0.06, 0.2),
            Estimate(0.38, -0.21, 0.83), 0.0842,
        ),
        failures=(
            Failure("clips/pan left/camera02_take044.mp4", "no video stream"),
            Failure("clips/day/camera05_take010.mp4", "ends after 0.1 s: moov atom not found"),
        ),
        dropped=(Failure("videomae-small", "licence CC-BY-NC-4.0 forbids commercial use"),),
        stages=(
            Stage("measure candidates", None, 6.2),
            Stage("decode and extract", 42.0, 47.9),
            Stage("compare on unseen recordings", None, 61.4),
        ),
        machine={"processor": "AMD EPYC, 2 cores, AVX2", "memory": "7.8 GiB", "graphics": "none"},
        provenance={
            "vidfit": "0.1.0", "torch": "2.13.0", "seed": "0",
            "data digest": "sha256:6f1ed002ab5595859014ebf0951522d9a3b1c1f0d3a1",
        },
        warnings=("Class 'night' has 22 clips of 6 recordings: its part is rough.",),
    )  # fmt: skip


def refused_combination(singles: int = 12) -> Combination:
    """Return a combination of many models, about 60 options, none proven to bring a gain."""
    draw = random.Random(7)
    base = kept_combination()
    names = [f"encoder-{i:02d}" + ("-with-a-long-name-1x16x4" if i % 4 == 0 else "")
             for i in range(singles)]  # fmt: skip
    times = {name: 10 ** draw.uniform(1.4, 3.1) for name in names}
    rows = [
        (name, "single", (name,), (a := 0.83 - 0.018 * i), a - 0.83, 0.03 if i else 0.0,
         times[name], 30 + 5 * i, 4e6 * (1 + i))
        for i, name in enumerate(names)
    ]  # fmt: skip
    methods = (
        ("stack", "integration"), ("average", "integration"), ("weighted", "integration"),
        ("logistic", "integration"), ("concat", "concatenation"),
        ("cascade", "complement"), ("chain", "complement"),
    )  # fmt: skip
    calls = {}
    for method, family in methods:
        for count in range(2, min(6, singles + 1)):
            members = tuple(names[:count])
            gain = draw.gauss(-0.01, 0.012)
            ms = sum(times[m] for m in members)
            name = f"{method}-{count}"
            if method == "cascade":
                calls[name] = {m: 1 / (1 + 0.8 * i) for i, m in enumerate(members)}
                ms = sum(times[m] * share for m, share in calls[name].items())
            rows.append((name, family, members, 0.83 + gain, gain, draw.uniform(0.015, 0.05), ms,
                         35 * count, 5e6 * count))  # fmt: skip
    made = [replace(option(row), calls=calls.get(row[0], {})) for row in rows]
    options = ranked(made)
    return replace(
        base, chosen=names[0], best_single=names[0], proven=False, options=options,
        verdict=f"No proven gain from fusion: use {names[0]}.",
        gain=Estimate(-0.0042, -0.0214, 0.0131), fusion=Estimate(0.8258, 0.781, 0.869),
        score=Estimate(0.83, 0.786, 0.872), pairs=pairs_of(options, most=0.03),
        clip_count=1240, group_count=212, student=None, warnings=(),
        dropped=tuple(Failure(f"unknown-{i}", "weights are missing") for i in range(30)),
    )  # fmt: skip


def single_combination() -> Combination:
    """Return a combination of one candidate, of which little was measured."""
    only = replace(
        option(SINGLES[1]), score=Estimate(0.75, NAN, NAN), gain=Estimate(0.0, 0.0, 0.0),
        pareto=True,
    )  # fmt: skip
    return replace(
        kept_combination(), chosen=LITE, best_single=LITE, fusion=None, gain=None, proven=False,
        verdict=f"{LITE} is the only candidate.", score=Estimate(0.75, NAN, NAN),
        majority=NOT_MEASURED, options=(only,), pairs=(), student=None, failures=(), dropped=(),
        stages=(), machine={}, provenance={}, warnings=(), group_count=1,
    )  # fmt: skip


def bare_combination() -> Combination:
    """Return a combination in which nothing has an interval or a cost."""
    base = kept_combination()
    value = Estimate(0.7, NAN, NAN)
    options = tuple(
        replace(o, score=value if i % 2 else NOT_MEASURED, gain=NOT_MEASURED,
                seconds_per_clip=NAN, memory_bytes=0, pareto=False)
        for i, o in enumerate(base.options)
    )  # fmt: skip
    pairs = tuple(
        replace(p, agreement=NAN, oracle=NOT_MEASURED, error_correlation=NAN, added=value)
        for p in base.pairs
    )
    return replace(
        base, options=options, pairs=pairs, fusion=NOT_MEASURED, gain=Estimate(0.02, NAN, NAN),
        proven=False, chosen=MOTION, score=value, majority=NOT_MEASURED,
        student=Student(LITE, NOT_MEASURED, NOT_MEASURED, None, NAN),
    )  # fmt: skip


def hostile_combination() -> Combination:
    """Return a combination whose names try to leave their places."""
    script, quote = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'
    base = kept_combination()
    names = {MOTION: script, LITE: quote, "stack-2": f"{quote}-2"}

    def renamed(name: str) -> str:
        return names.get(name, name)

    options = tuple(
        replace(o, name=renamed(o.name), members=tuple(map(renamed, o.members)),
                calls={renamed(k): v for k, v in o.calls.items()})
        for o in base.options
    )  # fmt: skip
    pairs = tuple(replace(p, first=renamed(p.first), second=renamed(p.second)) for p in base.pairs)
    return replace(
        base, data=f"/data/{quote}", chosen=f"{quote}-2", verdict=f"</style>{script}",
        best_single=script, options=options, pairs=pairs, grouping=quote, protocol=script,
        student=replace(base.student, name=quote), dropped=(Failure(script, quote),),
        failures=(Failure(quote, script),), warnings=(script,), stages=(Stage(script, 1.0, 2.0),),
        machine={script: quote}, provenance={quote: "{{ 7 * 7 }}"},
    )  # fmt: skip
