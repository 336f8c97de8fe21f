"""Language models: what they need a byte of unseen documents, and what they are good for.

- `text`: articles of one half of SQuAD are learned, those of the other half held out; beside a
  7-gram, xz and bz2 that are given the same text first.
- `classes`: lines of television series, by sentiment, from their words, from the states of a model
  that learned the unlabelled lines of the same series, and fine-tuned; whole episodes held out.
- `labels`: which lines to label next, by `vidfit label` or at random, 20 times from nothing.
- `video`: tokens of frames of UCSD Ped2: is what surprises a GPT unusual?
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._language_video import GPT, video_surprise
from benchmarks._ped2 import shown
from benchmarks.active_learning import OURS, RANDOM, WAYS, Round
from vidfit.contracts import Estimate
from vidfit.jobs.pretrain.options import PretrainOptions
from vidfit.jobs.pretrain.run import run_pretrain
from vidfit.jobs.pretrain.value import Pretraining
from vidfit.jobs.pretrain.words import bits_of, report_markdown
from vidfit.labels.one import NO_LABEL
from vidfit.language.classify import word_axes
from vidfit.metrics import mean_interval
from vidfit.selection.active import Pool, probe_answers

DATA = SURVEILLANCE.parent
PARTS = ("text", "classes", "labels", "video")
BATCH, LABELS = 16, 192
POOL, ASIDE = 2000, 1500
LABELLED = ("label", "emotion")
"""Columns: sentiment, of three classes, and emotion, of seven."""
CHOSEN_BY = (RANDOM, "typical", "margin", OURS)

Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    figures: Figures = {}
    run = {"text": _text, "classes": _classes, "labels": _labels, "video": _video}
    for part in options.parts:
        print(f"\n## {part}", flush=True)
        figures[part] = run[part](options)
    told = [figures[part]["told"] for part in options.parts]
    met = [figures[part]["met"] for part in options.parts if figures[part]["met"] is not None]
    finish(options, figures, start, "; ".join(told), met=all(met) if met else None)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--parts", nargs="*", default=PARTS, choices=PARTS)
    parser.add_argument("--cpu-seconds", type=float, default=None, help="to learn a language")
    parser.add_argument("--seeds", type=int, default=None, help="of labelling")
    parser.add_argument("--output", type=Path, default=None, help="keeps models, to go on from")
    options = parser.parse_args()
    options.cpu_seconds = options.cpu_seconds or (3.0 if options.quick else 600.0)
    options.seeds = options.seeds or (2 if options.quick else 20)
    options.output = options.output or Path(tempfile.mkdtemp())
    return options


# ------------------------------------------------------------------ text


def _text(options: argparse.Namespace) -> Figures:
    learned, held = (DATA / "squad" / f"{name}-v1.1.json" for name in ("dev", "test"))
    if options.quick:
        learned, held = (_few_articles(path, options.output) for path in (learned, held))
    asked = PretrainOptions(test=held, cpu_seconds=options.cpu_seconds)
    found = run_pretrain(
        learned, options.output / "squad", _small(asked) if options.quick else asked
    )
    print(report_markdown(found))
    own, other = found.own.bits, found.best_other
    # A network that a quick run leaves untrained says nothing of the bar.
    bar = "hardly learned" if options.quick else "bar: below it"
    peer = f"{other.name} {other.bits.value:.2f}"
    told = f"{bits_of(own)} bits a byte of unseen articles, {peer} ({bar})"
    return {**_plain(found), "told": told, "met": None if options.quick else found.learned}


def _few_articles(path: Path, folder: Path) -> Path:
    articles = json.loads(path.read_text(encoding="utf-8"))["data"][:4]
    folder.mkdir(parents=True, exist_ok=True)
    few = folder / path.name
    few.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return few


def _small(options: PretrainOptions) -> PretrainOptions:
    return replace(options, vocabulary=512, width=48, layers=2, heads=4, length=64, windows=8)


def _plain(found: Pretraining) -> Figures:
    bits = {f"{c.name}, reading on" if c.reads_on else c.name: _ends(c.bits) for c in found.coded}
    gains = {f"{g.of} over {g.over}": _ends(g.saves) for g in found.gains}
    tried = {} if found.classified is None else {
        one.name: {"accuracy": _ends(one.accuracy), "gain": one.gain and _ends(one.gain)}
        for one in found.classified.answered
    }  # fmt: skip
    return {
        "bits": bits, "saves": gains, "classified": tried, "parameters": found.parameters,
        "steps": found.steps, "passes": found.passes, "cpu seconds": found.cpu_seconds,
    }  # fmt: skip


def _ends(one: Estimate) -> tuple[float, float, float]:
    return one.value, one.low, one.high


# ------------------------------------------------------------------ classes


def _classes(options: argparse.Namespace) -> Figures:
    lines = DATA / "meld_text" / "labels.csv"
    asked = PretrainOptions(
        holdout=0.3, classify=lines, cpu_seconds=options.cpu_seconds / 4, vocabulary=2048,
        length=128, dropout=0.2,
    )  # fmt: skip
    source = lines
    if options.quick:
        source = _some(lines, options.output / "labels.csv")
        asked = replace(_small(asked), classify=source)
    found = run_pretrain(source, options.output / "meld", asked)
    print(report_markdown(found))
    tried = found.classified.answered if found.classified else ()
    gains = [(one.gain, one.name) for one in tried if one.gain is not None]
    gain, name = max(gains, key=lambda one: one[0].value)
    said = "" if gain.low > 0 else ", no gain"
    told = f"sentiment: {name} {_points(gain)} over words{said}"
    return {**_plain(found), "told": told, "met": None}


def _some(lines: Path, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = lines.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(rows[:1500]), encoding="utf-8")
    return path


# ------------------------------------------------------------------ labels


def _labels(options: argparse.Namespace) -> Figures:
    """Label lines from nothing; judge a probe on episodes put aside after each batch."""
    figures: Figures = {}
    for label in LABELLED[:1] if options.quick else LABELLED:
        figures[label] = _labelled(label, options)
    gains = {label: of["gain"][OURS] for label, of in figures.items()}
    told = ", ".join(f"{n} {_points(Estimate(*g))}" for n, g in gains.items())
    behind = [name for name, (_, _, high) in gains.items() if high < 0]
    told = f"labels chosen, over random: {told} (bar: on none proven behind)"
    return {**figures, "told": told, "met": not behind}


def _labelled(label: str, options: argparse.Namespace) -> Figures:
    texts, labels, groups = _lines(DATA / "meld_text" / "labels.csv", label)
    classes = tuple(sorted(set(labels)))
    labels_M = np.array([classes.index(name) for name in labels], np.int64)
    known = Pool([word_axes(texts)], labels_M, groups, classes)
    curves: dict[str, list[list[float]]] = {name: [] for name in CHOSEN_BY}
    for seed in range(options.seeds):
        learn, test = _sides(groups, seed)
        for name, curve in curves.items():
            curve.append(_curve(known, (learn, test), WAYS[name], seed))
    arrays = {name: np.array(curve) for name, curve in curves.items()}
    counts = [BATCH * (b + 1) for b in range(LABELS // BATCH)]
    seeds = [str(seed) for seed in range(options.seeds)]
    more = {name: array - arrays[RANDOM] for name, array in arrays.items()}
    gain = {name: _ends(mean_interval(of.mean(axis=1), seeds)) for name, of in more.items()}
    marks = range(1, len(counts), 2)
    rows = []
    for name, array in arrays.items():
        found = [mean_interval(array[:, place], seeds) for place in marks]
        rows.append((name, *map(_share, found), _points(Estimate(*gain[name]))))
    print(f"{label}, {len(classes)} classes, balanced accuracy, {len(seeds)} seeds")
    table(("chosen by", *(f"{counts[place]} labels" for place in marks), "points to random"), rows)
    return {
        "labels": counts, "curves": {n: a.mean(axis=0).tolist() for n, a in arrays.items()},
        "gain": gain,
    }  # fmt: skip


def _lines(path: Path, label: str) -> tuple[list[str], list[str], list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [r["text"] for r in rows], [r[label] for r in rows], [r["episode"] for r in rows]


def _sides(groups: list[str], seed: int) -> tuple[Any, Any]:
    """Return rows of a pool and rows put aside, of other episodes."""
    rng = np.random.default_rng(seed)
    names = rng.permutation(sorted(set(groups)))
    aside = set(names[: round(0.3 * len(names))].tolist())
    held = np.array([group in aside for group in groups])
    return (rng.permutation(np.flatnonzero(~held))[:POOL],
            rng.permutation(np.flatnonzero(held))[:ASIDE])  # fmt: skip


def _curve(
    known: Pool, sides: tuple[Any, Any], choose: Callable[[Round], Sequence[int]], seed: int
) -> list[float]:
    """Return the balanced accuracy on rows put aside after each batch of labels."""
    rows, learned = np.concatenate(sides), len(sides[0])
    truth_M = known.labels_M[rows]
    blocks, groups = [known.blocks[0][rows]], [known.groups[r] for r in rows]
    labels_M = np.full(len(rows), NO_LABEL)
    answers_MK = None
    found = []
    for _ in range(LABELS // BATCH):
        pool = Pool([blocks[0][:learned]], labels_M[:learned], groups[:learned], known.classes)
        now = Round(pool, None if answers_MK is None else answers_MK[:learned], seed, BATCH)
        chosen = list(choose(now))
        labels_M[chosen] = truth_M[chosen]
        whole = Pool(blocks, labels_M, groups, known.classes)
        seen = len(np.unique(labels_M[labels_M != NO_LABEL]))
        answers_MK = probe_answers(whole, seed=seed) if seen > 1 else None
        found.append(_balanced(answers_MK, truth_M, learned, len(known.classes)))
    return found


def _balanced(answers_MK: Any, truth_M: Any, learned: int, classes: int) -> float:
    if answers_MK is None:
        return 1 / classes
    answer_M, asked_M = answers_MK[learned:].argmax(axis=1), truth_M[learned:]
    recalls = [(answer_M[asked_M == k] == k).mean() for k in range(classes) if k in asked_M]
    return float(np.mean(recalls))


def _share(one: Estimate) -> str:
    return f"{one.value:.1%}"


def _points(one: Estimate) -> str:
    return f"{100 * one.value:+.1f} [{100 * one.low:+.1f}, {100 * one.high:+.1f}] points"


# ------------------------------------------------------------------ video


def _video(options: argparse.Namespace) -> Figures:
    figures: Mapping[str, Any] = video_surprise(20 if options.quick else 600)
    told = "surprise of tokens of frames, ucsd_ped2: AUC " + ", ".join(
        f"{shown(figures[f'{GPT}, {way}'])} by the {way}" for way in ("max", "mean")
    )
    return {**figures, "told": told, "met": None}


if __name__ == "__main__":
    main()
