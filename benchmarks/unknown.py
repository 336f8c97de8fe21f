"""What is declined of classes never seen, of other footage, and of clips of known classes.

Each task's recordings are dealt to folds. For every class in turn, and every fold, a probe learns
from the other classes of the other folds: AUROC of each score (`benchmarks._novelty`) for clips of
the new class against clips of known ones, all of recordings that it has not seen; beside it for
clips of other tasks. Then each half of the recordings is fitted as `vidfit fit` does, and the other
half answered: what is declined there stands beside what the fit predicted.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._novelty import DISTANCE, PROBABILITY, Scored
from benchmarks._study import CACHE, load_networks
from benchmarks._tasks import build
from vidfit.contracts import Clip, Cost, Estimate
from vidfit.evaluate import USUAL, HeldOut, Thresholds, auroc
from vidfit.features import FeatureStore
from vidfit.launch import Here
from vidfit.manifest import grouped_folds, read_manifest
from vidfit.metrics import probabilities, share_interval
from vidfit.progress import SILENT
from vidfit.selection import Contender, Terms, fit_contenders
from vidfit.study.compare import model_of
from vidfit.study.declining import declines_of
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table

DATA = SURVEILLANCE.parent
TASKS = ("drone", "demo", "rotation")
FIGHTS, CEILING = "fights", "ceiling"
"""Of two classes, and of three people: other footage only."""

ENCODERS = ("motion", "efficientnet-lite0@4", "efficientnet-lite1@4")
QUICK_TASKS, QUICK_ENCODERS, QUICK_CLIPS = ("drone",), ("efficientnet-lite0@4",), 60
STATED = USUAL.confidence + USUAL.novelty

Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    tables = _tables(options)
    names = [name for name in TASKS if name in tables]
    encoders = QUICK_ENCODERS if options.quick else ENCODERS
    figures: dict[str, Figures] = {}
    for name in names:
        for encoder in encoders:
            others = {o: t for o, t in tables.items() if _is_other(o, name)}
            found = _measured(tables[name].only([encoder]), encoder, others)
            figures[f"{name}, {encoder}"] = found
            print(f"  {name}, {encoder}: done")
    _show(figures)
    _finish(options, figures, start)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of tasks and features")
    return parser.parse_args()


def _is_other(other: str, task: str) -> bool:
    """Whether a task is other footage: rotated clips are the surveillance clips."""
    return other != task and {other, task} != {"rotation", FIGHTS}


def _tables(options: argparse.Namespace) -> dict[str, Table]:
    """Return the clips of each task with the vectors of each encoder."""
    networks, absent = load_networks(QUICK_ENCODERS if options.quick else ENCODERS)
    if absent:
        raise SystemExit(f"networks are missing: {absent}")
    store = FeatureStore(options.cache / "features")
    names = (*QUICK_TASKS, FIGHTS) if options.quick else (*TASKS, CEILING, FIGHTS)
    found = {}
    for name in names:
        clips = _clips(name, options.cache)
        if options.quick and name == FIGHTS:
            clips = [clips[i] for i in np.linspace(0, len(clips) - 1, QUICK_CLIPS).astype(int)]
        whole, tally = build_table(clips, networks, store, Here(2), SILENT)
        if tally.clips:
            raise SystemExit(f"{name}: unreadable clips: {tally.clips}")
        found[name] = whole
        print(f"{name}: {len(whole.clips)} clips, {len(set(whole.groups))} recordings")
    return found


def _clips(name: str, cache: Path) -> Sequence[Clip]:
    if name == "drone":
        return [
            Clip(str(DATA / "drone_ir" / row["path"]), label=row["label"], group=row["scene"])
            for row in _rows(DATA / "drone_ir" / "labels.csv")
        ]
    if name == CEILING:
        return [
            Clip(str(DATA / "fir_ceiling" / row["path"]), float(row["start_s"]),
                 float(row["end_s"]), row["label"], row["group"])
            for row in _rows(DATA / "fir_ceiling" / "segments.csv")
        ]  # fmt: skip
    if name == FIGHTS:
        return read_manifest(SURVEILLANCE).clips
    return read_manifest(build(name, cache / name)).clips


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _measured(task: Table, encoder: str, others: dict[str, Table]) -> Figures:
    """Return the figures of one task as one encoder sees it."""
    folds_M = _folds(task)
    asked = {o: t.vectors[encoder] for o, t in others.items()}
    scored = Scored.of(task.vectors[encoder], task.labels_M, folds_M)
    new, other = _new(scored, folds_M), _other(scored, folds_M, asked)
    halves = [_half(task, half_M, encoder, others) for half_M in _halves(task)]
    known = np.concatenate([one["known"] for one in halves])
    groups = [group for one in halves for group in one["groups"]]
    unseen = np.concatenate([one["new"] for one in halves])
    return {
        "clips": len(task.clips),
        "new": new,
        "other": other,
        "known declined": share_interval(known, groups),
        "known predicted": [one["predicted"].known.value for one in halves],
        "new declined": float(unseen.mean()),
        "new predicted": [one["predicted"].new.value for one in halves],
        "other declined": float(np.mean([one["other"] for one in halves])),
        "accuracy": float(np.mean([one["accuracy"] for one in halves])),
    }


def _folds(task: Table) -> NDArray[np.int64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # fewer folds than asked for
        return grouped_folds([str(k) for k in task.labels_M], task.groups, folds=5, seed=0)


def _halves(task: Table) -> list[NDArray[np.bool_]]:
    """Return two halves of the recordings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        half_M = grouped_folds([str(k) for k in task.labels_M], task.groups, folds=2, seed=0)
    return [half_M == 0, half_M == 1]


