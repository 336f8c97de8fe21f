"""What `train` does with clips without a label: which they are, and whether they paid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vidfit.errors import NotEnoughDataError, VidfitError
from vidfit.jobs.train.folder import Outcome
from vidfit.jobs.train.options import TrainOptions
from vidfit.jobs.train.parts import Parts
from vidfit.jobs.train.value import Teaching
from vidfit.manifest import Manifest
from vidfit.metrics import paired_interval, share_interval
from vidfit.plans import Plan
from vidfit.shown import counted
from vidfit.study.clipsets import Prepared
from vidfit.study.unlabelled import Unlabelled, unlabelled_clips

CHEAP_SECONDS = 900.0
"""Training on labels alone for as much compute is done as well where training took no longer."""

Hits = Callable[[], NDArray[np.bool_]]
"""Gives which of the test clips are answered right."""


def bare_clips(manifest: Manifest, options: TrainOptions, notes: list[str]) -> Unlabelled:
    """Return the clips without a label that are to be learned from; none where not asked for."""
    if options.unlabelled is None:
        return Unlabelled(())
    found = unlabelled_clips(manifest, options.unlabelled, options.groups)
    notes.extend(found.warnings)
    return found


def check_taught(plan: Plan, given: bool) -> None:
    """Refuse a plan with a teacher and nobody to teach, and clips that a plan does not count.

    Raises
    ------
    VidfitError
        Says what to do.
    """
    ratio = plan.recipe.unlabelled_ratio
    if given and not ratio:
        raise VidfitError(
            "the plan learns from labels alone (recipe.unlabelled_ratio is 0), and clips without "
            "a label are given; plan with `vidfit plan CLIPS --unlabelled FOLDER`"
        )
    if ratio and not given:
        raise VidfitError(
            f"the plan learns from {ratio} clips without a label for each with one; give them with "
            "`--unlabelled FOLDER`, or plan without"
        )


def check_left(given: int, parts: Parts) -> None:
    """Refuse to go on where no clip without a label is left to learn from.

    Raises
    ------
    NotEnoughDataError
        Says where they went.
    """
    if given and not len(parts.bare_M):
        raise NotEnoughDataError(
            f"none of {counted(given, 'clip')} without a label is left to learn from: they "
            "cannot be read, "
            "are copies of clips of the test split, or are of recordings that choose the epoch or "
            "test; give others"
        )


def labels_alone(plan: Plan) -> Plan:
    """Return a plan that learns from labels alone, and computes as much.

    Epochs, and those without a better score after which it stops, are as many more as a step
    costs less.
    """
    recipe, passes = plan.recipe, plan.recipe.passes
    alone = replace(
        recipe, unlabelled_ratio=0, epochs=round(recipe.epochs * passes),
        patience=round(recipe.patience * passes),
    )  # fmt: skip
    return replace(plan, recipe=alone, data=replace(plan.data, unlabelled=0))


def judged(
    of: tuple[Prepared, Parts], plan: Plan, outcome: Outcome, hits: tuple[Hits, Hits]
) -> Teaching:
    """Return what clips without a label brought, compared with labels alone where that is cheap.

    Parameters
    ----------
    hits
        Of the network that was taught, and of one that learns from labels alone.
    """
    ready, parts = of
    groups = [ready.groups[i] for i in parts.test_M]
    teaching = Teaching(
        clips=len(parts.bare_M),
        recordings=len({ready.groups[i] for i in parts.bare_M}),
        held=parts.bare_held,
        taught=outcome.history[outcome.best_epoch].taught,
        seconds=sum(epoch.seconds for epoch in outcome.history),
    )
    if not groups or teaching.seconds > CHEAP_SECONDS:
        return teaching
    taught_M, alone_M = (of_network() for of_network in hits)
    return replace(
        teaching,
        epochs_alone=labels_alone(plan).recipe.epochs,
        alone=share_interval(alone_M, groups),
        gain=paired_interval(taught_M.astype(float) - alone_M, groups),
    )
