"""What is said of candidates while the race goes on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from vidfit.contracts import Clip
from vidfit.errors import NotEnoughDataError
from vidfit.jobs.select.race import Contestants, so_far
from vidfit.jobs.select.run import run_select
from vidfit.labels import ONE
from vidfit.metrics import ACCURACY, score_values
from vidfit.selection import Rules, Trial
from vidfit.study.options import SelectOptions
from vidfit.study.table import Tally


def test_a_round_is_told_best_first_with_intervals():
    hits_CM = np.array([[1.0, 0, 0, 0] * 6, [1.0, 1, 1, 0] * 6])
    trial = Trial(
        ("poor", "good"),
        score_values(hits_CM, [f"recording {i // 2}" for i in range(24)]),
        {"poor": 0.25, "good": 0.75},
        (),
        0.0,
    )
    said = so_far(trial, ACCURACY)
    start, good, poor = said.replace("; ", ": ").split(": ")
    assert start == "Accuracy on 24 clips so far"
    assert good.startswith("good 75.0 % [") and poor.startswith("poor 25.0 % [")
    low, high = map(float, good.partition("[")[2].rstrip("]").split(", "))
    assert 0 < low < 75.0 < high < 100


def test_clips_that_cannot_be_read_are_made_up_for_and_counted(monkeypatch):
    asked = []

    def table(clips, encoders):
        asked.append(len(clips))
        return "table", Tally((), (), 1.5)

    def folds(table, tally):
        if len(asked) == 1:
            raise NotEnoughDataError("too few can be read")
        return "folds"

    monkeypatch.setattr("vidfit.jobs.select.race._folds", folds)
    study = SimpleNamespace(table=table, kind=ONE)
    clips = [Clip(f"{i}.mp4", label="ab"[i % 2]) for i in range(12)]
    contestants = Contestants(study, clips, (), Rules(12, 4, None), None)
    assert contestants._extract([], 4) == ("table", Tally((), (), 3.0), "folds")
    assert asked == [4, 8] and contestants.looked_at == {4: 8}


class Notes:
    """A progress that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, stage: str, total: int) -> None:
        self.lines.append(f"{stage}: {total}")

    def advance(self, count: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        self.lines.append(text)


def test_a_few_clips_are_ranked_before_all_are_looked_at(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("vidfit.jobs.select.race.first_size", lambda clips, classes: 4)
    notes, options = Notes(), SelectOptions(backbones=("motion",), workers=1)
    ranking = run_select(fitted.clips, tmp_path, options, notes)
    assert [rung.clips for rung in ranking.rungs] == [4]  # left alone, it ends the race
    said = [line for line in notes.lines if "so far" in line]
    assert len(said) == 1 and said[0].startswith("Accuracy on 4 clips so far: motion ")
    looked = [line for line in notes.lines if line.startswith("decode and extract")]
    assert looked[0] == "decode and extract: 4" and looked[1] == "decode and extract: 12"
    assert notes.lines.index(said[0]) < notes.lines.index(looked[1])
    assert [stage.name for stage in ranking.stages][:3] == [
        "measure candidates",
        "rank on a few clips",
        "look for copies",
    ]


def test_one_round_is_not_told_before_its_end(fitted, tmp_path):
    notes, options = Notes(), SelectOptions(backbones=("motion",), workers=1)
    run_select(fitted.clips, tmp_path, options, notes)
    assert not [line for line in notes.lines if "so far" in line]
