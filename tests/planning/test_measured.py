"""Children are real processes here: few, as each takes seconds to start."""

from __future__ import annotations

import pytest

from vidfit.errors import BackboneError
from vidfit.planning import measured
from vidfit.planning.child import Question, dry_runs, real_run
from vidfit.plans import Layout, Recipe

pytestmark = pytest.mark.slow

TARGET = "tests.planning.tiny:trainee"
RECIPE = Recipe(ema=0.9)


def test_laws_come_from_a_few_runs_and_are_kept(tmp_path, monkeypatch):
    question = Question(TARGET, {}, RECIPE)
    known = measured.look(question, "fp32", tmp_path, here=True)
    assert known.peaks[True].slope < known.peaks[False].slope
    assert known.flops_a_clip[True] > known.flops_a_clip[False]
    layout = Layout(64)
    _, run = real_run(question, layout, folder=tmp_path)
    assert run.base_bytes > 2**26
    assert known.peak_bytes(layout) < run.taken_bytes < known.peak_bytes(layout) + 2**28
    after = known.with_run(layout, run)
    assert after.resident.taken(known.peak_bytes(layout)) == pytest.approx(run.taken_bytes)
    again = after.seconds(Layout(16, checkpointing=True))
    assert again > after.seconds(Layout(16)) > 0
    with pytest.raises(BackboneError, match="memory was short"):
        real_run(question, layout, limit_bytes=2**24)
    # The second time nothing is asked.
    monkeypatch.setattr("vidfit.planning.child._ask", _not_asked)
    without = measured.look(question, "fp32", tmp_path, here=False)
    assert without.peaks == known.peaks and without.seconds(layout) is None
    assert real_run(question, layout, folder=tmp_path)[1] == run
    with pytest.raises(AssertionError, match="real"):  # what nears a limit is run each time
        real_run(question, layout, limit_bytes=2**34)


def test_the_peak_by_shapes_is_a_line_where_a_step_has_one_micro_batch_or_several(tmp_path):
    known = measured.look(Question(TARGET, {}, RECIPE), "fp32", tmp_path, here=False)
    for layout in (Layout(8), Layout(8, accumulation=2), Layout(8, accumulation=4)):
        _, (run,) = dry_runs(Question(TARGET, {}, RECIPE), [layout])
        assert known.peak_bytes(layout) == pytest.approx(run.peak_bytes, rel=0.02)


def test_a_network_that_looks_at_values_is_measured_instead(tmp_path):
    question = Question(TARGET, {"peeks": True}, RECIPE)
    known = measured.look(question, "fp32", tmp_path, here=True)
    assert "measured at micro-batches of 1 and 2" in known.notes[0]
    assert known.peaks[False].at(1) > 0


def test_a_child_that_takes_too_long_is_ended():
    with pytest.raises(TimeoutError, match="took over 0 s"):
        real_run(Question(TARGET, {}, RECIPE), Layout(1), timeout_seconds=0.05)


def test_a_child_that_fails_says_why():
    with pytest.raises(BackboneError, match="no attribute 'missing'"):
        dry_runs(Question("tests.planning.tiny:missing", {}, RECIPE), [Layout()])


def _not_asked(request, _=None):
    raise AssertionError(request["kind"])
