from __future__ import annotations

import numpy as np

from vidfit.study.reading.declining import NEVER, of_other_articles, threshold_of, thresholds_of


def test_further_questions_without_an_answer_get_one_as_rarely_as_stated():
    rng = np.random.default_rng(0)
    false = []
    for _ in range(2000):
        known = -rng.exponential(size=40)
        false.append(-rng.exponential() > threshold_of(known, 0.1))
    assert 0.08 < np.mean(false) <= 0.11


def test_too_few_questions_promise_nothing():
    assert threshold_of([-1.0] * 8, 0.1) == NEVER
    assert threshold_of([], 0.5) == NEVER
    assert threshold_of([-np.inf] * 99, 0.1) == -100.0
    limits = thresholds_of(-np.arange(1.0, 200.0))
    assert list(limits.values()) == sorted(limits.values(), reverse=True)


def test_no_threshold_is_set_by_the_article_that_it_is_used_on():
    unanswered = np.array([-9.0] * 30 + [-0.1] * 30)
    articles = ["a"] * 30 + ["b"] * 30
    assert of_other_articles(unanswered, articles, 0.1) == {"a": -0.1, "b": -9.0}
