"""VADER: how positive and negative a text is, by a list of words and rules.

Hutto and Gilbert, "VADER: a parsimonious rule-based model for sentiment analysis of social media
text" (ICWSM 2014). Nothing is learned; it is the baseline that encoders of words must beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import BackboneSpec, Floats
from vidfit.errors import BackboneError
from vidfit.views import NO_PICTURE, ONE_TEXT

REVISION = "vader-3.3.2"
SCORES = ("neg", "neu", "pos", "compound")


def vader() -> Vader:
    """Return the encoder."""
    return _opened(
        BackboneSpec(
            name="vader",
            family="vader",
            architecture="algorithm",
            sampling=ONE_TEXT,
            preprocessing=NO_PICTURE,
            dim=len(SCORES),
            parameters=0,
            gmacs_per_view=0.0,
            licence="MIT",
            commercial_use=True,
            source="pypi:vaderSentiment==3.3.2",
            revision=REVISION,
            sees="words",
        )
    )


def restore(directory: Path, spec: BackboneSpec) -> Vader:
    """Return the encoder that ``spec`` names; there are no weights to read.

    Raises
    ------
    BackboneError
        When it is of another version.
    """
    if spec.revision != REVISION:
        raise BackboneError(
            f"{directory} was saved with {spec.revision!r}; this vidfit knows {REVISION!r}. Fit "
            "the model again."
        )
    return _opened(spec)


def _opened(spec: BackboneSpec) -> Vader:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return Vader(spec, SentimentIntensityAnalyzer())


@dataclass(frozen=True)
class Vader:
    """Shares of negative, neutral and positive words, and one number, as a backbone."""

    spec: BackboneSpec
    analyser: Any

    def forward(self, texts_B: NDArray[np.str_]) -> Floats:
        """Return tokens [B, 1, 4] of texts.

        Raises
        ------
        BackboneError
            When the views are no texts.
        """
        if complaint := self.spec.complaint(texts_B):
            raise BackboneError(complaint)
        found = [self.analyser.polarity_scores(str(text)) for text in texts_B]
        return np.array([[[one[name] for name in SCORES]] for one in found], np.float32)

    def save(self, directory: Path) -> None:
        """Write nothing: the version in the spec says all."""
