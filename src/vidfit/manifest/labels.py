"""Labels that are none, or that are one label in two forms."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from vidfit.manifest.told import listed
from vidfit.shown import counted

if TYPE_CHECKING:
    from vidfit.manifest.value import Listing

MISSING = frozenset(
    {"NaN", "nan", "None", "null", "NULL", "<NA>", "NA", "N/A", "n/a", "#N/A", "-nan", "<null>"}
)
"""Words that stand for an empty cell, as pandas writes and reads them."""

_WHOLE = re.compile(r"([+-]?\d+)\.0+")


def alike(label: str) -> str:
    """Return what two names of one class have in common, whatever their case and accents' form."""
    return unicodedata.normalize("NFC", label).casefold()


def settle_labels(listing: Listing) -> None:
    """Take words for missing labels as none, and ``1.0`` for ``1``; say so, and what looks alike.

    Unlike folders, whose names some systems fold, labels of a list that differ in case only
    stay apart. Numbers and columns of classes stay as they are.
    """
    if listing.kind is not None:
        return
    counts = Counter(clip.label for clip in listing.clips if clip.label is not None)
    absent = sorted(MISSING & counts.keys())
    whole = {name: found[1] for name in counts if (found := _WHOLE.fullmatch(name))}
    renamed = {name: short for name, short in whole.items() if short in counts}
    if absent:
        count = sum(counts[name] for name in absent)
        listing.warnings.append(
            f"Labels that stand for none: {listed(absent)} ({counted(count, 'row')})."
        )
    if renamed:
        pairs = [f"{name} as {short}" for name, short in sorted(renamed.items())]
        listing.warnings.append(f"Labels that are one number are joined: {listed(pairs)}.")
    if absent or renamed:
        new = {**renamed, **dict.fromkeys(absent)}
        listing.clips = [
            replace(clip, label=new[clip.label]) if clip.label in new else clip
            for clip in listing.clips
        ]
    _say_alike(listing, [name for name in counts if name not in absent])


def _say_alike(listing: Listing, labels: list[str]) -> None:
    first: dict[str, str] = {}
    pairs = [
        f"{first[alike(label)]!a} and {label!a}"
        for label in labels
        if first.setdefault(alike(label), label) != label
    ]
    if pairs:
        listing.warnings.append(
            f"Labels that look alike count as different classes: {listed(pairs)}. If they are "
            "one, write them alike."
        )
