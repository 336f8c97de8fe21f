"""Boxes of one look after the other, joined to tracks: a frame in, tracks out.

Two rounds of association as in Zhang et al., "ByteTrack: Multi-object tracking by associating
every detection box" (ECCV 2022), algorithm 1: sure boxes first, then the unsure ones to what is
left, for an object that is half hidden is found with a low score. The thresholds are those of its
authors' code. Lifetimes are its frames as seconds, at 30 frames a second, so that neither the rate
of a video nor how many of its frames are looked at changes what they mean.

Shape letters: N tracks, M boxes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidfit.boxes import Edges, overlaps
from vidfit.contracts import Indices
from vidfit.tracking.association import TrackPairs, associate, without
from vidfit.tracking.kalman import (
    BoxMotion,
    at_height,
    begun,
    corrected,
    edges_of,
    moved,
)

NO_TRACK = -1


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Thresholds and lifetimes.

    Parameters
    ----------
    sure_score
        Boxes of this score or more are associated first.
    unsure_score
        Boxes below are left out; those between are associated with tracks that found no other.
    new_score
        A box of this score or more that is no known object begins a track.
    sure_alike, unsure_alike, new_alike
        Least overlap of box and track, 0 to 1, for sure boxes (times the score), for unsure ones,
        and for the second box of a track (times the score).
    same_alike
        Of two tracks that overlap by more, one in sight and one lost, the younger is dropped.
    lost_seconds
        How long a track that is out of sight may come back.
    new_seconds
        How long a track may go without its second box.
    """

    sure_score: float = 0.5
    unsure_score: float = 0.1
    new_score: float = 0.6
    sure_alike: float = 0.2
    unsure_alike: float = 0.5
    new_alike: float = 0.3
    same_alike: float = 0.85
    lost_seconds: float = 30 / 30
    new_seconds: float = 1 / 30


@dataclass(frozen=True, slots=True)
class FoundBoxes:
    """What a detector found in one frame.

    Parameters
    ----------
    edges_M4
        Left, top, right, bottom in pixels; a box without an area is left out.
    scores_M
        How sure it is, 0 to 1.
    classes_M
        Number of the class of each.
    """

    edges_M4: Edges
    scores_M: Edges
    classes_M: Indices

    def chosen(self, places: NDArray[np.bool_] | Indices) -> FoundBoxes:
        """Return some of the boxes."""
        return FoundBoxes(self.edges_M4[places], self.scores_M[places], self.classes_M[places])


@dataclass(frozen=True, slots=True)
class TrackedLook:
    """What a look told of the tracks.

    Parameters
    ----------
    boxes
        The boxes that belong to a track.
    tracks_M
        Number of the track of each; numbers are never used again.
    living
        Tracks that may get more boxes, in sight or lost.
    confirmed
        Those of them that were found twice, or at the first look: what is no false alarm.
    """

    boxes: FoundBoxes
    tracks_M: Indices
    living: frozenset[int]
    confirmed: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Tracks:
    """All tracks that live, in the order in which they began."""

    number_N: Indices
    class_N: Indices
    first_N: Edges
    seen_N: Edges
    is_confirmed_N: NDArray[np.bool_]
    is_lost_N: NDArray[np.bool_]
    motion: BoxMotion

    def chosen(self, places: NDArray[np.bool_]) -> _Tracks:
        rows = {name: getattr(self, name)[places] for name in self.__slots__ if name != "motion"}
        return _Tracks(**rows, motion=self.motion.chosen(places))

    def joined(self, others: _Tracks) -> _Tracks:
        rows = {
            name: np.concatenate([getattr(self, name), getattr(others, name)])
            for name in self.__slots__
            if name != "motion"
        }
        return _Tracks(**rows, motion=self.motion.joined(others.motion))


