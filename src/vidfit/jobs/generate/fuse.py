"""Whether generators that were fitted apart draw better together: a pool, each with its share.

Half of the clips choose the shares and whether the pool is kept; the other half judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Estimate
from vidfit.errors import VidfitError
from vidfit.files import claimed, write_whole
from vidfit.jobs.generate.chain import DRAWS, Measuring, verdict
from vidfit.jobs.generate.makers import SHEET, SHOWN
from vidfit.jobs.generate.material import cut_clips, halves
from vidfit.jobs.generate.options import GenerateOptions
from vidfit.jobs.generate.value import GeneratorPool, PooledGenerator
from vidfit.jobs.generate.written import REPORT, pool_facts
from vidfit.metrics.generated import Points
from vidfit.pixels.generate.bank import ClipBank
from vidfit.pixels.generate.kept import SavedGenerator, load_generator, save_generator
from vidfit.pixels.generate.looks import DrawnScores, RealClips, gained, scored
from vidfit.pixels.generate.members import ClipDrawer, SharedPool, drawn_labels
from vidfit.pixels.generate.shares import shares_of
from vidfit.pixels.generate.sheet import contact_sheet
from vidfit.pixels.generate.sizes import ClipSizes
from vidfit.progress import SILENT, Progress
from vidfit.report.data import json_text
from vidfit.runtime import malloc

FORMAT = "vidfit.pool/1"
NAME = "pool"

_TO_SHARE, _TO_KEEP, _TO_JUDGE = 3_000, 4_000, 5_000
"""Seeds from which on clips are drawn for each."""


def run_fuse_generators(
    models: Sequence[Path],
    clips: str | Path,
    output: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> GeneratorPool:
    """Pool generators; keep the pool only where it is nearer than the best, and covers no less.

    ``output`` gets ``model/``, the pool or the best of the generators, ``report.json`` and
    ``samples.png``.

    Parameters
    ----------
    models
        Folders of models that draw clips of one size and of the same classes.
    clips
        Folder or list of clips that none of them learned from.

    Raises
    ------
    ManifestError
        If the clips' list cannot be understood.
    ModelError
        If a model cannot be read or written.
    NotEnoughDataError
        If there are too few clips, or all look the same.
    StoreError
        If the output cannot be written.
    VidfitError
        If there is one model only, one twice, or two do not go together.
    """
    progress = progress or SILENT
    names, generators = _loaded(models)
    sizes = _common(names, generators)
    with claimed(output):
        options = GenerateOptions(
            side=sizes.side, frames=sizes.frames, interval_seconds=1 / sizes.fps, seed=seed
        )
        cut = cut_clips(clips, output, options, progress)
        choosing, judging = halves(cut.bank, seed)
        malloc.tune()
        drawers = [one.drawer for one in generators]
        trial = _PoolTrial(names, drawers, sizes, seed, Measuring(choosing))
        shared = _shared(trial, choosing.groups)
        judged = _judged(trial, shared, judging)
        found = GeneratorPool(
            data=str(clips),
            encoder=trial.measuring.looks.name,
            choosing=len(choosing),
            judging=len(judging),
            members=tuple(map(PooledGenerator, names, shared.shares, shared.alone, judged.alone)),
            best=names[shared.best],
            kept=shared.kept,
            why=shared.why,
            pool_choosing=shared.pooled,
            pool_judging=judged.pooled,
            lead=judged.lead,
            failures=cut.failures,
            notes=cut.notes,
        )
        _write(found, shared.pool if shared.kept else drawers[shared.best], sizes, output)
    return found


@dataclass(frozen=True, eq=False)
class _PoolTrial:
    """Generators that are tried, and what places the clips that they draw."""

    names: Sequence[str]
    drawers: Sequence[ClipDrawer]
    sizes: ClipSizes
    seed: int
    measuring: Measuring

    def draws(self, drawer: ClipDrawer, count: int, seed: int) -> list[Points]:
        """Return points of sets of clips."""
        seeds = [10_000 * self.seed + seed + draw for draw in range(DRAWS)]
        return [
            self.measuring.place(drawer.draw(drawn_labels(count, self.sizes, s), s)) for s in seeds
        ]


@dataclass(frozen=True, eq=False)
class _SharedOut:
    """The shares, and whether the pool is kept; scores are on the clips that choose.

    ``pooled`` is ``None`` where no generator but the best has a share.
    """

    alone: Sequence[DrawnScores]
    best: int
    shares: Sequence[float]
    pool: SharedPool
    pooled: DrawnScores | None
    kept: bool
    why: str


def _shared(trial: _PoolTrial, groups: tuple[str, ...]) -> _SharedOut:
    """Choose the shares on the clips that choose, then hold the pool against the best alone."""
    real, count = RealClips(trial.measuring.learned_ND, groups), len(groups)
    draws = [trial.draws(drawer, count, _TO_SHARE) for drawer in trial.drawers]
    alone = [scored(real, points) for points in draws]
    best = int(np.argmin([of.distance.value for of in alone]))
    shares = shares_of(real.points_ND, [points[0] for points in draws], best)
    pool = SharedPool(NAME, trial.sizes, *_with_share(trial.drawers, shares))
    name = trial.names[best]
    if len(pool.members) < 2:
        why = f"no share of another brings {name} nearer"
        return _SharedOut(alone, best, shares, pool, None, kept=False, why=why)
    of_best = scored(real, trial.draws(trial.drawers[best], count, _TO_KEEP))
    pooled = scored(real, trial.draws(pool, count, _TO_KEEP))
    return _SharedOut(alone, best, shares, pool, pooled, *verdict(pooled, of_best, name))


@dataclass(frozen=True)
class _PoolJudged:
    """Scores on the clips that judge, and how much nearer the pool lies than the best alone."""

    alone: Sequence[DrawnScores]
    pooled: DrawnScores | None
    lead: Estimate


def _judged(trial: _PoolTrial, shared: _SharedOut, judging: ClipBank) -> _PoolJudged:
    real = trial.measuring.real(judging)
    draws = [trial.draws(drawer, len(judging), _TO_JUDGE) for drawer in trial.drawers]
    alone = [scored(real, points) for points in draws]
    if shared.pooled is None:
        return _PoolJudged(alone, None, Estimate(0.0, 0.0, 0.0))
    drawn = trial.draws(shared.pool, len(judging), _TO_JUDGE)
    return _PoolJudged(alone, scored(real, drawn), gained(real, drawn, draws[shared.best]))


def _write(found: GeneratorPool, result: ClipDrawer, sizes: ClipSizes, output: Path) -> None:
    facts = pool_facts(found)
    save_generator(result, sizes, {"report": facts}, output / "model")
    shown = result.draw(drawn_labels(SHOWN, sizes, 0), 0)
    write_whole(output / SHEET, contact_sheet(shown))
    write_whole(output / REPORT, json_text({"format": FORMAT, **facts}).encode())


def _loaded(models: Sequence[Path]) -> tuple[list[str], list[SavedGenerator]]:
    """Read generators, of which there are two or more."""
    names = [str(model) for model in models]
    if len(models) < 2:
        raise VidfitError(
            f"{len(models)} generator cannot be pooled; give the model folders of two or more"
        )
    places = [Path(model).resolve() for model in models]
    for name, place in zip(names, places, strict=True):
        if places.count(place) > 1:
            raise VidfitError(f"{name} is given twice; give each generator once")
    return names, [load_generator(model) for model in models]


def _common(names: Sequence[str], generators: Sequence[SavedGenerator]) -> ClipSizes:
    """Return the sizes of all, with their mean share of each class."""
    first = generators[0].sizes
    for name, one in zip(names, generators, strict=True):
        if replace(one.sizes, shares=first.shares) != first:
            raise VidfitError(
                f"{name} draws {_told(one.sizes)}, {names[0]} {_told(first)}; generators of one "
                "pool draw clips of one size and of the same classes"
            )
    shares = np.mean([one.sizes.shares for one in generators], axis=0)
    return replace(first, shares=tuple(float(share) for share in shares))


def _told(sizes: ClipSizes) -> str:
    classes = f"of classes {', '.join(sizes.classes)}" if sizes.classes else "without classes"
    return f"{sizes.frames} frames of {sizes.side} x {sizes.side} at {sizes.fps:g} fps {classes}"


def _with_share(
    drawers: Sequence[ClipDrawer], shares: Sequence[float]
) -> tuple[list[ClipDrawer], list[float]]:
    """Return those that have a share; a pool's members take its place."""
    members, own = list[ClipDrawer](), list[float]()
    for drawer, share in zip(drawers, shares, strict=True):
        if not isinstance(drawer, SharedPool):
            members, own = [*members, drawer], [*own, share]
            continue
        members += drawer.members
        own += [share * part for part in drawer.shares]
    some = [place for place, share in enumerate(own) if share > 0]
    return [members[place] for place in some], [own[place] for place in some]