def _new(scored: Scored, folds_M: NDArray[np.int64]) -> dict[str, float]:
    """Return by score the mean over classes of the AUROC for clips of a class left out."""
    each: dict[str, list[float]] = {}
    for label in np.unique(scored.labels_M):
        new_M = scored.labels_M == label
        found: dict[str, np.ndarray] = {}
        for fold in np.unique(folds_M):
            test_M = folds_M == fold
            answers = scored.scores(~test_M & ~new_M, scored.vectors_MD[test_M])
            for name, score_Q in answers.items():
                found.setdefault(name, np.zeros(len(folds_M)))[test_M] = score_Q
        for name, score_M in found.items():
            each.setdefault(name, []).append(auroc(score_M[~new_M], score_M[new_M]))
    return {name: float(np.mean(values)) for name, values in each.items()}


def _other(
    scored: Scored, folds_M: NDArray[np.int64], asked: dict[str, np.ndarray]
) -> dict[str, float]:
    """Return by score the mean over other tasks of the AUROC for their clips."""
    known: dict[str, np.ndarray] = {}
    for fold in np.unique(folds_M):
        test_M = folds_M == fold
        for name, score_Q in scored.scores(~test_M, scored.vectors_MD[test_M]).items():
            known.setdefault(name, np.zeros(len(folds_M)))[test_M] = score_Q
    everyone_M = np.ones(len(folds_M), np.bool_)
    others = [scored.scores(everyone_M, vectors_QD) for vectors_QD in asked.values()]
    return {
        name: float(np.mean([auroc(score_M, one[name]) for one in others]))
        for name, score_M in known.items()
    }


def _half(
    task: Table, learn_M: NDArray[np.bool_], encoder: str, others: dict[str, Table]
) -> Figures:
    """Fit on half of the recordings as `vidfit fit` does, and ask about the others."""
    learn, test = task.where(learn_M), task.where(~learn_M)
    fitted, limits, temperature, predicted = _fitted(learn)
    asked = _held(fitted, test.vectors[encoder], temperature)
    hits_M = fitted.log_probabilities(test.rows).argmax(axis=1) == test.labels_M
    new = []
    for label in range(len(task.classes)):
        kept = [name for k, name in enumerate(task.classes) if k != label]
        without, bounds, heat, _ = _fitted(learn.of_classes(kept), predict=False)
        clips_MD = test.vectors[encoder][test.labels_M == label]
        new.append(bounds.declined(_held(without, clips_MD, heat)))
    return {
        "known": limits.declined(asked),
        "groups": test.groups,
        "new": np.concatenate(new),
        "other": np.mean(
            [
                limits.declined(_held(fitted, t.vectors[encoder], temperature)).mean()
                for t in others.values()
            ]
        ),
        "predicted": predicted,
        "accuracy": float(hits_M.mean()),
    }


