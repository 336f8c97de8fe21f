"""A language model trained on, with a new head, to answer labelled texts.

Shape letters: M texts, K classes, B texts of a step, L tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vidfit.contracts import Indices
from vidfit.language.model import LanguageModel
from vidfit.networks.clips import Clips
from vidfit.networks.gpt import Gpt
from vidfit.networks.step import classified, make_optimizer, soft_targets
from vidfit.plans import Recipe
from vidfit.progress import Progress
from vidfit.schedule import rate_factor

FINE_TUNING = Recipe(epochs=3, learning_rate=3e-4, weight_decay=0.05, dropout=0.2)

_BATCH, _JITTER = 32, 4


def fine_tuned(
    model: LanguageModel,
    texts: Sequence[str],
    labels_M: Indices,
    learn: NDArray[np.bool_],
    progress: Progress,
) -> Indices:
    """Return the class [M] of each text by the model's network, trained on with a new head."""
    classes = int(labels_M.max()) + 1
    rows = [model.reader.encode(text)[-model.shape.tokens :] for text in texts]
    rows = [row if len(row) else np.array([1]) for row in rows]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(FINE_TUNING.seed)
        network = headed(model, classes)
        _learn(network, rows, labels_M, np.flatnonzero(learn), progress)
    network.eval()
    answers_M = np.zeros(len(rows), np.int64)
    with torch.no_grad():
        for some in _alike(rows, np.arange(len(rows)), None):
            answers_M[some] = network(_read(rows, some)).argmax(1).numpy()
    return answers_M


def headed(model: LanguageModel, classes: int) -> Gpt:
    """Return the model's network with a fresh head of some classes."""
    shape = replace(model.shape, dim=0, classes=classes, dropout=FINE_TUNING.dropout)
    network = Gpt(shape)
    missing, unexpected = network.load_state_dict(model.network.state_dict(), strict=False)
    assert not unexpected and all(name.startswith("answer.") for name in missing)  # noqa: S101
    return network


def _learn(
    network: nn.Module,
    rows: Sequence[Indices],
    labels_M: Indices,
    known: Indices,
    progress: Progress,
) -> None:
    optimizer = make_optimizer(network, FINE_TUNING)
    classes = int(labels_M.max()) + 1
    rng = np.random.default_rng(FINE_TUNING.seed)
    steps = [some for _ in range(FINE_TUNING.epochs) for some in _alike(rows, known, rng)]
    progress.start("fine-tune", len(steps))
    network.train()
    for number, some in enumerate(steps):
        factor = rate_factor((number + 0.5) / len(steps), FINE_TUNING.warmup_share)
        for group in optimizer.param_groups:
            group["lr"] = FINE_TUNING.learning_rate * factor
        target_BK = soft_targets(torch.from_numpy(labels_M[some]), classes, 0.0)
        loss = classified(network(_read(rows, some)), target_BK, len(some))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), FINE_TUNING.clip_norm)
        optimizer.step()
        progress.advance()


def _alike(
    rows: Sequence[Indices], which: Indices, rng: np.random.Generator | None
) -> Iterator[Indices]:
    """Yield batches of texts of about one length, so that little is padding; shuffled with rng."""
    lengths = np.array([len(rows[i]) for i in which], float)
    if rng is not None:
        lengths += rng.uniform(0, _JITTER, len(lengths))
    order = which[np.argsort(lengths, kind="stable")]
    batches = [order[i : i + _BATCH] for i in range(0, len(order), _BATCH)]
    for turn in rng.permutation(len(batches)) if rng is not None else range(len(batches)):
        yield batches[turn]


def _read(rows: Sequence[Indices], some: Indices) -> Clips:
    longest = max(len(rows[i]) for i in some)
    text_BL: Tensor = torch.zeros(len(some), longest, dtype=torch.int64)
    for place, i in enumerate(some):
        text_BL[place, : len(rows[i])] = torch.from_numpy(rows[i])
    return Clips(text_BL=text_BL)
