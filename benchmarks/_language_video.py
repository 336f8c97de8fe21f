"""A language model over quantised tokens of frames, and whether what surprises it is unusual.

On the split of UCSD Ped2 that `benchmarks.anomaly` judges networks on. Beside it what needs no
network: how far patches lie from the codebook, and how rare their tokens are where they lie.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import torch

from benchmarks._anomaly_networks import HOLD, LEARN, _scaled, _truth, _videos, _windows_of
from benchmarks._harness import table
from benchmarks._ped2 import estimate_of, shown, signed
from vidfit.contracts import Floats
from vidfit.language.codebook import Codebook, patches
from vidfit.language.model import LanguageModel
from vidfit.language.tokens import END
from vidfit.metrics import score_all
from vidfit.metrics.unusual import MicroAuc
from vidfit.networks import Shape
from vidfit.networks.gpt import GptLanguage
from vidfit.plans import Recipe
from vidfit.training.sequences import SequenceRun, train_sequences

HEIGHT, WIDTH = 48, 72
CENTRES, CONTEXT_FRAMES = 256, 4
EVERY = 2
"""Frames of 10 a second that are looked at."""

GPT, BY_PLACE, FAR = "gpt: surprise", "rare at its place", "far from the codebook"
Figures = dict[str, Any]


def video_surprise(steps: int) -> Figures:
    """Learn, answer and print; return all figures."""
    began = time.process_time()
    seen = {n: patches(_scaled(v, (HEIGHT, WIDTH))) for n, v in _videos().items()}
    normal = [name for name in seen if name.startswith("train")]
    learn, hold = normal[:LEARN], normal[LEARN : LEARN + HOLD]
    asked = [name for name in seen if name not in {*learn, *hold}]
    book = Codebook.learn([seen[n] for n in learn], CENTRES)
    tokens = {n: book.tokens(x) for n, x in seen.items()}
    model = _learned(tokens, learn, hold, book, steps)
    scores = _scores(model, tokens, learn, asked, book)
    seconds = time.process_time() - began
    truth, groups = _truth(asked)
    answers = {n: np.concatenate([of[a] for a in asked])[:, None] for n, of in scores.items()}
    figures: Figures = {"cpu seconds": seconds}
    rows = []
    for name, answers_N1 in answers.items():
        scored = score_all(MicroAuc(), truth, [answers_N1.astype(np.float32)], groups)
        figures[name] = estimate_of(scored, 0)
        rows.append((name, shown(figures[name])))
    print(f"\nucsd_ped2, one split, tokens of frames: {LEARN} normal clips learned, "
          f"{len(asked)} answered, {seconds:.0f} s of the processor")  # fmt: skip
    table(("window by its", "AUC"), rows)
    for told, other in product(("max", "mean"), (BY_PLACE, FAR)):
        pair = [answers[f"{way}, {told}"].astype(np.float32) for way in (GPT, other)]
        lead = score_all(MicroAuc(), truth, pair, groups).lead(0, 1)
        figures[f"gpt over {other}, {told}"] = (lead.value, lead.low, lead.high)
        print(f"gpt over {other}, {told}: {signed((lead.value, lead.low, lead.high))}")
    return figures


def _learned(
    tokens: Mapping[str, Any], learn: list[str], hold: list[str], book: Codebook, steps: int
) -> LanguageModel:
    places = next(iter(tokens.values()))[0].shape[1]
    shape = Shape(
        dim=0, tokens=CONTEXT_FRAMES * places, classes=book.vocabulary, width=96, layers=4,
        heads=4, dropout=0.1, vocabulary=book.vocabulary,
    )  # fmt: skip
    torch.manual_seed(0)
    network = GptLanguage(shape)
    sides = []
    for names in (learn, hold):
        # Both halves of the frames: a clip at every second frame, from the first and the second.
        parts = [tokens[n][0][first::EVERY].reshape(-1) for n in names for first in range(EVERY)]
        sides.append(np.concatenate([np.concatenate([[END], part]) for part in parts]))
    run = SequenceRun(
        sides[0], sides[1], Recipe(learning_rate=2e-3, weight_decay=0.1, warmup_share=0.05),
        steps, 8, shape.tokens,
    )  # fmt: skip
    trained = train_sequences(network, run)
    network.load_state_dict(dict(trained.weights))
    bits = [look.nats / np.log(2) for look in trained.looks]
    print(f"  {len(sides[0])} tokens, bits a token on normal clips not learned: "
          f"{', '.join(f'{b:.2f}' for b in bits)}")  # fmt: skip
    return LanguageModel(shape, network.eval())


def _scores(
    model: LanguageModel,
    tokens: Mapping[str, Any],
    learn: list[str],
    asked: list[str],
    book: Codebook,
) -> dict[str, dict[str, Floats]]:
    """Return by way the scores of windows by clip."""
    known_TP = np.concatenate([tokens[n][0] for n in learn])
    odds_PV = np.stack([
        np.bincount(column, minlength=book.vocabulary) + 0.5 for column in known_TP.T
    ])  # fmt: skip
    rare_PV = -np.log2(odds_PV / odds_PV.sum(axis=1, keepdims=True))
    found: dict[str, dict[str, Floats]] = {}
    for name in asked:
        tokens_TP, far_TP = tokens[name]
        surprise_TP = np.empty(tokens_TP.shape)
        for first in range(EVERY):
            part_TP = tokens_TP[first::EVERY]
            surprise_TP[first::EVERY] = model.bits(part_TP.reshape(-1)).reshape(part_TP.shape)
        rare_TP = rare_PV[np.arange(tokens_TP.shape[1]), tokens_TP]
        for way, score_TP in ((GPT, surprise_TP), (BY_PLACE, rare_TP), (FAR, far_TP)):
            for told, of_frame_T in (("max", score_TP.max(1)), ("mean", score_TP.mean(1))):
                windows_N = _windows_of(of_frame_T.astype(np.float32))
                found.setdefault(f"{way}, {told}", {})[name] = windows_N
    return found