def _fitted(learn: Table, *, predict: bool = True) -> tuple[Contender, Thresholds, float, Any]:
    """Return a probe with thresholds and temperature, and what the fit predicts it to decline."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        folds_M = Folds(learn.classes).to_choose(learn.labels_M, learn.groups, 0)
    terms = Terms(dict.fromkeys(learn.vectors, Cost(0.0, 0.0)), ())
    (fitted,) = fit_contenders(learn.rows, folds_M, terms)
    model = model_of(fitted, folds_M, learn)
    predicted = declines_of(fitted, folds_M, learn) if predict else None
    limits = Thresholds(model.unknown_probability, model.unknown_novelty)
    return fitted, limits, model.temperature, predicted


def _held(fitted: Contender, vectors_MD: np.ndarray, temperature: float) -> HeldOut:
    answers_MK = probabilities(fitted.fitted.log_probabilities([vectors_MD]), temperature)
    return HeldOut(answers_MK.max(axis=1), fitted.fitted.novelty([vectors_MD]))


def _show(figures: dict[str, Figures]) -> None:
    scores = list(next(iter(figures.values()))["new"])
    for key, title in (("new", "AUROC, class never seen"), ("other", "AUROC, other footage")):
        rows = [(name, *(f"{f[key][s]:.2f}" for s in scores)) for name, f in figures.items()]
        mean = ("mean", *(f"{_mean(figures, key, s):.2f}" for s in scores))
        table((title, *scores), [*rows, mean])
        print()
    headers = ("declined by half-fits", "accuracy", "known", "fit predicts", "class never seen",
               "fit predicts", "other footage")  # fmt: skip
    table(
        headers,
        [
            (
                name,
                f"{f['accuracy']:.1%}",
                _interval(f["known declined"]),
                f"{np.mean(f['known predicted']):.1%}",
                f"{f['new declined']:.1%}",
                f"{np.mean(f['new predicted']):.1%}",
                f"{f['other declined']:.1%}",
            )
            for name, f in figures.items()
        ],
    )
    print()


def _interval(share: Estimate) -> str:
    return f"{share.value:.1%} [{share.low:.1%}, {share.high:.1%}]"


def _mean(figures: dict[str, Figures], key: str, score: str) -> float:
    return float(np.mean([f[key][score] for f in figures.values()]))


def _finish(options: argparse.Namespace, figures: dict[str, Figures], start: Figures) -> None:
    above = [name for name, f in figures.items() if f["known declined"].low > STATED]
    new, other = (
        {score: _mean(figures, key, score) for score in (PROBABILITY, DISTANCE)}
        for key in ("new", "other")
    )
    known = float(np.mean([f["known declined"].value for f in figures.values()]))
    unseen = float(np.mean([f["new declined"] for f in figures.values()]))
    headline = (
        f"known clips declined: {known:.1%} on average, proven above {STATED:.0%} in "
        f"{len(above)} of {len(figures)} (bar 0); AUROC of probability for a class never seen "
        f"{new[PROBABILITY]:.2f} (bar {new[DISTANCE]:.2f}, that of distance), of distance for "
        f"other footage {other[DISTANCE]:.2f} (bar {other[PROBABILITY]:.2f}, that of probability); "
        f"declined of classes never seen {unseen:.1%}"
    )
    met = not above and new[PROBABILITY] >= new[DISTANCE] and other[DISTANCE] >= other[PROBABILITY]
    plain = {
        name: {k: v.value if isinstance(v, Estimate) else v for k, v in f.items()}
        for name, f in figures.items()
    }
    finish(options, plain, start, headline, met=met)


if __name__ == "__main__":
    main()
