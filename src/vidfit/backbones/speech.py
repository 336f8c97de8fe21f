"""Speech to text by Whisper, and where there is speech at all.

Whisper: Radford et al., "Robust speech recognition via large-scale weak supervision" (2022), run by
faster-whisper and CTranslate2. Silence is found by Silero VAD, whose network faster-whisper brings
along, so that Whisper is never asked about it: of silence it makes sentences up.

Shape letters: S samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidfit.backbones.package_weights import package_weights
from vidfit.backbones.whisper import NAME, RATE_HERTZ, revision_of
from vidfit.contracts import Floats
from vidfit.errors import BackboneError

PIECE_SECONDS = 28.0
"""Of speech that is heard at once; Whisper takes 30."""

_SILENCE_MS, _PAD_MS = 500, 200
_BEAM = 5


@dataclass(frozen=True)
class HeardWord:
    """A word, when it was said, and how sure that is, 0 to 1."""

    start_seconds: float
    end_seconds: float
    text: str
    probability: float


@dataclass(frozen=True)
class SpeechReader:
    """A network of speech to text, open; it may be asked by several threads at once.

    ``language`` is a code such as ``en``; empty where it is told from the sound.
    """

    name: str
    revision: str
    language: str
    model: Any

    def speech(self, samples_S: Floats) -> list[tuple[int, int]]:
        """Return first and last sample of each stretch of speech, in order."""
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(
            min_silence_duration_ms=_SILENCE_MS,
            speech_pad_ms=_PAD_MS,
            max_speech_duration_s=PIECE_SECONDS,
        )
        found = get_speech_timestamps(samples_S, options, RATE_HERTZ)
        return [(int(one["start"]), int(one["end"])) for one in found]

    def words(self, samples_S: Floats) -> Iterator[HeardWord]:
        """Yield the words of at most `PIECE_SECONDS` of sound, from its first sample."""
        segments, _ = self.model.transcribe(
            samples_S,
            language=self.language or None,
            beam_size=_BEAM,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        for segment in segments:
            for word in segment.words or ():
                text = word.word.strip()
                if text:
                    yield HeardWord(
                        float(word.start), float(word.end), text, float(word.probability)
                    )


def open_speech(
    source: str = NAME, *, language: str = "", download: bool = False, threads: int = 1
) -> SpeechReader:
    """Open a network of speech to text.

    Parameters
    ----------
    source
        ``whisper-tiny.en``, which `vidfit models --fetch` brings; a folder of a model of
        faster-whisper; or a name on the hub, such as ``small`` or ``Systran/faster-whisper-small``.
    language
        Code of what is spoken; empty to have it told from the sound.
    download
        Whether the hub may be asked.
    threads
        Threads that one piece of sound is heard with.

    Raises
    ------
    BackboneError
        If the extra is missing, or there is no such model, or it is damaged.
    """
    try:
        import ctranslate2
        from faster_whisper import WhisperModel
    except ModuleNotFoundError as error:
        raise BackboneError(
            f"transcribing needs the package {error.name!r}: pip install 'vidfit[transcribe]'"
        ) from error
    folder = folder_of(source, download=download)
    try:
        ctranslate2.set_log_level(40)
        model = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, num_workers=4
        )
    except Exception as error:  # CTranslate2 and its tokenizer fail each in their own way
        raise BackboneError(
            f"{folder} cannot be opened as a model of faster-whisper ({error}). Valid is a folder "
            "with config.json, model.bin, tokenizer.json and a vocabulary"
        ) from error
    english = not model.model.is_multilingual
    if english and language not in ("", "en"):
        raise BackboneError(
            f"{source} knows English only, and the language {language!r} is asked for; give "
            "another model with --model, such as a folder of faster-whisper-small"
        )
    return SpeechReader(source, revision_of(folder), "en" if english else language, model)


def folder_of(source: str, *, download: bool) -> Path:
    """Return the folder of a model.

    Raises
    ------
    BackboneError
        If it is not on this machine.
    """
    if source == NAME:
        return package_weights(NAME)["model.bin"].parent
    folder = Path(source).expanduser()
    if (folder / "model.bin").is_file():
        return folder
    from faster_whisper import download_model

    try:
        return Path(download_model(source, local_files_only=not download))
    except Exception as error:  # the hub's client has many
        raise BackboneError(
            f"there is no folder {source!r} with a model.bin, and no model of that name on this "
            f"machine ({type(error).__name__}); fetch {NAME} with `vidfit models --fetch {NAME}`, "
            "or allow the hub with --download"
        ) from error
