"""A reader learns to mark answers: what it is shown, in which order, and the steps.

Every eleventh example or so is a question beside another text of its article that does not hold
its answer: there the first token is to be marked (Rajpurkar et al. 2018). Random numbers depend on
the step alone, so that an interrupted run goes on to the bit.

Shape letters: T tokens of a window, B windows.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidfit.backbones.reading import SpanNetwork, TextWindow, batch_of, windows_of
from vidfit.backbones.reading.spans import logits
from vidfit.errors import NotEnoughDataError, StoreError
from vidfit.manifest.questions import TextQuestion
from vidfit.metrics.reading import normalised
from vidfit.progress import SILENT, Progress

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from vidfit.training.checkpoint import Saved

_POOLED_BATCHES = 32
"""So many batches are drawn together and sorted by length, which spares filled-up tokens."""


@dataclass(frozen=True)
class ReadingRecipe:
    """How a reader is trained.

    Parameters
    ----------
    epochs
        Passes over the questions.
    rate
        Highest learning rate of AdamW; it rises over `warmup_share` of the steps, then falls along
        half a cosine.
    batch
        Windows of a step.
    decay
        Of weights.
    without_answer
        Questions beside a text that does not answer them, as a share of the questions.
    most_tokens, overlap_tokens
        Of windows.
    checkpoint_seconds
        A checkpoint is written as often.
    """

    epochs: int = 2
    rate: float = 2e-4
    warmup_share: float = 0.1
    batch: int = 16
    decay: float = 0.01
    without_answer: float = 0.1
    most_tokens: int = 384
    overlap_tokens: int = 128
    seed: int = 0
    checkpoint_seconds: float = 180.0


@dataclass(frozen=True)
class MarkedWindow:
    """A window, and the first and last token of its answer; 0 and 0 where it holds none."""

    window: TextWindow
    first: int
    last: int


def marked_windows(
    reader: SpanNetwork, questions: Sequence[TextQuestion], recipe: ReadingRecipe
) -> list[MarkedWindow]:
    """Return the windows over the questions' texts, and where the first answer stands in each."""
    found = []
    for question in questions:
        wanted = (question.answers[0].start, question.answers[0].end) if question.answers else None
        for window in windows_of(
            reader.tokenizer,
            question.asked,
            question.context,
            recipe.most_tokens,
            recipe.overlap_tokens,
        ):
            span = window.span(*wanted) if wanted else None
            found.append(MarkedWindow(window, *(span or (0, 0))))
    return found


def beside_other_texts(
    questions: Sequence[TextQuestion], share: float, seed: int
) -> list[TextQuestion]:
    """Return some questions beside another text of their article, which holds no answer.

    Parameters
    ----------
    share
        Of the questions with an answer, in [0, 1].
    """
    texts: dict[str, list[str]] = defaultdict(list)
    for one in questions:
        if one.context not in texts[one.article][-1:]:
            texts[one.article].append(one.context)
    plain = {text: f" {normalised(text)} " for of in texts.values() for text in of}
    answered = [one for one in questions if one.answers]
    rng = np.random.default_rng(seed)
    found = []
    for row in rng.permutation(len(answered))[: round(share * len(answered))]:
        one = answered[row]
        said = [f" {normalised(text)} " for text in one.references]
        others = [t for t in texts[one.article] if not any(s in plain[t] for s in said)]
        if others:
            context = others[rng.integers(len(others))]
            key = f"{one.key}-beside-another-text"
            found.append(TextQuestion(key, one.asked, context, one.article, ()))
    return found


