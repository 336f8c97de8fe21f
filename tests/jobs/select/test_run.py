"""A ranking of what runs, with the reasons of what does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vidfit.backbones import vgg
from vidfit.errors import BackboneError, BudgetError, NotEnoughDataError, VidfitError
from vidfit.jobs.select.run import run_select
from vidfit.jobs.select.terminal import ranking_markdown
from vidfit.study.options import SelectOptions

MORE = """

class Greedy(Colour):
    spec = replace(Colour.spec, name="greedy")

    def forward(self, frames_BTHWC):
        import numpy as np
        np.ones(1 << 50)  # a petabyte
        return super().forward(frames_BTHWC)


class Late(Colour):
    spec = replace(Colour.spec, name="late", revision="late-1")
    asked = 0

    def forward(self, frames_BTHWC):
        Late.asked += 1
        if Late.asked > 12:
            raise MemoryError("no memory is left")
        return super().forward(frames_BTHWC)


class Reserved(Colour):
    spec = replace(Colour.spec, name="reserved", revision="r-1", licence="CC-BY-NC-4.0",
                   commercial_use=False)
"""


@pytest.fixture(scope="module")
def own(fitted, tmp_path_factory):
    source = Path(fitted.backbones[1].rpartition(":")[0])
    file = tmp_path_factory.mktemp("own") / "more_backbones.py"
    file.write_text(source.read_text() + MORE)
    return file


@pytest.fixture(scope="module")
def ranked(fitted, own, tmp_path_factory):
    names = ("motion", f"{own}:Colour", f"{own}:Broken", f"{own}:Greedy", f"{own}:Late", "hf:gone")
    output = fitted.warm(tmp_path_factory.mktemp("ranked"))
    return run_select(fitted.clips, output, SelectOptions(backbones=names, workers=1)), output


def test_the_better_candidate_is_recommended_with_its_evidence(ranked):
    ranking, _ = ranked
    assert ranking.recommended == ranking.best == "motion"
    first = ranking.candidates[0]
    assert (first.name, first.standing, first.clips) == ("motion", "recommended", 12)
    assert first.behind_best.value == 0.0 and first.seconds_per_clip > 0
    assert ranking.score.low <= ranking.score.value <= ranking.naive.value
    assert ranking.majority.value == 0.5
    assert (ranking.clip_count, ranking.group_count, ranking.labels_per_class) == (12, 12, 6)
    assert ranking.regime == "probe"
    assert [rung.clips for rung in ranking.rungs] == [12]
    assert ranking.spent_seconds > 0 and ranking.exhaustive_seconds > 0
    assert {baseline.rule for baseline in ranking.baselines} == {"largest"}
    assert set(first.scores) == {"logme", "parc", "knn"} and first.scores["knn"] > 0.8


def test_what_does_not_run_is_dropped_with_its_reason_and_the_race_goes_on(ranked):
    ranking, _ = ranked
    reasons = {failure.name.rpartition(":")[2]: failure.reason for failure in ranking.dropped}
    reasons |= {f.name: f.reason for rung in ranking.rungs for f in rung.dropped}
    assert reasons["Broken"] == "ZeroDivisionError: this network divides by zero"
    assert "MemoryError" in reasons["Greedy"] and "Unable to allocate" in reasons["Greedy"]
    assert "MemoryError: no memory is left" in reasons["late"]
    assert "not on this machine" in reasons["gone"]
    assert {row.name for row in ranking.candidates} == {"motion", "colour"}


def test_order_of_frames_is_measured_where_an_encoder_sees_several(ranked):
    """Left and right differ by nothing but the order of frames."""
    temporal = ranked[0].temporal
    assert temporal is not None and temporal.name == "motion"
    assert temporal.ordered.value > 0.9 > temporal.shuffled.value
    assert temporal.gain.low > 0 and "bound to motion" in temporal.verdict


def test_without_such_an_encoder_it_is_not_measured(fitted, own, tmp_path):
    ranking = run_select(fitted.clips, tmp_path, SelectOptions(backbones=(f"{own}:Colour",)))
    assert ranking.temporal is None


def test_files_are_written(ranked):
    ranking, output = ranked
    assert sorted(path.name for path in output.iterdir()) == [
        "features", "ranking.html", "ranking.json", "ranking.svg",
    ]  # fmt: skip
    facts = json.loads((output / "ranking.json").read_text())
    assert facts["recommended"] == ranking.recommended
    assert "motion" in (output / "ranking.html").read_text()


def test_what_was_taken_of_a_checkpoint_with_another_head_is_reported(
    fitted, tmp_path, monkeypatch
):
    """A network fine-tuned on seven classes: its trunk is used, its head is named as ignored."""
    monkeypatch.setattr(vgg, "CHANNELS", (4, 4, 8, 8, 8))
    monkeypatch.setattr(vgg, "FEATURES", 8)
    state = vgg.Vgg("vgg11").state_dict() | {"classifier.6.weight": torch.zeros(7, 4096)}
    torch.save(state, tmp_path / "tuned.pth")
    options = SelectOptions(backbones=(f"vgg11:{tmp_path / 'tuned.pth'}",))
    ranking = run_select(fitted.clips, tmp_path / "out", options)
    facts = " ".join(ranking.provenance.values())
    assert "of the checkpoint took" in facts and "classifier.6.weight" in facts


def test_the_cheapest_of_the_tied_is_taken_unless_told_otherwise(fitted, own, tmp_path):
    """Two encoders that answer alike are tied; one of them has four times the views."""
    names = ("motion", "motion@32")
    cheap = run_select(fitted.clips, fitted.warm(tmp_path), SelectOptions(backbones=names))
    assert {row.standing for row in cheap.candidates} == {"recommended", "tied"}
    assert cheap.recommended == cheap.temporal.name == "motion"
    best = run_select(fitted.clips, tmp_path, SelectOptions(backbones=names, prefer="best"))
    assert best.recommended == best.best


def test_a_licence_that_forbids_commercial_use_is_refused_when_asked(fitted, own, tmp_path):
    options = SelectOptions(backbones=("motion", f"{own}:Reserved"), commercial=True)
    ranking = run_select(fitted.clips, fitted.warm(tmp_path), options)
    (refused,) = ranking.dropped
    assert refused.name == "reserved" and "CC-BY-NC-4.0" in refused.reason
    with pytest.raises(BudgetError, match=r"no candidate is left.*CC-BY-NC-4\.0"):
        run_select(fitted.clips, tmp_path, replace(options, backbones=(f"{own}:Reserved",)))


def test_a_latency_that_is_too_short_drops_what_takes_longer(fitted, own, tmp_path):
    options = SelectOptions(backbones=(f"{own}:Colour",), latency_seconds=1e-6)
    with pytest.raises(BudgetError, match=r"over the latency of 0 ms"):
        run_select(fitted.clips, tmp_path, options)


def test_nothing_runs(fitted, own, tmp_path):
    with pytest.raises(BackboneError, match="no candidate runs here"):
        run_select(fitted.clips, tmp_path, SelectOptions(backbones=(f"{own}:Broken",)))


def test_options_without_meaning(fitted, tmp_path):
    with pytest.raises(VidfitError, match="prefer is 'dearest'"):
        run_select(fitted.clips, tmp_path, SelectOptions(prefer="dearest"))  # type: ignore


def test_too_few_clips(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.mp4").write_text("")
    with pytest.raises(NotEnoughDataError):
        run_select(tmp_path, tmp_path / "out", SelectOptions())


def test_of_a_loss_the_least_is_first_and_nothing_is_in_points(fitted, own, tmp_path):
    options = SelectOptions(backbones=("motion", f"{own}:Colour"), metric="log-loss")
    ranking = run_select(fitted.clips, fitted.warm(tmp_path), options)
    scores = [row.score.value for row in ranking.candidates if row.clips == ranking.clip_count]
    assert scores == sorted(scores) and not ranking.higher_is_better
    assert ranking.best == ranking.candidates[0].name
    said = ranking_markdown(ranking)
    assert "| candidate | log-loss [95 %] |" in said and " points" not in said
    assert all(row.behind_best.value >= 0 for row in ranking.candidates)


def test_even_classes_are_answered_as_they_were_learned(fitted, tmp_path):
    names, output = ("motion",), fitted.warm(tmp_path)
    even, learned = (
        run_select(fitted.clips, output, SelectOptions(backbones=names, class_weights=weights))
        for weights in ("balanced", "none")
    )
    assert even.candidates[0].score.value == learned.candidates[0].score.value
