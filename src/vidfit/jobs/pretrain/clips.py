"""Learn from clips without labels: a folder of weights that `train` and `compare` start from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Failure
from vidfit.errors import NotEnoughDataError, VidfitError
from vidfit.features import clip_digest
from vidfit.networks import Shape
from vidfit.networks.vocabulary import Vocabulary
from vidfit.plans import Data, Plan, Recipe, Subject, unplanned
from vidfit.progress import Progress
from vidfit.shown import counted
from vidfit.study.clipsets import Prepared, frame_set
from vidfit.study.opened import open_study
from vidfit.study.pretrained import NETWORK, Pretrained, PretrainedFacts, write_pretrained
from vidfit.study.subject import own_sight

FOLDER = "pretrained"
MICRO_BATCH, LEAST_CLIPS = 16, 8
RECIPE = Recipe(epochs=1000, learning_rate=1e-3, dropout=0.0)
"""Epochs are as many as the time allows."""


@dataclass(frozen=True)
class ClipPretrainOptions:
    """What a user may ask of `pretrain` of clips.

    Parameters
    ----------
    cpu_seconds
        Of the processor, that learning may take.
    width, layers, heads
        Size of the network.
    side_pixels
        Of the square frames that it sees.
    groups
        File that maps clips to recordings.
    workers
        Threads that decode; ``None`` means one for each usable core.
    """

    cpu_seconds: float = 600.0
    width: int = 256
    layers: int = 1
    heads: int = 4
    side_pixels: int = 112
    groups: Path | None = None
    workers: int | None = None

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if self.cpu_seconds <= 0:
            raise VidfitError(f"cpu_seconds is {self.cpu_seconds}; give more than 0")
        if not 32 <= self.side_pixels <= 512:
            raise VidfitError(f"side_pixels is {self.side_pixels}; it is 32 to 512")
        if min(self.width, self.layers, self.heads) < 1:
            raise VidfitError(
                f"width is {self.width}, layers {self.layers}, heads {self.heads}; give 1 or more"
            )
        if self.width % self.heads:
            raise VidfitError(
                f"width is {self.width}; give a multiple of {self.heads}: each of {self.heads} "
                "heads takes a part of it"
            )


@dataclass(frozen=True)
class ClipPretraining:
    """What was learned, and clips that could not be used."""

    facts: PretrainedFacts
    failures: tuple[Failure, ...]


def run_pretrain_clips(
    source: str | Path,
    output: Path,
    options: ClipPretrainOptions = ClipPretrainOptions(),
    progress: Progress | None = None,
) -> ClipPretraining:
    """Learn from clips, whose labels are not looked at, by hiding most of each.

    ``output`` gets ``pretrained/``, ``run/`` with checkpoints, and ``frames/``, which later runs
    share. The same call goes on where one was interrupted. Clips of the data's own test split are
    left out.

    Raises
    ------
    ManifestError
        If the clips' list cannot be understood.
    NotEnoughDataError
        If fewer than eight clips can be read.
    StoreError
        If a disk is full, or a checkpoint is of other clips or another size.
    """
    options.check()
    study = open_study(source, output, options, progress)
    clips = [clip for clip in study.manifest.clips if clip.split != "test"]
    seen = own_sight(options.side_pixels)
    ready = frame_set(clips, seen, output / "frames", study.place, study.progress)
    if len(ready.clips) < LEAST_CLIPS:
        raise NotEnoughDataError(
            f"{counted(len(ready.clips), 'clip')} can be read, and {LEAST_CLIPS} or more are needed"
        )
    found = _learned(ready, output / "run", options, study.progress)
    write_pretrained(found, output / FOLDER)
    return ClipPretraining(found.facts, (*study.manifest.rejected, *ready.failures))


def _learned(
    ready: Prepared, folder: Path, options: ClipPretrainOptions, progress: Progress
) -> Pretrained:
    import torch

    from vidfit.networks.masked import MaskedClips
    from vidfit.training.parallel import launch
    from vidfit.training.pretrain import pretrain
    from vidfit.training.state import Run

    texts = [clip.text for clip in ready.clips]
    vocabulary = Vocabulary.of(texts)
    clips = ready.set
    if vocabulary.size:
        arrays = {**clips.arrays, "text": vocabulary.numbers(texts)}
        clips = replace(clips, arrays=arrays)
    shape = Shape(
        0, 16, 1, options.width, options.layers, options.heads, 0.0, vocabulary=vocabulary.size
    )
    torch.manual_seed(RECIPE.seed)
    masked = MaskedClips(shape)
    plan = _plan(options, len(ready.clips))
    rows = np.arange(len(ready.clips))
    run = Run(clips, rows, np.zeros(0, np.int64), folder, progress=progress)
    done = pretrain(masked, plan, run, launch(plan.layout, "cpu"), options.cpu_seconds)
    losses = [epoch.loss for epoch in done.history] or [float("nan")]
    facts = PretrainedFacts(
        width=options.width,
        layers=options.layers,
        heads=options.heads,
        side_pixels=options.side_pixels,
        words=vocabulary.words,
        clips=len(ready.clips),
        recordings=len(set(ready.groups)),
        digests=tuple(clip_digest(clip) for clip in ready.clips),
        learn_seconds=sum(epoch.seconds for epoch in done.history),
        epochs=len(done.history),
        first_loss=losses[0],
        last_loss=losses[-1],
    )
    return Pretrained(facts, masked.learned())


def _plan(options: ClipPretrainOptions, clips: int) -> Plan:
    subject = Subject(NETWORK, "", "full", options.width, options.layers, options.heads)
    return unplanned(subject, RECIPE, Data(clips, 1, 0, 16), MICRO_BATCH)


def pretraining_lines(found: ClipPretraining) -> str:
    """Return what was learned in a few lines."""
    facts = found.facts
    words = f", {counted(len(facts.words), 'word')}" if facts.words else ""
    lines = [
        f"Learned from {counted(facts.clips, 'clip')} of "
        f"{counted(facts.recordings, 'recording')} without labels: "
        f"{counted(facts.epochs, 'epoch')} in {facts.learn_seconds:.0f} s, frames of "
        f"{facts.side_pixels} "
        f"pixels{words}.",
        f"What it costs to predict what is hidden: {facts.first_loss:.3f} in the first epoch, "
        f"{facts.last_loss:.3f} in the last. Whether that helps, `vidfit compare --from` measures.",
    ]
    lines += [f"Not used: {one.name}: {one.reason}" for one in found.failures[:5]]
    return "\n".join(lines)
