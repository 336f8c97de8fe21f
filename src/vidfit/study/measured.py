"""The second front door of jobs: candidates with their costs, and clips to compare them on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vidfit.contracts import Backbone, Clip, Failure
from vidfit.manifest import Manifest
from vidfit.reported import NearDuplicate
from vidfit.study.candidates import Loaded, entrants
from vidfit.study.copies import COPY_BITS
from vidfit.study.folds import put_aside
from vidfit.study.opened import Study
from vidfit.study.options import SelectOptions


@dataclass(frozen=True)
class Measured:
    """Candidates that run here, and clips without copies that they can be compared on.

    Parameters
    ----------
    manifest
        Clips of classes that can be tested, a hold-out marked as test split; its warnings say
        what was joined.
    able
        Those classes.
    untested
        Clips of the others, where they were kept.
    look_alikes, seconds
        As in `vidfit.study.copies.Joined`.
    """

    candidates: Sequence[Loaded]
    dropped: Sequence[Failure]
    manifest: Manifest
    able: tuple[str, ...]
    untested: Sequence[Clip]
    look_alikes: tuple[NearDuplicate, ...]
    seconds: float

    @property
    def to_learn(self) -> list[Clip]:
        """The clips outside the test split."""
        return [clip for clip in self.manifest.clips if clip.split != "test"]


def nobody(_: Sequence[Loaded]) -> Sequence[Backbone]:
    """Return no encoder: none is sure to see all clips."""
    return ()


def no_look(_: Sequence[Loaded], __: Sequence[Clip]) -> float:
    """Look at no clip before copies are looked for, in no time."""
    return 0.0


@dataclass(frozen=True)
class Division:
    """How clips are divided before candidates are compared.

    Parameters
    ----------
    holdout
        Share of the recordings to put aside.
    keep_untested
        Whether clips of classes that cannot be tested are kept, apart from the others.
    join_bits
        Clips nearer than that, of 64 bits a frame, join their recordings.
    """

    holdout: float = 0.0
    keep_untested: bool = False
    join_bits: float = COPY_BITS


def measure(
    study: Study,
    clips: Sequence[Clip],
    options: SelectOptions,
    division: Division = Division(),
    beside: Callable[[Sequence[Loaded]], Sequence[Backbone]] = nobody,
    first_look: Callable[[Sequence[Loaded], Sequence[Clip]], float] = no_look,
) -> Measured:
    """Time candidates on the clips, join the recordings that hold copies, put a hold-out aside.

    Parameters
    ----------
    clips
        Labelled clips of the study.
    beside
        Of the candidates, the encoders that will see all clips: they share the decode.
    first_look
        Looks at some of the clips to learn from with the candidates, before copies are looked
        for in all of them; returns the seconds that it took, added over threads.

    Raises
    ------
    NotEnoughDataError
        If there are too few clips, classes or recordings.
    BackboneError
        If no candidate runs.
    BudgetError
        If no candidate fits the latency, the memory or the licence.
    """
    able = study.able(clips)
    wanted = list(clips) if division.keep_untested else study.kind.of_classes(clips, able)
    drafted = put_aside(replace(study.manifest, clips=tuple(wanted)), division.holdout, [])
    learn = [clip for clip in drafted.clips if clip.split != "test"]
    with study.timed("measure candidates"):
        asked = replace(options, backbones=options.backbones or study.task.backbones)
        candidates, dropped = entrants(learn, asked, study.progress, study.task.pooling)
    spent = first_look(candidates, learn)
    with study.timed("look for copies"):
        found = study.joined(wanted, beside=beside(candidates), join_bits=division.join_bits)
    manifest = found.manifest
    able = study.able(study.kind.of_classes(manifest.clips, able), manifest)
    untested = [clip for clip in manifest.clips if not study.kind.of_classes([clip], able)]
    manifest = replace(manifest, clips=tuple(study.kind.of_classes(manifest.clips, able)))
    manifest = put_aside(manifest, division.holdout, study.notes)
    spent += found.seconds
    return Measured(candidates, dropped, manifest, able, untested, found.look_alikes, spent)
