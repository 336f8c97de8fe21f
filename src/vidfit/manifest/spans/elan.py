"""Spans of files of ELAN (``.eaf``, XML); text that it exports is read by `elan_text`.

XML of strangers is read without a document type: no entity is ever defined or fetched.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import unquote
from xml.parsers import expat

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.manifest.names import is_video
from vidfit.manifest.spans.elan_text import say_tiers
from vidfit.manifest.spans.value import SpanRows
from vidfit.shown import counted

_WHOLE = re.compile(r"-?[0-9]{1,15}")
"""Milliseconds; those before the video begins are below zero."""


def parse_eaf(data: bytes, name: str) -> SpanRows:
    """Read the annotations of a file of ELAN that have times of their own.

    The video is the first that it names, whatever sound it names before, else that of the file's
    own name. Times are those of this video: where it is shifted against the others, that is added.

    Raises
    ------
    ManifestError
        If it is no XML, has a document type, is not of ELAN, or does not count milliseconds.
    """
    found = _Eaf(name)
    try:
        found.parser.Parse(data, True)
    except expat.ExpatError as error:
        line = found.parser.ErrorLineNumber
        raise ManifestError(f"{name}, line {line}: it is no sound XML ({error})") from error
    except (LookupError, ValueError) as error:  # an encoding that is not known, or of many bytes
        raise ManifestError(f"{name}: it is no sound XML ({error}); save it as UTF-8") from error
    if found.root != "ANNOTATION_DOCUMENT":
        raise ManifestError(f"{name} is XML of {found.root!r}, and not a file of ELAN")
    if found.units != "milliseconds":
        raise ManifestError(
            f"{name} counts time in {found.units}; save it with a version of ELAN that counts "
            "milliseconds"
        )
    rows = SpanRows(name, f"the spans of {name} (ELAN)")
    media = next((one for one in found.media if one.shows), None)
    video = media.written if media else PurePath(name).stem
    shift = media.shift if media else 0.0
    for line, tier, first, last, value in found.spans:
        start, end = found.slots.get(first), found.slots.get(last)
        if start is None or end is None:
            why = f"an annotation of the tier {tier!r} has no times of its own"
            rows.reject(line, why, Clip(video, *found.within(first, last, shift)))
        else:
            start, end = (max(0.0, (time + shift) / 1000) for time in (start, end))
            rows.add(line, Clip(video, start, end, value.strip() or tier))
    if found.without:
        rows.warnings.append(
            f"Not used, as they hang on others, without times: "
            f"{counted(found.without, 'annotation')} of {name}."
        )
    say_tiers(rows, list(dict.fromkeys(span[1] for span in found.spans)))
    return rows


class _Media(NamedTuple):
    """A file that was annotated, whether it is a video, and its time where all others begin, ms."""

    written: str
    shows: bool
    shift: float


class _Eaf:
    """What a file of ELAN says, as the parser goes through it."""

    def __init__(self, name: str) -> None:
        self.name, self.root, self.units, self.without = name, "", "milliseconds", 0
        self.media: list[_Media] = []
        self.slots: dict[str, float] = {}
        self.order: list[str] = []
        self.spans: list[tuple[int, str, str, str, str]] = []
        self._tier, self._text = "", ""
        self._open: tuple[int, str, str] | None = None
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._says
        self.parser.StartDoctypeDeclHandler = self._refuse

    def within(self, first: str, last: str, shift: float) -> tuple[float, float | None]:
        """Return seconds from the last known time before a slot to the first after another.

        Slots stand in the order of time, those without one between their neighbours.
        """
        known = [self.slots.get(slot) for slot in self.order]
        at = {slot: place for place, slot in enumerate(self.order)}
        before = [one for one in known[: at.get(first, -1) + 1] if one is not None]
        after = [one for one in known[at.get(last, len(known)) :] if one is not None]
        start = max(0.0, (before[-1] + shift) / 1000) if before else 0.0
        end = (after[0] + shift) / 1000 if after else None
        return start, end if end is None or end > start else None

    def _refuse(self, *_: object) -> None:
        raise ManifestError(f"{self.name} has a document type, which no file of ELAN has")

    def _begin(self, tag: str, of: dict[str, str]) -> None:
        self.root = self.root or tag
        if tag == "HEADER":
            self.units = of.get("TIME_UNITS") or self.units
            self._name(of.get("MEDIA_FILE", ""), of)
        elif tag == "MEDIA_DESCRIPTOR":
            self._name(of.get("RELATIVE_MEDIA_URL") or of.get("MEDIA_URL", ""), of)
        elif tag == "TIME_SLOT":
            self.order.append(of.get("TIME_SLOT_ID", ""))
            if _WHOLE.fullmatch(of.get("TIME_VALUE", "")):
                self.slots[self.order[-1]] = float(of["TIME_VALUE"])
        elif tag == "TIER":
            self._tier = of.get("TIER_ID", "")
        elif tag == "ALIGNABLE_ANNOTATION":
            slots = of.get("TIME_SLOT_REF1", ""), of.get("TIME_SLOT_REF2", "")
            self._open, self._text = (self.parser.CurrentLineNumber, *slots), ""
        elif tag == "REF_ANNOTATION":
            self.without += 1

    def _name(self, written: str, of: dict[str, str]) -> None:
        """Note a video, or sound, and by how much it is shifted."""
        shows = of.get("MIME_TYPE", "").startswith("video") or is_video(written)
        shift = of.get("TIME_ORIGIN", "0")
        shift_ms = float(shift) if _WHOLE.fullmatch(shift) else 0.0
        self.media.append(_Media(unquote(written), shows, shift_ms))

    def _says(self, text: str) -> None:
        if self._open:
            self._text += text

    def _end(self, tag: str) -> None:
        if tag == "ALIGNABLE_ANNOTATION" and self._open:
            line, first, last = self._open
            self.spans.append((line, self._tier, first, last, self._text))
            self._open = None
