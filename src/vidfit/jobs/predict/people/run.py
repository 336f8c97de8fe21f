"""Find faces in videos, follow them, and name those who are known; everybody else is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from vidfit.backbones.faces.finding import SMALLEST_PIXELS
from vidfit.contracts import Clip, Failure
from vidfit.errors import VideoError
from vidfit.hardware import hardware
from vidfit.jobs.predict.by_task import AskedOfTask, ToldOfVideo
from vidfit.jobs.predict.looked import LookedVideo, as_data, notes_of
from vidfit.jobs.predict.objects.looks import wanted_frames
from vidfit.jobs.predict.people.clusters import UnknownTrack, write_clusters
from vidfit.jobs.predict.people.named import named_tracks
from vidfit.jobs.predict.people.options import PeopleOptions
from vidfit.jobs.predict.people.recogniser import Recogniser, open_recogniser
from vidfit.jobs.predict.people.seen import see_faces
from vidfit.jobs.predict.people.value import VideoPeople
from vidfit.jobs.predict.people.written import CLUSTERS, PEOPLE_WRITERS, ToWrite, check_formats
from vidfit.progress import SILENT, Progress
from vidfit.shown import counted
from vidfit.tasks.faces.kind import UNKNOWN
from vidfit.video import VideoReader

LOOKS_A_SECOND = 5.0
"""Frames that are looked at where it is not said how many."""

_TOLD_TRACKS = 20


def run_people(asked: AskedOfTask) -> Iterator[ToldOfVideo]:
    """Yield who is seen in each video, and when; files hold the same.

    Raises
    ------
    ConsentError
        If it is not said to what the people agreed.
    VidfitError
        If an option or a format is none.
    BackboneError, ModelError
        If the model is no gallery, or faces cannot be found here.
    """
    options = PeopleOptions.of(asked.options)
    recogniser = open_recogniser(asked.model, options.consent, asked.own)
    if asked.output:
        check_formats(asked.formats)
    grouped = asked.output / CLUSTERS if asked.output and CLUSTERS in asked.formats else None
    unknown: list[UnknownTrack] = []
    for video, name in zip(asked.videos, asked.names, strict=True):
        if isinstance(video, Failure):
            yield ToldOfVideo(video.name, failure=video.reason)
            continue
        try:
            found = _answered(video, recogniser, options, asked.workers, asked.progress)
            for suffix in asked.formats if asked.output else ():
                if asked.output and suffix in PEOPLE_WRITERS:
                    PEOPLE_WRITERS[suffix](found, asked.output / f"{name}.{suffix}")
        except VideoError as error:
            yield ToldOfVideo(video.path, failure=str(error).removeprefix(f"{video.path}: "))
            continue
        if grouped:  # each keeps a picture
            unknown += _unknown(found, name)
        yield _told(found.people)
    if grouped:
        count = write_clusters(unknown, recogniser.threshold, grouped)
        asked.progress.note(
            f"{counted(len(unknown), 'unknown track')} in {counted(count, 'group')}: "
            f"{grouped}. Rename a "
            "folder to a name and put it among the people to have them known"
        )


def _unknown(found: ToWrite, name: str) -> Iterator[UnknownTrack]:
    """Yield the tracks of a video that nobody is known by."""
    names = {one.track: one.name for one in found.people.tracks}
    for number, track in found.seen.tracks.items():
        if names.get(number) == UNKNOWN:
            yield UnknownTrack(name, number, track)


def people_in(
    model: Path,
    path: str,
    *,
    consent: str,
    every: int | None = None,
    smallest_pixels: int = SMALLEST_PIXELS,
) -> VideoPeople:
    """Return who is seen in a video, and when.

    Parameters
    ----------
    model
        Directory that ``fit`` wrote with ``--task faces``.
    consent
        To what the people agreed; it is written into the answers.
    every
        Each how manieth frame is looked at; ``None`` for about five a second.
    smallest_pixels
        Side of the smallest face that is looked for.

    Raises
    ------
    ConsentError
        If it is not said to what they agreed.
    VideoError
        If the video cannot be read.
    """
    options = PeopleOptions(consent, every, smallest_pixels)
    return _answered(Clip(path), open_recogniser(str(model), consent), options).people


def _answered(
    clip: Clip,
    recogniser: Recogniser,
    options: PeopleOptions,
    workers: int | None = None,
    progress: Progress = SILENT,
) -> ToWrite:
    """Look at a video, follow the faces and name them."""
    with VideoReader(clip.path) as reader:
        wanted = wanted_frames(reader, clip, options.every or _every(reader))
        progress.start("look for faces", len(wanted))
        seen = see_faces(
            reader,
            recogniser,
            wanted,
            options.smallest_pixels,
            workers=workers or hardware().cores,
            progress=progress,
        )
        pts, end = reader.pts_seconds, reader.duration_seconds
        people = VideoPeople(
            video=LookedVideo.of(
                reader, clip.path, (int(wanted[0]), int(wanted[-1])), wanted, len(seen.looks)
            ),
            consent=recogniser.consent,
            people=recogniser.names,
            threshold=round(recogniser.threshold, 4),
            tracks=named_tracks(seen.tracks, recogniser, pts, end),
            notes=notes_of(clip, reader, len(wanted), len(seen.looks)),
        )
        return ToWrite(people, seen, pts)


def _every(reader: VideoReader) -> int:
    rate = len(reader.pts_seconds) / max(reader.duration_seconds, 1e-6)
    return max(1, round(rate / LOOKS_A_SECOND))


def _told(people: VideoPeople) -> ToldOfVideo:
    counts = Counter(track.name for track in people.tracks)
    who = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    video = people.video
    lines = [
        f"{video.path}  {video.duration_seconds:.2f} s, {counted(video.frames_seen, 'frame')} "
        "looked at, "
        f"{counted(len(people.tracks), 'track')} of faces{': ' if who else ''}{who}"
    ]
    lines += [
        f"  {one.start_seconds:8.2f} - {one.end_seconds:8.2f} s  {one.name} "
        f"({one.over:+.3f} over the threshold){'; ' if one.note else ''}{one.note}"
        for one in people.tracks[:_TOLD_TRACKS]
    ]
    if (more := len(people.tracks) - _TOLD_TRACKS) > 0:
        lines += [f"  {more} more tracks"]
    lines += [f"  {note.name}: {note.text}" for note in people.notes]
    return ToldOfVideo(people.video.path, tuple(lines), as_data(people))
