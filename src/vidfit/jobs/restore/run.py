"""Train a network that makes videos larger, and measure it on recordings it has not seen.

A job of its own, not a row of `vidfit.tasks`: the clips are their own truth, and the network sees
the frames themselves. What holds for tasks holds here: whole recordings are put aside, figures
have intervals over recordings, baselines stand beside, and nothing is kept that is not proven.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.errors import NotEnoughDataError, VidfitError
from vidfit.files import claimed
from vidfit.jobs.restore.choice import (
    Sheet,
    filter_of,
    interval,
    over_filter,
    paired,
    rows_of,
    way_of,
    with_choice,
)
from vidfit.jobs.restore.options import RestoreOptions
from vidfit.jobs.restore.page import write_report
from vidfit.jobs.restore.trainer import Trainer
from vidfit.jobs.restore.value import BICUBIC, CHOSEN, FRAME, RestoreReport
from vidfit.jobs.restore.words import pretrained_note, why_chosen
from vidfit.jobs.restore.written import report_facts
from vidfit.pixels.restore.degrade import Degradation
from vidfit.pixels.restore.material import Stretches, read_stretches
from vidfit.pixels.restore.measured import true_warping
from vidfit.pixels.restore.pretrained import PretrainedRestorer, load_pretrained
from vidfit.pixels.restore.quality import fitted_degradation
from vidfit.pixels.restore.restorer import save_restorer
from vidfit.progress import SILENT, Progress
from vidfit.runtime import malloc
from vidfit.study.interrupts import stopped_by_signals
from vidfit.study.opened import open_study

_CHECKPOINTS = "checkpoints"
_MOST_CLIPS = 400
_USUAL = "no example was given: this is what papers use, and real videos of low quality differ"


def run_restore(
    source: str | Path,
    output: Path,
    options: RestoreOptions = RestoreOptions(),
    progress: Progress | None = None,
) -> RestoreReport:
    """Make a restorer of clips and write it to ``output/model``, with ``report.json`` and page.

    An interrupted run goes on from its last checkpoint, to the bit.

    Parameters
    ----------
    source
        Folder or list of clips; labels do not count.
    output
        Folder for the model, the report and the checkpoints.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted; the same call goes on.
    BackboneError
        If there is no pretrained network of a name, or its weights are not on this machine.
    ManifestError
        If the clips' list cannot be understood.
    NotEnoughDataError
        If no clip has frames to learn from.
    StoreError
        If the output cannot be written, or holds another run.
    VideoError
        If the video of ``like`` cannot be read.
    VidfitError
        If a pretrained network is of another scale.
    """
    progress = progress or SILENT
    options.check()
    pretrained = {name: _pretrained(name, options.scale) for name in options.pretrained}
    with claimed(output):
        study = open_study(source, output, options, progress)
        notes = [w for w in study.manifest.warnings if "no label" not in w]
        clips = _some(study.manifest.clips, notes)
        degradation, why = _degradation(clips, options)
        progress.note(f"Small frames are made so: {degradation.text} ({why})")
        material = read_stretches(clips, degradation, options.most_bytes)
        if not material.stretches:
            raise NotEnoughDataError(_nothing(material))
        malloc.tune()
        with stopped_by_signals() as stop:
            trainer = Trainer(
                material, options, output / _CHECKPOINTS, stop, progress, pretrained=pretrained
            )
            sheet = trainer.sheet()
            way = _kept(sheet)
            kept = trainer.kept(way)
        report = replace(
            _report(trainer, sheet, way, str(source)),
            degradation=degradation.text,
            degradation_why=why,
            failures=(*study.manifest.missing, *study.manifest.rejected, *material.failures),
            notes=(
                *notes,
                *(
                    pretrained_note(one, trainer.frame_seconds[one.name])
                    for one in pretrained.values()
                ),
            ),
        )
        card = {"report": report_facts(report), "degradation": asdict(degradation)}
        save_restorer(replace(kept, card=card), output / "model")
        shown = FRAME if report.keeps_filter else way
        write_report(report, trainer.pictures(shown), output)
        shutil.rmtree(output / _CHECKPOINTS, ignore_errors=True)
    return report


def _kept(sheet: Sheet) -> str:
    """Return the network's way, where it beats the better filter for certain; else that filter.

    Of one recording nothing is certain of others: the network is kept, and the report says so.
    """
    gain = over_filter(sheet)
    kept = gain.low > 0 or (len(sheet) == 1 and gain.value > 0)
    return way_of(sheet) if kept else filter_of(sheet)


def _report(trainer: Trainer, sheet: Sheet, way: str, source: str) -> RestoreReport:
    """Return what was measured, and the choice."""
    whole = with_choice(sheet)
    tested = {r: s for part in trainer.parts for r, s in part.tested.items()}
    over = over_filter(sheet)
    steadier = paired(sheet, BICUBIC, way_of(sheet), "warping_levels")
    return RestoreReport(
        source=source,
        scale=trainer.options.scale,
        degradation="",
        degradation_why="",
        recordings=len(sheet),
        clips=len({s.clip for s in trainer.material.stretches}),
        frames=sum(len(s.small_THW) for of in tested.values() for s in of),
        rows=rows_of(whole),
        chosen=way,
        filter=filter_of(sheet),
        over_filter=over,
        why=why_chosen(filter_of(sheet), over, steadier),
        by_recording={
            name: {way: figures.psnr_luma for way, figures in ways.items()}
            for name, ways in whole.items()
        },
        warping_gain=paired(whole, BICUBIC, CHOSEN, "warping_levels"),
        true_warping=interval([true_warping(tested[r]) for r in sheet], list(sheet)),
        networks=trainer.learned,
        cpu_seconds=trainer.cpu_seconds,
    )


def _pretrained(name: str, scale: int) -> PretrainedRestorer:
    """Open a pretrained network of the scale that is asked for."""
    found = load_pretrained(name)
    if found.scale != scale:
        raise VidfitError(
            f"{name} makes frames {found.scale} times larger; give --scale {found.scale}, or leave "
            "it away"
        )
    return found


def _some(clips: Sequence[Clip], notes: list[str]) -> list[Clip]:
    """Return clips that are looked at, evenly spread, and note how many are not."""
    if len(clips) <= _MOST_CLIPS:
        return list(clips)
    notes.append(f"Of {len(clips):,} clips {_MOST_CLIPS} were looked at, evenly spread.")
    return [clips[number * len(clips) // _MOST_CLIPS] for number in range(_MOST_CLIPS)]


def _degradation(clips: Sequence[Clip], options: RestoreOptions) -> tuple[Degradation, str]:
    """Return how small frames are made, and why so."""
    if options.like is None:
        return Degradation(options.scale), _USUAL
    return fitted_degradation(options.like, clips, options.scale)


def _nothing(material: Stretches) -> str:
    first = "; ".join(f"{f.name}: {f.reason}" for f in material.failures[:3])
    return f"no clip has frames to learn from: {first or 'there is none'}. Give other clips"
