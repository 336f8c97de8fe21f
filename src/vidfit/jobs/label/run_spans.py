"""Which spans of long videos to correct next: answer them by a model, propose what it doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vidfit.answers import Timeline
from vidfit.contracts import Clip, Failure, clip_key
from vidfit.errors import ManifestError, NotEnoughDataError, VidfitError
from vidfit.jobs.label.answers import CLIPS, Span, check_not_own, rows_of, span
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
    ``options.answers`` it is joined to the labelled rows of ``source``, and to the answers of
    earlier rounds, in ``clips.csv``, and the next spans are proposed.

    Raises
    ------
    VidfitError
        If the model does not answer over time, or a list would be replaced that was not read.
    ManifestError
        If a list cannot be read, answers contradict ``source``, or it would be written over.
    NotEnoughDataError
        If every video has labels, or none can be answered.
    """
    if options.model is None:
        raise VidfitError("spans are proposed by a model; name its directory (--model)")
    check_not_own(source, output)
    check_not_replaced(output, options.answers)
    predictor = load(options.model, options.backbones, options.task)
    if not predictor.is_in_time:
        raise VidfitError(
            f"--model takes a model of --task localise; {options.model} answers the task "
            f"{predictor.model.task!r}"
        )
    manifest = read_manifest(source, groups=options.groups, labels="one")
    given = rows_of(options.answers) if options.answers else ()
    joined = _joined(manifest, given, output / CLIPS)
    as_they_were = unchanged(given, output)
    if options.answers:
        output.mkdir(parents=True, exist_ok=True)
        write_manifest(replace(manifest, clips=joined), output / CLIPS)
    known = [clip for clip in joined if clip.label is not None]
    paths = _unlabelled(manifest, joined)
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


def _unlabelled(manifest: Manifest, joined: Sequence[Clip]) -> tuple[str, ...]:
    """Return the videos without a label in the list, of which time is left without one.

    Of others, time between spans may be background.
    """
    known = {clip.path for clip in manifest.clips if clip.label is not None}
    answered = {clip.path for clip in joined if clip.label is not None}
    done = known | (answered - {clip.path for clip in joined if clip.label is None})
    clips = [clip for clip in manifest.clips if clip.path not in done and clip.split != "test"]
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


def _joined(manifest: Manifest, given: Sequence[Clip], kept: Path) -> tuple[Clip, ...]:
    """Return the rows of the source, of earlier rounds and of this one as one list.

    Of rows of the same time, those with a label go first: the source's, then the latest answers.

    Raises
    ------
    ManifestError
        If answers contradict a label of the source.
    """
    before = rows_of(kept) if kept.exists() else ()
    answers = [*given, *before]
    _check_fits(answers, manifest)
    group = {clip.path: clip.group for clip in manifest.clips}
    own = [clip for clip in manifest.clips if clip.label is not None]
    labelled = {clip.path for clip in own}
    in_order = sorted([*own, *answers, *manifest.clips], key=lambda clip: clip.label is None)
    each = {span(clip): clip for clip in reversed(in_order)}
    rows = [
        replace(clip, group=group.get(clip.path, clip.group))
        for clip in each.values()
        if clip.label is not None or clip.end_seconds is not None or clip.path in labelled
    ]
    bare = {span(clip) for clip in rows if clip.label is None}
    lost = [_lasting(clip, group) for clip in manifest.unread if clip.path in labelled]
    rows += [clip for clip in lost if span(clip) not in bare]
    return tuple(sorted(rows, key=_place))


def _check_fits(answers: Sequence[Clip], manifest: Manifest) -> None:
    """Refuse answers that contradict the user's own list."""
    own: dict[Span, list[str]] = {}
    for clip in manifest.clips:
        own.setdefault(span(clip), []).extend([] if clip.label is None else [clip.label])
    for clip in answers:
        known = own.get(span(clip))
        if known and clip.label is not None and clip.label not in known:
            raise ManifestError(
                f"{clip_key(clip)} is called {clip.label!r} by answers, and {known[0]!r} by your "
                "list; correct one of them"
            )


def _lasting(clip: Clip, group: Mapping[str, str | None]) -> Clip:
    """Return time that is not labelled as a row of a list, which has a length."""
    end = clip.end_seconds
    least = clip.start_seconds + _LEAST_SECONDS
    end = None if end is None else max(end, least)
    return replace(clip, end_seconds=end, group=group.get(clip.path))


def _place(clip: Clip) -> tuple[str, float, str]:
    return clip.path, clip.start_seconds, clip_key(clip)
