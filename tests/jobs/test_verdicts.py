from __future__ import annotations

from dataclasses import replace

import pytest

from vidfit.compressed import Footprint
from vidfit.contracts import Estimate
from vidfit.jobs.artefacts import Made
from vidfit.jobs.judged import Judgement
from vidfit.jobs.options import CompressOptions
from vidfit.jobs.verdicts import artefact, chosen_of, is_gain, unjudged, verdict_words

ORIGINAL = Made("original", footprint=Footprint("onnx", 0.1, 1.0, 1000, 500), similarity=1.0)


def made(name, ratio=1.5, size=250):
    return Made(name, (), (), ("done",), Footprint("onnx", 0.1 / ratio, ratio, size, 400), 0.999)


def judged(value, low, high):
    return Judgement(Estimate(0.8, 0.7, 0.9), Estimate(value, low, high), 0.01)


@pytest.mark.parametrize(
    ("loss", "verdict", "words"),
    [
        ((0.001, -0.002, 0.004), "within", "within the 0.5 points allowed"),
        ((0.001, -0.002, 0.006), "open", "reaches over the 0.5 points allowed"),
        ((0.02, 0.006, 0.03), "worse", "more than the 0.5 points allowed"),
    ],
)
def test_the_interval_decides_and_not_the_point(loss, verdict, words):
    found = artefact(made("int8"), judged(*loss), 0.005)
    assert (found.verdict, found.reason) == (verdict, words)


@pytest.mark.parametrize(
    ("target", "gains"), [("latency", False), ("size", True), ("memory", True)]
)
def test_what_is_not_smaller_or_faster_is_not_judged(target, gains):
    slower = made("slow", ratio=0.8)
    assert is_gain(slower, ORIGINAL, target) is gains
    if not gains:
        found = unjudged(slower, ORIGINAL, target)
        assert found.verdict == "no gain" and found.loss is None
        assert found.reason.startswith("saves less than 3% of the time")


def test_what_could_not_be_made_says_why():
    failed = Made("pruned", failure="torch-pruning is missing")
    assert not is_gain(failed, ORIGINAL, "size")
    found = unjudged(failed, ORIGINAL, "size")
    assert (found.verdict, found.reason) == ("failed", "torch-pruning is missing")


def test_the_smallest_within_the_tolerance_is_kept_and_stands_first():
    rated = [
        artefact(made("a", size=500), judged(0.0, -0.001, 0.001), 0.005),
        artefact(made("b", size=250), judged(0.0, -0.001, 0.001), 0.005),
        artefact(made("c", size=100), judged(0.02, 0.0, 0.03), 0.005),
    ]
    chosen, ordered = chosen_of(rated, "size")
    assert chosen == "b" and [a.name for a in ordered] == ["b", "a", "c"]
    assert [a.verdict for a in ordered] == ["kept", "within", "open"]
    words = verdict_words(chosen, ordered, CompressOptions(target="size"))
    assert "within the 0.5 points allowed, and of 2 such artefacts it is the smallest" in words


def test_when_nothing_is_kept_the_tolerance_that_would_keep_something_is_named():
    rated = [
        artefact(made("a"), judged(0.0, -0.01, 0.0123), 0.005),
        artefact(made("b"), judged(0.0, -0.02, 0.03), 0.005),
    ]
    chosen, ordered = chosen_of(rated, "latency")
    words = verdict_words(chosen, ordered, CompressOptions())
    assert not chosen and "The nearest is a," in words and "--max-loss 1.3 would keep it" in words


def test_when_nothing_saves_anything_that_is_said():
    slow = unjudged(made("slow", ratio=0.9), ORIGINAL, "latency")
    words = verdict_words("", (replace(slow),), CompressOptions())
    assert words == "None of 1 techniques saves time here."
