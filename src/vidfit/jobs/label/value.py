"""What `label` found: where labelling stands, and what to label next."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Clip, Failure


@dataclass(frozen=True)
class Proposed:
    """A clip to label, by which method it was chosen, and why."""

    clip: Clip
    method: str
    why: str


@dataclass(frozen=True)
class Labelling:
    """Where labelling stands, and what to label next.

    Parameters
    ----------
    proposed
        The clips to label next, the most telling first; none when all have a label.
    labels
        Clips by label, the most frequent first.
    clip_count
        Clips that can be read, the test split left out.
    empty
        Rows of the answers that are not filled in.
    grouping
        How recordings were found.
    failures
        Clips and backbones that were left out, with reasons.
    warnings
        What was noticed, such as copies whose labels contradict each other.
    spans
        Whether spans of long videos are proposed, with labels to correct.
    texts
        Whether texts of a table are proposed.
    """

    proposed: tuple[Proposed, ...]
    labels: dict[str, int]
    clip_count: int
    empty: tuple[str, ...]
    grouping: str
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...] = ()
    spans: bool = False
    texts: bool = False
