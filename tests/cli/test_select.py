"""What is printed after a ranking can be typed as it stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.report.ranking_example import example_ranking

from vidfit.cli.select import show_ranking
from vidfit.study.options import SelectOptions

OWN = "own files/mine.py:Mine"


@pytest.mark.parametrize(
    ("recommended", "asked", "printed"),
    [
        ("motion", (), "--backbone motion"),
        ("hf:/a/b", ("hf:/a/b", "motion"), "--backbone hf:/a/b"),
        ("mine", ("motion", OWN), f"--backbone '{OWN}'"),
    ],
)
def test_the_encoder_to_fit_is_named_as_it_was_asked_for(recommended, asked, printed, capsys):
    ranking = replace(example_ranking(), recommended=recommended, data="my clips")
    show_ranking(ranking, Path("out"), SelectOptions(asked))
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == f"Fit it   vidfit fit 'my clips' {printed} -o out"


def test_what_was_asked_is_asked_again(capsys):
    ranking = replace(example_ranking(), recommended="motion", data="spans.csv")
    options = SelectOptions(task="localise", metric="map", groups=Path("my groups.csv"))
    show_ranking(ranking, Path("out"), options)
    line = capsys.readouterr().out.splitlines()[-1]
    asked = "--backbone motion --task localise --metric map --groups 'my groups.csv'"
    assert line == f"Fit it   vidfit fit spans.csv {asked} -o out"
