"""The page and the words of a comparison, whatever of it was measured."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from tests.report.parsed import check_names_stay_text, check_page

from vidfit.contracts import Estimate, Failure
from vidfit.jobs.compare import words
from vidfit.jobs.compare.page import architectures_html
from vidfit.jobs.compare.terminal import architectures_markdown
from vidfit.jobs.compare.value import ArchitectureRow, ArchitectureTable, PairedGain
from vidfit.reported import Stage

SCRIPT, QUOTE = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'
BEST = ArchitectureRow(
    "motion", "", "frozen", "tokens of motion", "nothing", "best", Estimate(0.8, 0.7, 0.86),
    Estimate(0.0, 0.0, 0.0), 0.4, 0.0, (), 0.1, 2**20, 0, 0.0,
)  # fmt: skip
TRAINED = replace(
    BEST, name="cnn on frames", architecture="cnn", how="supervised", standing="behind",
    score=Estimate(0.6, 0.5, 0.7), behind_best=Estimate(0.2, 0.1, 0.3), learn_seconds=60.0,
    epochs=(7, 9), parameters=1000, gmacs_per_clip=0.1,
)  # fmt: skip
BLIND = replace(
    TRAINED, name="video-transformer pretrained", standing="tied",
    how="self-supervised, fine-tuned", pretrain_seconds=30.0,
)  # fmt: skip
TABLE = ArchitectureTable(
    data="clips", classes=("a", "b"), clip_count=20, group_count=8, grouping="by name",
    rows=(BEST, BLIND, TRAINED),
    trained_gain=PairedGain(BLIND.name, "motion", Estimate(-0.2, -0.3, -0.1), False, True),
    pretraining=(PairedGain(BLIND.name, TRAINED.name, Estimate(0.0, -0.1, 0.1), False, False),),
    majority=Estimate(0.5, 0.4, 0.6), majority_class="a", folds=5, budget_seconds=60.0,
    unlabelled=3, settings={"budget": "60 s"}, failures=(), dropped=(),
    stages=(Stage("learn", None, 9.0),), machine={}, provenance={},
)  # fmt: skip


def test_the_answer_says_what_is_best_tied_and_proven():
    assert words.headline(TABLE) == (
        "motion (frozen) is best: 80.0 % [70.0, 86.0] on recordings it never saw (majority class "
        "50.0 %)."
    )
    assert "1 row of 3 proven worse" in words.ties_sentence(TABLE)
    assert words.trained_sentence(TABLE).endswith("-20.0 points [-30.0, -10.0], a proven loss.")
    assert words.pretraining_sentence(TABLE).endswith("not proven.")
    lone = replace(TABLE, rows=(BEST,), trained_gain=None, pretraining=())
    assert "one of the two is missing" in words.trained_sentence(lone)
    assert words.pretraining_sentence(lone) == ""
    unsure = replace(TABLE, majority=Estimate(0.75, 0.7, 0.8))
    assert words.headline(unsure).startswith("Nothing here is proven better than always saying 'a'")


NOTHING = Estimate(nan, nan, nan)
BARE = replace(TRAINED, score=Estimate(0.6, nan, nan), behind_best=NOTHING, gmacs_per_clip=nan)


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        replace(TABLE, rows=(BEST,), trained_gain=None, pretraining=()),
        replace(TABLE, rows=(replace(BARE, standing="best"), BARE), majority=NOTHING),
        replace(TABLE, metric="balanced", failures=(Failure("x", "y"),) * 20),
    ],
    ids=["usual", "alone", "not measured", "many lost"],
)
def test_the_page_is_whole(table):
    read, _ = check_page(architectures_html(table), 300_000)
    assert all(row.name in read.text for row in table.rows)
    assert "nan" not in architectures_markdown(table).lower()


def test_names_stay_text():
    hostile = replace(
        TABLE, data=f"/data/{QUOTE}", grouping=SCRIPT, warnings=(SCRIPT,), majority_class=QUOTE,
        rows=(replace(BEST, name=QUOTE, sees=SCRIPT, pretrained_on=QUOTE), TRAINED),
        machine={SCRIPT: QUOTE}, provenance={QUOTE: "{{ 7 * 7 }}"},
        dropped=(Failure(SCRIPT, QUOTE),),
    )  # fmt: skip
    check_names_stay_text(architectures_html(hostile))
    assert "<script>" not in architectures_markdown(hostile)
