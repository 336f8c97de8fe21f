"""The first front door of jobs: open the clips, and say where work on them goes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from vidfit.contracts import Backbone, Clip
from vidfit.features import FeatureStore
from vidfit.labels import ONE, Kind
from vidfit.launch import HERE, launcher
from vidfit.manifest import Manifest, noticed
from vidfit.manifest.subtitles import with_words
from vidfit.progress import SILENT, Progress
from vidfit.reported import Stage
from vidfit.study.asked import asked_task, check_one_class
from vidfit.study.consent import check_consent, check_encoders, consent_line
from vidfit.study.copies import COPY_BITS, Joined, joined
from vidfit.study.folds import able_classes
from vidfit.study.sources import say
from vidfit.study.stages import timed
from vidfit.study.table import Table, Tally, build_table
from vidfit.tasks import Task, task_of
from vidfit.tasks.task import from_lists
from vidfit.work import Launcher


@dataclass(frozen=True)
class Study:
    """Clips that a job works with, where the work runs and is kept, and what is noted on the way.

    Parameters
    ----------
    task
        What is asked of them.
    manifest
        All clips that were read, labelled or not.
    place
        Where clips are looked at.
    stages, notes
        Grow while the job runs; a report shows them.
    """

    source: str
    output: Path
    task: Task
    manifest: Manifest
    place: Launcher
    progress: Progress
    stages: list[Stage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def store(self) -> FeatureStore:
        """Where features are kept."""
        return FeatureStore(self.output / "features")

    @property
    def kind(self) -> Kind:
        """What clips are labelled with."""
        return self.task.kind

    @property
    def labelled(self) -> list[Clip]:
        """The clips that have a label."""
        return [clip for clip in self.manifest.clips if clip.label is not None]

    @property
    def to_learn(self) -> list[Clip]:
        """The clips that have a label and are not of a test split."""
        return [clip for clip in self.labelled if clip.split != "test"]

    def timed(self, name: str, predicted: float | None = None) -> AbstractContextManager[None]:
        """Append the stage with the seconds that were predicted and measured."""
        return timed(self.stages, name, predicted)

    def able(self, clips: Sequence[Clip], known: Manifest | None = None) -> tuple[str, ...]:
        """Return the classes that clips let learn and test; note what the others lack."""
        manifest = known or self.manifest
        present = manifest.present(clips)
        return able_classes(present, self.notes, noticed(manifest), kind=self.kind)

    def joined(
        self,
        clips: Sequence[Clip],
        *,
        beside: Sequence[Backbone] = (),
        join_bits: float = COPY_BITS,
    ) -> Joined:
        """Return clips whose recordings hold no copies of one another (`vidfit.study.copies`)."""
        manifest = replace(self.manifest, clips=tuple(clips))
        return joined(
            manifest,
            self.store,
            self.place,
            self.progress,
            beside=beside,
            join_bits=join_bits,
            windows=self.task.windows,
        )

    def table(
        self, clips: Sequence[Clip], encoders: Sequence[Backbone], *, steps: bool = False
    ) -> tuple[Table, Tally]:
        """Return the clips that can be read with a vector from each encoder."""
        return build_table(
            clips, encoders, self.store, self.place, self.progress, steps=steps, task=self.task
        )

    def readable(
        self, whole: Table, tally: Tally, able: Sequence[str], manifest: Manifest
    ) -> Table:
        """Return the clips of classes that can be tested though some clips cannot be read."""
        unread = f" that can be read ({len(tally.clips)} cannot)"
        read, known = self.kind.of_classes(whole.clips, able), noticed(manifest, tally.clips)
        return whole.of_classes(able_classes(read, self.notes, known, unread, self.kind))


class Asked(Protocol):
    """Options of a job that starts from clips, with or without ``on``, ``task`` and ``labels``."""

    @property
    def groups(self) -> Path | None:
        """File that maps clips to recordings."""
        ...

    @property
    def workers(self) -> int | None:
        """Threads that decode and infer; ``None`` means one for each usable core."""
        ...


def open_study(
    source: str | Path,
    output: Path,
    options: Asked,
    progress: Progress | None,
    *,
    only_one_class: str = "",
) -> Study:
    """Read clips, say what was read, and find the place where work on them runs.

    Parameters
    ----------
    source
        Folder or list of clips; see `vidfit.manifest.read_manifest`.
    only_one_class
        Name of a job that takes one class a clip only.

    Raises
    ------
    ManifestError
        If the clips' list cannot be understood.
    ConsentError
        If people are measured and nobody said to what they agreed.
    VidfitError
        If the clips are labelled with what the job does not take.
    """
    progress = progress or SILENT
    task = asked_task(getattr(options, "task", None), getattr(options, "labels", None))
    consent = check_consent(task, getattr(options, "consent", None)) if task else ""
    check_encoders(getattr(options, "backbones", ()), task)
    on = getattr(options, "on", HERE)
    place = launcher(on, workers=options.workers, scratch=output)
    read, kind = (task.read, task.kind) if task else (from_lists, None)
    manifest = read(source, options.groups, kind)
    task = task or task_of(manifest.kind)
    task = task.suited(task, manifest) if task.suited else task
    if task.prepare:
        manifest = task.prepare(manifest, output, progress)
    manifest = with_words(replace(manifest, kind=task.kind))
    if only_one_class:
        check_one_class(task, only_one_class)
    say(manifest, progress)
    if task.kind is not ONE:
        progress.note(f"Task: {task.name}, {task.kind.what} a clip")
    study = Study(str(source), output, task, manifest, place, progress)
    study.notes.extend([consent_line(consent)] if consent else [])
    return study
