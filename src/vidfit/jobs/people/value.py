"""What is told of somebody who was forgotten, and of pairs of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Failure


@dataclass(frozen=True)
class Forgotten:
    """What was removed.

    Parameters
    ----------
    name
        Of the person.
    people
        Who are left.
    pictures
        Aligned faces that were removed.
    features
        Rows of the feature store that were removed.
    reports
        Files that were removed because they are about everybody.
    searched
        Files that were searched afterwards for the name, the numbers of the face and the folder.
    """

    name: str
    people: tuple[str, ...]
    pictures: int
    features: int
    reports: tuple[str, ...]
    searched: int


@dataclass(frozen=True)
class PairFigures:
    """How well pairs of pictures of one person are told from pairs of two.

    Parameters
    ----------
    pairs, same
        Pairs that were compared, and those of one person.
    accuracy, standard_error
        Mean over folds, and its standard error (the protocol of LFW).
    folds
        How many.
    accepted_at_1, accepted_at_01
        Share of the pairs of one person accepted where 1 % and 0.1 % of the others are.
    failures
        Pairs that could not be compared.
    consent
        To what the people agreed.
    """

    pairs: int
    same: int
    accuracy: float
    standard_error: float
    folds: int
    accepted_at_1: float
    accepted_at_01: float
    failures: tuple[Failure, ...]
    consent: str
