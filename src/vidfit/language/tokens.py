"""Text as pieces of words: byte-pair encoding over bytes, which loses nothing.

Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units" (2016),
over bytes as in Radford et al. (2019). Learned and applied by the package tokenizers; of a saved
one only vocabulary and merges are read.

Shape letters: N tokens of a text, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from vidfit.contracts import Indices
from vidfit.documents import json_in
from vidfit.errors import ModelError, VidfitError

END = 0
"""The token before each document, and padding."""

_LONGEST_BYTES = 4096
"""Of a token in a file that anybody may have written."""


@dataclass(frozen=True)
class BytePairs:
    """A tokenizer; token 0 is `END`, and all others stand for one byte or more.

    Parameters
    ----------
    text
        What ``tokenizers`` wrote of it, JSON.
    """

    text: str

    @classmethod
    def learn(cls, texts: Iterable[str], vocabulary: int) -> BytePairs:
        """Learn which bytes to join; what is held in memory are the distinct words.

        Raises
        ------
        VidfitError
            If the package tokenizers is not installed, or the vocabulary is below 257.
        """
        if vocabulary < 257:
            raise VidfitError(f"vocabulary is {vocabulary}; give 257 (bytes alone) or more")
        tok = _package()
        tokenizer = tok.Tokenizer(tok.models.BPE())
        tokenizer.pre_tokenizer = tok.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = tok.decoders.ByteLevel()
        trainer = tok.trainers.BpeTrainer(
            vocab_size=vocabulary - 1,
            initial_alphabet=tok.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer.to_str())

    @classmethod
    def restore(cls, text: str) -> BytePairs:
        """Return the tokenizer that a file holds.

        Raises
        ------
        ModelError
            If it is no byte-pair encoding over bytes.
        """
        try:
            document = json_in(text)
            kinds = document["model"]["type"], document["pre_tokenizer"]["type"]
            plain = not document["added_tokens"] and document["normalizer"] is None
            numbers = sorted(document["model"]["vocab"].values())
            sound = numbers == list(range(len(numbers))) and len(numbers) >= 256
            sound = sound and max(map(len, document["model"]["vocab"])) <= _LONGEST_BYTES
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelError(
                f"the tokenizer cannot be read: {error}; copy the model again"
            ) from None
        if kinds != ("BPE", "ByteLevel") or not (plain and sound):
            raise ModelError(
                f"the tokenizer is {kinds[0]} over {kinds[1]}; known is byte-pair encoding over "
                "bytes, as `vidfit pretrain` writes it"
            )
        return cls(text)

    @cached_property
    def _tokenizer(self) -> Any:  # noqa: ANN401
        try:
            return _package().Tokenizer.from_str(self.text)
        except ValueError as error:
            raise ModelError(f"the tokenizer cannot be read: {error}") from error

    @cached_property
    def vocabulary(self) -> int:
        """How many tokens there are, `END` included."""
        return int(self._tokenizer.get_vocab_size()) + 1

    @cached_property
    def bytes_V(self) -> Indices:  # noqa: N802
        """How many bytes each token stands for; 0 for `END`."""
        sizes = np.zeros(self.vocabulary, np.int64)
        for piece, number in self._tokenizer.get_vocab().items():
            sizes[number + 1] = len(piece)
        return sizes

    def encode(self, text: str) -> Indices:
        """Return the tokens [N] of a text, without `END`."""
        return np.array(self._tokenizer.encode(text).ids, np.int64) + 1

    def decode(self, tokens_N: Indices) -> str:
        """Return the text of tokens; bytes that are no UTF-8 become replacement signs."""
        return str(self._tokenizer.decode([int(t) - 1 for t in tokens_N if t != END]))


def _package() -> Any:  # noqa: ANN401
    try:
        import tokenizers
    except ImportError as error:
        raise VidfitError(
            "language models need the package tokenizers, which is not installed; get it with "
            "`pip install 'vidfit[language]'`"
        ) from error
    return tokenizers
