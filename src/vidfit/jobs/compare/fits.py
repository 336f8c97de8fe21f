"""How a row learns in one fold, and answers the fold's clips.

All networks are of one size and learn by one recipe: nothing was tuned to any of them, nor to any
data. Shape letters: M clips, K classes, D features of a token, S steps in time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vidfit.contracts import Floats, Indices
from vidfit.features import STEPS, temporal_statistics
from vidfit.fusion.linear import cross_fit
from vidfit.jobs.compare.architectures import RowPlan
from vidfit.jobs.compare.material import FoldPart, Material
from vidfit.networks import Shape
from vidfit.networks.head import standard_tokens, standards
from vidfit.plans import Data, Plan, Recipe, Subject, unplanned
from vidfit.study.pretrained import Pretrained
from vidfit.training.clipset import ClipSet

if TYPE_CHECKING:
    from torch import nn

WIDTH, LAYERS, HEADS, MICRO_BATCH = 128, 2, 4, 16
RECIPE = Recipe(epochs=40, learning_rate=1e-3, dropout=0.3, label_smoothing=0.1, patience=10)
"""Of all networks: the recipe of the network in `vidfit fit`."""

BLIND_EPOCHS = 400
"""Most epochs without labels: the time that there is decides."""


@dataclass(frozen=True)
class FoldFit:
    """What one fold came to.

    Parameters
    ----------
    answers_MK
        Log-probabilities of the fold's clips.
    seconds, blind_seconds
        Processor time of learning; that of it without labels.
    epochs
        With labels; 0 of a linear probe.
    """

    answers_MK: Floats
    seconds: float
    blind_seconds: float = 0.0
    epochs: int = 0
    parameters: int = 0


@dataclass(frozen=True)
class RowBudget:
    """What each row has, in one fold.

    Parameters
    ----------
    seconds
        Of processor time.
    pretrained
        Weights that self-supervised rows start from; ``None``: they learn them here.
    """

    seconds: float
    pretrained: Pretrained | None = None


def fit_fold(row: RowPlan, part: FoldPart, of: Material, budget: RowBudget) -> FoldFit:
    """Let a row learn from the clips outside of a fold, and answer those in it."""
    if row.how == "frozen":
        return _probe(of.table.vectors[row.encoder], part, of, 0.0)
    if row.encoder:
        return _over_tokens(row, part, of, budget)
    if row.how == "supervised":
        return _over_frames(row, part, of, budget.seconds)
    return _after_pretraining(row, part, of, budget)


def _probe(vectors_MD: Floats, part: FoldPart, of: Material, blind_seconds: float) -> FoldFit:
    started = time.process_time()
    known_M = part.known_M
    probe, _ = cross_fit([vectors_MD[known_M]], of.table.labels_M[known_M], part.inner_M)
    seconds = time.process_time() - started
    answers_MK = probe.log_probabilities([vectors_MD[part.test_M]])
    return FoldFit(answers_MK, seconds + blind_seconds, blind_seconds)


def _over_tokens(row: RowPlan, part: FoldPart, of: Material, budget: RowBudget) -> FoldFit:
    steps_MX = of.table.steps[row.encoder]
    dim = steps_MX.shape[1] // STEPS
    mean_D, scale_D = standards(steps_MX[part.learn_M], dim)
    tokens_MSD = standard_tokens(steps_MX.reshape(-1, STEPS, dim), mean_D, scale_D)
    clips = ClipSet(of.table.labels_M, {"tokens": tokens_MSD})
    network = _built(row.network, replace(_shape(of), dim=dim, tokens=STEPS))
    return _trained(network, row, clips, part, (of, budget.seconds))


def _over_frames(row: RowPlan, part: FoldPart, of: Material, seconds: float) -> FoldFit:
    clips, vocabulary = of.with_words(part.known_M)
    shape = replace(_shape(of), vocabulary=vocabulary.size)
    return _trained(_built(row.network, shape), row, clips, part, (of, seconds))


def _after_pretraining(row: RowPlan, part: FoldPart, of: Material, budget: RowBudget) -> FoldFit:
    from vidfit.networks.masked import take_over

    started = time.process_time()
    probe_only = row.how == "self-supervised, frozen"
    if budget.pretrained:
        clips = budget.pretrained.with_words(of.frames, of.texts_A)
        network = _built(row.network, budget.pretrained.shape_for(_shape(of)))
        take_over(network, budget.pretrained.weights)
    else:
        share = 1.0 if probe_only else 0.5
        network, clips = _pretrained_here(row, part, of, share * budget.seconds)
    blind = time.process_time() - started
    if probe_only:
        return replace(
            _probe(_pooled(network, clips, len(of.table.clips)), part, of, blind),
            parameters=_count(network),
        )
    fit = _trained(network, row, clips, part, (of, budget.seconds - blind))
    return replace(fit, seconds=fit.seconds + blind, blind_seconds=blind)


def _pretrained_here(
    row: RowPlan, part: FoldPart, of: Material, seconds: float
) -> tuple[nn.Module, ClipSet]:
    """Learn from the clips outside of the fold and those without a label, blind to labels."""
    import torch

    from vidfit.networks.masked import MaskedClips, take_over
    from vidfit.training.parallel import launch
    from vidfit.training.pretrain import pretrain
    from vidfit.training.state import Run

    rows = np.concatenate([part.known_M, part.bare_A])
    clips, vocabulary = of.with_words(rows)
    shape = replace(_shape(of), vocabulary=vocabulary.size)
    torch.manual_seed(RECIPE.seed)
    masked = MaskedClips(replace(shape, dropout=0.0))
    plan = _plan(row, of, replace(RECIPE, epochs=BLIND_EPOCHS))
    run = Run(clips, rows, np.zeros(0, np.int64))
    pretrain(masked, plan, run, launch(plan.layout, "cpu"), seconds)
    network = _built(row.network, shape)
    take_over(network, masked.learned())
    return network, clips


def _trained(
    network: nn.Module,
    row: RowPlan,
    clips: ClipSet,
    part: FoldPart,
    within: tuple[Material, float],
) -> FoldFit:
    """Train a network within the seconds that it has, and answer the fold's clips."""
    from vidfit.training.parallel import launch
    from vidfit.training.state import Run
    from vidfit.training.within import train_within

    of, seconds = within
    started = time.process_time()
    plan = _plan(row, of, RECIPE)
    run = Run(clips, part.learn_M, part.choose_M)
    done = train_within(network, plan, run, launch(plan.layout, "cpu"), seconds)
    network.load_state_dict(dict(done.weights))
    spent = time.process_time() - started
    answers_MK = _answers(network, clips, part.test_M)
    return FoldFit(answers_MK, spent, 0.0, len(done.history), _count(network))


