"""What is said in videos: subtitles beside them, read by time.

``VIDEO.srt``, ``VIDEO.vtt`` and ``VIDEO.en.srt`` are subtitles of ``VIDEO.mp4``; the first of them
by name is read.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidfit.contracts import Clip, is_words
from vidfit.errors import ManifestError
from vidfit.manifest.value import Manifest, is_url
from vidfit.video.member import split_member
from vidfit.video.names import is_folder

SUFFIXES = (".srt", ".vtt")
_MOST_BYTES = 20_000_000
_TIME = r"(?<!\d)(?:(\d{1,9}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy
    da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu
    hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb
    lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om
    or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw
    ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    aar abk afr aka alb amh ara arg arm asm ava ave aym aze bak bam baq bel ben bih bis bod bos
    bre bul bur cat ces cha che chi chu chv cmn cor cos cre cym cze dan deu div dut dzo ell eng
    epo est eus ewe fao fas fij fil fin fra fre fry ful geo ger gla gle glg glv gre grn guj hat
    hau heb her hin hmo hrv hun hye ibo ice ido iii iku ile ina ind ipk isl ita jav jpn kal kan
    kas kat kau kaz khm kik kin kir kom kon kor kua kur lao lat lav lim lin lit ltz lub lug mac
    mah mal mao mar may mkd mlg mlt mon mri msa mul mya nau nav nbl nde ndo nep nld nno nob nor
    nya oci oji ori orm oss pan per pli pol por pus que roh ron rum run rus sag san sin slk slo
    slv sme smo sna snd som sot spa sqi srd srp ssw sun swa swe tah tam tat tel tgk tgl tha tib
    tir ton tsn tso tuk tur twi uig ukr und urd uzb ven vie vol wel wln wol xho yid yor yue zha
    zho zul
"""
_LANGUAGES = frozenset(_CODES.split())
"""ISO 639-1, the codes of three letters (ISO 639-2) of the same languages, and a few more."""

_LANGUAGE = re.compile(
    r"([a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_](?:[a-z]{2}|\d{3}))?(?:[-_][a-z0-9]{5,8})*"
)
"""A language, its script, its region and its variants (RFC 5646)."""

_FOR = frozenset(("forced", "default", "sdh", "cc"))
"""Whom or what subtitles are for, as players have it in their names."""

_TIMES = re.compile(rf"{_TIME}\s*-->\s*{_TIME}")


@dataclass(frozen=True)
class Cue:
    """Words that are shown, or were heard, from one moment to another."""

    start_seconds: float
    end_seconds: float
    text: str


def read_cues(text: str) -> Iterator[Cue]:
    """Yield the cues of SubRip or WebVTT text, without marks of style."""
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        found = _TIMES.search(block)
        if not found:
            continue
        said = " ".join(block[found.end() :].split("\n")[1:])
        words = " ".join(html.unescape(re.sub(r"<[^<>]*>|\{\\[^{}]*\}", "", said)).split())
        start, end = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
        if words and end > start:
            yield Cue(start, end, words)


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return 3600 * int(hours) + 60 * int(minutes) + float(f"{seconds}.{fraction}")


def subtitles_of(path: str, beside: Sequence[Path] | None = None) -> Path | None:
    """Return the subtitles beside a video; ``None`` where there are none.

    Parameters
    ----------
    beside
        All subtitles of its folder, where they are known.
    """
    return next(iter(all_subtitles_of(path, beside)), None)


def all_subtitles_of(path: str, beside: Sequence[Path] | None = None) -> tuple[Path, ...]:
    """Return all subtitles beside a video, by name: those of other languages and formats too.

    Parameters
    ----------
    beside
        All subtitles of its folder, where they are known.
    """
    video = Path(path)
    if is_url(path) or is_words(path) or split_member(path):
        return ()
    files = subtitles_in(video.parent) if beside is None else beside
    return tuple(p for p in files if _are_of(p.stem, video.stem))


def _are_of(name: str, video: str) -> bool:
    """Return whether subtitles have the name of a video, and no more than a language behind it."""
    if name == video:
        return True
    tags = name.removeprefix(f"{video}.").lower().split(".")
    return name.startswith(f"{video}.") and all(tag in _FOR or _is_language(tag) for tag in tags)


def _is_language(tag: str) -> bool:
    found = _LANGUAGE.fullmatch(tag)
    return found is not None and found[1] in _LANGUAGES


def subtitles_in(folder: Path) -> tuple[Path, ...]:
    """Return the subtitles that lie in a folder, sorted."""
    if not is_folder(str(folder)):
        return ()
    return tuple(sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES))


def cues_beside(path: str) -> tuple[Cue, ...]:
    """Return the cues of the subtitles beside a video; none where there are no subtitles.

    Raises
    ------
    ManifestError
        If they cannot be read.
    """
    file = subtitles_of(path)
    return read_file(file) if file else ()


def read_file(file: Path) -> tuple[Cue, ...]:
    """Return the cues of a file of subtitles.

    Raises
    ------
    ManifestError
        If it cannot be read, or has none.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES // 1_000_000} MB")
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise ManifestError(f"{file}: cannot be read as subtitles: {error}") from error
    cues = tuple(read_cues(text))
    if not cues and text.strip() not in ("", "WEBVTT"):
        what = "it has no line such as 00:00:01.000 --> 00:00:02.000"
        raise ManifestError(f"{file}: cannot be read as subtitles: {what}")
    return cues


def words_within(cues: Sequence[Cue], start_seconds: float, end_seconds: float | None) -> str:
    """Return the words of the cues whose middle lies in a span: each belongs to one window."""
    end = float("inf") if end_seconds is None else end_seconds
    middles = ((cue, (cue.start_seconds + cue.end_seconds) / 2) for cue in cues)
    return " ".join(cue.text for cue, middle in middles if start_seconds <= middle < end)


def with_words(manifest: Manifest) -> Manifest:
    """Return clips with the words of subtitles beside them, where they have no text of their own.

    Subtitles that cannot be read are named in a warning, and their clips stay without words.
    """
    found: dict[str, tuple[Cue, ...]] = {}
    folders: dict[Path, tuple[Path, ...]] = {}
    warnings: list[str] = []

    def cues_of(path: str) -> tuple[Cue, ...]:
        if path in found:
            return found[path]
        folder = Path(path).parent
        if not is_url(path) and folder not in folders:
            folders[folder] = subtitles_in(folder)
        if not (file := subtitles_of(path, folders.get(folder))):
            return ()
        try:
            found[path] = read_file(file)
        except ManifestError as error:
            found[path] = ()
            warnings.append(f"{error}.")
        return found[path]

    def filled(clip: Clip) -> Clip:
        if clip.text is not None or not (cues := cues_of(clip.path)):
            return clip
        text = words_within(cues, clip.start_seconds, clip.end_seconds)
        return replace(clip, text=text) if text else clip

    clips = tuple(map(filled, manifest.clips))
    if clips == manifest.clips and not warnings:
        return manifest
    return replace(manifest, clips=clips, warnings=(*manifest.warnings, *warnings))
