"""From recordings to what is said in them, written beside them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from vidfit.backbones.speech import HeardWord, SpeechReader, open_speech
from vidfit.backbones.whisper import RATE_HERTZ
from vidfit.contracts import Failure
from vidfit.documents import from_json, to_json, value_of
from vidfit.errors import StoreError, VideoError, VidfitError
from vidfit.features.digests import file_digest
from vidfit.files import cache_folder, write_whole
from vidfit.hardware import hardware
from vidfit.jobs.transcribe.options import TranscribeOptions
from vidfit.jobs.transcribe.pieces import pieces
from vidfit.jobs.transcribe.value import SoundFile, Transcribed, Transcript, Transcription
from vidfit.jobs.transcribe.written import WRITERS
from vidfit.launch import HERE, launcher
from vidfit.manifest.names import JUNK_NAMES, is_junk, is_sound, is_video_file
from vidfit.manifest.value import is_url
from vidfit.progress import SILENT, Progress
from vidfit.shown import counted
from vidfit.study.kept import KeptRows
from vidfit.threads import in_threads
from vidfit.video.sound import SoundReader
from vidfit.work import Launcher, Work

UNSURE = 0.6
"""Mean probability of words below which a transcript is not to be trusted."""

_LONG_SECONDS = 60.0
_STORED = ("path", "seconds")


@dataclass(frozen=True)
class Transcribe:
    """The task of writing recordings down, wherever it runs (`vidfit.work.Workload`).

    ``store`` is the folder of transcripts by content; ``threads`` hear one piece of sound.
    """

    model: str
    language: str
    download: bool
    store: str
    threads: int = 1
    item: type[SoundFile] = SoundFile
    result: type[Transcribed] = Transcribed

    def open(self, workers: int) -> Work[SoundFile, Transcribed]:
        """Open the network, and return what writes recordings down in their order."""
        hearer = open_speech(
            self.model, language=self.language, download=self.download, threads=self.threads
        )
        return lambda items: in_threads(
            lambda one: self.one(one.path, hearer, SILENT), items, workers
        )

    def one(self, path: str, hearer: SpeechReader, progress: Progress) -> Transcribed:
        """Write one recording down; say why, if it cannot be heard."""
        try:
            content = file_digest(path)
            known = _known(self._stored(content, hearer), path)
            if known is None:
                known = self._heard(path, content, hearer, progress)
        except VideoError as error:
            return Transcribed(path, None, str(error).removeprefix(f"{path}: "))
        return Transcribed(path, known)

    def _stored(self, content: str, hearer: SpeechReader) -> Path:
        who = f"{hearer.revision[:16]}{hearer.language}"
        return Path(self.store) / f"{content}-{who}.json"

    def _heard(
        self, path: str, content: str, hearer: SpeechReader, progress: Progress
    ) -> Transcript:
        """Hear a recording, from where an earlier run was killed, and keep what is said."""
        started = time.perf_counter()
        stored = self._stored(content, hearer)
        with (
            SoundReader(path, RATE_HERTZ) as reader,
            KeptRows(Path(self.store), stored.name) as kept,
        ):
            words, after = _kept_words(kept)
            told = int(after / RATE_HERTZ / _LONG_SECONDS)
            for _ in range(told):
                progress.advance()
            for piece in pieces(reader.samples, hearer.speech, RATE_HERTZ, after):
                found = _later(hearer.words(piece.samples_S), piece.first / RATE_HERTZ)
                heard = list(found) if len(piece.samples_S) else []
                words += heard
                after = piece.after
                kept.add({"after": after, "words": [list(vars(word).values()) for word in heard]})
                for _ in range(int(after / RATE_HERTZ / _LONG_SECONDS) - told):
                    progress.advance()
                told = int(after / RATE_HERTZ / _LONG_SECONDS)
            if not after:
                raise VideoError(f"{path}: its sound is empty")
            transcript = Transcript(
                path, content, hearer.name, hearer.revision, hearer.language,
                after / RATE_HERTZ, tuple(words),
            )  # fmt: skip
            damaged = (f"damaged: {counted(reader.damaged, 'packet')} of its sound",)
            notes = (*(damaged if reader.damaged else ()), *_doubts(transcript))
            transcript = replace(transcript, notes=notes)
            facts = {k: v for k, v in asdict(transcript).items() if k not in _STORED}
            write_whole(stored, to_json(facts, ascii_only=False).encode())
        return replace(transcript, seconds=time.perf_counter() - started)


def run_transcribe(
    paths: Sequence[str | Path], options: TranscribeOptions, progress: Progress | None = None
) -> Transcription:
    """Write down what is said in recordings.

    What was heard once is kept by its content, in the user's cache, and is not heard again. A run
    that was killed goes on with the piece of speech in which it ended.

    Raises
    ------
    BackboneError
        If the network cannot be opened.
    StoreError
        If files cannot be written.
    VidfitError
        If nothing is asked for, or two recordings would be written to one file.
    """
    progress = progress or SILENT
    asked = list(dict.fromkeys(map(str, paths)))
    _check(asked, options)
    store = cache_folder("transcripts")
    place = launcher(options.on, workers=options.workers, scratch=options.output or store)
    task = Transcribe(options.model, options.language, options.download, str(store))
    transcripts: list[Transcript] = []
    failures: list[Failure] = []
    files: list[str] = []
    kept: list[str] = []
    for one in _results(task, asked, place, options.on == HERE, progress):
        if one.transcript is None:
            failures.append(Failure(one.path, one.failure))
            continue
        transcripts.append(one.transcript)
        for file, text in _texts(one.transcript, options):
            (files if _write(file, text, options.replace) else kept).append(str(file))
    return Transcription(tuple(transcripts), tuple(files), tuple(kept), tuple(failures))


def recordings_in(folder: Path) -> tuple[list[str], list[str]]:
    """Return the videos and files of sound of a folder, however deep, and what is left out, sorted.

    Sound beside a video of its name is taken for the sound of that video, and left out.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not _is_hidden(p, folder))
    videos = [p for p in files if is_video_file(p)]
    sounds = [p for p in files if is_sound(p.name)]
    heard = {p.with_suffix("") for p in videos}
    found = sorted([*videos, *(p for p in sounds if p.with_suffix("") not in heard)])
    return [*map(str, found)], [str(p) for p in sounds if p.with_suffix("") in heard]


