"""The texts that a question is asked of: files of text, and subtitles with their seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vidfit.contracts import Failure
from vidfit.errors import ManifestError
from vidfit.jobs.search.transcripts import SUFFIXES as SUBTITLES
from vidfit.jobs.search.transcripts import read_cues
from vidfit.manifest.names import is_video, natural_key
from vidfit.study.reading.passages import ReadText, plain_text, spoken_text

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
            except (OSError, ValueError) as error:
                failures.append(Failure(str(file), f"cannot be read: {error}"))
    if not texts:
        first = f" ({failures[0].name}: {failures[0].reason})" if failures else ""
        raise ManifestError(
            f"there is no text to ask{first}. Give texts ({', '.join(TEXTS)}), subtitles "
            f"({', '.join(SUBTITLES)}), or videos with subtitles beside them"
        )
    return texts, failures


def _files(source: Path, failures: list[Failure]) -> Iterator[tuple[str, Path]]:
    """Yield what each text is called, and its file."""
    if not source.exists():
        raise ManifestError(f"{source} is not there; give files or folders of texts or videos")
    if source.is_dir():
        found = sorted((p for p in source.rglob("*") if p.is_file()), key=_by_name)
        told = {beside: video for video in found if is_video(video.name)
                for beside in _subtitles(video, found)[:1]}  # fmt: skip
        of_video = {s for v in found if is_video(v.name) for s in _subtitles(v, found)}
        for file in found:
            if file in told:
                yield str(told[file]), file
            elif file.suffix.lower() in (*SUBTITLES, *TEXTS) and file not in of_video:
                yield str(file), file
            elif is_video(file.name) and file not in told.values():
                failures.append(Failure(str(file), _SILENT))
    elif is_video(source.name):
        beside = _subtitles(source, sorted(source.parent.iterdir()))
        if beside:
            yield str(source), beside[0]
        else:
            failures.append(Failure(str(source), _SILENT))
    elif source.suffix.lower() in (*SUBTITLES, *TEXTS):
        yield str(source), source
    else:
        known = ", ".join((*TEXTS, *SUBTITLES))
        failures.append(Failure(str(source), f"is no video and no text ({known})"))


_SILENT = "has no subtitles (.srt or .vtt) beside it"


def _subtitles(video: Path, files: Sequence[Path]) -> list[Path]:
    return [
        file
        for file in files
        if file.suffix.lower() in SUBTITLES
        and file.parent == video.parent
        and video.stem in (file.stem, file.stem.rpartition(".")[0])
    ]


def _by_name(path: Path) -> tuple[list[str | int], str]:
    return natural_key(str(path))


def _read(name: str, file: Path) -> ReadText:
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES // 1_000_000} MB; cut it")
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix.lower() in SUBTITLES:
        cues = list(read_cues(text))
        if not cues:
            raise ValueError("it has no line such as 00:00:01.000 --> 00:00:02.000 with words")
        return spoken_text(name, cues)
    if not text.strip():
        raise ValueError("it is empty")
    return plain_text(name, text)
