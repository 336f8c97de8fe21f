"""Detectors as backbones: a network's many candidates, of which the surest hundred are kept.

Shape letters: B pictures, P candidates, N boxes, C classes, D numbers of a box: four edges in
shares of the picture (left, top, right, bottom), C scores, and what its place looks like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit.boxes import Edges, overlaps
from vidfit.contracts import Backbone, BackboneSpec, Floats, Frames

BOXES = 100
"""Boxes that are kept of a picture."""

OVERLAP = 0.5
"""Intersection over union from which on the less sure of two boxes of a class is left out."""

LEAST_SCORE = 0.01
"""Below that a candidate is no box, whatever its class."""

_CANDIDATES = 300
"""Of a picture, the surest, among which overlapping ones are looked for."""


@dataclass(frozen=True)
class BoxBackbone:
    """A backbone whose tokens [B, 100, 4 + C + E] are boxes, the surest first.

    Of boxes that are not there all numbers are 0.

    Parameters
    ----------
    spec
        Of the whole; ``spec.dim`` is 4 + C + E.
    candidates
        The network: its tokens [B, P, 4 + C + E] are boxes in any number and order. Engines run
        this part.
    classes
        Names of the C scores.
    overlap
        From which intersection over union on the less sure of two boxes of one class is left out;
        ``None`` where the network has learned to give each object one box.
    """

    spec: BackboneSpec
    candidates: Backbone
    classes: tuple[str, ...]
    overlap: float | None = OVERLAP

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return boxes [B, 100, 4 + C + E] of pictures [B, 1, H, W, 3]."""
        candidates_BPD = self.candidates.forward(frames_BTHWC)
        count = len(self.classes)
        return np.stack([surest(one_PD, count, self.overlap) for one_PD in candidates_BPD])

    def over(self, candidates: Backbone) -> BoxBackbone:
        """Return the same with its network on another engine."""
        return replace(self, candidates=candidates)

    def save(self, directory: Path) -> None:
        """Write the network into an existing directory."""
        self.candidates.save(directory)


def surest(candidates_PD: Floats, classes: int, overlap: float | None) -> Floats:
    """Return the surest hundred of candidates, overlapping ones of a class left out, [100, D].

    A candidate is of the class of its highest score. Boxes of two classes may lie on each other:
    which of them is right may depend on what is looked for.
    """
    score_P = candidates_PD[:, 4 : 4 + classes].max(axis=1)
    # Equal scores keep the order of the network, so that a run repeats.
    order_P = np.argsort(-score_P, kind="stable")[:_CANDIDATES]
    order_P = order_P[score_P[order_P] >= LEAST_SCORE]
    if overlap is not None:
        some_PD = candidates_PD[order_P]
        class_P = some_PD[:, 4 : 4 + classes].argmax(axis=1)
        order_P = order_P[apart(some_PD[:, :4].astype(np.float64), class_P, overlap)]
    result_ND = np.zeros((BOXES, candidates_PD.shape[1]), np.float32)
    kept_ND = candidates_PD[order_P[:BOXES]]
    result_ND[: len(kept_ND)] = kept_ND
    return result_ND


def apart(edges_N4: Edges, class_N: np.ndarray, overlap: float) -> np.ndarray:
    """Return which boxes are left when each, the surest first, takes its like off the list.

    Greedy non-maximum suppression, each class by itself.

    Parameters
    ----------
    edges_N4
        Boxes, the surest first.
    class_N
        Class of each.
    overlap
        Intersection over union from which on two boxes of a class are one.

    Returns
    -------
    ndarray
        Whether each box is kept, [N].
    """
    like_NN = (overlaps(edges_N4, edges_N4) > overlap) & (class_N[:, None] == class_N[None, :])
    kept_N = np.ones(len(edges_N4), np.bool_)
    for i in np.flatnonzero(np.triu(like_NN, 1).any(axis=1)):
        if kept_N[i]:
            kept_N[i + 1 :] &= ~like_NN[i, i + 1 :]
    return kept_N
