"""How positive what is said is: a number a clip in [-3, 3], or a class.

Each encoder of words, sound or pictures has a probe of its own; a stack weighs their answers. A
clip that lacks a modality is answered by the others.
"""

from __future__ import annotations

from dataclasses import replace

from vidfit.fusion.learner import LinearProbe
from vidfit.labels import A_NUMBER
from vidfit.manifest import Manifest
from vidfit.metrics import NUMBER_MEASURES
from vidfit.tasks.classify import TASK as CLASSIFY
from vidfit.tasks.sentiment.measures import MOSI_MEASURES, SIMS_MEASURES
from vidfit.tasks.sentiment.reading import read
from vidfit.tasks.task import Task

BACKBONES = ("minilm", "vader", "log-mel", "whisper-tiny.en", "efficientnet-lite0")
"""Words, sound and pictures; those that were not fetched are left out, and named."""

_SIMS_MOST = 1.0
"""CH-SIMS has numbers in [-1, 1], and figures of its own."""


def _suited(task: Task, manifest: Manifest) -> Task:
    """Return the task with the figures of its scale; with classes it is to classify."""
    if manifest.kind is not A_NUMBER:
        return replace(CLASSIFY, backbones=BACKBONES)
    labels = [float(clip.label) for clip in manifest.clips if clip.label is not None]
    small = max(map(abs, labels), default=0.0) <= _SIMS_MOST
    return replace(
        task, measures={**NUMBER_MEASURES, **(SIMS_MEASURES if small else MOSI_MEASURES)}
    )


TASK = Task(
    name="sentiment",
    kind=A_NUMBER,
    measures={**NUMBER_MEASURES, **MOSI_MEASURES, **SIMS_MEASURES},
    asked="sentiment",
    baseline="one number for all",
    learner=LinearProbe(A_NUMBER),
    methods=("stack", "concat"),
    backbones=BACKBONES,
    read=read,
    suited=_suited,
)
