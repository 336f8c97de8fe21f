"""A language model tried on labelled texts, beside words that are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from vidfit.contracts import Indices
from vidfit.errors import NotEnoughDataError
from vidfit.jobs.pretrain.fine_tuning import fine_tuned
from vidfit.jobs.pretrain.value import (
    BOTH,
    MAJORITY_CLASS,
    STATES,
    TUNED,
    WORDS,
    Classified,
    TextAnswer,
)
from vidfit.language.classify import probe_of_texts, standard, word_counts
from vidfit.language.model import LanguageModel
from vidfit.manifest.texts import TextRow, open_texts
from vidfit.metrics import paired_interval, share_interval
from vidfit.progress import Progress
from vidfit.shown import counted

_TEST_SHARE = 0.3


def classified(
    model: LanguageModel, path: Path, side_of: Mapping[str, str], seed: int, progress: Progress
) -> Classified:
    """Learn from some groups of a table and answer the others, in five ways.

    Parameters
    ----------
    side_of
        Sides of documents. Where the model was learned from this very table, groups are held out
        that it has not seen.

    Raises
    ------
    NotEnoughDataError
        If there are fewer than two classes, or two groups, with labels.
    """
    table = open_texts(path)
    rows = [row for row in table if isinstance(row, TextRow) and row.label is not None]
    classes = sorted({str(row.label) for row in rows})
    labels_M = np.array([classes.index(str(row.label)) for row in rows], np.int64)
    groups = [row.group for row in rows]
    learn = _learned_from(path, groups, side_of, seed)
    if len(classes) < 2 or not learn.any() or learn.all():
        raise NotEnoughDataError(
            f"{path} has {counted(len(classes), 'class', 'classes')} and "
            f"{counted(len(set(groups)), 'group')} with labels; two of "
            "each are needed"
        )
    texts = [row.text for row in rows]
    answers = _answers(model, texts, (labels_M, groups, learn), progress)
    hits = {name: answer_M[~learn] == labels_M[~learn] for name, answer_M in answers.items()}
    tested = [group for group, known in zip(groups, learn, strict=True) if not known]
    found = [
        TextAnswer(
            name,
            share_interval(hit, tested),
            None
            if name in (WORDS, MAJORITY_CLASS)
            else paired_interval(hit.astype(float) - hits[WORDS], tested),
        )
        for name, hit in hits.items()
    ]
    return Classified(
        path.name, table.grouping, int(learn.sum()), len(tested), len(set(tested)), tuple(found)
    )


def _learned_from(
    path: Path, groups: Sequence[str], side_of: Mapping[str, str], seed: int
) -> NDArray[np.bool_]:
    """Return which texts are learned from: those of whole groups."""
    names = sorted(set(groups))
    sides = [side_of.get(f"{path.name}: {name}") for name in names]
    if "test" in sides:
        held = {name for name, side in zip(names, sides, strict=True) if side == "test"}
    else:
        rng = np.random.default_rng(seed)
        held = set(rng.permutation(names)[: max(1, round(_TEST_SHARE * len(names)))].tolist())
    return np.array([group not in held for group in groups])


def _answers(
    model: LanguageModel,
    texts: Sequence[str],
    known: tuple[Indices, Sequence[str], NDArray[np.bool_]],
    progress: Progress,
) -> dict[str, Indices]:
    labels_M, groups, learn = known
    progress.start("classify", 4)
    words = word_counts(texts, learn)
    progress.advance()
    states_ME = standard(model.states(texts), learn)
    progress.advance()
    both = csr_matrix(hstack([words, csr_matrix(states_ME / np.sqrt(states_ME.shape[1]))]))
    found = {MAJORITY_CLASS: np.full(len(texts), np.bincount(labels_M[learn]).argmax())}
    for name, x in ((WORDS, words), (STATES, states_ME), (BOTH, both)):
        found[name] = probe_of_texts(x, labels_M, groups, learn)
    progress.advance(2)
    found[TUNED] = fine_tuned(model, texts, labels_M, learn, progress)
    return found
