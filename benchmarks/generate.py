"""Clips that are drawn: what a flow prior and a pool are worth, and whether they copy.

Clips of 8 frames: one moving digit of 24 x 24 pixels, or real footage of 32 x 32. What draws alone
takes 250 seconds of the processor: the VAE, the VAE and a flow over its latents, the GPT. All ways
to draw are chosen between on some held-back clips, and judged here on others. Digits are of other
hands in each part; real clips are of the same recordings, over which the intervals are. Of digits
the material is the same for each seed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._digit_clips import digit_clips
from benchmarks._harness import arguments, environment, finish, load, table
from vidfit.contracts import Estimate
from vidfit.documents import read_json
from vidfit.jobs.generate.chain import (
    DRAWS,
    JUDGING,
    POOL,
    VAE,
    WITH_FLOW,
    Measuring,
    StageChain,
    combine,
    members_of,
)
from vidfit.jobs.generate.makers import TOKENS, Makers
from vidfit.jobs.generate.material import GeneratorClips, read_material
from vidfit.jobs.generate.options import GenerateOptions
from vidfit.jobs.generate.run import real_draws
from vidfit.jobs.generate.terminal import spoken
from vidfit.pixels.generate.looks import DrawnScores, RealClips, gained, scored
from vidfit.pixels.generate.members import drawn_labels
from vidfit.pixels.generate.nearest import nearest_learned
from vidfit.pixels.generate.sheet import contact_sheet
from vidfit.pixels.generate.sizes import ClipSizes
from vidfit.progress import SILENT, Silent
from vidfit.runtime import malloc

DATA = Path(__file__).parents[2] / "shared" / "data"
DIGITS = "digits"
SETS = {"fights": DATA / "fight_surv", "drones": DATA / "drone_ir" / "labels.csv"}
ALONE_SECONDS, QUICK_SECONDS = 250.0, 3.0
"""Of each that draws alone."""

DIGIT_SIDE = 24

LEAST_CUT = 0.30


def main() -> None:
    options = _options()
    start = environment()
    print(f"{start['machine']['processor']}, {start['load']}")
    malloc.tune()
    seconds = QUICK_SECONDS if options.quick else options.cpu_seconds
    rows = [row for path in options.earlier for row in read_json(path)["figures"]["seeds"]]
    measuring = None
    for seed in range(options.first, options.first + options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            asked = GenerateOptions(
                cpu_seconds=seconds / TOKENS, seed=seed, windows=1 if options.quick else 4
            )
            material = _material(options, Path(folder), asked)
            if measuring is None or options.data != DIGITS:
                measuring = Measuring(material.learned)
            rows.append(_seed(options, material, measuring, asked))
        _show(rows[-1])
    headline, met = _headline(rows, seconds)
    finish(options, {"seeds": rows}, start, headline, met=met)


def _material(options: argparse.Namespace, folder: Path, asked: GenerateOptions) -> GeneratorClips:
    if options.data == DIGITS:
        sizes = ClipSizes(side=DIGIT_SIDE)
        return digit_clips(sizes, 200, 60) if options.quick else digit_clips(sizes)
    source = _some(folder / "clips") if options.quick else SETS[options.data]
    return read_material(source, folder, asked, SILENT)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--data", choices=(DIGITS, *SETS), default=DIGITS, help=f"clips ({DIGITS})")
    parser.add_argument("--seeds", type=int, default=10, help="runs; each takes 13 CPU minutes")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="first seed (0)")
    parser.add_argument(
        "--cpu-seconds", type=float, default=ALONE_SECONDS, help="of each that draws alone (250)"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="checkpoints, from which the same run goes on"
    )
    parser.add_argument(
        "--earlier", type=Path, nargs="*", default=(), metavar="JSON",
        help="what --json wrote of other seeds, in the same table; with --seeds 0 of these alone",
    )  # fmt: skip
    parser.add_argument("--sheets", type=Path, metavar="FOLDER", help="write contact sheets here")
    return parser.parse_args()


def _seed(
    options: argparse.Namespace,
    material: GeneratorClips,
    measuring: Measuring,
    asked: GenerateOptions,
) -> dict[str, Any]:
    """Learn everything once and judge each way to draw."""
    seed = asked.seed
    kept = options.keep / f"{options.data}-{seed}" if options.keep else None
    makers = Makers(material, asked, kept, progress=_Told())
    chain = StageChain(makers, measuring, measuring.real(material.choosing))
    members_of(makers, chain)
    combine(chain)
    real = measuring.real(material.judging)
    count = len(real.groups)
    drawn = {n: measuring.draws(d, count, makers, JUDGING) for n, d in chain.drawers.items()}
    scores = {name: scored(real, points) for name, points in drawn.items()}
    scores["real clips learned from"] = scored(real, real_draws(measuring.learned_ND, count, seed))
    alone = [s for s in chain.stages if s.name != POOL]
    best = min(alone, key=lambda s: s.choosing.distance.value).name
    near, _ = nearest_learned(
        measuring.learned_ND, material.learned.names, np.concatenate(drawn[chain.best]),
        real.points_ND,
    )  # fmt: skip
    _sheets(options, chain, material, seed)
    return {
        "seed": seed,
        "clips": [len(material.learned), len(material.choosing), count],
        "choosing": {s.name: _plain(s.choosing) for s in chain.stages},
        "kept": [s.name for s in chain.stages if s.kept],
        "seconds": {s.name: s.cpu_seconds for s in chain.stages},
        "judging": {name: _plain(of) for name, of in scores.items()},
        "asked class": _as_asked(measuring, material, drawn, real, seed),
        "result": chain.best,
        "best member": best,
        "flow over VAE": _lead(real, drawn, WITH_FLOW, VAE),
        "result over best member": _lead(real, drawn, chain.best, best),
        "copies": {
            "nearer than any held back": near.nearer,
            "least": [near.least_drawn, near.least_held_back],
            "median": [near.drawn, near.held_back],
        },
    }


class _Told(Silent):
    """Prints what became of each stage as it ends."""

    def note(self, text: str) -> None:
        """Print all but the steps of training."""
        if not text.startswith("step "):
            print(text, flush=True)


def _as_asked(
    measuring: Measuring,
    material: GeneratorClips,
    drawn: dict[str, list[Any]],
    real: RealClips,
    seed: int,
) -> dict[str, float]:
    """Return what share of clips a probe of the encoder gives the class that was asked for."""
    if len(material.sizes.classes) < 2:
        return {}
    from sklearn.linear_model import RidgeClassifier

    probe = RidgeClassifier(alpha=100.0).fit(measuring.learned_ND, material.learned.labels_N)
    seeds = [10_000 * seed + JUDGING + draw for draw in range(DRAWS)]
    labels = np.concatenate([drawn_labels(len(real.groups), material.sizes, s) for s in seeds])
    found = {n: float(probe.score(np.concatenate(p), labels)) for n, p in drawn.items()}
    return {**found, "real": float(probe.score(real.points_ND, material.judging.labels_N))}


def _some(folder: Path) -> Path:
    """Return a folder of each fourth clip of the fights, in the order of their names."""
    for path in sorted(SETS["fights"].rglob("*.mp4"))[::4]:
        place = folder / path.parent.name / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
    return folder


def _plain(of: DrawnScores) -> dict[str, float]:
    m = of.manifolds
    return {
        "distance": of.distance.value, "low": of.distance.low, "high": of.distance.high,
        "precision": m.precision, "recall": m.recall, "density": m.density,
        "coverage": m.coverage,
    }  # fmt: skip


def _lead(real: RealClips, drawn: dict[str, list[Any]], one: str, other: str) -> list[float]:
    if one == other:
        return [0.0, 0.0, 0.0]
    lead = gained(real, drawn[one], drawn[other])
    return [lead.value, lead.low, lead.high]


def _sheets(
    options: argparse.Namespace, chain: StageChain, material: GeneratorClips, seed: int
) -> None:
    """Write what each way draws, and real clips, to be looked at."""
    if options.sheets is None:
        return
    options.sheets.mkdir(parents=True, exist_ok=True)
    labels = drawn_labels(16, material.sizes, 0)
    shown = {name: drawer.draw(labels, 0) for name, drawer in chain.drawers.items()}
    shown["real"] = material.learned.frames_NTSSC[:: max(1, len(material.learned) // 16)][:16]
    for name, clips in shown.items():
        place = f"{options.data}-{seed}-{name.replace(' ', '-')}.png"
        (options.sheets / place).write_bytes(contact_sheet(clips))


def _show(row: dict[str, Any]) -> None:
    print(f"\nseed {row['seed']}: {row['clips']} windows learned from, choosing, judging; {load()}")
    rows = []
    for name, of in row["judging"].items():
        chosen = row["choosing"].get(name)
        rows.append(
            [name, f"{row['seconds'][name]:.0f}" if chosen else "",
             f"{chosen['distance']:.1f}" if chosen else "",
             f"{chosen['recall']:.2f}" if chosen else "", _interval(of),
             *(f"{of[key]:.2f}" for key in ("precision", "recall", "density", "coverage")),
             "yes" if name in row["kept"] else ""]
        )  # fmt: skip
    table(
        ["drawn by", "CPU s", "choosing", "recall", "judging: distance", "precision", "recall",
         "density", "coverage", "kept"],
        rows,
    )  # fmt: skip
    lead = row["result over best member"]
    print(
        f"result: {row['result']}; over {row['best member']}, the best member: nearer by "
        f"{spoken(Estimate(*lead))}; flow over VAE: nearer by "
        f"{spoken(Estimate(*row['flow over VAE']))}"
    )
    copies = row["copies"]
    least, median = ([f"{value:.2f}" for value in copies[key]] for key in ("least", "median"))
    nearer = copies["nearer than any held back"]
    print(f"nearer to a clip learned from than any held back: {nearer:.1%} of the drawn")
    if asked := row["asked class"]:
        told = ", ".join(f"{name} {share:.0%}" for name, share in asked.items())
        print(f"of the class that was asked for, by a probe: {told}")
    print(f"least distances {least}, medians {median} (drawn, held back)", flush=True)


def _interval(of: dict[str, float]) -> str:
    return spoken(Estimate(of["distance"], of["low"], of["high"]))


def _headline(rows: Sequence[dict[str, Any]], seconds: float) -> tuple[str, bool]:
    vae, flow = ([r["judging"][name] for r in rows] for name in (VAE, WITH_FLOW))
    cuts = [1 - f["distance"] / v["distance"] for f, v in zip(flow, vae, strict=True)]
    recall = np.mean([f["recall"] - v["recall"] for f, v in zip(flow, vae, strict=True)])
    worse = sum(row["result over best member"][0] < 0 for row in rows)
    copied = max(row["copies"]["nearer than any held back"] for row in rows)
    _show_all(rows)
    return (
        f"at {seconds:.0f} CPU seconds each the flow prior cuts the VAE's distance by "
        f"{np.mean(cuts):.0%} ({min(cuts):.0%} to {max(cuts):.0%}; bar {LEAST_CUT:.0%}), recall "
        f"{recall:+.3f} (bar 0); the combination is worse than its best member in {worse} of "
        f"{len(rows)} seeds (bar 0); up to {copied:.1%} of drawn clips nearer to one learned from "
        "than any held back (bar 0)"
    ), bool(np.mean(cuts) >= LEAST_CUT and recall >= 0 and not worse and not copied)


def _show_all(rows: Sequence[dict[str, Any]]) -> None:
    """Print the mean over seeds, with its 95 % interval by Student's t."""
    from scipy.stats import t

    names = list(dict.fromkeys(name for row in rows for name in row["judging"]))
    lines = []
    for name in names:
        found = [row["judging"][name] for row in rows if name in row["judging"]]
        cells = []
        for key, digits in (("distance", 1), ("precision", 2), ("recall", 3), ("coverage", 2)):
            values = [one[key] for one in found]
            wide = 0.0
            if len(values) > 1:
                wide = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
            cells.append(f"{np.mean(values):.{digits}f} ± {wide:.{digits}f}")
        lines.append([name, str(len(found)), *cells])
    print(f"\nover {len(rows)} seeds:")
    table(["drawn by", "seeds", "distance", "precision", "recall", "coverage"], lines)


if __name__ == "__main__":
    main()
