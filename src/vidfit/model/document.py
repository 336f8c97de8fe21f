"""What a model says of itself, ``model.json``, and what of that is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidfit.contracts import Floats
from vidfit.documents import FieldRule, Rules, read_json, value_of, within
from vidfit.errors import ModelError
from vidfit.labels import Labels

FORMAT = 1
DOCUMENT = "model.json"

MOST_CLASSES, MOST_MEMBERS = 100_000, 256
_LONGEST_SECONDS = 1e7


@dataclass(frozen=True)
class Model:
    """What answers, without the networks' weights.

    Parameters
    ----------
    classes
        Class names in the order of the head's outputs.
    members
        Backbone names, in the order of the head's blocks.
    head
        Kind of head: of `vidfit.fusion.HEADS`, that of the learner of the task, or a network.
    arrays
        The head's arrays.
    temperature
        Log-probabilities are divided by it before they become probabilities.
    unknown_probability
        Answers with less are declined for low confidence.
    unknown_novelty
        Clips whose features lie further from the training clips (mean squared standard
        score) are declined as unlike anything seen.
    window_seconds
        Length of the training clips (median): the windows of a long video.
    longest_seconds
        Length of the longest training clip: a video up to that is one clip.
    card
        What a reader should know: data, scores, licences, versions.
    strict_probability, strict_novelty
        Thresholds that decline earlier; ``None`` in models that were written before there were.
    task
        What is answered: a name of `vidfit.tasks`.
    thresholds
        Of several classes, the probability above which each is said; empty otherwise.
    """

    classes: tuple[str, ...]
    members: tuple[str, ...]
    head: str
    arrays: Mapping[str, Floats]
    temperature: float
    unknown_probability: float
    unknown_novelty: float
    window_seconds: float
    longest_seconds: float
    card: Mapping[str, Any]
    strict_probability: float | None = None
    strict_novelty: float | None = None
    task: str = "classify"
    thresholds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Document:
    """The file: a `Model` without its arrays, and the sha256 of each file of its directory."""

    format: int
    classes: tuple[str, ...]
    members: tuple[str, ...]
    head: str
    temperature: float
    unknown_probability: float
    unknown_novelty: float
    window_seconds: float
    longest_seconds: float
    card: dict[str, Any]
    files: dict[str, str]
    strict_probability: float | None = None
    strict_novelty: float | None = None
    labels: Labels = "one"
    thresholds: tuple[float, ...] = ()
    task: str = ""

    def model(self, arrays: Mapping[str, Floats]) -> Model:
        """Return the model with the arrays of its head."""
        facts = {name: value for name, value in vars(self).items() if name in _FIELDS}
        facts["task"] = self.task or _BEFORE[self.labels]
        return Model(arrays=arrays, **facts)


_BEFORE: dict[Labels, str] = {"one": "classify", "several": "tag", "number": "regress"}
"""The task of models that were written when a model said what labels it answers with."""

_FIELDS = frozenset(Model.__dataclass_fields__) - {"arrays"}


def _names(most: int, what: str) -> FieldRule:
    """Return the rule of lists of names, all different."""
    return FieldRule(
        lambda names: 0 < len(set(names)) == len(names) <= most and all(names),
        f"1 to {most:,} {what}, no two alike and none empty",
    )


_RULES: Rules = {
    (Document, "classes"): _names(MOST_CLASSES, "classes"),
    (Document, "members"): _names(MOST_MEMBERS, "members"),
    # `fit` keeps to [0.25, 8].
    (Document, "temperature"): within(1e-3, 1e3),
    (Document, "unknown_probability"): within(0.0, 1.0),
    (Document, "unknown_novelty"): FieldRule(lambda x: x >= 0, "0 or more", infinite=True),
    (Document, "strict_probability"): within(0.0, 1.0),
    (Document, "strict_novelty"): FieldRule(lambda x: x >= 0, "0 or more", infinite=True),
    (Document, "thresholds"): FieldRule(
        lambda values: all(0 <= value <= 1 for value in values), "numbers from 0 to 1"
    ),
    (Document, "window_seconds"): FieldRule(lambda x: 0 < x <= _LONGEST_SECONDS, "above 0, to 1e7"),
    (Document, "longest_seconds"): within(0.0, _LONGEST_SECONDS),
}


def read_document(directory: Path) -> Document:
    """Read ``model.json``.

    Raises
    ------
    ModelError
        If it is missing, of a newer format, or says what no model can.
    """
    path = directory / DOCUMENT
    if not path.is_file():
        raise ModelError(f"{directory} is no model: it has no {DOCUMENT}; give what `fit` wrote")
    try:
        found = read_json(path)
        if isinstance(found, dict) and (
            found.get("format") != FORMAT or isinstance(found["format"], bool)
        ):
            raise ModelError(f"{path} has a format that this vidfit does not read; update vidfit")
        document = value_of(Document, found, _RULES)
        if len(document.thresholds) not in (0, len(document.classes)):
            raise ValueError(
                f"it has {len(document.thresholds)} thresholds; valid are none, or one a class"
            )
        return document
    except (OSError, ValueError) as error:
        raise ModelError(f"{directory} is damaged ({error}); fit or copy it again") from error
