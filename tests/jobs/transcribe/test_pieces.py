"""Pieces cover all speech once, whoever begins where."""

from __future__ import annotations

import numpy as np

from vidfit.jobs.transcribe.pieces import LOOK_SECONDS, pieces

RATE = 100


def loud(samples_S):
    """Stretches that are not silent, cut at 28 seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], samples_S > 0, [0]])))
    most = 28 * RATE
    return [
        (int(at), int(min(at + most, stop)))
        for start, stop in edges.reshape(-1, 2)
        for at in range(start, stop, most)
    ]


def reader(whole_S):
    return lambda first, stop: whole_S[first:stop]


def heard(whole_S, first=0):
    return list(pieces(reader(whole_S), loud, RATE, first))


def talk(*spans, seconds=300):
    whole_S = np.zeros(seconds * RATE, np.float32)
    for start, stop in spans:
        whole_S[round(start * RATE) : round(stop * RATE)] = 1
    return whole_S


def test_all_speech_is_in_one_piece_each_of_at_most_28_seconds():
    whole_S = talk((3, 10), (12, 40), (55, 70), (100, 190), (299, 300))
    found = heard(whole_S)
    covered = np.zeros(len(whole_S), int)
    for piece in found:
        assert len(piece.samples_S) <= 28 * RATE
        covered[piece.first : piece.first + len(piece.samples_S)] += 1
    assert (covered[whole_S > 0] == 1).all() and covered.max() == 1
    assert found[-1].after == len(whole_S)


def test_a_run_goes_on_with_the_same_pieces():
    whole_S = talk((3, 10), (12, 40), (55, 70), (100, 190))
    found = heard(whole_S)
    for i, piece in enumerate(found):
        rest = heard(whole_S, piece.after)
        assert [(p.first, p.after) for p in rest] == [(p.first, p.after) for p in found[i + 1 :]]


def test_silence_is_passed_over_and_ends():
    found = heard(talk(seconds=200))
    assert found and not any(len(piece.samples_S) for piece in found)
    assert found[-1].after == 200 * RATE and len(found) <= 200 / (LOOK_SECONDS - 1) + 1
    assert heard(np.zeros(0, np.float32)) == []


def test_each_sample_is_asked_for_once_in_order():
    """A reader of compressed sound begins again at the start of the file to go back."""
    whole_S, asked = talk((3, 10), (12, 40), (55, 70), (100, 190)), [500]

    def samples(first, stop):
        assert first == asked[-1]
        asked.append(min(stop, len(whole_S)))
        return whole_S[first:stop]

    assert list(pieces(samples, loud, RATE, 500))
    assert asked[-1] == len(whole_S)
