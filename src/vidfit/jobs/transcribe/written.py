"""Transcripts as SubRip, WebVTT and JSON."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import asdict

from vidfit.backbones.speech import HeardWord
from vidfit.documents import to_json
from vidfit.jobs.transcribe.value import Transcript
from vidfit.manifest.subtitles import Cue

_MOST_LETTERS, _MOST_SECONDS, _GAP_SECONDS = 84, 6.0, 1.0
_ENDS = (".", "?", "!")


def cues_of(words: Sequence[HeardWord]) -> list[Cue]:
    """Return words as cues: of two lines at most, ended where a sentence ends or a pause begins."""
    cues: list[Cue] = []
    held: list[HeardWord] = []
    for word in words:
        if held and _is_full(held, word):
            cues.append(_cue(held))
            held = []
        held.append(word)
    return [*cues, _cue(held)] if held else cues


def _is_full(held: Sequence[HeardWord], word: HeardWord) -> bool:
    letters = sum(len(one.text) + 1 for one in held) + len(word.text)
    return (
        letters > _MOST_LETTERS
        or word.end_seconds - held[0].start_seconds > _MOST_SECONDS
        or word.start_seconds - held[-1].end_seconds > _GAP_SECONDS
        or held[-1].text.endswith(_ENDS)
    )


def _cue(held: Sequence[HeardWord]) -> Cue:
    start, end = held[0].start_seconds, held[-1].end_seconds
    return Cue(start, max(end, start + 0.001), " ".join(word.text for word in held))


def as_srt(transcript: Transcript) -> str:
    """Return SubRip."""
    return "".join(
        f"{number}\n{_time(cue.start_seconds, ',')} --> {_time(cue.end_seconds, ',')}\n"
        f"{html.escape(cue.text, quote=False)}\n\n"
        for number, cue in enumerate(cues_of(transcript.words), 1)
    )


def as_vtt(transcript: Transcript) -> str:
    """Return WebVTT."""
    return "WEBVTT\n\n" + "".join(
        f"{_time(cue.start_seconds, '.')} --> {_time(cue.end_seconds, '.')}\n"
        f"{html.escape(cue.text, quote=False)}\n\n"
        for cue in cues_of(transcript.words)
    )


def as_json(transcript: Transcript) -> str:
    """Return all that is known, with the time of each word."""
    facts = asdict(transcript)
    del facts["path"], facts["seconds"]
    return to_json({"format": "vidfit.transcript", **facts}, ascii_only=False, indent=1) + "\n"


WRITERS: dict[str, Callable[[Transcript], str]] = {"srt": as_srt, "vtt": as_vtt, "json": as_json}
"""Format, which is the suffix, too -> what is written."""


def _time(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    minutes, rest = divmod(whole, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"
