"""What is told of the people of one video."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Note
from vidfit.jobs.predict.looked import LookedVideo


@dataclass(frozen=True)
class PersonTrack:
    """One face over time.

    Parameters
    ----------
    track
        Its number in this video, from 1 in the order in which tracks became sure.
    name
        Of a known person, or ``"unknown"``.
    start_seconds, end_seconds
        When it is first and last seen; the end of the frame it is last seen in.
    looks
        Frames in which it was found.
    similarity
        Mean similarity to the most alike person, -1 to 1.
    over
        That less the threshold: below 0 nobody is named.
    note
        Why a name that was alike enough was not given.
    """

    track: int
    name: str
    start_seconds: float
    end_seconds: float
    looks: int
    similarity: float
    over: float
    note: str = ""


@dataclass(frozen=True)
class VideoPeople:
    """The people of one video.

    Parameters
    ----------
    video
        Its facts, and which frames were looked at.
    consent
        To what the people agreed, as it was stated for these answers.
    people
        Names that may be given.
    threshold
        Similarity from which on somebody is named.
    tracks
        In the order of their numbers.
    notes
        What should be known.
    """

    video: LookedVideo
    consent: str
    people: tuple[str, ...]
    threshold: float
    tracks: tuple[PersonTrack, ...]
    notes: tuple[Note, ...] = ()
