"""Texts as numbers, and a probe of them: rare words, axes of words, states of a language model.

Shape letters: M texts, W words, D numbers of a text, E width of a language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices

PENALTIES = (0.1, 1.0, 10.0)
"""Of logistic regression (scikit-learn's ``C``); that of the lowest log-loss of folds is taken."""

_FOLDS = 3
_FEATURES, _AXES = 50_000, 100


def word_counts(texts: Sequence[str], learn: NDArray[np.bool_]) -> Any:  # noqa: ANN401
    """Return rare words and pairs of words, weighed (TF-IDF), as a sparse matrix [M, W].

    Words and weights are those of the texts that are learned from.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=_fewest(learn), max_features=_FEATURES
    )
    vectors.fit([text for text, known in zip(texts, learn, strict=True) if known])
    return vectors.transform(texts)


def _fewest(learn: NDArray[np.bool_]) -> int:
    """Return in how many texts a word must stand: a word that stands once teaches nothing."""
    return 2 if learn.sum() > 50 else 1


def word_axes(texts: Sequence[str], seed: int = 0) -> Floats:
    """Return texts on the axes that say most of their words, [M, D]; no label is looked at."""
    from sklearn.decomposition import TruncatedSVD

    counts = word_counts(texts, np.ones(len(texts), bool))
    axes = min(_AXES, *(side - 1 for side in counts.shape))
    if axes < 1:
        return np.asarray(counts.toarray(), np.float32)
    found_MD = TruncatedSVD(axes, random_state=seed).fit_transform(counts)
    return np.asarray(found_MD, np.float32)


def probe_of_texts(
    x_MD: Any,  # noqa: ANN401  (dense or sparse)
    labels_M: Indices,
    groups: Sequence[str],
    learn: NDArray[np.bool_],
) -> Indices:
    """Return the class [M] of each text by logistic regression on those that are learned from.

    Its penalty is chosen by folds of whole groups.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.model_selection import GroupKFold, cross_val_predict

    known, of = labels_M[learn], np.asarray(groups)[learn]
    losses = {}
    for penalty in PENALTIES:
        probe = LogisticRegression(C=penalty, max_iter=2000)
        folds = GroupKFold(min(_FOLDS, len(set(of))))
        odds = cross_val_predict(probe, x_MD[learn], known, groups=of, cv=folds,
                                 method="predict_proba")  # fmt: skip
        losses[penalty] = log_loss(known, odds)
    best = min(losses, key=lambda penalty: losses[penalty])
    probe = LogisticRegression(C=best, max_iter=2000).fit(x_MD[learn], known)
    answers_M: Indices = probe.predict(x_MD)
    return answers_M


def standard(x_ME: Floats, learn: NDArray[np.bool_]) -> Floats:
    """Return states with the means and deviations of those that are learned from taken out."""
    mean_E, scale_E = x_ME[learn].mean(0), np.maximum(x_ME[learn].std(0), 1e-6)
    standard_ME: Floats = (x_ME - mean_E) / scale_E
    return standard_ME
