"""Who may enter the race."""

from __future__ import annotations

import pytest
from tests.clips import write_clip

from vidfit.contracts import Clip, Failure
from vidfit.errors import BackboneError, BudgetError
from vidfit.progress import SILENT
from vidfit.study import candidates as module
from vidfit.study.candidates import NO_NETWORK, entrants
from vidfit.study.options import SelectOptions
from vidfit.tasks.detect.seen import BOXES_APART


@pytest.fixture
def clips(tmp_path):
    return [Clip(str(write_clip(tmp_path / "clip.mp4")))]


def test_network_only_leaves_algorithms_out_and_says_so(clips):
    names = "motion", "efficientnet-lite0@1"
    loaded, dropped = entrants(clips, SelectOptions(backbones=names, network_only=True), SILENT)
    assert [one.name for one in loaded] == ["efficientnet-lite0@1"]
    assert dropped == [Failure("motion", NO_NETWORK)]


def test_network_only_with_algorithms_alone_is_refused(clips):
    options = SelectOptions(backbones=("motion",), network_only=True)
    with pytest.raises(BudgetError, match="motion: it is an algorithm and no network"):
        entrants(clips, options, SILENT)


def test_cheap_forms_enter_where_they_are_cheaper_and_the_others_are_told(clips, monkeypatch):
    whole, bits = "efficientnet-lite0@4", "efficientnet-lite0:int8@4"
    took = {whole: 1.0, bits: 0.81, "efficientnet-lite0@key4": 0.8, "motion": 0.1}
    monkeypatch.setattr(
        module, "_time", lambda backbone, _: (took.get(backbone.spec.name, 0.3), 0.0)
    )
    options = SelectOptions(backbones=("motion", whole), variants=True)
    loaded, dropped = entrants(clips, options, SILENT)
    names = [one.name for one in loaded]
    assert names == ["motion", whole, "efficientnet-lite0@key4", "efficientnet-lite0:int8@key4"]
    assert dropped == [Failure(bits, f"it takes 810 ms a clip, and {whole} 1000: hardly cheaper")]


def test_who_cannot_give_what_is_learned_from_is_refused_before_it_runs():
    unread = [Clip("no such video.mp4")]
    with pytest.raises(BackboneError, match="motion finds no boxes; valid are detectors"):
        entrants(unread, SelectOptions(backbones=("motion",)), SILENT, BOXES_APART)
