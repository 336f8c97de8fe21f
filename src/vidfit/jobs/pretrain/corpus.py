"""Texts as tokens on disk, documents dealt whole to what is learned from, chosen by and held out.

::

    tokens/
      tokenizer.json
      learn.bin  choose.bin     tokens, little-endian numbers of 4 bytes, `END` before a document
      corpus.json               what was read; written last

Shape letters: N tokens.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Failure
from vidfit.documents import read_json, to_json
from vidfit.errors import NotEnoughDataError
from vidfit.files import new_file, write_whole
from vidfit.jobs.pretrain.options import PretrainOptions
from vidfit.language.texts import TextPiece, pieces_of
from vidfit.language.tokens import END, BytePairs
from vidfit.progress import Progress
from vidfit.shown import counted

Side = Literal["learn", "choose", "test"]

_CHOOSE_SHARE = 0.08
_TOKENIZER_BYTES = 50_000_000
PEER_BYTES = 2_000_000
"""So much text, the last that is learned from, is given to n-gram and compressors."""

TEST_BYTES, TEST_DOCUMENTS = 1_000_000, 2_000
"""So much of the held-out text, and so many documents of it at most, are judged."""

_LONG_LINE = 80
_MOST_LINES = 2_000_000


@dataclass(frozen=True)
class Survey:
    """What a first reading found: bytes of each document, what cannot be read, the digest."""

    bytes_of: Mapping[str, int]
    failures: tuple[Failure, ...]
    digest: str


@dataclass(frozen=True, eq=False)
class Corpus:
    """Texts ready to be learned from.

    Parameters
    ----------
    learn_N, choose_N
        Tokens on disk.
    first
        The last text that is learned from: what peers are given first.
    chosen, tests
        Documents by name that the best weights are chosen by, and that are held out, as far as
        they are judged.
    side_of
        The side of each document of the source.
    documents
        How many there are of each side.
    bytes_of
        Bytes of text of each side.
    seen_before
        Share of the held-out bytes in lines that stand word for word in what is learned from.
    """

    tokenizer: BytePairs
    learn_N: NDArray[np.uint32]
    choose_N: NDArray[np.uint32]
    first: str
    chosen: Mapping[str, str]
    tests: Mapping[str, str]
    side_of: Mapping[str, Side]
    documents: Mapping[str, int]
    bytes_of: Mapping[str, int]
    failures: tuple[Failure, ...] = ()
    seen_before: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)


def survey(source: str | Path, progress: Progress) -> Survey:
    """Read all texts once, and keep names and sizes of documents."""
    sizes: dict[str, int] = {}
    failures: list[Failure] = []
    digest = hashlib.sha256()
    for piece in pieces_of(source):
        if isinstance(piece, Failure):
            failures.append(piece)
            continue
        content = piece.text.encode(errors="replace")
        digest.update(f"{piece.document}\n{len(content)}\n".encode(errors="replace"))
        digest.update(content)
        sizes[piece.document] = sizes.get(piece.document, 0) + len(content)
    progress.note(f"{source}: {counted(len(sizes), 'document')}, {sum(sizes.values()):,} bytes")
    return Survey(sizes, tuple(failures), digest.hexdigest())


def dealt(found: Survey, options: PretrainOptions) -> dict[str, Side]:
    """Deal whole documents to sides; where others are held out, none is to test.

    Raises
    ------
    NotEnoughDataError
        If there are too few documents.
    """
    names = sorted(found.bytes_of)
    held = 0 if options.test else max(1, round(options.holdout * len(names)))
    choose = max(1, round(_CHOOSE_SHARE * len(names)))
    if len(names) <= held + choose:
        raise NotEnoughDataError(
            f"{counted(len(names), 'document')}; {held + choose + 1} are needed, as whole "
            "documents are held "
            "out: cut the text into more files, or give more"
        )
    order = np.random.default_rng(options.seed).permutation(len(names))
    sides: list[Side] = [*["test"] * held, *["choose"] * choose]  # type: ignore[list-item]
    return {
        names[place]: sides[turn] if turn < len(sides) else "learn"
        for turn, place in enumerate(map(int, order))
    }


def open_corpus(
    source: str | Path, folder: Path, options: PretrainOptions, progress: Progress
) -> Corpus:
    """Read texts, learn a tokenizer of those that are learned from, and write tokens.

    Tokens that are there of the same texts and options are used.

    Raises
    ------
    ManifestError
        If there are no texts.
    NotEnoughDataError
        If there are too few documents.
    StoreError
        If the folder cannot be written.
    """
    progress.start("read texts", 3)
    found = survey(source, progress)
    side_of = dealt(found, options)
    held = survey(options.test, progress) if options.test else None
    facts = {
        "texts": found.digest, "test": held.digest if held else None, "seed": options.seed,
        "holdout": options.holdout, "vocabulary": options.vocabulary,
    }  # fmt: skip
    progress.advance()
    if _written(folder) != facts:
        _write(source, folder, side_of, options)
        write_whole(folder / "corpus.json", to_json(facts).encode())
    progress.advance()
    tokenizer = BytePairs.restore((folder / "tokenizer.json").read_text(encoding="utf-8"))
    reading = _Reading()
    for piece in _texts(source):
        reading.see(piece, side_of[piece.document])
    for piece in _texts(options.test) if options.test else ():
        reading.see(piece, "test")
    progress.advance()
    counts: dict[str, int] = {"learn": 0, "choose": 0, "test": 0}
    sizes: dict[str, int] = {"learn": 0, "choose": 0, "test": 0}
    for name, side in side_of.items():
        counts[side] += 1
        sizes[side] += found.bytes_of[name]
    if held:
        counts["test"], sizes["test"] = len(held.bytes_of), sum(held.bytes_of.values())
    if not sizes["test"]:
        raise NotEnoughDataError("the documents that are held out hold no text; give others")
    return Corpus(
        tokenizer,
        np.memmap(folder / "learn.bin", "<u4", "r"),
        np.memmap(folder / "choose.bin", "<u4", "r"),
        reading.first,
        reading.chosen,
        reading.tests,
        side_of,
        counts,
        sizes,
        (*found.failures, *(held.failures if held else ())),
        reading.seen_before,
        facts,
    )


def _texts(source: str | Path) -> Iterator[TextPiece]:
    return (piece for piece in pieces_of(source) if isinstance(piece, TextPiece))


def _written(folder: Path) -> object:
    try:
        return read_json(folder / "corpus.json")
    except (OSError, ValueError):
        return None


def _write(
    source: str | Path, folder: Path, side_of: Mapping[str, Side], options: PretrainOptions
) -> None:
    (folder / "corpus.json").unlink(missing_ok=True)
    learned = (piece for piece in _texts(source) if side_of[piece.document] == "learn")
    tokenizer = BytePairs.learn(_first(learned, _TOKENIZER_BYTES), options.vocabulary)
    write_whole(folder / "tokenizer.json", tokenizer.text.encode())
    with new_file(folder / "learn.bin") as learn, new_file(folder / "choose.bin") as choose:
        before: dict[Side, str] = {}
        for piece in _texts(source):
            side = side_of[piece.document]
            if side == "test":
                continue
            tokens_N = tokenizer.encode(piece.text)
            if before.get(side) != piece.document:
                tokens_N = np.concatenate([[END], tokens_N])
            before[side] = piece.document
            (learn if side == "learn" else choose).write(tokens_N.astype("<u4").tobytes())


def _first(pieces: Iterator[TextPiece], most_bytes: int) -> Iterator[str]:
    seen = 0
    for piece in pieces:
        yield piece.text
        seen += len(piece.text)
        if seen > most_bytes:
            return


class _Reading:
    """What peers and judges need of the texts, of bounded size."""

    def __init__(self) -> None:
        self.chosen: dict[str, str] = {}
        self.tests: dict[str, str] = {}
        self._last: deque[str] = deque()
        self._last_size = 0
        self._lines: set[int] = set()
        self._sizes: dict[Side, int] = {"choose": 0, "test": 0}

    def see(self, piece: TextPiece, side: Side) -> None:
        """Take what is wanted of a piece."""
        if side == "learn":
            self._last.append(piece.text)
            self._last_size += len(piece.text)
            while self._last_size - len(self._last[0]) >= PEER_BYTES:
                self._last_size -= len(self._last.popleft())
            if len(self._lines) < _MOST_LINES:
                self._lines.update(hash(line) for line in _long_lines(piece.text))
        elif self._sizes[side] < TEST_BYTES:
            kept = self.chosen if side == "choose" else self.tests
            if piece.document in kept or len(kept) < TEST_DOCUMENTS:
                kept[piece.document] = kept.get(piece.document, "") + piece.text
                self._sizes[side] += len(piece.text)

    @property
    def first(self) -> str:
        """The last text that is learned from."""
        return "".join(self._last)[-PEER_BYTES:]

    @property
    def seen_before(self) -> float:
        """Share of the held-out text in lines that stand in what is learned from."""
        lines = [line for text in self.tests.values() for line in _long_lines(text)]
        same = sum(len(line) for line in lines if hash(line) in self._lines)
        return same / max(sum(map(len, lines)), 1)


def _long_lines(text: str) -> Iterator[str]:
    return (line for line in map(str.strip, text.splitlines()) if len(line) >= _LONG_LINE)
