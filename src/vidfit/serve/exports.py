"""What people labelled, as files that `vidfit fit` and other tools read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from vidfit.contracts import Clip
from vidfit.labels import KINDS
from vidfit.manifest import Manifest, write_manifest
from vidfit.manifest.spans.written import NamedSpan, activitynet_text, label_studio_timelines
from vidfit.serve.labels import GivenLabel, label_of
from vidfit.serve.library import Library
from vidfit.serve.problems import ProblemError
from vidfit.serve.spans import MarkedSpan

ExportForm = Literal["csv", "parquet", "activitynet", "label-studio"]
Exported = Literal["labels", "spans"]

MEDIA: Mapping[ExportForm, tuple[str, str]] = {
    "csv": ("csv", "text/csv; charset=utf-8"),
    "parquet": ("parquet", "application/vnd.apache.parquet"),
    "activitynet": ("json", "application/json"),
    "label-studio": ("json", "application/json"),
}
"""Form -> ending and media type of its file."""


def labelled(library: Library, given: Mapping[str, GivenLabel]) -> tuple[Clip, ...]:
    """Return the clips of a library that have a label, those given here before those of its list.

    Clips that were labelled in the test queue are the test split, and all others are not.
    """
    tested = {one for one, row in given.items() if row.kind == "label" and row.sample == "test"}
    found = []
    for one, clip in zip(library.ids, library.clips, strict=True):
        label = label_of(clip, given.get(one))
        if label is None or one in library.failed:
            continue
        split = "test" if one in tested else ("train" if tested else clip.split)
        found.append(replace(clip, label=label, split=split))
    return tuple(found)


def marked(library: Library, spans: Sequence[MarkedSpan]) -> tuple[Clip, ...]:
    """Return spans as clips of their videos."""
    clips = dict(zip(library.ids, library.clips, strict=True))
    return tuple(
        replace(
            clips[span.clip], start_seconds=span.start_seconds, end_seconds=span.end_seconds,
            label=span.label,
        )
        for span in spans
    )  # fmt: skip


def export_labels(library: Library, given: Mapping[str, GivenLabel], form: ExportForm) -> bytes:
    """Return the labels of clips as a file.

    Raises
    ------
    ProblemError
        404 where nothing is labelled; 422 where the form holds spans only.
    """
    clips = labelled(library, given)
    if form in ("csv", "parquet"):
        return table(clips, library, form)
    raise ProblemError(422, f"{form} holds spans; give what=spans, or form=csv or parquet")


def export_spans(
    library: Library,
    spans: Sequence[MarkedSpan],
    form: ExportForm,
    durations_seconds: Mapping[str, float],
) -> bytes:
    """Return spans as a file; videos have lengths by id of their clips, where they are known.

    Raises
    ------
    ProblemError
        404 where there are none.
    """
    if form in ("csv", "parquet"):
        return table(marked(library, spans), library, form)
    if not spans:
        raise ProblemError(404, "no span is marked here yet")
    names = dict(zip(library.ids, library.names, strict=True))
    clips = dict(zip(library.ids, library.clips, strict=True))
    named = [
        NamedSpan(
            names[span.clip], span.start_seconds, span.end_seconds, span.label, span.start_frame,
            span.end_frame, clips[span.clip].split,
        )
        for span in spans
    ]  # fmt: skip
    lengths = {names[one]: seconds for one, seconds in durations_seconds.items()}
    if form == "activitynet":
        return activitynet_text(named, lengths).encode("utf-8", "replace")
    return label_studio_timelines(named).encode("utf-8", "replace")


def table(clips: Sequence[Clip], library: Library, form: ExportForm) -> bytes:
    """Return clips as a list that `vidfit fit` reads, with full paths.

    Raises
    ------
    ProblemError
        404 where there are none.
    """
    if not clips:
        raise ProblemError(404, "nothing is labelled here yet")
    with tempfile.TemporaryDirectory(prefix="vidfit-") as folder:
        path = Path(folder) / f"clips.{MEDIA[form][0]}"
        write_manifest(Manifest(tuple(clips), kind=KINDS[library.labels]), path)
        return path.read_bytes()
