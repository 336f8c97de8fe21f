"""Which spans of long videos to correct next: answer them by a model, propose what it doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vidfit.answers import Timeline
from vidfit.contracts import Clip, Failure, clip_key
from vidfit.errors import NotEnoughDataError, VidfitError
from vidfit.jobs.label.answers import CLIPS, rows_of
from vidfit.jobs.label.options import LabelOptions
from vidfit.jobs.label.spans import check_not_replaced, propose_spans, unchanged, write_spans
from vidfit.jobs.label.value import Labelling
from vidfit.jobs.predict.many import predict_many
from vidfit.jobs.predict.predictor import Predictor, load
from vidfit.launch import launcher
from vidfit.manifest import Manifest, losses, read_manifest, refusal, write_manifest
from vidfit.progress import SILENT, Progress

_LEAST_SECONDS = 1e-3
"""Of a row of a list: a moment is none."""


def run_label_spans(
    source: str | Path, output: Path, options: LabelOptions, progress: Progress | None = None
) -> Labelling:
    """Propose spans of long videos that a model is least sure of, as a list to correct.

    ``output`` gets ``to-label.csv``: the spans with the labels that the model answers, and the
    rest of their videos without one. Corrected, it can be fitted on; given as
    ``options.answers`` it is joined to the labelled rows of ``source`` in ``clips.csv``, and the
    next spans are proposed.

    Raises
    ------
    VidfitError
        If the model does not answer over time, or a list would be replaced that was not read.
    NotEnoughDataError
        If every video has labels, or none can be answered.
    """
    if options.model is None:
        raise VidfitError("spans are proposed by a model; name its directory (--model)")
    check_not_replaced(output, options.answers)
    predictor = load(options.model, options.backbones, options.task)
    if not predictor.is_in_time:
        raise VidfitError(
            f"--model takes a model of --task localise; {options.model} answers the task "
            f"{predictor.model.task!r}"
        )
    manifest = read_manifest(source, groups=options.groups, labels="one")
    known = [clip for clip in manifest.clips if clip.label is not None]
    as_they_were = 0
    if options.answers:
        answers = rows_of(options.answers)
        known += [clip for clip in answers if clip.label is not None]
        as_they_were = unchanged(answers, output)
        _keep(manifest, options.answers, output)
    paths = _unlabelled(manifest)
    timelines, failures = _answered(predictor, paths, options, output, progress or SILENT)
    if not timelines:
        raise NotEnoughDataError(refusal(losses(failures, len(paths)), "No video is answered"))
    proposed = propose_spans(timelines, known, options.count)
    write_spans(proposed, timelines, output)
    return Labelling(
        tuple(proposed),
        dict(Counter(str(clip.label) for clip in known).most_common()),
        len(known),
        (),
        manifest.grouping,
        (*manifest.rejected, *failures),
        spans=True,
        unchanged=as_they_were,
    )


def _unlabelled(manifest: Manifest) -> tuple[str, ...]:
    """Return the videos without a label: of others, time between spans may be background."""
    known = {clip.path for clip in manifest.clips if clip.label is not None}
    clips = [clip for clip in manifest.clips if clip.path not in known and clip.split != "test"]
    if not clips:
        raise NotEnoughDataError(
            "every video has a label; add a row with the path of a video and no label, start or end"
        )
    return tuple(dict.fromkeys(clip.path for clip in clips))


def _answered(
    predictor: Predictor,
    paths: tuple[str, ...],
    options: LabelOptions,
    output: Path,
    progress: Progress,
) -> tuple[list[Timeline], list[Failure]]:
    """Return the answers to videos, and those without one."""
    place = launcher(options.on, workers=options.workers, scratch=output)
    found = list(predict_many(predictor, [Clip(path) for path in paths], place, progress=progress))
    timelines = [one for one in found if isinstance(one, Timeline)]
    return timelines, [one for one in found if isinstance(one, Failure)]


def _keep(manifest: Manifest, answers: Path, output: Path) -> None:
    """Write the rows of the source and of the answers as one list.

    Rows of the answers go before rows of the source that say the same time has no label.
    """
    rows = [*rows_of(answers), *manifest.clips]
    group = {clip.path: clip.group for clip in manifest.clips}
    each = {(c.path, c.start_seconds, c.end_seconds): c for c in rows[::-1]}
    clips = [replace(clip, group=group.get(clip.path, clip.group)) for clip in each.values()]
    labelled = {clip.path for clip in manifest.clips if clip.label is not None}
    kept = [
        clip
        for clip in clips
        if clip.label is not None or clip.end_seconds is not None or clip.path in labelled
    ]
    kept += [_lasting(clip, group) for clip in manifest.unread if clip.path in labelled]
    write_manifest(replace(manifest, clips=tuple(sorted(kept, key=_place))), output / CLIPS)


def _lasting(clip: Clip, group: Mapping[str, str | None]) -> Clip:
    """Return time that is not labelled as a row of a list, which has a length."""
    end = clip.end_seconds
    least = clip.start_seconds + _LEAST_SECONDS
    end = None if end is None else max(end, least)
    return replace(clip, end_seconds=end, group=group.get(clip.path))


def _place(clip: Clip) -> tuple[str, float, str]:
    return clip.path, clip.start_seconds, clip_key(clip)
