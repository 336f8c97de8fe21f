from __future__ import annotations

import numpy as np

from vidfit.language.classify import probe_of_texts, standard, word_axes, word_counts

TEXTS = [f"{'good' if i % 2 else 'bad'} film number {i % 7}" for i in range(80)]
LABELS = np.array([i % 2 for i in range(80)])
LEARN = np.arange(80) < 60


def test_words_are_those_of_the_texts_that_are_learned_from():
    texts = [*TEXTS[:60], *["unheard unheard words"] * 20]
    assert word_counts(texts, LEARN)[60:].nnz == 0
    assert word_counts(texts, np.ones(80, bool))[60:].nnz > 0


def test_a_probe_of_words_and_of_their_axes_tells_what_words_tell():
    groups = [str(i // 4) for i in range(80)]
    for x in (word_counts(TEXTS, LEARN), word_axes(TEXTS)):
        answers_M = probe_of_texts(x, LABELS, groups, LEARN)
        assert (answers_M == LABELS).all()


def test_states_are_scaled_by_what_is_learned_from():
    x_ME = np.random.default_rng(0).normal(3, 2, (80, 4)).astype(np.float32)
    found_ME = standard(x_ME, LEARN)
    np.testing.assert_allclose(found_ME[LEARN].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(found_ME[LEARN].std(0), 1, atol=1e-5)
