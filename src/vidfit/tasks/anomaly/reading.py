"""From recordings that are normal, and those with events, to the windows of their videos."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure, Seconds, clip_key
from vidfit.errors import ManifestError, VideoError
from vidfit.labels import Kind
from vidfit.manifest import Manifest, faults_of, read_manifest
from vidfit.manifest.recordings import read_recordings
from vidfit.manifest.value import absolute
from vidfit.metrics.unusual import ALARMS_AN_HOUR
from vidfit.shown import counted
from vidfit.tasks.anomaly.folders import SPANS_TABLE, SetFolders, found_in
from vidfit.tasks.anomaly.kind import KIND, LEAST_RECORDINGS, NORMAL_LABEL, UNUSUAL, USUAL
from vidfit.tasks.anomaly.truths import Flags, runs_of
from vidfit.tasks.localise.moments import NOTHING
from vidfit.tasks.localise.reading import (
    AFTER_END,
    Odd,
    by_path,
    edges_of,
    in_blocks,
    not_background,
    told,
    windows,
)
from vidfit.tasks.task import Task
from vidfit.video import VideoReader

SHORTEST_SECONDS, LONGEST_SECONDS, MANY_WINDOWS = 0.5, 2.0, 8000
"""Of a window; those of long recordings are longer, which limits their number."""

LAYOUT = (
    "a folder with the folders 'normal' (or train, training_videos) and 'test', and "
    f"{SPANS_TABLE} with the columns path, label, start and end; or such a table alone, in which "
    "the label 'normal' without times names a recording that is normal throughout"
)


@dataclass
class _Recorded:
    """A recording: what it is called, whether it is normal throughout, its events, and what else.

    ``unread`` is time of which a row says that cannot be used: whether it holds an event is not
    known.
    """

    path: str
    group: str | None
    normal: bool
    spans: list[Clip] = field(default_factory=list)
    flags_F: Flags | None = None
    unread: list[Clip] = field(default_factory=list)


def read_recordings_of(
    source: str | Path, groups: Path | None = None, kind: Kind | None = None
) -> Manifest:
    """Read normal recordings and test recordings, and return the windows of their videos.

    Read are a folder in the layouts of UCSD, Avenue and ShanghaiTech, one with normal videos and a
    table of events, or such a table alone. A window is unusual where its middle lies in an event.
    Only windows of normal recordings are ever learned from. Are these fewer than four, each is cut
    into blocks of time.

    Raises
    ------
    ManifestError
        If nothing of the kind is there, no recording is normal, or none can be read.
    """
    failures: list[Failure] = []
    warnings: list[str] = []
    if Path(source).is_dir():
        videos = _of_folder(found_in(Path(absolute(source))), groups, failures, warnings)
    else:
        videos = _of_table(read_manifest(source, groups=groups, labels="one"), failures, warnings)
    if not any(video.normal for video in videos):
        raise ManifestError(
            f"{source} has no recording that is normal throughout, of which alone it is learned "
            f"what is usual; valid is {LAYOUT}"
        )
    clips = _windows(videos, failures, warnings)
    if not any(clip.label == NORMAL_LABEL for clip in clips):
        none = "" if failures else "; it has no window"
        raise ManifestError(
            f"no normal recording of {source} can be read{none}", faults_of(failures)
        )
    normal = {clip.recording for clip in clips if clip.label == NORMAL_LABEL}
    if len(normal) < LEAST_RECORDINGS:
        clips = [*_blocks(clips), *(clip for clip in clips if clip.label != NORMAL_LABEL)]
        warnings.append(
            f"The set has {counted(len(normal), 'normal recording')}, and {LEAST_RECORDINGS} "
            "are needed: they "
            "are cut into blocks of time, with gaps between them. Thresholds hold for more of "
            "these recordings; they say nothing of other days or cameras."
        )
    if all(clip.label in (NORMAL_LABEL, USUAL) for clip in clips):
        warnings.append(
            "No event is labelled: nothing can be ranked by the area under the ROC curve. What is "
            "measured is false alarms; whether events are found is not known."
        )
    return Manifest(
        tuple(clips), "by video, or as the table or file of groups says", tuple(warnings),
        tuple(failures), "normal and test recordings", (), KIND,
    )  # fmt: skip


def without_events(task: Task, manifest: Manifest) -> Task:
    """Return the task with false alarms as its one measure, where no event is labelled."""
    if any(str(clip.label).startswith(UNUSUAL) for clip in manifest.clips):
        return task
    return replace(task, measures={ALARMS_AN_HOUR.name: ALARMS_AN_HOUR})


def _of_folder(
    found: SetFolders, groups: Path | None, failures: list[Failure], warnings: list[str]
) -> list[_Recorded]:
    """Return the recordings of a folder; those of `SPANS_TABLE` as it says."""
    named = dict(read_recordings(groups)) if groups else {}

    def group_of(path: Path) -> str | None:
        return named.get(path.name) or named.get(path.stem)

    listed: dict[str, _Recorded] = {}
    if found.table:
        manifest = read_manifest(found.table, labels="one")
        failures += [*manifest.rejected, *manifest.missing]
        listed = {video.path: video for video in _of_table(manifest, failures, warnings)}
    warnings += [
        f"{path} lies inside a folder of recordings: what {SPANS_TABLE} does not name of it is not "
        "read. Put normal videos beside the others, and test videos into a folder 'test' beside it."
        for path in found.unread
    ]
    videos = []
    for path in found.normal:
        own = listed.pop(str(path), None)
        if own and not own.normal:
            warnings.append(f"{path} lies among normal videos, and has events: it is not learned.")
        videos.append(own or _Recorded(str(path), group_of(path), normal=True))
    for path in found.tests:
        own = listed.pop(str(path), None)
        if own is None and path in found.frames:
            own = _Recorded(str(path), group_of(path), False, flags_F=found.frames[path])
        if own is None:
            failures.append(Failure(str(path), "nothing says which of its time is unusual"))
        else:
            videos.append(replace(own, group=own.group or group_of(path)))
    return [*videos, *listed.values()]


def _of_table(manifest: Manifest, failures: list[Failure], warnings: list[str]) -> list[_Recorded]:
    """Return the recordings of a table of events."""
    rows: dict[str, list[Clip]] = defaultdict(list)
    unread = by_path(manifest.unread)
    for clip in manifest.clips:
        if clip.label is None:
            failures.append(Failure(clip_key(clip), "it has no label"))
            unread[clip.path].append(clip)
        else:
            rows[clip.path].append(clip)
    failures += [f for f in (*manifest.rejected, *manifest.missing) if f not in failures]
    warnings += manifest.warnings
    videos = []
    for path, of in rows.items():
        video = _Recorded(path, of[0].group, any(_is_whole(c, NORMAL_LABEL) for c in of))
        video.unread = unread[path]
        for clip in of:
            if _is_whole(clip, NORMAL_LABEL) or _is_whole(clip, USUAL):
                continue
            if clip.label in (NORMAL_LABEL, USUAL):
                why = f"{clip.label!r} is said of a whole recording; leave start and end away"
                failures.append(Failure(clip_key(clip), why))
                video.unread.append(clip)
            elif clip.end_seconds is None:
                failures.append(Failure(clip_key(clip), "it has no end"))
                video.unread.append(clip)
            else:
                video.spans.append(clip)
        if video.normal and video.spans:
            warnings.append(f"{path} is called normal, and has events: it is not learned.")
            video.normal = False
        if video.normal or video.spans or any(_is_whole(c, USUAL) for c in of):
            videos.append(video)
    return videos


def _is_whole(clip: Clip, label: str) -> bool:
    return clip.label == label and clip.end_seconds is None and not clip.start_seconds


def _windows(
    videos: Sequence[_Recorded], failures: list[Failure], warnings: list[str]
) -> list[Clip]:
    """Return the windows of all videos that can be read."""
    times: dict[str, tuple[Seconds, float]] = {}
    for video in videos:
        try:
            with VideoReader(video.path) as reader:
                times[video.path] = reader.pts_seconds, reader.info.duration_seconds
        except VideoError as error:
            failures.append(Failure(video.path, str(error).removeprefix(f"{video.path}: ")))
    total = sum(duration for _, duration in times.values())
    seconds = float(np.clip(total / MANY_WINDOWS, SHORTEST_SECONDS, LONGEST_SECONDS))
    clips = []
    odd: Odd = defaultdict(list)
    left: Counter[str] = Counter()
    for video in videos:
        if video.path in times:
            pts_seconds, duration = times[video.path]
            if video.flags_F is not None:
                video.spans = list(_spans(video, pts_seconds, duration, warnings))
            spans = list(_events(video.spans, duration, failures, odd))
            between = NORMAL_LABEL if video.normal else USUAL
            edges = edges_of(duration, seconds)
            found = windows(video.path, edges, spans, (), between)
            if video.unread:
                known = windows(video.path, edges, spans, (), between, video.unread)
                left[video.path] += len(found) - len(known)
                found = known
            clips += [replace(clip, group=video.group, split=None) for clip in found]
    warnings += [*told(odd), *not_background(left, seconds)]
    return clips


def _spans(
    video: _Recorded, pts_seconds: Seconds, duration: float, warnings: list[str]
) -> Iterator[Clip]:
    """Yield the events of a video whose frames are marked."""
    flags_F = video.flags_F if video.flags_F is not None else np.zeros(0, np.bool_)
    frames = len(pts_seconds)
    if len(flags_F) > frames:
        warnings.append(
            f"{video.path}: {len(flags_F)} frames are marked as unusual or not, and it has "
            f"{frames}; the rest is left away."
        )
    for first, after in runs_of(flags_F[:frames]):
        end = duration if after >= frames else float(pts_seconds[after])
        yield Clip(video.path, float(pts_seconds[first]), end, UNUSUAL)


def _events(
    spans: Sequence[Clip], duration: float, failures: list[Failure], odd: Odd
) -> Iterator[Clip]:
    """Yield events in order; those beyond the end are refused, those that overlap are one."""
    last: Clip | None = None
    for span in sorted(spans, key=lambda one: one.start_seconds):
        name = f"{span.path}#{span.start_seconds:g}"
        end = min(float(span.end_seconds or 0), duration)
        if span.start_seconds >= duration:
            failures.append(Failure(name, f"it starts beyond the end of the video, {duration:g} s"))
            continue
        if float(span.end_seconds or 0) > duration + 0.5:
            odd[AFTER_END].append(f"{name}, which ends at {span.end_seconds:g} s of {duration:g} s")
        if last is not None and span.start_seconds <= float(last.end_seconds or 0):
            if span.start_seconds < float(last.end_seconds or 0):
                odd["Events that overlap the one before them, and are one with it"].append(name)
            last = replace(last, end_seconds=max(end, float(last.end_seconds or 0)))
            continue
        if last is not None:
            yield last
        last = replace(span, label=UNUSUAL, end_seconds=end)
    if last is not None:
        yield last


def _blocks(clips: Sequence[Clip]) -> list[Clip]:
    """Return normal windows as those of blocks of time of their video."""
    found = []
    for path in dict.fromkeys(clip.path for clip in clips if clip.label == NORMAL_LABEL):
        own = [replace(c, label=NOTHING) for c in clips if c.path == path]
        found += [replace(clip, label=NORMAL_LABEL) for clip in in_blocks(own)]
    return found
