"""Children are real processes here: few, as each takes seconds to start."""

from __future__ import annotations

import math

import pytest

from vidfit.errors import BackboneError
from vidfit.planning import measured
from vidfit.planning.child import Effort, Question, dry_runs, real_runs
from vidfit.plans import Layout, Recipe

TARGET = "tests.planning.tiny:trainee"
RECIPE = Recipe(ema=0.9)


def test_laws_come_from_a_few_runs_and_are_kept(tmp_path, monkeypatch):
    question = Question(TARGET, {}, RECIPE)
    known = measured.look(question, "fp32", tmp_path, 2**33)
    layout = Layout(16, accumulation=2)
    _, (real,) = real_runs(question, [layout], Effort(steps=2))
    assert known.peak_bytes(layout) == pytest.approx(real.peak_bytes, rel=0.08)
    assert known.peaks[True].slope < known.peaks[False].slope
    assert known.flops_a_clip[True] > known.flops_a_clip[False]
    assert set(known.residents) == {False, True}
    assert known.resident(False).base_bytes > 2**26
    assert measured.held(question, Layout(4), 2**34) > known.peak_bytes(Layout(4))
    assert measured.held(question, Layout(4), 2**24) == math.inf
    again = known.seconds(Layout(16, checkpointing=True))
    assert again > known.seconds(Layout(16)) > 0
    # The second time nothing is asked but what depends on the moment.
    monkeypatch.setattr("vidfit.planning.child._ask", _not_asked)
    without = measured.look(question, "fp32", tmp_path, None)
    assert without.peaks == known.peaks and without.seconds(layout) is None


def test_a_network_that_looks_at_values_is_measured_instead(tmp_path):
    question = Question(TARGET, {"peeks": True}, RECIPE)
    known = measured.look(question, "fp32", tmp_path, 2**33)
    assert "measured at micro-batches of 1 and 2" in known.notes[0]
    assert known.peaks[False].slope > 0


def test_a_child_that_fails_says_why():
    with pytest.raises(BackboneError, match="no attribute 'missing'"):
        dry_runs(Question("tests.planning.tiny:missing", {}, RECIPE), [Layout()])


def _not_asked(request):
    raise AssertionError(request["kind"])
