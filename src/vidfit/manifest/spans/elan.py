"""Spans of ELAN: its files (``.eaf``, XML), and what it exports as tab-delimited text.

XML of strangers is read without a document type: no entity is ever defined or fetched.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from xml.parsers import expat

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.manifest.columns import parse_seconds
from vidfit.manifest.names import is_clip
from vidfit.manifest.spans.value import SpanRows

_CLOCK = re.compile(r"\d+:\d\d:\d\d[.,]\d+")
_SECONDS = re.compile(r"\d+[.,]\d{3}")
_MILLISECONDS = re.compile(r"\d+")


def is_elan_text(lines: list[str]) -> bool:
    """Return whether the first line is one of a tab-delimited export, or its header."""
    cells = lines[0].split("\t") if lines else []
    if any(cell.startswith("Begin Time") for cell in cells):
        return True
    return len(cells) > 3 and not any(map(is_clip, cells)) and _times(cells) is not None


def parse_elan_text(text: str, name: str) -> SpanRows:
    """Read tier, begin, end and value; the video has the name of the file.

    A value that is empty gives way to the name of its tier.
    """
    rows = SpanRows(name, f"the spans of {name} (ELAN)")
    tiers: dict[str, None] = {}
    for line, row in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in row.split("\t")]
        if not any(cells) or any(cell.startswith("Begin Time") for cell in cells):
            continue
        times = _times(cells) or _times(cells, whole=True)
        if times is None:
            rows.reject(line, "it has no begin and end; valid are hh:mm:ss.ms and ss.msec")
            continue
        tiers[cells[0]] = None
        last = "" if _is_time(cells[-1]) else cells[-1]
        rows.add(line, Clip(PurePath(name).stem, *times, last or cells[0]))
    _say_tiers(rows, list(tiers))
    return rows


def _is_time(cell: str) -> bool:
    return any(form.fullmatch(cell) for form in (_CLOCK, _SECONDS, _MILLISECONDS))


def _times(cells: list[str], *, whole: bool = False) -> tuple[float, float] | None:
    """Return the first two times of one form, in seconds."""
    forms = ((_MILLISECONDS, 1000.0),) if whole else ((_CLOCK, 1.0), (_SECONDS, 1.0))
    for form, parts in forms:
        found = [parse_seconds(cell.strip()) for cell in cells[1:] if form.fullmatch(cell.strip())]
        if len(found) > 1:
            return (found[0] or 0.0) / parts, (found[1] or 0.0) / parts
    return None


def parse_eaf(data: bytes, name: str) -> SpanRows:
    """Read the annotations of a file of ELAN that have times of their own.

    The video is the first that it names, else that of the file's own name.

    Raises
    ------
    ManifestError
        If it is no XML, has a document type, or is not of ELAN.
    """
    found = _Eaf(name)
    try:
        found.parser.Parse(data, True)
    except expat.ExpatError as error:
        line = found.parser.ErrorLineNumber
        raise ManifestError(f"{name}, line {line}: it is no sound XML ({error})") from error
    if found.root != "ANNOTATION_DOCUMENT":
        raise ManifestError(f"{name} is XML of {found.root!r}, and not a file of ELAN")
    rows = SpanRows(name, f"the spans of {name} (ELAN)")
    for line, tier, first, last, value in found.spans:
        start, end = found.slots.get(first), found.slots.get(last)
        if start is None or end is None:
            rows.reject(line, f"an annotation of the tier {tier!r} has no times of its own")
        else:
            video = found.video or PurePath(name).stem
            rows.add(line, Clip(video, start / 1000, end / 1000, value.strip() or tier))
    if found.without:
        rows.warnings.append(
            f"{found.without} annotations of {name} hang on others, without times; not used."
        )
    _say_tiers(rows, list(dict.fromkeys(span[1] for span in found.spans)))
    return rows


def _say_tiers(rows: SpanRows, tiers: list[str]) -> None:
    if len(tiers) > 1:
        rows.warnings.append(
            f"{rows.name} has the tiers {', '.join(tiers)}, which are read as one; where they "
            "overlap, export one of them."
        )


class _Eaf:
    """What a file of ELAN says, as the parser goes through it."""

    def __init__(self, name: str) -> None:
        self.name, self.root, self.video, self.without = name, "", "", 0
        self.slots: dict[str, float] = {}
        self.spans: list[tuple[int, str, str, str, str]] = []
        self._tier, self._text = "", ""
        self._open: tuple[int, str, str] | None = None
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._says
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise ManifestError(f"{self.name} has a document type, which no file of ELAN has")

    def _begin(self, tag: str, of: dict[str, str]) -> None:
        self.root = self.root or tag
        if tag == "MEDIA_DESCRIPTOR" and not self.video:
            self.video = of.get("RELATIVE_MEDIA_URL") or of.get("MEDIA_URL", "")
        elif tag == "TIME_SLOT" and of.get("TIME_VALUE", "").isdecimal():
            self.slots[of.get("TIME_SLOT_ID", "")] = float(of["TIME_VALUE"])
        elif tag == "TIER":
            self._tier = of.get("TIER_ID", "")
        elif tag == "ALIGNABLE_ANNOTATION":
            slots = of.get("TIME_SLOT_REF1", ""), of.get("TIME_SLOT_REF2", "")
            self._open, self._text = (self.parser.CurrentLineNumber, *slots), ""
        elif tag == "REF_ANNOTATION":
            self.without += 1

    def _says(self, text: str) -> None:
        if self._open:
            self._text += text

    def _end(self, tag: str) -> None:
        if tag == "ALIGNABLE_ANNOTATION" and self._open:
            line, first, last = self._open
            self.spans.append((line, self._tier, first, last, self._text))
            self._open = None
