"""A language model as it is kept: what it says of sequences, in bits; draws; states; its files.

::

    model/
      language.json         what it is, and the sha256 of the other files
      tokenizer.json        pieces of words; not there for tokens of frames
      weights.safetensors   the network

Nothing of it is code. Shape letters: B windows, N tokens, E hidden width, V vocabulary, M texts.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional

from vidfit.contracts import Floats, Indices
from vidfit.documents import read_json, to_json
from vidfit.errors import ModelError, VidfitError
from vidfit.files import sha256, write_whole
from vidfit.language.tokens import END, BytePairs
from vidfit.networks import Shape
from vidfit.networks.gpt import GptLanguage
from vidfit.networks.rebuilt import read_shape, with_weights

DOCUMENT, TOKENIZER, WEIGHTS = "language.json", "tokenizer.json", "weights.safetensors"
FORMAT = 1

READING_RATE = 3e-4
"""Learning rate of a model that goes on learning from what it reads."""

Doubles = NDArray[np.float64]

_ROWS, _READ_AT_ONCE = 16, 4
"""Windows that are answered at once, and before each step of learning from them."""


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A network that says what comes next, and the tokenizer of its texts.

    Parameters
    ----------
    tokenizer
        ``None`` where tokens are not of text.
    facts
        What a reader should know, plain values.
    """

    shape: Shape
    network: GptLanguage
    tokenizer: BytePairs | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reader(self) -> BytePairs:
        """The tokenizer.

        Raises
        ------
        ModelError
            If the model is none of text.
        """
        if self.tokenizer is None:
            raise ModelError("the model knows tokens of frames; give one that was learned of texts")
        return self.tokenizer

    def bits(self, tokens_N: Indices) -> Doubles:
        """Return the bits [N] of each token of a document, by up to ``shape.tokens`` before it."""
        self.network.eval()
        found_N = np.empty(len(tokens_N))
        for some in _batches(len(tokens_N), self.shape.tokens, _ROWS):
            rows_BN = _padded([_with_end(tokens_N, *cut) for cut in some])
            with torch.no_grad():
                nats_BN = said_nats(self.network, rows_BN).double().numpy()
            for (start, new, stop), row_N in zip(some, nats_BN, strict=True):
                found_N[new:stop] = row_N[new - start : stop - start]
        return found_N / math.log(2)

    def reading_bits(self, documents: Sequence[Indices]) -> list[Doubles]:
        """Return the same of documents in their order, each learned from once it was answered.

        Dynamic evaluation (Krause et al. 2018), as compressors learn from what they have read;
        the model itself stays as it is.
        """
        network = copy.deepcopy(self.network).eval()
        optimizer = torch.optim.Adam(network.parameters(), lr=READING_RATE)
        answers = []
        for tokens_N in documents:
            found_N = np.empty(len(tokens_N))
            for some in _batches(len(tokens_N), self.shape.tokens, _READ_AT_ONCE):
                nats_BN = said_nats(network, _padded([_with_end(tokens_N, *cut) for cut in some]))
                new = [row[n - s : e - s] for row, (s, n, e) in zip(nats_BN, some, strict=True)]
                nats_N = torch.cat(new)
                found_N[some[0][1] : some[-1][2]] = nats_N.detach().double().numpy()
                optimizer.zero_grad()
                nats_N.mean().backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            answers.append(found_N / math.log(2))
        return answers

    def score(self, text: str) -> float:
        """Return how surprising a text is, in bits a byte.

        Raises
        ------
        VidfitError
            If the model is none of text, or the text is empty.
        """
        if not text:
            raise VidfitError("the text is empty; give one byte or more")
        return float(self.bits(self.reader.encode(text)).sum() / len(text.encode()))

    @torch.no_grad()
    def states(self, texts: Sequence[str]) -> Floats:
        """Return the mean of what is known after each token, [M, E]; of long texts, of their end.

        Raises
        ------
        ModelError
            If the model is none of text.
        """
        self.network.eval()
        found = []
        for text in texts:
            tokens_N = self.reader.encode(text)[-self.shape.tokens + 1 :]
            row_1N = torch.from_numpy(np.concatenate([[END], tokens_N]))[None]
            found.append(self.network.states(row_1N)[0].mean(0).numpy())
        states_ME: Floats = (
            np.stack(found) if found else np.zeros((0, self.shape.width), np.float32)
        )
        return states_ME

    @torch.no_grad()
    def sample(self, count: int, *, begin: str = "", warmth: float = 0.8, seed: int = 0) -> str:
        """Return a text that goes on, drawn token by token.

        Parameters
        ----------
        count
            Tokens that are drawn at most; it may come to an end before.
        begin
            What it goes on from.
        warmth
            Temperature of the draws, above 0: below 1 the probable is more probable.

        Raises
        ------
        VidfitError
            If the model is none of text, or ``warmth`` is not above 0.
        """
        if warmth <= 0:
            raise VidfitError(f"warmth is {warmth}; give a temperature above 0, such as 0.8")
        drawn = self.draw([END, *map(int, self.reader.encode(begin))], count, warmth, seed)
        return self.reader.decode(np.array(drawn, np.int64))

    @torch.no_grad()
    def draw(self, begin: Sequence[int], count: int, warmth: float, seed: int) -> list[int]:
        """Return tokens that go on from some, as `sample` draws them, up to an `END`."""
        self.network.eval()
        rng = torch.Generator().manual_seed(seed)
        tokens = list(begin)
        for _ in range(count):
            seen_1N = torch.tensor(tokens[-self.shape.tokens :])[None]
            odds_V = torch.softmax(self.network(seen_1N)[0, -1].double() / warmth, dim=0)
            drawn = int(torch.multinomial(odds_V, 1, generator=rng))
            if drawn == END:
                break
            tokens.append(drawn)
        return tokens

    def save(self, folder: Path) -> Path:
        """Write the model, its document last: without it there is none.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        (folder / DOCUMENT).unlink(missing_ok=True)
        weights = {n: t.detach().contiguous() for n, t in self.network.state_dict().items()}
        files = {WEIGHTS: save(weights)}
        if self.tokenizer is not None:
            files[TOKENIZER] = self.tokenizer.text.encode()
        digests = {}
        for name, content in files.items():
            digests[name] = sha256(write_whole(folder / name, content))
        document = {
            "format": FORMAT, "shape": asdict(self.shape), "files": digests,
            "facts": dict(self.facts),
        }  # fmt: skip
        write_whole(folder / DOCUMENT, to_json(document, indent=1).encode())
        return folder


def load_language(folder: Path) -> LanguageModel:
    """Return a model that `LanguageModel.save` wrote; no code of it is run.

    Raises
    ------
    ModelError
        If it is incomplete, altered or written by a newer vidfit.
    """
    try:
        document = read_json(folder / DOCUMENT)
        if document["format"] != FORMAT:
            raise ValueError(f"its format is {document['format']!r}, known is {FORMAT}")
        shape, files, facts = (document[key] for key in ("shape", "files", "facts"))
        if not {WEIGHTS} <= {*files} <= {WEIGHTS, TOKENIZER} or not isinstance(facts, dict):
            raise ValueError(f"it names the files {sorted(files)}")
        for name, digest in files.items():
            if sha256(folder / name) != digest:
                raise ValueError(f"{name} was altered")
        made_for = read_shape(shape)
        weights = load_file(folder / WEIGHTS)
        network = with_weights(lambda: GptLanguage(made_for), weights)
        text = (folder / TOKENIZER).read_text(encoding="utf-8") if TOKENIZER in files else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelError(
            f"{folder} holds no language model: {error}; copy it again, or learn one with "
            "`vidfit pretrain`"
        ) from error
    tokenizer = None if text is None else BytePairs.restore(text)
    if tokenizer is not None and tokenizer.vocabulary != made_for.vocabulary:
        raise ModelError(
            f"{folder}: the tokenizer has {tokenizer.vocabulary} tokens and the network "
            f"{made_for.vocabulary}; copy the model again"
        )
    assert isinstance(network, GptLanguage)  # noqa: S101
    return LanguageModel(made_for, network.eval(), tokenizer, facts)


def said_nats(network: GptLanguage, rows_BN: Tensor) -> Tensor:
    """Return -log p [B, N - 1] of each token but the first of rows [B, N]."""
    logits_BNV = network(rows_BN[:, :-1])
    nats = functional.cross_entropy(
        logits_BNV.flatten(0, 1), rows_BN[:, 1:].flatten(), reduction="none"
    )
    return nats.reshape(len(rows_BN), -1)


def windows(count: int, length: int) -> Iterator[tuple[int, int, int]]:
    """Yield start, first new token and end of windows that cover ``count`` tokens.

    A quarter of each but the first was said before: no token is said without some before it.
    """
    step = max(3 * length // 4, 1)
    new = 0
    for start in range(0, max(count - length + step, 1), step):
        stop = min(start + length, count)
        yield start, new, stop
        new = stop


def _batches(count: int, length: int, rows: int) -> Iterator[list[tuple[int, int, int]]]:
    cuts = [*windows(count, length)]
    return (cuts[first : first + rows] for first in range(0, len(cuts), rows))


def _with_end(tokens_N: Indices, start: int, new: int, stop: int) -> Indices:
    before = [END] if start == 0 else tokens_N[start - 1 : start]
    return np.concatenate([before, tokens_N[start:stop]])


def _padded(rows: Sequence[Indices]) -> Tensor:
    longest = max(map(len, rows))
    rows_BN = np.full((len(rows), longest), END, np.int64)
    for row_N, tokens in zip(rows_BN, rows, strict=True):
        row_N[: len(tokens)] = tokens
    return torch.from_numpy(rows_BN)
