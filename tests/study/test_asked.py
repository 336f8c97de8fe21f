"""Which task is asked of clips."""

from __future__ import annotations

import pytest

from vidfit.errors import VidfitError
from vidfit.study.asked import asked_task, check_one_class
from vidfit.tasks import TASKS, task_named


def test_a_name_or_a_kind_of_label_says_the_task():
    assert asked_task(None) is None
    assert asked_task("tag").name == asked_task(None, "several").name == "tag"
    assert asked_task("regress", "number").name == "regress"


def test_a_name_and_a_kind_of_label_that_disagree_are_refused():
    with pytest.raises(VidfitError, match="--task tag is of several labels a clip, and --labels"):
        asked_task("tag", "number")


def test_an_unknown_name_is_answered_with_those_that_are_known():
    with pytest.raises(VidfitError, match="'classifi' is no task; did you mean 'classify'"):
        asked_task("classifi")


@pytest.mark.parametrize("name", TASKS)
def test_jobs_that_know_one_class_refuse_the_others_in_a_line(name):
    task = task_named(name)
    if name == "classify":
        check_one_class(task, "compress")
        return
    with pytest.raises(VidfitError, match="vidfit compress takes clips with one class each, and"):
        check_one_class(task, "compress")