def _is_hidden(path: Path, folder: Path) -> bool:
    """Return whether a file means nothing, or lies in a folder that does."""
    inside = path.relative_to(folder).parts[:-1]
    return is_junk(path.name) or any(p.startswith(".") or p.lower() in JUNK_NAMES for p in inside)


def _results(
    task: Transcribe, asked: Sequence[str], place: Launcher, here: bool, progress: Progress
) -> Iterator[Transcribed]:
    """Yield what was heard: of one recording in several threads, of more in one thread each."""
    if len(asked) == 1 and here:
        threads = min(place.workers, hardware().cores)
        hearer = open_speech(
            task.model, language=task.language, download=task.download, threads=threads
        )
        progress.start("minutes of sound", _minutes(asked[0]))
        yield task.one(asked[0], hearer, progress)
        return
    progress.start("transcribe", len(asked))
    yield from place.map(task, [SoundFile(path) for path in asked], progress)


def _minutes(path: str) -> int:
    with suppress(VideoError), SoundReader(path, RATE_HERTZ) as reader:
        return int(reader.stated_seconds / _LONG_SECONDS)
    return 0


def _check(asked: Sequence[str], options: TranscribeOptions) -> None:
    if not asked:
        raise VidfitError("there is no recording to write down; give one or more")
    if options.output is None and any(map(is_url, asked)):
        raise VidfitError("beside a URL nothing can be written; give a folder with --output")
    written: dict[Path, str] = {}
    for path in asked:
        file = _folder(path, options) / Path(path).stem
        other = written.setdefault(file, path)
        if other != path:
            raise VidfitError(
                f"{other} and {path} would both be written to {file}.{options.formats[0]}; "
                + (
                    "leave --output away, to have them beside the recordings"
                    if Path(other).parent != Path(path).parent
                    else "give one of them"
                )
            )


def _folder(path: str, options: TranscribeOptions) -> Path:
    return options.output or Path(path).parent


def _texts(transcript: Transcript, options: TranscribeOptions) -> Iterator[tuple[Path, str]]:
    """Yield the files of a transcript and what is in them."""
    file = _folder(transcript.path, options) / Path(transcript.path).stem
    for name in options.formats:
        yield file.with_name(f"{file.name}.{name}"), WRITERS[name](transcript)


def _write(file: Path, text: str, replace_other: bool) -> bool:
    """Write a file, unless one of other content is there; return whether it is there now."""
    try:
        if file.is_file() and file.read_bytes() == text.encode():
            return True
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror or error}") from error
    if file.exists() and not replace_other:
        return False
    write_whole(file, text.encode())
    return True


def _known(stored: Path, path: str) -> Transcript | None:
    """Return what was heard before; ``None`` where it was not, or the file is damaged."""
    with suppress(OSError, ValueError, TypeError):
        return value_of(Transcript, {**from_json(stored.read_bytes()), "path": path}, {})
    return None


def _kept_words(kept: KeptRows) -> tuple[list[HeardWord], int]:
    """Return the words of an earlier run, and the sample after which it ended."""
    words: list[HeardWord] = []
    after = 0
    for row in kept.rows():
        with suppress(KeyError, TypeError, ValueError):
            if int(row["after"]) > after:
                words += [
                    HeardWord(float(a), float(b), str(c), float(d)) for a, b, c, d in row["words"]
                ]
                after = int(row["after"])
    return words, after


def _later(words: Iterator[HeardWord], seconds: float) -> Iterator[HeardWord]:
    for word in words:
        start, end = word.start_seconds + seconds, word.end_seconds + seconds
        yield HeardWord(round(start, 3), round(end, 3), word.text, round(word.probability, 4))


def _doubts(transcript: Transcript) -> tuple[str, ...]:
    """Say why the words may be none."""
    if not transcript.words:
        return ("no speech was found in it",)
    if transcript.certainty < UNSURE:
        return (
            f"its words are unsure (mean probability {transcript.certainty:.0%}): it may be in "
            f"another language than {transcript.language or 'was told'}, or hard to hear",
        )
    return ()
