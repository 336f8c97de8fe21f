from __future__ import annotations

import json

import pytest

from vidfit.errors import VidfitError
from vidfit.planning.file import read_plan, write_plan
from vidfit.plans import Data, Layout, Machine, Plan, PlanOption, Prediction, Recipe, Subject

PREDICTED = Prediction(2**30, 1.5, 0.02, 400.0)
PLAN = Plan(
    Subject("lstm", "efficientnet-lite0", "full"),
    Layout(micro_batch=4, accumulation=4),
    Recipe(batch_schedule=((0.0, 1.0), (0.5, 2.0))),
    PREDICTED,
    Data(120, 4, 20, 8, 0.01),
    Machine("here", "cpu", 1, 2**33, {"fp32": 1e11}, 1e10, 2),
    {"micro_batch": "it is the largest that fits"},
    (PlanOption(Layout(micro_batch=4), PREDICTED), PlanOption(Layout(), PREDICTED, "too large")),
    2**32,
    ("a warning",),
)


@pytest.fixture
def path(tmp_path):
    write_plan(PLAN, tmp_path / "new" / "plan.json")
    return tmp_path / "new" / "plan.json"


def edit(path, *names, value):
    document = json.loads(path.read_text())
    part = document
    for name in names[:-1]:
        part = part[name]
    part[names[-1]] = value
    path.write_text(json.dumps(document))


def test_a_plan_comes_back_as_it_was(path):
    assert read_plan(path) == PLAN
    assert [p.name for p in path.parent.iterdir()] == ["plan.json"]


def test_what_was_edited_is_taken_and_a_whole_number_is_a_number(path):
    edit(path, "layout", "micro_batch", value=2)
    edit(path, "recipe", "dropout", value=0)
    plan = read_plan(path)
    assert plan.layout.micro_batch == 2 and plan.recipe.dropout == 0.0
    assert isinstance(plan.recipe.dropout, float)


@pytest.mark.parametrize(
    ("names", "value", "message"),
    [
        (("layout", "microbatch"), 2, "layout has no field 'microbatch'; did you mean 'micro_ba"),
        (("layout", "micro_batch"), 0, "layout.micro_batch is 0; give 1 to 1,000,000"),
        (("layout", "micro_batch"), "4", 'layout.micro_batch is "4"; give a whole number'),
        (("layout", "micro_batch"), True, "micro_batch is true; give a whole number"),
        (("layout", "precision"), "int8", "is \"int8\"; valid are 'fp32', 'bf16', 'fp16'"),
        (("layout", "processes"), 4, "several processes need 'ddp' or 'fsdp'"),
        (("recipe", "dropout"), 1.0, "recipe.dropout is 1.0; give a share in"),
        (("recipe", "learning_rate"), float("nan"), "learning_rate is NaN; give a number"),
        (("recipe", "batch_schedule"), [[0.5, 1], [0, 1]], "a share of the run, rising"),
        (("recipe", "batch_schedule"), [[0.5]], "batch_schedule.0. is .0.5.; give a list"),
        (("data",), 3, "data is 3; give an object"),
        (("options", ), {}, "options is {}; give a list"),
        (("format",), 99, "another format than 'vidfit.plan/1'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_is_valid(path, names, value, message):
    edit(path, *names, value=value)
    with pytest.raises(VidfitError, match=message):
        read_plan(path)


def test_a_missing_field_or_file_is_named(path, tmp_path):
    document = json.loads(path.read_text())
    del document["subject"]["backbone"]
    path.write_text(json.dumps(document))
    with pytest.raises(VidfitError, match="subject lacks the field 'backbone'"):
        read_plan(path)
    path.write_text("{")
    with pytest.raises(VidfitError, match="is no JSON file"):
        read_plan(path)
    with pytest.raises(VidfitError, match="there is no plan"):
        read_plan(tmp_path / "plan.json")


def test_a_teacher_needs_an_average_and_no_mixtures(path):
    edit(path, "recipe", "unlabelled_ratio", value=2)
    edit(path, "recipe", "ema", value=0.99)
    edit(path, "recipe", "mixup", value=0)
    assert read_plan(path).recipe.unlabelled_ratio == 2
    edit(path, "recipe", "mixup", value=0.2)
    with pytest.raises(VidfitError, match="give an ema above 0, such as 0"):
        read_plan(path)
    edit(path, "recipe", "threshold", value=1.5)
    with pytest.raises(VidfitError, match=r"recipe\.threshold is 1\.5; give in"):
        read_plan(path)


def test_a_network_that_reads_no_words_has_no_vocabulary(path):
    edit(path, "subject", "vocabulary", value=50)
    with pytest.raises(VidfitError, match="reads no words; give 0, or the network 'video-text'"):
        read_plan(path)
