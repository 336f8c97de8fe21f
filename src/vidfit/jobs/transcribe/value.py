"""What ``vidfit transcribe`` finds."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.backbones.speech import HeardWord
from vidfit.contracts import Failure


@dataclass(frozen=True)
class Transcript:
    """What is said in a recording.

    Parameters
    ----------
    path
        The recording.
    content
        sha256 of its bytes.
    model, revision
        Who wrote it down: its name, and the sha256 of its weights.
    language
        Code of what is spoken; empty where it was told from the sound.
    duration_seconds
        How long its sound is.
    words
        In order.
    seconds
        Wall time that was spent on it now; 0 where it was known.
    notes
        What a reader should know of it.
    """

    path: str
    content: str
    model: str
    revision: str
    language: str
    duration_seconds: float
    words: tuple[HeardWord, ...]
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All words."""
        return " ".join(word.text for word in self.words)

    @property
    def certainty(self) -> float:
        """Mean probability of the words; 1 where there are none."""
        if not self.words:
            return 1.0
        return sum(word.probability for word in self.words) / len(self.words)


@dataclass(frozen=True)
class SoundFile:
    """A file to be written down, as an item of work."""

    path: str


@dataclass(frozen=True)
class Transcribed:
    """A recording and what is said in it, or why that is not known."""

    path: str
    transcript: Transcript | None
    failure: str = ""


@dataclass(frozen=True)
class Transcription:
    """What was written of several recordings.

    Parameters
    ----------
    transcripts
        Of those that have sound.
    files
        Written, or there as they would be.
    kept
        Files of other content that were left as they are.
    failures
        Recordings without a transcript, with the reason.
    """

    transcripts: tuple[Transcript, ...]
    files: tuple[str, ...]
    kept: tuple[str, ...]
    failures: tuple[Failure, ...]
