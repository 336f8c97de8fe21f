from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from vidfit.jobs.plan.write import duration, plan_markdown, plan_svg, size, write_plan_picture
from vidfit.plans import Data, Layout, Machine, Plan, PlanOption, Prediction, Recipe, Subject

MIB = 2**20


def option(micro, checkpointing=False, refused="", **layout):
    mib = micro * (40 if checkpointing else 160) + 100
    predicted = Prediction(mib * MIB, 2.0 + micro, 0.02, 900.0 + micro)
    return PlanOption(
        Layout(micro, 32 // micro, checkpointing=checkpointing, **layout), predicted, refused
    )


def example(**changes):
    options = (
        option(8), option(1), option(2), option(4), option(16, refused="needs 2.60 GiB"),
        option(1, True), option(4, True), option(16, True), option(32, True, "needs much"),
    )  # fmt: skip
    plan = Plan(
        Subject("lstm", "efficientnet-lite0", "full"), options[0].layout, Recipe(),
        options[0].predicted, Data(320, 4, 80, 8),
        Machine("a <processor>", "cpu", 1, 2000 * MIB, {}, 1e10, 2),
        {"micro_batch": "the largest that fits", "epochs": "usual"}, options, 1900 * MIB,
        ("a warning",),
    )  # fmt: skip
    return replace(plan, **changes)


def test_the_table_shows_what_fits_with_the_choice_on_top():
    text = plan_markdown(example())
    rows = [line for line in text.splitlines() if re.match(r"\| \*?\*?(plain|check)", line)]
    assert rows[0].startswith("| **plain** | 8 x 4 | 1.35 GiB | 10 s | 2.0% | 15 min |")
    assert len(rows) == 7
    assert "2 more do not fit: plain with 16 clips needs 2.60 GiB" in text
    assert "| micro_batch | 8 | the largest that fits |" in text
    assert "Note: a warning" in text


def test_the_picture_is_whole_and_escapes_what_it_is_told(tmp_path):
    root = ElementTree.fromstring(write_plan_picture(example(), tmp_path / "p.svg").read_text())
    texts = ["".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "room for training: 1.86 GiB of 1.95 GiB" in texts
    assert any("a <processor>" in text for text in texts)
    assert {"plain", "checkpointing"} <= set(texts)


def test_labels_of_lines_do_not_stand_on_one_another():
    alike = tuple(
        replace(option(4, sharding=sharding), predicted=Prediction(500 * MIB, 1, 0, 9))
        for sharding in ("ddp", "fsdp")
    )
    svg = plan_svg(example(options=(*example().options, *alike)))
    places = sorted(float(y) for y in re.findall(r'class="label[^"]*" x="[^"]+" y="([^"]+)"', svg))
    assert len(places) == 4
    assert all(below - above >= 17 for above, below in pairwise(places))


@pytest.mark.parametrize(("plan", "there"), [(example(), True), (example(room_bytes=2**45), False)])
def test_a_limit_far_above_is_not_drawn(plan, there):
    assert ("room for training" in plan_svg(plan)) == there


def test_one_micro_batch_is_a_picture_too():
    assert "Chosen: plain, 1 clip " in plan_svg(example(options=(option(1),), layout=Layout(1)))


def test_amounts():
    assert (size(5 * MIB), size(3 * 2**30)) == ("5 MiB", "3.00 GiB")
    assert [duration(s) for s in (3.14159, 600, 7200)] == ["3.14 s", "10 min", "2.0 h"]
