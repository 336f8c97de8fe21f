"""Documents of folders and files, piece by piece: what a language model is learned from.

Memory holds one piece, not a document. A document is a text or Markdown file, what the subtitles
of one file say, an article of a JSON of questions and answers (SQuAD), or the rows of a table that
have one group.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidfit.contracts import Failure
from vidfit.documents import read_json
from vidfit.errors import ManifestError
from vidfit.manifest.names import TABLE_SUFFIXES
from vidfit.manifest.subtitles import SUFFIXES as SUBTITLES
from vidfit.manifest.subtitles import read_file
from vidfit.manifest.texts import TextRow, open_texts

PLAIN = (".txt", ".md")
SUFFIXES = (*PLAIN, *SUBTITLES, ".json", *sorted(TABLE_SUFFIXES))

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class TextPiece:
    """A part of a document; its name is that of all its parts."""

    document: str
    text: str


def pieces_of(source: str | Path) -> Iterator[TextPiece | Failure]:
    """Yield the documents of a file, or of all files of a folder, in the order of their names.

    What cannot be read is yielded as a failure, and stops nothing.

    Raises
    ------
    ManifestError
        If there is no such file or folder, or no file of a known kind.
    """
    path = Path(source)
    files = _files(path)
    for file in files:
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        try:
            yield from _pieces(file, name)
        except (OSError, ValueError, ManifestError) as error:
            yield Failure(name, str(error))


def _files(path: Path) -> list[Path]:
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return [path]
    found = []
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [Path(folder, n) for n in sorted(names) if Path(n).suffix.lower() in SUFFIXES]
    if not found:
        raise ManifestError(
            f"{path} holds no texts; give a file, or a folder with files, of {', '.join(SUFFIXES)}"
        )
    return found


def _pieces(file: Path, name: str) -> Iterator[TextPiece | Failure]:
    suffix = file.suffix.lower()
    if suffix in PLAIN:
        yield from _plain(file, name)
    elif suffix in SUBTITLES:
        said = [cue.text for cue in read_file(file)]
        if not said:
            raise ValueError("it has no words")
        yield TextPiece(name, "\n".join(said))
    elif suffix == ".json":
        yield from _articles(read_json(file), name)
    else:
        for row in open_texts(file):
            yield (
                TextPiece(f"{name}: {row.group}", f"{row.text}\n")
                if isinstance(row, TextRow)
                else row
            )


def _plain(file: Path, name: str) -> Iterator[TextPiece]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        while text := stream.read(_PIECE_BYTES):
            yield TextPiece(name, text)


def _articles(found: object, name: str) -> Iterator[TextPiece]:
    """Yield the contexts of SQuAD's articles."""
    try:
        articles = found["data"]  # type: ignore[index]
        for number, article in enumerate(articles):
            title = article.get("title") or str(number)
            contexts = [str(paragraph["context"]) for paragraph in article["paragraphs"]]
            yield TextPiece(f"{name}: {title}", "\n".join(contexts))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"it is no JSON of questions and answers: {error!r}; valid is SQuAD's form, "
            '{"data": [{"title": …, "paragraphs": [{"context": …}]}]}'
        ) from error
