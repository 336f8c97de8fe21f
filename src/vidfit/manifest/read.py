"""From a folder, a list or a table to a manifest."""

from __future__ import annotations

from pathlib import Path

from vidfit.contracts import Clip, is_words
from vidfit.errors import ManifestError
from vidfit.labels import KINDS, Kind, Labels
from vidfit.manifest.copies import say_contradictions
from vidfit.manifest.entries import unreadable
from vidfit.manifest.folders import read_folders, read_levels
from vidfit.manifest.groups import assign_groups
from vidfit.manifest.label_kinds import as_kind
from vidfit.manifest.levels import written_levels
from vidfit.manifest.lists import lists_of, read_list, read_lists
from vidfit.manifest.names import (
    LIST_SUFFIXES,
    TABLE_SUFFIXES,
    is_image,
    is_sound,
    is_video,
    is_video_file,
)
from vidfit.manifest.shards import holds_shards, read_shards
from vidfit.manifest.spans import read_span_files, read_spans
from vidfit.manifest.told import losses
from vidfit.manifest.value import Listing, Manifest, absolute, is_url
from vidfit.video.member import split_member
from vidfit.video.policy import in_force

LAYOUTS = (
    "a folder with one folder of videos (or photos, or folders of frames) for each class; the same "
    "below train, val and test; a CSV or Parquet with the columns path and label; a list "
    "'path label' or 'folder total_frames label'; a folder with train.csv, val.csv and "
    "test.csv; the lists of UCF101; a folder of shards; spans of ActivityNet, AVA, BORIS or ELAN"
)

_HEAD_BYTES = 8192


def read_manifest(
    source: str | Path, *, groups: Path | None = None, labels: Labels | Kind | None = None
) -> Manifest:
    """Find the clips of a data set, their labels and their recordings.

    Parameters
    ----------
    source
        A folder, a table, a list, or one video; or a folder of shards, also at a URL. Paths in
        tables and lists are taken relative to the folder that the file lies in (or one beside
        it that has the files). What they may name says the `vidfit.video.policy` in force.
        ``FOLDER/RECORDING/CLASS`` says what the levels of a folder are; ``SPLIT`` and ``*`` may
        stand there, too.
    groups
        A file that says from which recording each clip was cut; see
        ``vidfit.manifest.recordings.read_recordings``. Without it a ``groups.csv``,
        ``groups.json`` or ``videos.txt`` in the folder is used, then file names.
    labels
        What clips are labelled with. Without it they have several labels where a list joins them
        by ``|`` or has columns of 0 and 1, a number where a column is called so, else one class.

    Returns
    -------
    Manifest
        At least one clip, each with its group, in natural order of the paths for folders
        and in the given order for tables and lists.

    Raises
    ------
    ManifestError
        If there is no such source, its layout is not understood, it holds no clip, or its labels
        are not of the kind that was asked for.
    """
    listing = _list_clips(source)
    if not is_url(str(source)):  # what is typed is followed, and what lies below it
        _refuse(listing)
    clips = _without_repeats(listing)
    if not clips:
        raise ManifestError(_nothing_found(source, listing))
    listing.clips = clips
    kind = as_kind(listing, KINDS[labels] if isinstance(labels, str) else labels)
    unlabelled = sum(clip.label is None for clip in clips)
    if unlabelled:
        listing.warnings.append(f"{unlabelled} of {len(clips)} clips have no label.")
    say_contradictions(listing)
    return Manifest(
        clips=tuple(assign_groups(listing, None if groups is None else Path(groups))),
        grouping=listing.grouping,
        warnings=tuple(listing.warnings),
        rejected=tuple(listing.rejected),
        layout=listing.layout,
        missing=tuple(dict.fromkeys(listing.missing)),
        kind=kind,
        unread=tuple(listing.unread),
    )


def _refuse(listing: Listing) -> None:
    """Reject what the policy in force does not follow."""
    policy, kept = in_force(), []
    for clip in listing.clips:
        if not is_words(clip.path) and (why := policy.refusal(clip.path)):
            listing.reject(clip.path, why)
        else:
            kept.append(clip)
    listing.clips = kept


def _list_clips(source: str | Path) -> Listing:
    if is_url(str(source)):
        if not is_video(str(source)) and holds_shards(source):
            return read_shards(source)
        return Listing(Path(), "one video", clips=[Clip(str(source))])
    path = Path(absolute(Path(source).expanduser()))
    if split_member(str(source)):
        return Listing(Path(), "one video", clips=[Clip(str(path))])
    if path.is_dir():
        return _read_folder(path)
    if levels := written_levels(path):
        return read_levels(*levels)
    if not path.is_file():
        raise ManifestError(f"There is no {path}. Expected: {LAYOUTS}.")
    if is_image(path.name):
        return Listing(path.parent, "one photo", clips=[Clip(str(path))])
    if is_sound(path.name) or is_video_file(path):
        return Listing(path.parent, "one video", clips=[Clip(str(path))])
    if (spans := read_spans(path)) is not None:
        return spans
    if path.suffix.lower() in LIST_SUFFIXES | TABLE_SUFFIXES:
        _refuse_boxes(path)
        return read_list(path)
    raise ManifestError(f"{path} is neither a video nor a list of clips. Expected: {LAYOUTS}.")


def _refuse_boxes(path: Path) -> None:
    """Say how a table of boxes is read: each of its rows would be a clip."""
    with path.open("rb") as file:
        head = file.readline(_HEAD_BYTES).decode("utf-8-sig", "replace")
    from vidfit.manifest.annotations.table import is_table  # its formats take a while

    if is_table(head.splitlines()[:1]):
        raise ManifestError(
            f"{path} is a table of boxes, a row for each: objects in frames are learned with "
            "--task detect. As a list of clips it has a row for each clip, and no x, y, w, h."
        )


def _read_folder(folder: Path) -> Listing:
    if why := unreadable(folder):
        raise ManifestError(f"{folder}: {why}")
    lists = lists_of(folder)
    if not lists and (spans := read_span_files(folder)) is not None:
        return spans
    if not lists:
        return read_shards(folder) if holds_shards(folder) else read_folders(folder)
    try:
        return read_lists(folder, lists)
    except ManifestError as error:
        names = ", ".join(path.name for _, path in lists)
        listing = read_folders(folder)
        if not listing.clips or all(clip.label is None for clip in listing.clips):
            raise
        listing.warnings.append(f"{names}: not used, the folders are read instead. {error}")
        return listing


def _without_repeats(listing: Listing) -> list[Clip]:
    """Keep the first of rows that name the same span of the same video."""
    seen: dict[str | tuple[str, float, float | None], Clip] = {}
    for clip in listing.clips:
        whole = not clip.start_seconds and clip.end_seconds is None
        span = (clip.path, clip.start_seconds, clip.end_seconds)
        first = seen.setdefault(clip.path if whole else span, clip)
        if first is not clip:
            same = first.label == clip.label
            label = "" if same else f", as {first.label!r} and as {clip.label!r}"
            listing.reject(clip.path, f"listed twice{label}; the first is used")
    return list(seen.values())


def _nothing_found(source: str | Path, listing: Listing) -> str:
    total = len(listing.rejected)
    said = [losses(listing.rejected, total), *(warning.rstrip(".") for warning in listing.warnings)]
    reason = "".join(f" {sentence}." for sentence in said if sentence)
    layout = f", read as {listing.layout}" if listing.layout else ""
    return f"No clips in {source}{layout}.{reason} Expected: {LAYOUTS}."