def batches_of(lengths: Sequence[int], batch: int, seed: int) -> list[list[int]]:
    """Return rows in random order, a batch of like length each."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    found: list[list[int]] = []
    for start in range(0, len(order), batch * _POOLED_BATCHES):
        pool = sorted(order[start : start + batch * _POOLED_BATCHES], key=lambda row: lengths[row])
        cut = [[int(r) for r in pool[i : i + batch]] for i in range(0, len(pool), batch)]
        found += [cut[i] for i in rng.permutation(len(cut))]
    return found


def span_loss(reader: SpanNetwork, rows: Sequence[MarkedWindow]) -> Tensor:
    """Return the mean cross-entropy of first and last tokens."""
    import torch
    from torch.nn.functional import cross_entropy

    start_BT, end_BT = logits(reader, batch_of([row.window for row in rows], reader.padding))
    first_B, last_B = (torch.tensor([getattr(r, side) for r in rows]) for side in ("first", "last"))
    return (cross_entropy(start_BT, first_B) + cross_entropy(end_BT, last_B)) / 2


def learn(
    reader: SpanNetwork,
    rows: Sequence[MarkedWindow],
    recipe: ReadingRecipe,
    folder: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = SILENT,
) -> list[float] | None:
    """Train the network in place.

    Parameters
    ----------
    folder
        Of checkpoints, from the last of which an interrupted run goes on; ``None`` writes none.
    stop
        Asked at each step whether to write a checkpoint and end.

    Returns
    -------
    list of float
        The loss of each step; ``None`` when ``stop`` asked it to pause.

    Raises
    ------
    StoreError
        If the folder holds a checkpoint of another run, or cannot be written.
    NotEnoughDataError
        If there is nothing to learn from, or the loss is no number.
    """
    import torch

    if not rows:
        raise NotEnoughDataError("there is no question to learn from")
    lengths = [len(row.window.tokens_T) for row in rows]
    order = [
        batch
        for epoch in range(recipe.epochs)
        for batch in batches_of(lengths, recipe.batch, 1000 * recipe.seed + epoch)
    ]
    optimizer = torch.optim.AdamW(_groups(reader.network, recipe.decay), lr=recipe.rate)
    run = _RunFolder(folder, _digest(rows, recipe), reader.network, optimizer)
    step, losses = run.resume()
    progress.start("train the reader", len(order))
    progress.advance(step)
    reader.network.train()
    written = time.monotonic()
    while step < len(order):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * _factor(step, len(order), recipe.warmup_share)
        torch.manual_seed(1_000_003 * recipe.seed + step)
        np.random.seed(step)
        loss = span_loss(reader, [rows[row] for row in order[step]])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(reader.network.parameters(), 1.0)
        optimizer.step()
        losses.append(round(float(loss.detach()), 5))
        if not np.isfinite(losses[-1]):
            raise NotEnoughDataError(f"the loss is no number at step {step}; train at a lower rate")
        step += 1
        progress.advance()
        if step % 100 == 0:
            progress.note(f"step {step} of {len(order)}: loss {np.mean(losses[-100:]):.3f}")
        paused = stop()
        if paused or time.monotonic() - written > recipe.checkpoint_seconds:
            run.write(step, losses)
            written = time.monotonic()
        if paused:
            return None
    run.write(step, losses)
    reader.network.eval()
    return losses


def _factor(step: int, steps: int, warmup_share: float) -> float:
    from vidfit.schedule import rate_factor

    return rate_factor((step + 1) / (steps + 1), warmup_share)


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Return matrices, whose weights decay, and vectors, whose do not."""
    learned = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in learned if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in learned if p.ndim < 2], "weight_decay": 0.0},
    ]


def _digest(rows: Sequence[MarkedWindow], recipe: ReadingRecipe) -> str:
    """Return what a run is known by: its recipe and what is learned from."""
    facts = {k: v for k, v in asdict(recipe).items() if k != "checkpoint_seconds"}
    found = hashlib.sha256(repr(sorted(facts.items())).encode())
    for row in rows:
        found.update(row.window.tokens_T.tobytes())
        found.update(f"{row.first} {row.last}".encode())
    return found.hexdigest()


@dataclass(frozen=True)
class _RunFolder:
    """Where a run writes checkpoints, if anywhere."""

    folder: Path | None
    digest: str
    network: nn.Module
    optimizer: Optimizer

    def resume(self) -> tuple[int, list[float]]:
        """Return the steps that are done and their losses; the network and optimizer go on."""
        from vidfit.training.checkpoint import read_checkpoint, scatter

        saved: Saved | None = read_checkpoint(self.folder) if self.folder else None
        if saved is None:
            return 0, []
        facts: Mapping[str, Any] = saved.facts
        if facts.get("run") != self.digest:
            raise StoreError(
                f"{self.folder} holds a checkpoint of other questions, or another recipe; choose "
                "another folder with --output, or remove it"
            )
        scatter(saved, self.network, self.optimizer, facts["groups"])
        return int(facts["step"]), [float(loss) for loss in facts["losses"]]

    def write(self, step: int, losses: Sequence[float]) -> None:
        """Write a checkpoint, unless there is no folder."""
        from vidfit.training.checkpoint import Saved, gathered, write_checkpoint

        if self.folder is None:
            return
        tensors, groups = gathered(self.network, self.optimizer)
        facts = {"run": self.digest, "groups": groups, "losses": list(losses)}
        write_checkpoint(self.folder, step, Saved(tensors, facts))
