"""Where frames and words are both needed, and what architectures come to on real clips.

First, two problems that are made: small clips with a bright side and with a word. In `both` the
class is whether the two agree, so that neither alone says anything; in `each` the bright side and
the word each tell the class, at times wrongly. A transformer over frames and words is held against
late fusion: the calibrated answers of a network of frames and of one of words, multiplied. It is
worth its name only where it is proven better on `both`; where each tells a part late fusion stays
unless it is proven worse.

Then, but with --quick, `vidfit compare` on the surveillance clips: rows with their intervals.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE
from vidfit.contracts import Estimate, Floats
from vidfit.jobs.compare.options import CompareOptions
from vidfit.jobs.compare.run import run_compare
from vidfit.jobs.compare.terminal import architectures_markdown
from vidfit.metrics import fit_temperature, mean_interval, probabilities
from vidfit.networks import Shape, build
from vidfit.networks.clips import Clips

LEARNED, CHOOSING, ASKED, SIDE_PIXELS, WORDS = 1200, 400, 400, 32, 8
WIDTH, EPOCHS, BATCH_CLIPS, RATE = 64, 12, 64, 3e-3
RIGHT = 0.8
"""How often side and word each tell the class in `each`."""

SHAPE = Shape(0, 2, 2, WIDTH, 2, 4, 0.0, vocabulary=3 + WORDS)


@dataclass(frozen=True)
class Problem:
    """Clips with their classes; the first are learned from, the next choose the epoch."""

    clips: Clips
    labels_M: Tensor


def problem(name: str, seed: int) -> Problem:
    """Return clips of a bright side and a word, in `both` or `each`."""
    rng = np.random.default_rng(seed)
    count = LEARNED + CHOOSING + ASKED
    side_M, word_M = rng.integers(0, 2, (2, count))
    if name == "both":
        label_M = side_M ^ word_M
    else:
        label_M = rng.integers(0, 2, count)
        side_M, word_M = (np.where(rng.random(count) < RIGHT, label_M, 1 - label_M) for _ in "ab")
    frames = rng.normal(110, 15, (count, 1, 2, SIDE_PIXELS, SIDE_PIXELS, 3))
    half = SIDE_PIXELS // 2
    frames[side_M == 0, ..., :half, :] += 60
    frames[side_M == 1, ..., half:, :] += 60
    text_ML = rng.integers(5, 3 + WORDS, (count, 2))
    text_ML[np.arange(count), rng.integers(0, 2, count)] = 3 + word_M
    clips = Clips(
        frames_BVTHWC=torch.from_numpy(np.clip(frames, 0, 255).astype(np.uint8)),
        text_BL=torch.from_numpy(text_ML),
    )
    return Problem(clips, torch.from_numpy(label_M))


def main() -> None:
    options = _options()
    start = environment()
    torch.set_num_threads(1)
    gains = {name: _gain(name, options.seeds) for name in ("both", "each")}
    table(
        ("problem", "frames", "words", "late fusion", "transformer", "gain, points [95 %]"),
        [_line(name, *found) for name, found in gains.items()],
    )
    both, each = gains["both"][1], gains["each"][1]
    figures: dict[str, Any] = {name: vars_of(*found) for name, found in gains.items()}
    if not options.quick and SURVEILLANCE.is_dir():
        found = run_compare(
            SURVEILLANCE, CACHE / "architectures", CompareOptions(cpu_seconds=options.cpu_seconds)
        )
        print(architectures_markdown(found))
        figures["fights"] = {row.name: row.score.value for row in found.rows}
    finish(
        options,
        figures,
        start,
        "a transformer over frames and words against late fusion: where both are needed "
        f"{_points(both)} (bar: above 0), where each tells a part {_points(each)} "
        f"(late fusion stays: {'no' if each.low > 0 else 'yes'})",
        met=both.low > 0,
    )


def _gain(name: str, seeds: int) -> tuple[dict[str, float], Estimate]:
    """Return accuracies, and by how much the transformer is better than late fusion."""
    rows: dict[str, list[Floats]] = {}
    for seed in range(seeds):
        found = problem(name, seed)
        grey = torch.full_like(found.clips.frames_BVTHWC, 127)  # type: ignore[arg-type]
        answers = {
            "frames": _answers(replace(found.clips, text_BL=None), found.labels_M, seed),
            "words": _answers(replace(found.clips, frames_BVTHWC=grey), found.labels_M, seed),
            "transformer": _answers(found.clips, found.labels_M, seed),
        }
        answers["late fusion"] = answers["frames"] + answers["words"]
        truth_M = found.labels_M[LEARNED + CHOOSING :].numpy()
        for kind, answers_MK in answers.items():
            hits_M = (answers_MK.argmax(axis=1) == truth_M).astype(np.float32)
            rows.setdefault(kind, []).append(hits_M)
    whole = {kind: np.concatenate(each) for kind, each in rows.items()}
    alone = [str(i) for i in range(len(whole["transformer"]))]
    gain = mean_interval(whole["transformer"] - whole["late fusion"], alone)
    return {kind: float(hits_M.mean()) for kind, hits_M in whole.items()}, gain


def _answers(clips: Clips, labels_M: Tensor, seed: int) -> Floats:
    """Train on the first clips; return calibrated log-probabilities of the last.

    The next clips choose the epoch and the temperature.
    """
    torch.manual_seed(seed)
    network = build("video-text", SHAPE)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    steps = EPOCHS * -(-LEARNED // BATCH_CLIPS)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    choosing_M = labels_M[LEARNED : LEARNED + CHOOSING]
    best, kept_MK = float("inf"), torch.zeros(0)
    for _ in range(EPOCHS):
        network.train()
        for rows_B in torch.randperm(LEARNED).split(BATCH_CLIPS):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(clips.where(rows_B)), labels_M[rows_B])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.inference_mode():
            log_p_MK = torch.log_softmax(network(clips.where(slice(LEARNED, None))), dim=1)
        lost = float(nn.functional.nll_loss(log_p_MK[:CHOOSING], choosing_M))
        if lost < best:
            best, kept_MK = lost, log_p_MK
    found_MK = kept_MK.numpy()
    temperature = fit_temperature(found_MK[:CHOOSING], choosing_M.numpy())
    stated_MK = probabilities(found_MK[CHOOSING:], temperature)
    result_MK: Floats = np.log(np.maximum(stated_MK, 1e-9))
    return result_MK


def vars_of(accuracies: dict[str, float], gain: Estimate) -> dict[str, Any]:
    """Return figures of a problem as JSON has them."""
    return {**accuracies, "gain": (gain.value, gain.low, gain.high)}


def _line(name: str, accuracies: dict[str, float], gain: Estimate) -> tuple[str, ...]:
    kinds = ("frames", "words", "late fusion", "transformer")
    return (name, *(f"{accuracies[kind]:.1%}" for kind in kinds), _points(gain))


def _points(gain: Estimate) -> str:
    return f"{100 * gain.value:+.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=None, help="problems of each kind; 3")
    parser.add_argument("--cpu-seconds", type=float, default=60.0, help="for a row on fights")
    options = parser.parse_args()
    options.seeds = options.seeds or (1 if options.quick else 3)
    return options


if __name__ == "__main__":
    main()
