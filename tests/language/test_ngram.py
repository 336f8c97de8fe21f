from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from vidfit.language.ngram import ngram


def by_tables(tokens, order, vocabulary, known=None):
    """Return the same, one token after the other, from tables."""
    tables = [defaultdict(Counter) for _ in range(order)]
    found = []
    for i, token in enumerate(tokens):
        odds = 1 / vocabulary
        for length, table in enumerate(tables):
            context = tuple([-1] * max(length - i, 0) + list(tokens[max(i - length, 0) : i]))
            times, kinds = sum(table[context].values()), len(table[context])
            if times:
                odds = (table[context][token] + kinds * odds) / (times + kinds)
        found.append(odds)
        if known is None or i < known:
            for length, table in enumerate(tables):
                context = tuple([-1] * max(length - i, 0) + list(tokens[max(i - length, 0) : i]))
                table[context][token] += 1
    return found


@pytest.mark.parametrize("known", [None, 0, 150])
def test_is_what_tables_give(known):
    rng = np.random.default_rng(0)
    tokens_N = rng.choice(6, 300, p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.05])
    found_N = ngram(tokens_N, 4, 6, known)
    np.testing.assert_allclose(found_N, by_tables(tokens_N.tolist(), 4, 6, known))


def test_probabilities_of_what_may_come_next_sum_to_one():
    past = [0, 1, 2, 0, 1, 3, 0, 1]
    total = sum(ngram(np.array([*past, token]), 3, 5)[-1] for token in range(5))
    assert total == pytest.approx(1)
