"""Training that ends when its processor time is used up, so that networks can be compared by it."""

from __future__ import annotations

import copy
import time
from dataclasses import replace

import torch
from torch import nn

from vidfit.plans import Plan
from vidfit.training.batches import loaded
from vidfit.training.checkpoint import read_checkpoint, whole_weights
from vidfit.training.loop import train
from vidfit.training.order import deal
from vidfit.training.parallel import Place
from vidfit.training.state import Run, TrainedWeights

_USED, _BACKWARD = 0.9, 3.0
"""Share of the time that epochs are planned for; a step in forward passes."""


def train_within(
    network: nn.Module, plan: Plan, run: Run, place: Place, cpu_seconds: float
) -> TrainedWeights:
    """Train for as many epochs of the plan as the processor's time allows, and no longer.

    How many that are is measured on a copy of the network, and the rate falls to zero over
    these; should they take longer, training ends in the middle of one. A run that was interrupted
    goes on with the epochs that it began with. With validation clips the
    weights of the best whole epoch are kept. What is learned depends on how fast the machine is.

    Parameters
    ----------
    plan
        Its number of epochs is the most.
    cpu_seconds
        Of all threads of this process, the measuring included.
    """
    started = time.process_time()
    epochs = _epochs_begun(run) or _epochs_within(network, plan, run, cpu_seconds)

    def stop() -> bool:
        return time.process_time() - started > cpu_seconds or run.stop()

    plan = replace(plan, recipe=replace(plan.recipe, epochs=epochs))
    done = train(network, plan, replace(run, stop=stop), place)
    if done.weights:
        return done
    return replace(done, weights={n: t.clone() for n, t in whole_weights(network).items()})


def _epochs_begun(run: Run) -> int:
    """Return the epochs of the plan that a checkpoint is of; 0 without one."""
    saved = read_checkpoint(run.folder) if run.folder else None
    return int(saved.facts["plan"]["recipe"]["epochs"]) if saved else 0


def _epochs_within(network: nn.Module, plan: Plan, run: Run, cpu_seconds: float) -> int:
    """Return how many epochs the time is planned for."""
    started = time.process_time()
    step = _step_seconds(network, plan, run)
    batches = -(-len(run.learn_M) // plan.layout.micro_batch)
    looks = -(-len(run.choose_M) // plan.layout.micro_batch)
    epoch_seconds = step * (batches * plan.recipe.passes + looks / _BACKWARD)
    left = _USED * cpu_seconds - (time.process_time() - started)
    return min(max(int(left / max(epoch_seconds, 1e-9)), 1), plan.recipe.epochs)


def _step_seconds(network: nn.Module, plan: Plan, run: Run) -> float:
    """Return the processor time of a micro-batch; the first one warms up and is not counted."""
    trial = copy.deepcopy(network).train()
    rows = run.learn_M[: 2 * plan.layout.micro_batch]
    micros = deal(rows, 0, (0.0, ()), (0, 1, plan.layout.micro_batch))
    seconds = 0.0
    with torch.random.fork_rng(devices=[]):
        for micro in (micros * 2)[:2]:
            started = time.process_time()
            ((_, clips, target_BK),) = loaded(run.clips, [micro], plan)
            loss = run.objective(trial(clips), target_BK, float(len(clips)))
            loss.backward()  # type: ignore[no-untyped-call]
            seconds = time.process_time() - started
    return seconds
