"""What the clips of a list are labelled with, by what it says or what is asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from vidfit.contracts import clip_key
from vidfit.errors import ManifestError
from vidfit.labels import ONE, SEVERAL, Kind, names_in

if TYPE_CHECKING:
    from vidfit.manifest.value import Listing

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
        listing.kind = SEVERAL


def as_kind(listing: Listing, asked: Kind | None) -> Kind:
    """Return the kind of the labels of a listing, and write them in the one form of the kind.

    Raises
    ------
    ManifestError
        If the labels cannot be of the kind that is asked for; names the first.
    """
    kind = asked or listing.kind or ONE
    for i, clip in enumerate(listing.clips):
        if clip.label is None:
            continue
        try:
            label = kind.checked(clip.label)
        except ValueError as error:
            raise ManifestError(
                f"{clip_key(clip)} has the label {clip.label!r}, which {error}"
            ) from None
        if label != clip.label:
            listing.clips[i] = replace(clip, label=label)
    return kind