class Tracker:
    """Tracks of one video, look by look; memory is that of the tracks that live.

    Parameters
    ----------
    settings
        Thresholds and lifetimes.
    """

    def __init__(self, settings: TrackerSettings = TrackerSettings()) -> None:
        self._settings = settings
        self._next = 1
        self.cut()

    def cut(self) -> None:
        """End all tracks: what is seen next is another scene."""
        self._tracks = _new_tracks(FoundBoxes(*_NOTHING), 1, 0.0, confirmed=False)
        self._now: float | None = None

    def look(self, seconds: float, found: FoundBoxes) -> TrackedLook:
        """Take what was found in a frame.

        Parameters
        ----------
        seconds
            When it is shown; later than the frame before.
        found
            All boxes, the unsure ones, too.
        """
        is_first, settings = self._now is None, self._settings
        self._move(seconds)
        found = found.chosen(_have_area(found) & (found.scores_M >= settings.unsure_score))
        track_M = np.full(len(found.scores_M), NO_TRACK)
        is_sure_M = found.scores_M >= settings.sure_score
        self._sure(found, is_sure_M, track_M)
        self._unsure(found, ~is_sure_M, track_M)
        self._second(found, is_sure_M, track_M)
        self._see(found, track_M, seconds)
        is_new_M = (track_M == NO_TRACK) & (found.scores_M >= settings.new_score)
        begun_tracks = _new_tracks(found.chosen(is_new_M), self._next, seconds, confirmed=is_first)
        number_M = np.append(self._tracks.number_N, NO_TRACK)[track_M]
        number_M[is_new_M] = begun_tracks.number_N
        self._next += int(is_new_M.sum())
        self._tracks = self._tracks.chosen(self._stay(seconds)).joined(begun_tracks)
        is_of_M = number_M != NO_TRACK
        return TrackedLook(
            found.chosen(is_of_M),
            number_M[is_of_M],
            frozenset(self._tracks.number_N.tolist()),
            frozenset(self._tracks.number_N[self._tracks.is_confirmed_N].tolist()),
        )

    def _move(self, seconds: float) -> None:
        """Bring all tracks to the time of the look."""
        if self._now is not None:
            resting = at_height(self._tracks.motion, self._tracks.is_lost_N)
            self._tracks = replace(self._tracks, motion=moved(resting, seconds - self._now))
        self._now = seconds

    def _sure(self, found: FoundBoxes, is_sure_M: NDArray[np.bool_], track_M: Indices) -> None:
        """Give sure boxes to confirmed tracks, in sight or lost."""
        self._give(
            self._tracks.is_confirmed_N, found, is_sure_M, track_M, self._settings.sure_alike
        )

    def _unsure(self, found: FoundBoxes, is_unsure_M: NDArray[np.bool_], track_M: Indices) -> None:
        """Give unsure boxes to tracks that were in sight and found none."""
        tracks = self._tracks
        free_N = without(len(tracks.number_N), track_M[track_M != NO_TRACK])
        wanted_N = free_N & tracks.is_confirmed_N & ~tracks.is_lost_N
        self._give(wanted_N, found, is_unsure_M, track_M, self._settings.unsure_alike, fused=False)

    def _second(self, found: FoundBoxes, is_sure_M: NDArray[np.bool_], track_M: Indices) -> None:
        """Give what is left of the sure boxes to tracks that have one box only."""
        free_M = is_sure_M & (track_M == NO_TRACK)
        self._give(~self._tracks.is_confirmed_N, found, free_M, track_M, self._settings.new_alike)

    def _give(
        self,
        wanted_N: NDArray[np.bool_],
        found: FoundBoxes,
        wanted_M: NDArray[np.bool_],
        track_M: Indices,
        least: float,
        fused: bool = True,
    ) -> None:
        """Pair some tracks with some boxes of their class; write the places of the tracks."""
        tracks, places_N, places_M = (
            self._tracks,
            np.flatnonzero(wanted_N),
            np.flatnonzero(wanted_M),
        )
        alike = overlaps(edges_of(tracks.motion.chosen(places_N)), found.edges_M4[places_M])
        alike *= tracks.class_N[places_N, None] == found.classes_M[places_M]
        pairs: TrackPairs = associate(alike * found.scores_M[places_M] if fused else alike, least)
        track_M[places_M[pairs.boxes_P]] = places_N[pairs.tracks_P]

    def _see(self, found: FoundBoxes, track_M: Indices, seconds: float) -> None:
        """Correct the tracks that were found; the others are lost from now on."""
        tracks, boxes = self._tracks, np.flatnonzero(track_M != NO_TRACK)
        places = track_M[boxes]
        is_seen_N = ~without(len(tracks.number_N), places)
        boxes = boxes[np.argsort(places)]  # in the order of the tracks
        motion = tracks.motion.chosen(is_seen_N)
        seen = corrected(motion, found.edges_M4[boxes])
        order = np.argsort(np.concatenate([np.flatnonzero(is_seen_N), np.flatnonzero(~is_seen_N)]))
        self._tracks = replace(
            tracks,
            seen_N=np.where(is_seen_N, seconds, tracks.seen_N),
            is_confirmed_N=tracks.is_confirmed_N | is_seen_N,
            is_lost_N=~is_seen_N,
            motion=seen.joined(tracks.motion.chosen(~is_seen_N)).chosen(order),
        )

    def _stay(self, seconds: float) -> NDArray[np.bool_]:
        """Return which tracks live on."""
        tracks, settings = self._tracks, self._settings
        allowed_N = np.where(tracks.is_confirmed_N, settings.lost_seconds, settings.new_seconds)
        # A look that comes a rounding error early is not early.
        stays_N = ~tracks.is_lost_N | (seconds - tracks.seen_N < allowed_N - 1e-3)
        return stays_N & ~self._are_copies()

    def _are_copies(self) -> NDArray[np.bool_]:
        """Return which tracks are those of another once more: one in sight, one lost."""
        tracks = self._tracks
        edges_N4 = edges_of(tracks.motion)
        seen, lost = np.flatnonzero(~tracks.is_lost_N), np.flatnonzero(tracks.is_lost_N)
        same = overlaps(edges_N4[seen], edges_N4[lost]) > self._settings.same_alike
        same &= tracks.class_N[seen, None] == tracks.class_N[lost]
        is_copy_N = np.zeros(len(tracks.number_N), bool)
        for i, j in zip(*np.nonzero(same), strict=True):
            lasted = [float(tracks.seen_N[k] - tracks.first_N[k]) for k in (seen[i], lost[j])]
            is_copy_N[lost[j] if lasted[0] > lasted[1] else seen[i]] = True
        return is_copy_N


_NOTHING = (np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))


def _new_tracks(found: FoundBoxes, first: int, seconds: float, *, confirmed: bool) -> _Tracks:
    count = len(found.scores_M)
    at_N = np.full(count, seconds)
    return _Tracks(
        np.arange(first, first + count),
        found.classes_M,
        at_N,
        at_N,
        np.full(count, confirmed),
        np.zeros(count, bool),
        begun(found.edges_M4),
    )


def _have_area(found: FoundBoxes) -> NDArray[np.bool_]:
    size_M2 = found.edges_M4[:, 2:] - found.edges_M4[:, :2]
    is_finite_M = np.isfinite(found.edges_M4).all(axis=1)
    return np.asarray(is_finite_M & (size_M2 > 0).all(axis=1), bool)
