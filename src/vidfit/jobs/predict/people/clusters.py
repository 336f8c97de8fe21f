"""Unknown faces of all videos in groups, as folders that can be given a name and enrolled.

Tracks join by the mean similarity of their groups (average linkage) above the threshold that names
are given by; two that share a frame never join.

Shape letters: N tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Indices
from vidfit.files import write_whole
from vidfit.jobs.predict.people.named import at_once
from vidfit.jobs.predict.people.seen import FaceTrack

_NEVER = 1e6


@dataclass(frozen=True)
class UnknownTrack:
    """A track that nobody is known by, and the name of its video's answers."""

    video: str
    track: int
    seen: FaceTrack


def clustered(tracks: Sequence[UnknownTrack], threshold: float) -> Indices:
    """Return the number of the group of each track, [N], from 0 by their first track."""
    if len(tracks) < 2:
        return np.zeros(len(tracks), np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    vectors_ND = np.stack([one.seen.vector_D for one in tracks])
    far_NN = 1.0 - vectors_ND @ vectors_ND.T.astype(np.float64)
    for i, first in enumerate(tracks):
        for j in range(i):
            if first.video == tracks[j].video and at_once(first.seen, tracks[j].seen):
                far_NN[i, j] = far_NN[j, i] = _NEVER
    np.fill_diagonal(far_NN, 0.0)
    tree = linkage(squareform(np.maximum(far_NN, 0.0), checks=False), "average")
    found = fcluster(tree, 1.0 - threshold, "distance")
    first_seen = {label: n for n, label in enumerate(dict.fromkeys(found.tolist()))}
    return np.array([first_seen[label] for label in found.tolist()], np.int64)


def write_clusters(tracks: Sequence[UnknownTrack], threshold: float, folder: Path) -> int:
    """Write the surest face of each track into a folder for each group; return how many groups."""
    import cv2

    groups = clustered(tracks, threshold)
    for group, one in zip(groups.tolist(), tracks, strict=True):
        if one.seen.best is not None:
            content = cv2.imencode(".png", one.seen.best.aligned_HWC[..., ::-1])[1].tobytes()
            place = folder / f"unknown-{group + 1:03d}" / f"{one.video}-{one.track}.png"
            write_whole(place, content)
    return len(set(groups.tolist()))
