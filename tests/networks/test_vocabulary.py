"""Words as numbers."""

from __future__ import annotations

import numpy as np

from vidfit.networks.vocabulary import FIRST_WORD, LONGEST, UNKNOWN, Vocabulary


def test_frequent_words_come_first_and_rare_ones_are_one_unknown_word():
    vocabulary = Vocabulary.of(["The dog runs", "the DOG!", "the cat", None])
    assert vocabulary.words == ("the", "dog")
    found_ML = vocabulary.numbers(["dog, the cat", None])
    assert found_ML.shape == (2, LONGEST)
    assert found_ML[0, :4].tolist() == [FIRST_WORD + 1, FIRST_WORD, UNKNOWN, 0]
    assert not found_ML[1].any()


def test_without_words_there_are_no_numbers():
    assert Vocabulary.of([None, ""]).size == 0
    long = Vocabulary(("a",)).numbers(["a " * 99])
    assert np.array_equal(long, np.full((1, LONGEST), FIRST_WORD))
