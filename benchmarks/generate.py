"""Clips that are drawn: what a flow prior and a combination are worth, and whether they copy.

Real clips of 32 x 32 pixels, 8 frames. A VAE and a flow over its latents take 250 seconds of the
processor together, and the VAE alone as many; the rest of the combination costs what `vidfit fit
--task generate` gives it beside. All ways to draw are chosen between on some held-back clips, and
judged here on others. The intervals are over recordings.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, load, table
from vidfit.contracts import Estimate
from vidfit.jobs.generate.chain import (
    JUDGING,
    VAE,
    WITH_FLOW,
    Measuring,
    StageChain,
    combine,
    members_of,
)
from vidfit.jobs.generate.makers import LONGER, Makers
from vidfit.jobs.generate.material import GeneratorClips, read_material
from vidfit.jobs.generate.options import GenerateOptions
from vidfit.jobs.generate.run import real_draws
from vidfit.jobs.generate.terminal import spoken
from vidfit.pixels.generate.looks import DrawnScores, RealClips, gained, scored
from vidfit.pixels.generate.members import drawn_labels
from vidfit.pixels.generate.nearest import nearest_learned
from vidfit.pixels.generate.sheet import contact_sheet
from vidfit.progress import SILENT

DATA = Path(__file__).parents[2] / "shared" / "data"
SETS = {"fights": DATA / "fight_surv", "drones": DATA / "drone_ir" / "labels.csv"}
FLOW_SECONDS, QUICK_SECONDS = 250.0, 3.0
"""Of the VAE and its flow, and of the VAE alone."""

LEAST_CUT = 0.30


def main() -> None:
    options = _options()
    start = environment()
    print(f"{start['machine']['processor']}, {start['load']}")
    seconds = QUICK_SECONDS if options.quick else options.cpu_seconds
    rows = []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(_seed(options, Path(folder), seconds, seed))
        _show(rows[-1])
    headline, met = _headline(rows, seconds)
    finish(options, {"seeds": rows}, start, headline, met=met)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--data", choices=SETS, default="fights", help="clips (fights)")
    parser.add_argument("--seeds", type=int, default=1, help="runs; each takes 25 CPU minutes (1)")
    parser.add_argument(
        "--cpu-seconds", type=float, default=FLOW_SECONDS, help="of VAE and flow together (250)"
    )
    parser.add_argument("--sheets", type=Path, metavar="FOLDER", help="write contact sheets here")
    return parser.parse_args()


def _seed(options: argparse.Namespace, folder: Path, seconds: float, seed: int) -> dict[str, Any]:
    """Learn everything once and judge each way to draw."""
    asked = GenerateOptions(
        cpu_seconds=seconds / LONGER, seed=seed, windows=1 if options.quick else 4
    )
    source = _some(folder / "clips") if options.quick else SETS[options.data]
    material = read_material(source, folder, asked, SILENT)
    measuring = Measuring(material.learned)
    makers = Makers(material, asked)
    chain = StageChain(makers, measuring, measuring.real(material.choosing))
    members_of(makers, chain)
    combine(makers, chain)
    real = measuring.real(material.judging)
    count = len(real.groups)
    drawn = {n: measuring.draws(d, count, makers, JUDGING) for n, d in chain.drawers.items()}
    scores = {name: scored(real, points) for name, points in drawn.items()}
    scores["real clips learned from"] = scored(real, real_draws(measuring.learned_ND, count, seed))
    best = min((s for s in chain.stages if "critic" not in s.name), key=_chosen_by).name
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


def _some(folder: Path) -> Path:
    """Return a folder of each fourth clip of the fights, in the order of their names."""
    for path in sorted(SETS["fights"].rglob("*.mp4"))[::4]:
        place = folder / path.parent.name / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
    return folder


def _chosen_by(stage: Any) -> float:
    return float(stage.choosing.distance.value)


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
    print(f"least distances {least}, medians {median} (drawn, held back)", flush=True)


def _interval(of: dict[str, float]) -> str:
    return spoken(Estimate(of["distance"], of["low"], of["high"]))


def _headline(rows: Sequence[dict[str, Any]], seconds: float) -> tuple[str, bool]:
    vae, flow = ([r["judging"][name] for r in rows] for name in (VAE, WITH_FLOW))
    cut = 1 - np.mean([f["distance"] for f in flow]) / np.mean([v["distance"] for v in vae])
    recall = np.mean([f["recall"] - v["recall"] for f, v in zip(flow, vae, strict=True)])
    worse = sum(row["result over best member"][0] < 0 for row in rows)
    copied = max(row["copies"]["nearer than any held back"] for row in rows)
    return (
        f"at {seconds:.0f} CPU seconds each the flow prior cuts the VAE's distance by {cut:.0%} "
        f"(bar {LEAST_CUT:.0%}), recall {recall:+.3f} (bar 0); the combination is worse than its "
        f"best member in {worse} of {len(rows)} seeds (bar 0); {copied:.1%} of drawn clips nearer "
        "to one learned from than any held back (bar 0)"
    ), bool(cut >= LEAST_CUT and recall >= 0 and not worse and not copied)


if __name__ == "__main__":
    main()
