"""Children are real processes here: few, as each takes seconds to start."""

from __future__ import annotations

import pytest

from vidfit.errors import BackboneError
from vidfit.planning import measured
from vidfit.planning.child import Dry, Question, Real, dry_runs, real_run
from vidfit.planning.memory import LOST, Line, Sizes
from vidfit.plans import Layout, Recipe

pytestmark = pytest.mark.slow
MIB = 2**20

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
    after = known.with_runs([(layout, run)])
    assert after.taken(known.peak_bytes(layout), False) == pytest.approx(run.taken_bytes)
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


@pytest.mark.parametrize("content", ["[]", "{}", "{"])
def test_a_damaged_answer_is_asked_for_again(tmp_path, monkeypatch, content):
    asked = []

    def answer(request, *_):
        asked.append(request)
        return {"facts": {"blocks": 0}, "runs": [{"peak_bytes": 1, "flops_a_clip": 2.0}]}

    monkeypatch.setattr("vidfit.planning.child._ask", answer)
    question = Question(TARGET, {}, RECIPE)
    for _ in range(2):
        found = dry_runs(question, [Layout()], tmp_path)
        (kept,) = tmp_path.iterdir()
        kept.write_text(content)
    assert len(asked) == 2 and found == ({"blocks": 0}, [Dry(1, 2.0)])


def test_an_answer_that_cannot_be_kept_is_used(tmp_path, monkeypatch):
    given = {"facts": {"blocks": 0}, "runs": [{"peak_bytes": 1, "flops_a_clip": 2.0}]}
    monkeypatch.setattr("vidfit.planning.child._ask", lambda *_: given)
    (tmp_path / "plans").write_text("a file where the folder should be")
    assert dry_runs(Question(TARGET, {}, RECIPE), [Layout()], tmp_path / "plans")[1]


def known_by_shapes():
    peaks = {False: Line(100 * MIB, 50 * MIB), True: Line(60 * MIB, 10 * MIB)}
    return measured.Known(Sizes(0, 0, 0, 0), peaks, peaks, {False: 3e9, True: 4e9})


def test_two_runs_tell_how_memory_grows_and_one_how_much_it_is():
    known = known_by_shapes()
    few, many = Real(200 * MIB, 300 * MIB, 1.0, 0.1), Real(200 * MIB, 450 * MIB, 2.0, 0.1)
    two = known.with_runs([(Layout(2), few), (Layout(4), many)])
    assert two.base_bytes == 200 * MIB
    assert two.resident[False].lost == pytest.approx(1.5)
    assert two.taken(500 * MIB, False) == pytest.approx(750 * MIB)
    one = two.with_runs([(Layout(8), Real(200 * MIB, 800 * MIB, 4.0, 0.1))])
    assert one.taken(500 * MIB, False) == pytest.approx(800 * MIB)
    assert one.resident[False].lost == pytest.approx(1.5)


def test_a_way_that_was_not_run_holds_as_much_at_rest_and_loses_as_usual_beyond():
    few, many = Real(200 * MIB, 300 * MIB, 1.0, 0.1), Real(200 * MIB, 450 * MIB, 2.0, 0.1)
    known = known_by_shapes().with_runs([(Layout(2), few), (Layout(4), many)])
    assert known.taken(60 * MIB, True) == pytest.approx(known.taken(60 * MIB, False))
    grown = known.taken(160 * MIB, True) - known.taken(60 * MIB, True)
    assert grown == pytest.approx(LOST[True] * 100 * MIB)


def test_small_runs_are_some_clips_and_twice_as_many_within_batch_and_room():
    def sizes(share, room_mib):
        layouts = measured.small_layouts(known_by_shapes(), Layout(), share, room_mib * MIB)
        return [layout.micro_batch for layout in layouts]

    assert sizes(64, 9999) == [8, 16]  # 500 MiB, and the first of more than 512
    assert sizes(4, 9999) == [2, 4] and sizes(1, 9999) == [1]
    assert sizes(64, 160) == [1] and sizes(64, 140) == []


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
