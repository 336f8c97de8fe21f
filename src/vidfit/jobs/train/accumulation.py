"""Prove on a user's own network and clips that accumulation gives the full batch's gradient."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vidfit.errors import NotEnoughDataError
from vidfit.jobs.train.options import TrainOptions
from vidfit.jobs.train.run import Work, plan_for, standardised
from vidfit.jobs.train.spoken import reading, with_words
from vidfit.manifest import noticed, refusal
from vidfit.networks.step import soft_targets
from vidfit.networks.vocabulary import Vocabulary
from vidfit.progress import Progress
from vidfit.study.opened import open_study
from vidfit.study.subject import build_subject
from vidfit.training.check import AccumulationCheck, check_accumulation

CLIPS = 8
"""As many as the largest number of micro-batches."""


def run_check(
    source: str | Path, output: Path, options: TrainOptions, progress: Progress | None = None
) -> AccumulationCheck:
    """Compare the gradient of a few of the user's clips in 1, 2, 4 and 8 micro-batches.

    Raises
    ------
    NotEnoughDataError
        If fewer than eight labelled clips can be read.
    """
    import torch

    options.check()
    study = open_study(source, output, options, progress)
    manifest = study.manifest
    plan = plan_for(manifest, output, options, study.progress)
    labelled = [clip for clip in manifest.clips if clip.label]
    spread = np.unique(np.linspace(0, len(labelled) - 1, CLIPS).astype(int))
    work = Work(plan, output, study.place, study.progress)
    chosen = [labelled[i] for i in spread]
    ready = work.prepared(chosen)
    rows_M = np.arange(len(ready.clips))
    if len(rows_M) < CLIPS:
        consequence = (
            f"{len(rows_M)} of {CLIPS} clips can be read; give {CLIPS} labelled clips or more"
        )
        raise NotEnoughDataError(refusal(noticed(manifest), consequence))
    if plan.subject.backbone and plan.subject.regime != "probe":
        clips = work.frames(ready.clips).set
    else:
        clips = standardised(ready, rows_M)[1] if plan.subject.backbone else ready.set
    if plan.subject.vocabulary:
        vocabulary = Vocabulary.of(clip.text for clip in labelled)
        plan, clips = reading(plan, vocabulary), with_words(ready, vocabulary).set
    torch.manual_seed(plan.recipe.seed)
    network = build_subject(plan.subject, plan.data.classes, plan.data.tokens, plan.recipe)
    names = sorted({str(clip.label) for clip in labelled})
    labels_B = torch.tensor([names.index(str(clip.label)) for clip in ready.clips])
    targets_BK = soft_targets(labels_B, plan.data.classes, plan.recipe.label_smoothing)
    return check_accumulation(network, clips.read(rows_M), targets_BK)
