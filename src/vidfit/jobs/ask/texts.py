"""The texts that a question is asked of: files of text, and subtitles with their seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vidfit.contracts import Failure
from vidfit.errors import ManifestError
from vidfit.manifest import faults_of
from vidfit.manifest.subtitles import SUFFIXES, all_subtitles_of, read_file, subtitles_of
from vidfit.study.reading.passages import ReadText, plain_text, spoken_text
from vidfit.video.names import is_sound_path, is_video_path, natural_key

TEXTS = (".txt", ".md")
_MOST_BYTES = 20_000_000


def read_texts(sources: Sequence[str | Path]) -> tuple[list[ReadText], list[Failure]]:
    """Return the texts of files and folders, and what could not be read.

    A video's text are the subtitles beside it: ``VIDEO.srt``, ``VIDEO.vtt`` or ``VIDEO.en.srt``.

    Raises
    ------
    ManifestError
        If a source is not there, or there is no text at all.
    """
    texts, failures = list[ReadText](), list[Failure]()
    seen: set[Path] = set()
    for source in sources:
        for name, file in _files(Path(source), failures):
            if file in seen:
                continue
            seen.add(file)
            try:
                texts.append(_read(name, file))
            except ManifestError as error:
                failures.append(Failure(str(file), str(error).removeprefix(f"{file}: ")))
            except (OSError, ValueError) as error:
                failures.append(Failure(str(file), f"cannot be read: {error}"))
    if not texts:
        raise ManifestError(
            f"there is no text to ask. Give texts ({', '.join(TEXTS)}), subtitles "
            f"({', '.join(SUFFIXES)}), or videos with subtitles beside them",
            faults_of(failures),
        )
    return texts, failures


def _files(source: Path, failures: list[Failure]) -> Iterator[tuple[str, Path]]:
    """Yield what each text is called, and its file."""
    if not source.exists():
        raise ManifestError(f"{source} is not there; give files or folders of texts or videos")
    if not source.is_dir():
        yield from _file(source, failures)
        return
    found = sorted((p for p in source.rglob("*") if p.is_file()), key=_by_name)
    media = [file for file in found if is_media(file)]
    of_media = {beside for file in media for beside in all_subtitles_of(str(file))}
    for file in media:
        yield from _file(file, failures)
    for file in found:
        if file.suffix.lower() in (*SUFFIXES, *TEXTS) and file not in of_media:
            yield from _file(file, failures)


def _file(file: Path, failures: list[Failure]) -> Iterator[tuple[str, Path]]:
    if file.suffix.lower() in (*SUFFIXES, *TEXTS):
        yield str(file), file
    elif not is_media(file):
        known = ", ".join((*TEXTS, *SUFFIXES))
        failures.append(Failure(str(file), f"is no video and no text ({known})"))
    elif beside := subtitles_of(str(file)):
        yield str(file), beside
    else:
        failures.append(Failure(str(file), "has no subtitles (.srt or .vtt) beside it"))


def is_media(file: Path) -> bool:
    """Return whether something may be said in a file, by its name."""
    return is_video_path(file) or is_sound_path(file)


def _by_name(path: Path) -> tuple[list[str | int], str]:
    return natural_key(str(path))


def _read(name: str, file: Path) -> ReadText:
    if file.suffix.lower() in SUFFIXES:
        cues = read_file(file)
        if not cues:
            raise ValueError("it has no words")
        return spoken_text(name, cues)
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES // 1_000_000} MB; cut it")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is no text in UTF-8") from error
    if not text.strip():
        raise ValueError("it is empty")
    return plain_text(name, text)
