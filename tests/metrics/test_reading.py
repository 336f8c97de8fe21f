from __future__ import annotations

import collections
import re
import string

import numpy as np
import pytest

from vidfit.metrics.reading import READING_MEASURES, exact_match, normalised, word_f1
from vidfit.metrics.scored import score_all


class Official:
    """The functions of the evaluation script of SQuAD 2.0 (Rajpurkar et al.), as published."""

    @staticmethod
    def normalize_answer(s):
        def remove_articles(text):
            return re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", text)

        def white_space_fix(text):
            return " ".join(text.split())

        def remove_punc(text):
            exclude = set(string.punctuation)
            return "".join(ch for ch in text if ch not in exclude)

        return white_space_fix(remove_articles(remove_punc(s.lower())))

    def get_tokens(self, s):
        return self.normalize_answer(s).split() if s else []

    def compute_exact(self, a_gold, a_pred):
        return int(self.normalize_answer(a_gold) == self.normalize_answer(a_pred))

    def compute_f1(self, a_gold, a_pred):
        gold_toks, pred_toks = self.get_tokens(a_gold), self.get_tokens(a_pred)
        common = collections.Counter(gold_toks) & collections.Counter(pred_toks)
        num_same = sum(common.values())
        if len(gold_toks) == 0 or len(pred_toks) == 0:
            return int(gold_toks == pred_toks)
        if num_same == 0:
            return 0
        precision, recall = num_same / len(pred_toks), num_same / len(gold_toks)
        return (2 * precision * recall) / (precision + recall)

    def raw(self, golds, said):
        golds = [a for a in golds if self.normalize_answer(a)] or [""]
        return (
            max(self.compute_exact(a, said) for a in golds),
            max(self.compute_f1(a, said) for a in golds),
        )


CASES = [
    (["Denver Broncos", "the Denver Broncos"], "The Denver Broncos!"),
    (["24\N{EN DASH}10"], "24-10"),
    (["$1.2 billion"], "1.2 billion"),
    (["Anna's mill"], "annas mill"),
    (["an a the"], "the"),
    (["the"], ""),
    ([], ""),
    ([], "something"),
    (["to be or not to be"], "be be not"),
    (["Straße", "Gasse"], "STRASSE"),
    (["x y z"], "a  X,y"),
    (["theatre"], "the atre"),
]


@pytest.mark.parametrize(("golds", "said"), CASES)
def test_parity_with_the_official_script(golds, said):
    assert (exact_match(said, golds), word_f1(said, golds)) == Official().raw(golds, said)
    assert normalised(said) == Official.normalize_answer(said)


def test_figures_are_sums_by_article():
    truth = np.empty(3, object)
    truth[:] = [("Bern",), ("the river Aare", "Aare"), ()]
    said = np.array(["bern", "river Aare near", ""], object)
    f1 = score_all(READING_MEASURES["f1"], truth, [said], ["a", "b", "b"])
    exact = score_all(READING_MEASURES["em"], truth, [said], ["a", "b", "b"])
    assert f1.figures_C[0] == pytest.approx((1 + 0.8 + 1) / 3)
    assert exact.figures_C[0] == pytest.approx(2 / 3)
    assert exact.interval(0).low < 2 / 3 < exact.interval(0).high
