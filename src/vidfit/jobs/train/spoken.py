"""Words of clips that a network reads beside frames: which it knows, and what they are worth.

Shape letters: M clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip
from vidfit.jobs.train.parts import Parts
from vidfit.jobs.train.value import ReadWords
from vidfit.metrics import paired_interval, share_interval
from vidfit.networks.vocabulary import Vocabulary, words_of
from vidfit.plans import Plan
from vidfit.study.clipsets import Prepared
from vidfit.study.pretrained import Pretrained

NO_WORDS = Vocabulary(())

TOLD_SHARE = 0.5
"""Of the clips with words: where as many say their own label, a warning does, too."""


def vocabulary_of(
    plan: Plan, ready: Prepared, parts: Parts, pretrained: Pretrained | None, notes: list[str]
) -> Vocabulary:
    """Return the words that the network of a plan knows: of the clips that are learned from.

    Of weights that were pretrained with words, these.
    """
    if not plan.subject.vocabulary:
        return NO_WORDS
    if pretrained and pretrained.vocabulary.size:
        return pretrained.vocabulary
    rows = np.concatenate([parts.learn_M, parts.bare_M])
    found = Vocabulary.of(ready.clips[i].text for i in rows)
    if not found.size:
        notes.append(
            "No word is said in two of the clips that are learned from: the network sees frames "
            "alone."
        )
    return found


def reading(plan: Plan, vocabulary: Vocabulary) -> Plan:
    """Return a plan whose network reads words, as many as there are."""
    return replace(plan, subject=replace(plan.subject, vocabulary=vocabulary.size))


def with_words(ready: Prepared, vocabulary: Vocabulary) -> Prepared:
    """Return clips with their words as numbers; of one without words they are padding."""
    if not vocabulary.size:
        return ready
    numbers_ML = vocabulary.numbers([clip.text for clip in ready.clips])
    arrays = {**ready.set.arrays, "text": numbers_ML}
    return replace(ready, set=replace(ready.set, arrays=arrays))


def spoken(ready: Prepared, parts: Parts, vocabulary: Vocabulary) -> ReadWords | None:
    """Return what is read; ``None`` where nothing is."""
    if not vocabulary.size:
        return None
    learned = [ready.clips[i] for i in parts.learn_M]
    tested = [ready.clips[i] for i in parts.test_M]
    return ReadWords(
        words=len(vocabulary.words),
        learned=sum(bool(words_of(clip.text)) for clip in learned),
        tested=sum(bool(words_of(clip.text)) for clip in tested),
        telling=sum(map(_says_its_label, learned)),
    )


def worth(found: ReadWords, hits: Sequence[NDArray[np.bool_]], groups: Sequence[str]) -> ReadWords:
    """Return what words bring, by which test clips are answered right with them and without."""
    spoken_M, silent_M = hits
    return replace(
        found,
        silent=share_interval(silent_M, groups),
        gain=paired_interval(spoken_M.astype(float) - silent_M, groups),
    )


def silent(clips: list[Clip]) -> list[Clip]:
    """Return clips without their words."""
    return [replace(clip, text=None) for clip in clips]


def telling_lines(found: ReadWords | None) -> tuple[str, ...]:
    """Return a warning where many clips say their own label."""
    if found is None or found.telling < max(TOLD_SHARE * found.learned, 1):
        return ()
    return (
        f"In {found.telling} of {found.learned} clips with words that are learned from, the words "
        "hold the label itself. A network may read it there; will new clips say it, too?",
    )


def _says_its_label(clip: Clip) -> bool:
    label, said = words_of(clip.label), words_of(clip.text)
    size = len(label)
    return bool(label) and any(said[i : i + size] == label for i in range(len(said) - size + 1))
