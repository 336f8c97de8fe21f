"""What the clips of a list are labelled with, by what it says or what is asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from vidfit.contracts import clip_key
from vidfit.errors import ManifestError, VidfitError
from vidfit.labels import Labels, joined, names_in
from vidfit.manifest.columns import is_number

if TYPE_CHECKING:
    from vidfit.manifest.value import Listing, Manifest

_BETWEEN = "|"


def settle_kind(listing: Listing) -> None:
    """Take labels of a list that are joined by ``|`` as several, if its columns say nothing.

    They are joined where what stands between the signs is a label elsewhere, too: the name of one
    class may hold the sign.
    """
    if listing.kind is not None:
        return
    labels = {clip.label for clip in listing.clips if clip.label is not None}
    parts = {label: names_in(label) for label in labels if _BETWEEN in label}
    used = Counter(name for label in labels for name in parts.get(label, (label,)))
    if any(len(names) > 1 and any(used[n] > 1 for n in names) for names in parts.values()):
        listing.kind = "several"


def as_kind(listing: Listing, asked: Labels | None) -> Labels:
    """Return the kind of the labels of a listing, and write them in the one form of the kind.

    Raises
    ------
    ManifestError
        If the labels cannot be of the kind that is asked for; names the first.
    """
    kind = asked or listing.kind or "one"
    for clip in listing.clips:
        if kind == "number" and clip.label is not None and not is_number(clip.label):
            raise ManifestError(
                f"{clip_key(clip)} has the label {clip.label!r}, which is no number; valid with "
                "--labels number is a number a clip"
            )
    if kind == "several":
        listing.clips = [
            clip if clip.label is None else replace(clip, label=joined(names_in(clip.label)))
            for clip in listing.clips
        ]
    return kind


def check_one_class(manifest: Manifest, job: str) -> None:
    """Refuse labels that a job does not know yet.

    Raises
    ------
    VidfitError
        Names the kind of label, and the jobs that know it.
    """
    if manifest.kind == "one":
        return
    what = "several labels" if manifest.kind == "several" else "a number"
    raise VidfitError(
        f"vidfit {job} takes clips with one class each, and these have {what}; select, fit and "
        "predict take them"
    )