def _answers(network: nn.Module, clips: ClipSet, rows_M: Indices) -> Floats:
    import torch

    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(rows_M), MICRO_BATCH):
            logits_BK = network(clips.read(rows_M[start : start + MICRO_BATCH]))
            found.append(torch.log_softmax(logits_BK.float(), dim=1).numpy())
    return np.concatenate(found)


def _pooled(network: nn.Module, clips: ClipSet, count: int) -> Floats:
    """Return the pooled tokens [M, 3 D] of what the trunk sees in the labelled clips' frames."""
    from vidfit.networks.masked import steps_in_time

    network.eval()
    found = []
    for start in range(0, count, MICRO_BATCH):
        rows_B = np.arange(start, min(start + MICRO_BATCH, count))
        tokens_BSD = steps_in_time(network, clips.read(rows_B)).numpy()
        found += [temporal_statistics(tokens_SD) for tokens_SD in tokens_BSD]
    return np.stack(found)


def _built(name: str, shape: Shape) -> nn.Module:
    import torch

    from vidfit.networks import build

    torch.manual_seed(RECIPE.seed)
    return build(name, shape)


def _shape(of: Material) -> Shape:
    return Shape(
        dim=0, tokens=of.seen.tokens, classes=len(of.table.classes), width=WIDTH, layers=LAYERS,
        heads=HEADS, dropout=RECIPE.dropout,
    )  # fmt: skip


def _plan(row: RowPlan, of: Material, recipe: Recipe) -> Plan:
    subject = Subject(row.network, row.encoder, "probe", WIDTH, LAYERS, HEADS)
    tokens = STEPS if row.encoder else of.seen.tokens
    data = Data(len(of.table.clips), len(of.table.classes), 0, tokens)
    return unplanned(subject, recipe, data, MICRO_BATCH)


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
