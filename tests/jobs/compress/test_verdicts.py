from __future__ import annotations

from dataclasses import replace

import pytest

from vidfit.contracts import Estimate
from vidfit.jobs.compress.artefacts import Made
from vidfit.jobs.compress.losses import Judgement
from vidfit.jobs.compress.options import CompressOptions
from vidfit.jobs.compress.value import Footprint
from vidfit.jobs.compress.verdicts import chosen_of, is_gain, rated, unjudged, verdict_words
from vidfit.metrics.noninferior import PairedLoss

ORIGINAL = Made("original", footprint=Footprint("onnx", 0.1, 1.0, 1000, 500), similarity=1.0)


def made(name, ratio=1.5, size=250):
    return Made(name, (), (), ("done",), Footprint("onnx", 0.1 / ratio, ratio, size, 400), 0.999)


def judged(value, error, *, low=-0.02):
    """Return a judgement by a loss of probability over 30 recordings."""
    loss = Estimate(value, low, low + 0.04)
    return Judgement(Estimate(0.8, 0.7, 0.9), loss, PairedLoss(value, error, 30), 0.01)


def rate(*losses, max_loss=0.5, **sizes):
    """Return artefacts a, b, c ... with these losses of probability."""
    names = "abc"[: len(losses)]
    several = [made(name, size=sizes.get(name, 250)) for name in names]
    judgements = dict(zip(names, (judged(*loss) for loss in losses), strict=True))
    return rated(several, ORIGINAL, judgements, CompressOptions(max_loss, "size"))


@pytest.mark.parametrize(
    ("loss", "low", "verdict", "words"),
    [
        ((0.001, 0.0005), -0.01, "within", "0.10 points less [0.00, 0.20], at most half of"),
        ((0.001, 0.002), -0.01, "open", "not proven to be at most half of the 0.5 points allowed"),
        ((0.02, 0.002), -0.01, "worse", "more than the 0.5 points allowed"),
        ((0.004, 0.002), 0.006, "worse", "more than the 0.5 points allowed"),
    ],
)
def test_the_probability_of_the_true_class_decides(loss, low, verdict, words):
    found = rated([made("int8")], ORIGINAL, {"int8": judged(*loss, low=low)}, CompressOptions(0.5))[
        0
    ]
    assert found.verdict == verdict and words in found.reason


def test_several_are_tested_together():
    loss = (0.001, 0.0007)  # alone its p-value is 0.021
    assert rate(loss)[0].verdict == "within"
    assert [a.verdict for a in rate(loss, (0.02, 0.01))] == ["open", "open"]


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
    few = rate((0.0, 0.0005), (0.0, 0.0005), (0.02, 0.02), a=500, b=250, c=100)
    chosen, ordered = chosen_of(few, "size")
    assert chosen == "b" and [a.name for a in ordered] == ["b", "a", "c"]
    assert [a.verdict for a in ordered] == ["kept", "within", "open"]
    words = verdict_words(chosen, ordered, CompressOptions(target="size"))
    assert "half of the 0.5 points allowed, and of 2 such artefacts it is the smallest" in words


def test_when_nothing_is_kept_the_tolerance_that_would_keep_something_is_named():
    chosen, ordered = chosen_of(rate((0.0, 0.004), (0.0, 0.008)), "latency")
    words = verdict_words(chosen, ordered, CompressOptions())
    assert not chosen and "The nearest is a: --max-loss 1.9 would keep it" in words
    assert rate((0.0, 0.004), (0.0, 0.008), max_loss=1.9)[0].verdict == "within"
    assert rate((0.0, 0.004), (0.0, 0.008), max_loss=1.8)[0].verdict == "open"


def test_one_recording_proves_nothing():
    alone = Judgement(
        Estimate(0.8, 0.7, 0.9), Estimate(0, -1, 1), PairedLoss(0, float("nan"), 1), 0
    )
    ordered = rated([made("a")], ORIGINAL, {"a": alone}, CompressOptions())
    assert ordered[0].verdict == "open"
    assert "One recording says nothing of others" in verdict_words("", ordered, CompressOptions())


def test_when_nothing_saves_anything_that_is_said():
    slow = unjudged(made("slow", ratio=0.9), ORIGINAL, "latency")
    words = verdict_words("", (replace(slow),), CompressOptions())
    assert words == "Of 1 technique none saves time here."
