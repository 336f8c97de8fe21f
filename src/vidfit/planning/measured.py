"""What a plan knows of a subject: laws of memory and time, from a few runs in child processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vidfit.errors import BackboneError
from vidfit.planning.child import Question, Real, dry_runs, real_run
from vidfit.planning.memory import LOST, Line, Resident, Sizes, line
from vidfit.plans import Layout, Precision

FEW, MANY = 2, 32
"""Micro-batches that are run without numbers, to draw a line through."""

SMALL_BYTES = 256 * 2**20
"""Tensors of the run that is timed: the whole batch of a small network, few clips of a large."""

USUAL = Resident()


@dataclass(frozen=True)
class Known:
    """Laws of one subject under one recipe and precision.

    Parameters
    ----------
    peaks
        By checkpointing, peak bytes of tensors over the micro-batch, where a step has two.
    alone
        The same where a step has one: no gradients of another are kept.
    flops_a_clip
        By checkpointing, operations of forward and backward.
    clip_seconds, update_seconds
        Of a plain micro-batch by its clips, and of an update, on this machine; ``None`` when
        nothing was run.
    resident
        What a process holds beside tensors.
    """

    sizes: Sizes
    peaks: Mapping[bool, Line]
    alone: Mapping[bool, Line]
    flops_a_clip: Mapping[bool, float]
    clip_seconds: float | None = None
    update_seconds: float = 0.0
    resident: Resident = USUAL
    notes: tuple[str, ...] = ()

    def peak_bytes(self, layout: Layout) -> float:
        """Return the peak of tensors in one process that stands alone."""
        if layout.accumulation == 1:
            return self.alone[layout.checkpointing].at(layout.micro_batch)
        # A step loads the inputs of all its micro-batches.
        further = (layout.accumulation - 2) * layout.micro_batch * self.sizes.clip_bytes
        return self.peaks[layout.checkpointing].at(layout.micro_batch) + further

    def seconds(self, layout: Layout, answered: float = 1.0) -> float | None:
        """Return a step's seconds on this machine; recomputing costs by its operations.

        Parameters
        ----------
        answered
            What a clip costs where some are answered by a teacher first, 1 where none is.
        """
        if self.clip_seconds is None:
            return None
        again = self.flops_a_clip[layout.checkpointing] / self.flops_a_clip[False]
        clips = layout.accumulation * layout.micro_batch
        return clips * self.clip_seconds * again * answered + self.update_seconds

    def with_run(self, layout: Layout, run: Real) -> Known:
        """Add what a run with numbers tells of this machine."""
        again = self.flops_a_clip[layout.checkpointing] / self.flops_a_clip[False]
        return replace(
            self,
            clip_seconds=run.micro_seconds / layout.micro_batch / again,
            update_seconds=run.update_seconds,
            resident=Resident(run.base_bytes, run.taken_bytes - LOST * self.peak_bytes(layout)),
        )


def look(question: Question, precision: Precision, folder: Path, *, here: bool) -> Known:
    """Run a subject on shapes alone; where that fails, with numbers.

    Parameters
    ----------
    folder
        Where answers are kept.
    here
        Whether it may be run with numbers, as it is planned for this machine.

    Raises
    ------
    BackboneError
        If the subject cannot be made or run.
    """
    try:
        return _by_shapes(question, precision, folder)
    except BackboneError as error:
        if not here:
            raise
        return _by_numbers(question, precision, folder, str(error))


def small_layout(known: Known, share_clips: int, precision: Precision) -> Layout:
    """Return the layout that is run to time a step: the largest of small tensors."""
    micro_batch = 1
    while 2 * micro_batch <= share_clips and known.alone[False].at(2 * micro_batch) <= SMALL_BYTES:
        micro_batch *= 2
    return Layout(micro_batch, precision=precision)


def as_run(layout: Layout) -> Layout:
    """Return what is really run of a layout: a process alone, two micro-batches at most."""
    accumulation = min(layout.accumulation, 2)
    return Layout(
        layout.micro_batch, accumulation, layout.precision, checkpointing=layout.checkpointing
    )


def _by_shapes(question: Question, precision: Precision, folder: Path) -> Known:
    layouts = [
        Layout(b, accumulation=accumulation, precision=precision, checkpointing=again)
        for again in (False, True)
        for accumulation in (2, 1)
        for b in (FEW, MANY)
    ]
    facts, runs = dry_runs(question, layouts, folder)
    lines = [
        line((FEW, MANY), [few.peak_bytes, many.peak_bytes])
        for few, many in zip(runs[::2], runs[1::2], strict=True)
    ]
    ways = (False, True) if facts["blocks"] else (False,)
    return Known(
        Sizes(**facts),
        {again: lines[2 * again] for again in ways},
        {again: lines[2 * again + 1] for again in ways},
        {again: runs[4 * again].flops_a_clip for again in ways},
    )


def _by_numbers(question: Question, precision: Precision, folder: Path, why: str) -> Known:
    """Return the laws of a network that does not run on shapes: from real steps of 1 and 2."""
    found = [
        real_run(question, Layout(b, accumulation=2, precision=precision), folder=folder)
        for b in (1, 2)
    ]
    peaks = {False: line((1, 2), [run.taken_bytes for _, run in found])}
    note = f"Memory was measured at micro-batches of 1 and 2 and extended from there: {why}"
    return Known(Sizes(**found[0][0]), peaks, peaks, {False: 1.0}, notes=(note,))
