"""Who may enter the race."""

from __future__ import annotations

import pytest
from tests.clips import write_clip

from vidfit.contracts import Clip, Failure
from vidfit.errors import BackboneError, BudgetError
from vidfit.progress import SILENT
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


def test_who_cannot_give_what_is_learned_from_is_refused_before_it_runs():
    unread = [Clip("no such video.mp4")]
    with pytest.raises(BackboneError, match="motion finds no boxes; valid are detectors"):
        entrants(unread, SelectOptions(backbones=("motion",)), SILENT, BOXES_APART)
