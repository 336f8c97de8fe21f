"""Two faces of one frame are two people, for names and for groups."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from vidfit.jobs.predict.people.clusters import UnknownTrack, clustered, write_clusters
from vidfit.jobs.predict.people.named import named_tracks
from vidfit.jobs.predict.people.recogniser import Recogniser
from vidfit.jobs.predict.people.seen import FaceTrack
from vidfit.tasks.faces.gallery import Gallery


def track(first, last, vector, looks=3):
    return FaceTrack(first, last, np.array(vector, np.float32) * looks, float(looks), looks)


def recogniser():
    gallery = Gallery(np.eye(2, 3, dtype=np.float32), np.array([0.8], np.float32))
    return Recogniser(SimpleNamespace(), gallery, ("Ada", "Bob"), "a test")


def test_only_the_more_alike_of_two_in_a_frame_is_named():
    tracks = {
        1: track(0, 9, (0.9, 0.1, 0.4)),
        2: track(5, 14, (0.99, 0.1, 0.1)),
        3: track(20, 24, (0.85, 0.4, 0.3)),
        4: track(20, 24, (0.3, 0.3, 0.9)),
    }
    found = named_tracks(tracks, recogniser(), np.arange(25) / 10, 2.5)
    assert [one.name for one in found] == ["unknown", "Ada", "Ada", "unknown"]
    assert found[0].note == "alike to Ada, who is beside it in the same frame"
    assert (found[0].start_seconds, found[0].end_seconds) == (0.0, 1.0)
    assert found[2].end_seconds == 2.5
    assert found[3].over < 0


def test_unknown_tracks_in_groups(tmp_path):
    near, far = (0.98, 0.2, 0.0), (0.0, 0.2, 0.98)
    tracks = [
        UnknownTrack("a", 1, track(0, 9, near)),
        UnknownTrack("a", 2, track(5, 9, near)),  # beside the first: another person
        UnknownTrack("a", 3, track(20, 29, near)),
        UnknownTrack("b", 1, track(0, 9, far)),
        UnknownTrack("b", 2, track(15, 19, far)),
    ]
    groups = clustered(tracks, 0.9).tolist()
    assert groups[0] != groups[1]
    assert groups[2] in groups[:2]
    assert groups[3] == groups[4] not in groups[:3]
    assert len(set(groups)) == 3
    assert clustered([], 0.9).tolist() == []
    assert write_clusters(tracks[:1], 0.9, tmp_path) == 1
