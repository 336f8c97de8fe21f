"""Learning from clips without labels, on the same loop: what is hidden is predicted from the rest.

`vidfit.networks.masked` says what is hidden. The papers do so on thousands of videos and more;
`vidfit compare` says what comes of yours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from vidfit.networks.masked import MaskedClips
from vidfit.plans import Plan
from vidfit.training.parallel import Place
from vidfit.training.state import Run, TrainedWeights
from vidfit.training.within import train_within


def pretrain(
    masked: MaskedClips, plan: Plan, run: Run, place: Place, cpu_seconds: float
) -> TrainedWeights:
    """Train a network on clips, whose labels do not matter; its weights are those of the end.

    There is nothing to choose an epoch by that the task would care for: ``run.choose_M`` is not
    looked at, the last is kept. A recipe neither mixes clips (what is hidden of a mixture follows
    from neither) nor smooths labels here.

    Raises
    ------
    StoreError
        As `vidfit.training.loop.train` does.
    """
    clips = replace(run.clips, labels_M=np.zeros(len(run.clips.labels_M), np.int64))
    nothing = np.zeros(0, np.int64)
    alone = replace(run, clips=clips, objective=mean_loss, choose_M=nothing)
    recipe = replace(plan.recipe, mixup=0.0, label_smoothing=0.0, patience=0)
    plan = replace(plan, recipe=recipe, data=replace(plan.data, classes=1))
    done = train_within(masked, plan, alone, place, cpu_seconds)
    masked.load_state_dict(dict(done.weights))
    return done


def mean_loss(losses_B: Tensor, target_B1: Tensor, clips: float) -> Tensor:
    """Return a micro-batch's share of the mean loss of a step's clips (`Run.objective`).

    All clips are of one class here: targets are 1, and 0 for clips that do not count.
    """
    return (losses_B.float() * target_B1[:, 0]).sum() / clips
